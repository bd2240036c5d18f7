// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * swinclassify.h: the element `swinclassify`. swinclassify.c has its class and states, properties.c
 * its properties, stream.c what happens while it streams.
 */
#ifndef SWIN_PLUGIN_SWINCLASSIFY_H
#define SWIN_PLUGIN_SWINCLASSIFY_H

#include <gst/gst.h>
#include <gst/video/video.h>

#include "classification.h"
#include "inference.h"
#include "queue.h"
#include "settings.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN(gst_swin_classify_debug);

#define GST_TYPE_SWIN_CLASSIFY (gst_swin_classify_get_type())
G_DECLARE_FINAL_TYPE(GstSwinClassify, gst_swin_classify, GST, SWIN_CLASSIFY, GstElement)

GST_ELEMENT_REGISTER_DECLARE(swinclassify)

struct _GstSwinClassify {
  GstElement element;
  GstPad *sink_pad;
  GstPad *source_pad;
  SwinQueue *queue;         /* from the sink pad to the source pad */
  SwinInference *inference; /* (nullable): changed under the object lock while no pad is active, so
                               that the streaming threads need no lock to read it */

  /* Under the object lock. */
  SwinSettings settings; /* read when an inference is opened */
  gchar *device_name;    /* (nullable): of the device in use */
  gfloat threshold;
  guint inference_interval;
  gboolean post_messages;
  gboolean live;        /* what the last LATENCY query said */
  GstClockTime latency; /* what this element adds to a LATENCY query */

  /* The sink pad's streaming thread. */
  GstVideoInfo info;
  gboolean negotiated;
  guint frames_until_inference; /* 0: the next frame is classified */
  gboolean warned;              /* the last frame could not be read, and that has been said */

  /* The source pad's task, and whoever holds the source pad's stream lock while it is paused. */
  GstSegment segment;
  SwinClassification *last; /* (nullable): the latest result that left */
};

/** gst_swin_classify_install_properties: for the class; gst_swin_classify_init_properties() gives
 * a new element their defaults, and gst_swin_classify_clear_properties() frees what they own. */
void gst_swin_classify_install_properties(GObjectClass *klass);
void gst_swin_classify_init_properties(GstSwinClassify *self);
void gst_swin_classify_clear_properties(GstSwinClassify *self);

/** gst_swin_classify_init_stream: pads and queue of a new element. */
void gst_swin_classify_init_stream(GstSwinClassify *self);

/** gst_swin_classify_stop_stream: drops what is left; call while no pad is active. */
void gst_swin_classify_stop_stream(GstSwinClassify *self);

/** gst_swin_classify_add_pad_templates: what both pads can carry. */
void gst_swin_classify_add_pad_templates(GstElementClass *klass);

G_END_DECLS

#endif /* SWIN_PLUGIN_SWINCLASSIFY_H */
