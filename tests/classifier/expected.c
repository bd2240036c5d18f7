// SPDX-License-Identifier: LGPL-2.1-or-later
#include "classifier/expected.h"
#include "network/family.h"
#include "reference/preprocess.h"
#include "reference/reference.h"

#include <string.h>

/* All tensors of @plan; free with reference_tensors_free(). */
static float **run(SwinModel *model, SwinPlan *plan, const SwinPreprocessing *preprocessing,
                   const SwinFrame *frame) {
  swin_plan_finish(plan, 64, 0);
  guint width, height;
  swin_model_get_input_size(model, &width, &height);
  float **tensors = reference_tensors_new(plan);
  g_autofree guint8 *codes = g_malloc((gsize)3 * width * height);
  reference_resize(frame, preprocessing, width, height, codes);
  reference_normalise_codes(codes, preprocessing, width, height,
                            tensors[swin_plan_find(plan, "input")]);
  reference_run(plan, tensors);
  return tensors;
}

void expected_tags(SwinModel *model, const SwinPreprocessing *preprocessing,
                   SwinActivation activation, const SwinFrame *frame, SwinTag *tags, guint top_k) {
  const SwinPlanOptions options = {.batch = 1, .top_k = top_k, .activation = activation};
  g_autoptr(SwinPlan) plan = swin_family_plan(model, &options);
  float **tensors = run(model, plan, preprocessing, frame);
  const gfloat *words = tensors[swin_plan_find(plan, "tags")];
  for (guint i = 0; i < top_k; i++) {
    memcpy(&tags[i].index, &words[2 * i], sizeof(guint));
    tags[i].confidence = words[2 * i + 1];
  }
  reference_tensors_free(plan, tensors);
}

gfloat *expected_output(SwinModel *model, const SwinPreprocessing *preprocessing,
                        SwinStorage storage, const SwinFrame *frame, const gchar *name,
                        gsize *n_values) {
  const SwinPlanOptions options = {.batch = 1, .keep_stages = TRUE, .storage = storage};
  g_autoptr(SwinPlan) plan = swin_family_plan(model, &options);
  float **tensors = run(model, plan, preprocessing, frame);
  const gint number = swin_plan_find(plan, name);
  *n_values = swin_plan_get_tensor(plan, number)->n_elements;
  gfloat *values = g_memdup2(tensors[number], *n_values * sizeof(gfloat));
  reference_tensors_free(plan, tensors);
  return values;
}
