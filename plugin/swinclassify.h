// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * swinclassify.h: the element `swinclassify`. swinclassify.c has its class and states, properties.c
 * and specifications.c its properties, opening.c what it runs. While it streams: sink-pad.c takes
 * frames in, source-pad.c lets them out with what results.c makes of their inferences, policy.c
 * says what they wait for, and stream.c holds these together.
 */
#ifndef SWIN_PLUGIN_SWINCLASSIFY_H
#define SWIN_PLUGIN_SWINCLASSIFY_H

#include <gst/gst.h>
#include <gst/video/video.h>

#include "enums.h"
#include "inference.h"
#include "input.h"
#include "latest.h"
#include "loader.h"
#include "objects.h"
#include "orientation.h"
#include "queue.h"
#include "settings.h"
#include "smoothing.h"
#include "stats.h"
#include "vulkan.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN(gst_swin_classify_debug);

#define GST_TYPE_SWIN_CLASSIFY (gst_swin_classify_get_type())
G_DECLARE_FINAL_TYPE(GstSwinClassify, gst_swin_classify, GST, SWIN_CLASSIFY, GstElement)

GST_ELEMENT_REGISTER_DECLARE(swinclassify)

/** GstSwinClassifyControls: properties that take effect with the next frame. */
typedef struct {
  gfloat threshold;
  guint inference_interval;
  gboolean post_messages;
  GstSwinClassifyLatencyPolicy latency_policy;
  gboolean qos;
  GstSwinClassifyInferenceRegion region;
  gchar *object_class;       /* (nullable): as it was set */
  GPtrArray *object_classes; /* (nullable): its parts, NULL-terminated; never changed, replaced */
  guint object_min_width, object_min_height;
  guint reclassify_interval;
  guint unique_id;
  GstVideoOrientationMethod direction;
} GstSwinClassifyControls;

struct _GstSwinClassify {
  GstElement element;
  GstPad *sink_pad;
  GstPad *source_pad;
  SwinQueue *queue;   /* from the sink pad to the source pad */
  SwinFlight *flight; /* all inferences under way */
  SwinLatest *latest; /* those that no frame waits for */
  SwinStats *stats;
  SwinVulkan *vulkan;
  SwinLoader *loader;

  /* Under the object lock. */
  SwinInference *inference; /* (nullable): in use */
  SwinSettings settings;    /* read when an inference is opened */
  guint n_model_changes;    /* of what an inference that is being opened would have to be */
  SwinObjects *objects;     /* of frames that come now */
  GstSwinClassifyControls controls;
  gboolean live;         /* what upstream said last */
  gboolean live_known;   /* whether it has been asked since the stream began */
  GstClockTime latency;  /* what this element adds to a LATENCY query where frames wait */
  GstClockTime earliest; /* running time; frames up to it are late, as downstream has said */

  /* The sink pad's streaming thread. */
  SwinInput input;
  gboolean negotiated;
  guint n_streams;              /* that came: SwinPosition.stream of the next frame */
  guint64 n_frames;             /* that came: SwinPosition.number of the last one */
  guint frames_until_inference; /* 0: the next frame is looked at */
  GstSegment sink_segment;
  SwinOrientationTags orientation_tags;

  /* The source pad's task, and whoever holds the source pad's stream lock while it is paused. */
  guint stream;              /* SwinPosition.stream of what leaves now */
  SwinClassification *last;  /* (nullable): the latest result that is about a whole frame */
  SwinClassification *fresh; /* (nullable): the same until a frame has carried its tensors */
  SwinSmoothing *smoothing;
  gboolean warned; /* the last frame could not be read, and that has been said */
};

/* ---- Properties ---------------------------------------------------------------------------- */

/** gst_swin_classify_install_properties: for the class; gst_swin_classify_init_properties() gives
 * a new element their defaults, and gst_swin_classify_clear_properties() frees what they own. */
void gst_swin_classify_install_properties(GObjectClass *klass);
void gst_swin_classify_init_properties(GstSwinClassify *self);
void gst_swin_classify_clear_properties(GstSwinClassify *self);

/* ---- What runs ----------------------------------------------------------------------------- */

/** gst_swin_classify_open: opens an inference; posts an error and returns FALSE where it cannot. */
gboolean gst_swin_classify_open(GstSwinClassify *self);

/** gst_swin_classify_close: lets go of it and of all frames; call while no pad is active. */
void gst_swin_classify_close(GstSwinClassify *self);

/**
 * gst_swin_classify_follow_images: sees to it that the inference is on the device of the pipeline's
 * Vulkan images; posts an error and returns FALSE where it cannot. From the sink pad's thread.
 */
gboolean gst_swin_classify_follow_images(GstSwinClassify *self);

/** gst_swin_classify_switch_model: a #SwinLoaderFunc whose user_data is the element: opens what the
 * settings say now, and uses it from the next frame on; posts a warning and changes nothing where
 * it cannot. */
void gst_swin_classify_switch_model(gpointer self);

/** gst_swin_classify_ref_inference: (transfer full) (nullable): the one in use. Any thread. */
SwinInference *gst_swin_classify_ref_inference(GstSwinClassify *self);

/* ---- The stream ---------------------------------------------------------------------------- */

/** gst_swin_classify_init_stream: pads and queue of a new element; gst_swin_classify_free_stream()
 * frees them. */
void gst_swin_classify_init_stream(GstSwinClassify *self);
void gst_swin_classify_free_stream(GstSwinClassify *self);

/** gst_swin_classify_stop_stream: drops what is left; call while no pad is active. */
void gst_swin_classify_stop_stream(GstSwinClassify *self);

/** gst_swin_classify_cancel: nothing is looked at any more. Does not wait; the queue is stopped. */
void gst_swin_classify_cancel(GstSwinClassify *self);

/** gst_swin_classify_withdraw: the frame that waits for its turn is not looked at. Any thread. */
void gst_swin_classify_withdraw(GstSwinClassify *self);

/** gst_swin_classify_add_pad_templates: what both pads can carry. */
void gst_swin_classify_add_pad_templates(GstElementClass *klass);

/** gst_swin_classify_begin_stream: nothing of what was before says anything of what comes: no
 * frame, no result, no object. From the sink pad's thread; frames that are still to leave
 * keep what is known of them, and what has been looked at by then is told of before. */
void gst_swin_classify_begin_stream(GstSwinClassify *self);

/** gst_swin_classify_restart_stream: likewise, but what has been looked at is forgotten. Also while
 * no pad is active. */
void gst_swin_classify_restart_stream(GstSwinClassify *self);

/** gst_swin_classify_forget_results: nothing is known any more of what leaves. From the source
 * pad's task, or while that is paused. */
void gst_swin_classify_forget_results(GstSwinClassify *self);

/** gst_swin_classify_renew_objects: nothing is known of the objects on frames that come from now
 * on. Any thread. */
void gst_swin_classify_renew_objects(GstSwinClassify *self);

/** gst_swin_classify_ref_objects: (transfer full): of the frame that comes now. Any thread. */
SwinObjects *gst_swin_classify_ref_objects(GstSwinClassify *self);

/** gst_swin_classify_start_task: (re)starts the source pad's task. */
gboolean gst_swin_classify_start_task(GstSwinClassify *self);

/** Pad functions: of sink-pad.c and source-pad.c. */
GstFlowReturn gst_swin_classify_sink_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer);
gboolean gst_swin_classify_sink_event(GstPad *pad, GstObject *parent, GstEvent *event);
gboolean gst_swin_classify_sink_query(GstPad *pad, GstObject *parent, GstQuery *query);
gboolean gst_swin_classify_source_event(GstPad *pad, GstObject *parent, GstEvent *event);
gboolean gst_swin_classify_source_query(GstPad *pad, GstObject *parent, GstQuery *query);
void gst_swin_classify_source_task(gpointer self); /* a GstTaskFunction */

/**
 * gst_swin_classify_look_at: a #SwinLatestSubmit whose user_data is the element: has @buffer looked
 * at by the inference in use.
 */
gboolean gst_swin_classify_look_at(SwinLook *look, GstBuffer *buffer, SwinJobFunc done,
                                   gpointer done_data, gpointer self, GError **error);

/** gst_swin_classify_post_flow_error: tells the application, where upstream will not hear of it. */
void gst_swin_classify_post_flow_error(GstSwinClassify *self, GstFlowReturn flow);

/* ---- Policy -------------------------------------------------------------------------------- */

/** gst_swin_classify_is_latest: whether frames leave without waiting, as far as is known. */
gboolean gst_swin_classify_is_latest(GstSwinClassify *self);

/** gst_swin_classify_ask_live: finds out whether upstream is live, where that matters and is not
 * known. From the sink pad's thread. */
void gst_swin_classify_ask_live(GstSwinClassify *self);

/** gst_swin_classify_forget_live: upstream may be another one from now on. */
void gst_swin_classify_forget_live(GstSwinClassify *self);

/** gst_swin_classify_select: whether @buffer is one of those that are looked at. From the sink
 * pad's thread, once a frame. */
gboolean gst_swin_classify_select(GstSwinClassify *self, const GstBuffer *buffer);

/** gst_swin_classify_handle_qos: notes what downstream says; gst_swin_classify_reset_qos() forgets
 * it. */
void gst_swin_classify_handle_qos(GstSwinClassify *self, GstEvent *event);
void gst_swin_classify_reset_qos(GstSwinClassify *self);

/** gst_swin_classify_answer_latency: a LATENCY query. */
gboolean gst_swin_classify_answer_latency(GstSwinClassify *self, GstQuery *query);

/** gst_swin_classify_note_latency: how long a frame took; tells the pipeline where that is longer
 * than what was said. No lock may be held. */
void gst_swin_classify_note_latency(GstSwinClassify *self, gint64 microseconds);

/** gst_swin_classify_tell_latency: has the pipeline ask for the latency again, if it is live. */
void gst_swin_classify_tell_latency(GstSwinClassify *self);

/* ---- Results ------------------------------------------------------------------------------- */

/**
 * gst_swin_classify_take_results: takes in what is known by now: of @look, the frame that is about
 * to leave, and of those up to it that did not wait. Posts messages. From the source pad's task.
 * What comes of an earlier stream is dropped.
 * @look: (nullable): NULL: of all up to the end of the stream
 *
 * Returns: FALSE with an error that ends the stream.
 */
gboolean gst_swin_classify_take_results(GstSwinClassify *self, SwinLook *look, GError **error);

/**
 * gst_swin_classify_tag: (transfer full): @buffer (transfer full) with the tags that it is to
 * carry. One that others hold too is copied for that, without its pixels.
 */
GstBuffer *gst_swin_classify_tag(GstSwinClassify *self, const SwinLook *look, GstBuffer *buffer);

G_END_DECLS

#endif /* SWIN_PLUGIN_SWINCLASSIFY_H */
