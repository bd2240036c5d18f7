// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * message.h: what the element says on the bus.
 */
#ifndef SWIN_PLUGIN_MESSAGE_H
#define SWIN_PLUGIN_MESSAGE_H

#include "classification.h"

/**
 * swin_message_new_classification: (transfer full): the element message `swin-classification` of
 * one inference, with the fields
 * - `timestamp` (guint64): presentation time stamp of the frame, in ns
 * - `stream-time` (guint64): position in the stream, in ns
 * - `running-time` (guint64): time at which a sink shows the frame, in ns of running time
 * - `labels` (array of string), `confidences` (array of double), `indices` (array of uint): the
 *   tags, best first
 * Times that are not known are %GST_CLOCK_TIME_NONE.
 */
GstMessage *swin_message_new_classification(GstObject *source, const GstBuffer *frame,
                                            const GstSegment *segment,
                                            const SwinClassification *classification);

/**
 * swin_message_post_error: posts @error of the domain %SWIN_ERROR as an element error, under the
 * GStreamer error that fits. No lock may be held.
 */
void swin_message_post_error(GstElement *element, const GError *error);

#endif /* SWIN_PLUGIN_MESSAGE_H */
