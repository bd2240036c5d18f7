// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * message.h: what the element says on the bus.
 */
#ifndef SWIN_PLUGIN_MESSAGE_H
#define SWIN_PLUGIN_MESSAGE_H

#include "classification.h"
#include "region.h"

/**
 * swin_message_new_classification: (transfer full): the element message `swin-classification` of
 * one inference, with the fields
 * - `timestamp` (guint64): presentation time stamp of the frame, in ns
 * - `stream-time` (guint64): position in the stream, in ns
 * - `running-time` (guint64): time at which a sink shows the frame, in ns of running time
 * - `model`, `precision`, `unique-id`, `labels`, `confidences`, `indices`, and for an object
 *   `region`, `frame-width`, `frame-height`, `object-class`, `track`: as in metadata.h
 *
 * Times that are not known are %GST_CLOCK_TIME_NONE. The frame is the one that was looked at.
 */
GstMessage *swin_message_new_classification(GstObject *source, const GstSegment *segment,
                                            const SwinRegion *region,
                                            const SwinClassification *classification,
                                            guint unique_id);

/**
 * swin_message_new_model_updated: (transfer full): the element message `swin-model-updated`:
 * another model is in use from the next frame on. Fields: `model-file` (string, may be unset),
 * `model`, `device`, `precision` (string).
 */
GstMessage *swin_message_new_model_updated(GstObject *source, const gchar *model_file,
                                           SwinInference *inference);

/**
 * swin_message_post_error: posts @error of the domain %SWIN_ERROR as an element error, under the
 * GStreamer error that fits. No lock may be held.
 */
void swin_message_post_error(GstElement *element, const GError *error);

#endif /* SWIN_PLUGIN_MESSAGE_H */
