// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * flight.h: the jobs that an element has under way, whichever inference they are of: two while one
 * model takes over from another.
 */
#ifndef SWIN_PLUGIN_FLIGHT_H
#define SWIN_PLUGIN_FLIGHT_H

#include "job.h"

/** SwinFlight: any thread. Must outlive its jobs: drain it before it is freed. */
typedef struct _SwinFlight SwinFlight;

SwinFlight *swin_flight_new(void);
void swin_flight_free(SwinFlight *flight); /* NULL-safe */

/** swin_flight_submit: swin_job_submit(), noted. */
gboolean swin_flight_submit(SwinFlight *flight, SwinJob *job, const SwinFrame *frame,
                            SwinMapping *mapping, SwinJobFunc done, gpointer user_data,
                            GError **error);

/** swin_flight_cancel: cancels what is under way; does not wait. */
void swin_flight_cancel(SwinFlight *flight);

/**
 * swin_flight_drain: waits until nothing is under way, and until the library is done with it. Not
 * from a thread of the library.
 */
void swin_flight_drain(SwinFlight *flight);

#endif /* SWIN_PLUGIN_FLIGHT_H */
