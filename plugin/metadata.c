// SPDX-License-Identifier: LGPL-2.1-or-later
#include "metadata.h"

#ifdef HAVE_GST_ANALYTICS

#include <gst/analytics/analytics.h>

void swin_metadata_register(void) {
}

void swin_metadata_attach(GstBuffer *buffer, const SwinClassification *classification) {
  const guint n_tags = classification->n_tags;
  GstAnalyticsRelationMeta *meta;
  GstAnalyticsClsMtd mtd;
  g_autofree gfloat *confidences = NULL;
  g_autofree GQuark *labels = NULL;

  if (n_tags == 0)
    return;
  // A detector upstream may have put its objects there: one relation meta holds all of them.
  meta = gst_buffer_get_analytics_relation_meta(buffer);
  if (meta == NULL)
    meta = gst_buffer_add_analytics_relation_meta(buffer);
  confidences = g_new(gfloat, n_tags);
  labels = g_new(GQuark, n_tags);
  for (guint i = 0; i < n_tags; i++) {
    confidences[i] = classification->tags[i].confidence;
    labels[i] = swin_classification_get_label(classification, i);
  }
  gst_analytics_relation_meta_add_cls_mtd(meta, n_tags, confidences, labels, &mtd);
}

#else

void swin_metadata_register(void) {
  // No tags: the result says what is seen, so it stays true when size or colour format change.
  // Without a transform function of its own the structure is copied along.
  static const gchar *no_tags[] = {NULL};

  gst_meta_register_custom(SWIN_CLASSIFICATION_NAME, no_tags, NULL, NULL, NULL);
}

void swin_metadata_attach(GstBuffer *buffer, const SwinClassification *classification) {
  GstCustomMeta *meta;

  if (classification->n_tags == 0)
    return;
  meta = gst_buffer_add_custom_meta(buffer, SWIN_CLASSIFICATION_NAME);
  swin_classification_describe(classification, gst_custom_meta_get_structure(meta));
}

#endif
