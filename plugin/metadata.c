// SPDX-License-Identifier: LGPL-2.1-or-later
#include "metadata.h"

#include "enums.h"

#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
// GstTensorMeta is public from 1.26 on.
#if GST_CHECK_VERSION(1, 26, 0)
#define HAVE_GST_TENSORS
#endif
#endif

void swin_metadata_register(void) {
  // No tags: the result says what is seen, so it stays true when size or colour format change.
  // Without a transform function of its own the structure is copied along.
  static const gchar *no_tags[] = {NULL};

  // The element may be in a program as well as in the plugin that it loads.
  if (gst_meta_get_info(SWIN_CLASSIFICATION_NAME) == NULL)
    gst_meta_register_custom(SWIN_CLASSIFICATION_NAME, no_tags, NULL, NULL, NULL);
}

/* ---- Every release ------------------------------------------------------------------------- */

// Frames of a stream that is played backwards get results of later ones: the distance counts.
static GstClockTime get_age(GstClockTime frame, GstClockTime looked_at) {
  if (!GST_CLOCK_TIME_IS_VALID(frame) || !GST_CLOCK_TIME_IS_VALID(looked_at))
    return GST_CLOCK_TIME_NONE;
  return MAX(frame, looked_at) - MIN(frame, looked_at);
}

static void describe(GstStructure *structure, GstClockTime frame, const SwinRegion *region,
                     const SwinClassification *classification, guint unique_id) {
  gst_structure_set(structure, "unique-id", G_TYPE_UINT, unique_id, "timestamp", G_TYPE_UINT64,
                    classification->timestamp, "age", G_TYPE_UINT64,
                    get_age(frame, classification->timestamp), NULL);
  swin_region_describe(region, structure);
  swin_classification_describe(classification, structure);
}

// @frame: presentation time of the frame that the result is put on.
static void attach_custom(GstBuffer *buffer, GstClockTime frame, const SwinRegion *region,
                          const SwinClassification *classification, guint unique_id) {
  GstCustomMeta *meta = gst_buffer_add_custom_meta(buffer, SWIN_CLASSIFICATION_NAME);

  describe(gst_custom_meta_get_structure(meta), frame, region, classification, unique_id);
}

static GstVideoRegionOfInterestMeta *get_roi(GstBuffer *buffer, guint position) {
  gpointer state = NULL;
  GstMeta *meta;

  do
    meta = gst_buffer_iterate_meta_filtered(buffer, &state,
                                            GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
  while (meta != NULL && position-- > 0);
  return (GstVideoRegionOfInterestMeta *)meta;
}

// The fields of the best tag are those of GVA::Tensor in DL Streamer.
static void attach_to_roi(GstBuffer *buffer, const SwinRegion *region,
                          const SwinClassification *classification, guint unique_id) {
  GstVideoRegionOfInterestMeta *roi = get_roi(buffer, region->id);
  const SwinTag *best = &classification->tags[0];
  GstStructure *parameter;

  g_return_if_fail(roi != NULL);
  parameter = gst_structure_new(
      SWIN_CLASSIFICATION_NAME, "label", G_TYPE_STRING,
      g_quark_to_string(swin_classification_get_label(classification, 0)), "label_id", G_TYPE_INT,
      (gint)best->index, "confidence", G_TYPE_DOUBLE, (gdouble)best->confidence, "model_name",
      G_TYPE_STRING, swin_inference_get_model_name(classification->inference), NULL);
  describe(parameter, GST_BUFFER_PTS(buffer), region, classification, unique_id);
  gst_video_region_of_interest_meta_add_param(roi, parameter);
}

/* ---- GstAnalytics -------------------------------------------------------------------------- */

#ifdef HAVE_GST_ANALYTICS

static void attach_analytics(GstBuffer *buffer, const SwinRegion *region,
                             const SwinClassification *classification) {
  const guint n_tags = classification->n_tags;
  // Returns the one that is there: a relation meta holds the objects of a detector as well.
  GstAnalyticsRelationMeta *meta = gst_buffer_add_analytics_relation_meta(buffer);
  g_autofree gfloat *confidences = g_new(gfloat, n_tags);
  g_autofree GQuark *labels = g_new(GQuark, n_tags);
  GstAnalyticsClsMtd tags;

  for (guint i = 0; i < n_tags; i++) {
    confidences[i] = classification->tags[i].confidence;
    labels[i] = swin_classification_get_label(classification, i);
  }
  if (gst_analytics_relation_meta_add_cls_mtd(meta, n_tags, confidences, labels, &tags) &&
      region->kind == SWIN_REGION_ANALYTICS)
    gst_analytics_relation_meta_set_relation(meta, GST_ANALYTICS_REL_TYPE_RELATE_TO, region->id,
                                             tags.id);
}

#else

static void attach_analytics(GstBuffer *buffer, const SwinRegion *region,
                             const SwinClassification *classification) {
  (void)buffer, (void)region, (void)classification;
}

#endif

void swin_metadata_attach(GstBuffer *buffer, const SwinRegion *region,
                          const SwinClassification *classification, guint unique_id) {
  if (classification->n_tags == 0)
    return;
  attach_custom(buffer, GST_BUFFER_PTS(buffer), region, classification, unique_id);
  if (region->kind == SWIN_REGION_ROI)
    attach_to_roi(buffer, region, classification, unique_id);
  else
    attach_analytics(buffer, region, classification);
}

/* ---- Tensors ------------------------------------------------------------------------------- */

#ifdef HAVE_GST_TENSORS

gboolean swin_metadata_has_tensors(void) {
  return TRUE;
}

static const struct {
  GstSwinClassifyTensors flag;
  const gchar *output; // in libswin
  const gchar *id;     // in GStreamer
} tensor_names[] = {
    {GST_SWIN_CLASSIFY_TENSORS_LOGITS, "logits", "classification-generic-out"},
    {GST_SWIN_CLASSIFY_TENSORS_EMBEDDING, "pooled", "swin-embedding"},
    {GST_SWIN_CLASSIFY_TENSORS_STAGE_0, "stages.0", "swin-stage-0"},
    {GST_SWIN_CLASSIFY_TENSORS_STAGE_1, "stages.1", "swin-stage-1"},
    {GST_SWIN_CLASSIFY_TENSORS_STAGE_2, "stages.2", "swin-stage-2"},
    {GST_SWIN_CLASSIFY_TENSORS_STAGE_3, "stages.3", "swin-stage-3"},
};

// Takes @data.
static GstTensor *make_tensor(const gchar *id, const SwinTensorCopy *output, GstBuffer *data) {
  gsize dims[1 + SWIN_OUTPUT_MAX_DIMS] = {1};

  for (guint i = 0; i < output->n_dims; i++)
    dims[1 + i] = output->dims[i];
  return gst_tensor_new_simple(g_quark_from_static_string(id), GST_TENSOR_DATA_TYPE_FLOAT32, data,
                               GST_TENSOR_DIM_ORDER_ROW_MAJOR, 1 + output->n_dims, dims);
}

void swin_metadata_attach_tensors(GstBuffer *buffer, const SwinRegion *region,
                                  const SwinClassification *classification, guint unique_id,
                                  guint tensors) {
  GstTensor *made[G_N_ELEMENTS(tensor_names)];
  GstTensorMeta *meta;
  guint n_made = 0;

  for (guint i = 0; i < G_N_ELEMENTS(tensor_names); i++) {
    const SwinTensorCopy *output = NULL;
    GstBuffer *data;

    if (tensors & tensor_names[i].flag)
      output = swin_classification_find_output(classification, tensor_names[i].output);
    if (output == NULL)
      continue;
    data = gst_buffer_new_wrapped_bytes(output->values);
    attach_custom(data, GST_BUFFER_PTS(buffer), region, classification, unique_id);
    made[n_made++] = make_tensor(tensor_names[i].id, output, data);
  }
  if (n_made == 0)
    return;
  // gst_buffer_add_tensor_meta() would hand out one that is there, whose tensors are those of
  // another.
  meta = (GstTensorMeta *)gst_buffer_add_meta(buffer, GST_TENSOR_META_INFO, NULL);
  gst_tensor_meta_set(meta, n_made, g_memdup2(made, n_made * sizeof(GstTensor *)));
}

#else

gboolean swin_metadata_has_tensors(void) {
  return FALSE;
}

void swin_metadata_attach_tensors(GstBuffer *buffer, const SwinRegion *region,
                                  const SwinClassification *classification, guint unique_id,
                                  guint tensors) {
  (void)buffer, (void)region, (void)classification, (void)unique_id, (void)tensors;
}

#endif
