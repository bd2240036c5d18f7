// SPDX-License-Identifier: LGPL-2.1-or-later
#include "evaluate.h"
#include "model/json.h"

#include <math.h>
#include <string.h>

#define DEFAULT_TOLERANCE 1e-4

/** Comparison: how far one tensor is from the reference's. */
typedef struct {
  const SwinEvaluated *ours;
  gdouble deviation;  /* standard deviation of the reference's values */
  gdouble difference; /* largest; NaN where one of the two is no number */
  gdouble relative;   /* largest difference over the deviation */
  gboolean passed;    /* at most the tolerance */
} Comparison;

/** Verification: everything that `swin verify` prints. */
typedef struct {
  const gchar *model, *reference, *device, *precision;
  gdouble tolerance;
  GArray *comparisons; /* of Comparison */
  guint n_images;
  guint n_agreeing; /* images whose largest logit is of the same class */
  gboolean has_logits;
  gboolean passed;
} Verification;

static gboolean is_compared(const gchar *name) {
  return strcmp(name, "logits") == 0 || strcmp(name, "pooled") == 0 ||
         g_str_has_prefix(name, "stages.");
}

static const SwinEvaluated *find_output(const GPtrArray *outputs, const gchar *name) {
  for (guint i = 0; i < outputs->len; i++) {
    const SwinEvaluated *output = g_ptr_array_index(outputs, i);
    if (strcmp(output->name, name) == 0)
      return output;
  }
  return NULL;
}

static gchar *shape_to_string(const guint64 *shape, guint n_dims) {
  GString *text = g_string_new("[");
  for (guint i = 0; i < n_dims; i++)
    g_string_append_printf(text, "%s%" G_GUINT64_FORMAT, i ? ", " : "", shape[i]);
  return g_string_free(g_string_append_c(text, ']'), FALSE);
}

/* The reference's values, when they are of the shape that the model makes. */
static gfloat *read_expected(SwinSafetensors *file, const SwinEvaluated *ours, GError **error) {
  SwinTensor tensor;
  if (!swin_safetensors_lookup(file, ours->name, &tensor, error))
    return NULL;
  if (tensor.n_dims != ours->n_dims ||
      memcmp(tensor.shape, ours->shape, ours->n_dims * sizeof(*ours->shape)) != 0) {
    g_autofree gchar *theirs = shape_to_string(tensor.shape, tensor.n_dims);
    g_autofree gchar *shape = shape_to_string(ours->shape, ours->n_dims);
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
                "The tensor \"%s\" in %s has the shape %s, where the model makes %s; the reference "
                "is of another model or another input size.",
                ours->name, swin_safetensors_get_path(file), theirs, shape);
    return NULL;
  }
  gfloat *values = g_try_new(gfloat, tensor.n_elements);
  if (!values) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_OUT_OF_MEMORY,
                "There is not enough memory for the reference in %s; use fewer images.",
                swin_safetensors_get_path(file));
    return NULL;
  }
  swin_tensor_read(&tensor, 0, tensor.n_elements, values);
  return values;
}

static gdouble standard_deviation(const gfloat *values, guint64 n_values) {
  gdouble mean = 0.0, squares = 0.0;
  for (guint64 i = 0; i < n_values; i++)
    mean += (gdouble)values[i] / (gdouble)n_values;
  for (guint64 i = 0; i < n_values; i++)
    squares += ((gdouble)values[i] - mean) * ((gdouble)values[i] - mean);
  return sqrt(squares / (gdouble)n_values);
}

static gdouble largest_difference(const gfloat *a, const gfloat *b, guint64 n_values) {
  gdouble largest = 0.0;
  for (guint64 i = 0; i < n_values; i++) {
    const gdouble difference = fabs((gdouble)a[i] - (gdouble)b[i]);
    if (isnan(difference))
      return NAN;
    largest = MAX(largest, difference);
  }
  return largest;
}

static Comparison compare(const SwinEvaluated *ours, const gfloat *expected, gdouble tolerance) {
  Comparison comparison = {.ours = ours};
  comparison.deviation = standard_deviation(expected, ours->n_elements);
  comparison.difference = largest_difference(ours->values, expected, ours->n_elements);
  /* Values that are all the same have no deviation to measure by: they must be met exactly. */
  comparison.relative = comparison.difference == 0.0 ? 0.0
                        : comparison.deviation > 0.0 ? comparison.difference / comparison.deviation
                                                     : INFINITY;
  if (isnan(comparison.difference))
    comparison.relative = NAN;
  comparison.passed = comparison.relative <= tolerance; /* not for NaN */
  return comparison;
}

static guint64 largest_logit(const gfloat *logits, guint64 n_classes) {
  guint64 best = 0;
  for (guint64 i = 1; i < n_classes; i++)
    if (logits[i] > logits[best])
      best = i;
  return best;
}

static guint count_agreeing(const SwinEvaluated *logits, const gfloat *expected) {
  const guint64 n_classes = logits->shape[1];
  guint agreeing = 0;
  for (guint64 i = 0; i < logits->shape[0]; i++)
    agreeing += largest_logit(logits->values + i * n_classes, n_classes) ==
                largest_logit(expected + i * n_classes, n_classes);
  return agreeing;
}

/* Compares one tensor of the reference with the model's and notes the outcome. */
static gboolean compare_tensor(Verification *verification, SwinSafetensors *file,
                               const GPtrArray *outputs, const gchar *name, GError **error) {
  const SwinEvaluated *ours = find_output(outputs, name);
  if (!ours) {
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
                "The reference %s has a tensor \"%s\", which this model does not make.",
                swin_safetensors_get_path(file), name);
    return FALSE;
  }
  g_autofree gfloat *expected = read_expected(file, ours, error);
  if (!expected)
    return FALSE;
  const Comparison comparison = compare(ours, expected, verification->tolerance);
  g_array_append_val(verification->comparisons, comparison);
  verification->passed = verification->passed && comparison.passed;
  if (strcmp(name, "logits") == 0) {
    verification->has_logits = TRUE;
    verification->n_images = (guint)ours->shape[0];
    verification->n_agreeing = count_agreeing(ours, expected);
    verification->passed =
        verification->passed && verification->n_agreeing == verification->n_images;
  }
  return TRUE;
}

static gint compare_names(gconstpointer a, gconstpointer b) {
  return strcmp(*(const gchar *const *)a, *(const gchar *const *)b);
}

static gboolean compare_all(Verification *verification, SwinSafetensors *file,
                            const GPtrArray *outputs, GError **error) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  const GPtrArray *all = swin_safetensors_get_names(file);
  for (guint i = 0; i < all->len; i++)
    if (is_compared(g_ptr_array_index(all, i)))
      g_ptr_array_add(names, g_ptr_array_index(all, i));
  g_ptr_array_sort(names, compare_names);
  for (guint i = 0; i < names->len; i++)
    if (!compare_tensor(verification, file, outputs, g_ptr_array_index(names, i), error))
      return FALSE;
  if (names->len > 0)
    return TRUE;
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL,
              "%s holds nothing to compare with: \"logits\", \"pooled\" or \"stages.0\", ... must "
              "be beside \"input\"; tools/reference.py makes such a file.",
              swin_safetensors_get_path(file));
  return FALSE;
}

static void print_text(const Verification *verification) {
  g_print("%-10s %20s %11s %11s %11s\n", "tensor", "shape", "deviation", "difference", "relative");
  for (guint i = 0; i < verification->comparisons->len; i++) {
    const Comparison *comparison = &g_array_index(verification->comparisons, Comparison, i);
    g_autofree gchar *shape = shape_to_string(comparison->ours->shape, comparison->ours->n_dims);
    g_print("%-10s %20s %11.4g %11.2e %11.2e%s\n", comparison->ours->name, shape,
            comparison->deviation, comparison->difference, comparison->relative,
            comparison->passed ? "" : "  too far off");
  }
  if (verification->has_logits)
    g_print("top-1      the same class in %u of %u\n", verification->n_agreeing,
            verification->n_images);
  g_print("verdict    %s within %g standard deviations, on %s in %s\n",
          verification->passed ? "agrees" : "DOES NOT AGREE", verification->tolerance,
          verification->device, verification->precision);
}

static void add_comparison(JsonBuilder *builder, const Comparison *comparison) {
  json_builder_begin_object(builder);
  swin_json_add_string(builder, "name", comparison->ours->name);
  json_builder_set_member_name(builder, "shape");
  json_builder_begin_array(builder);
  for (guint i = 0; i < comparison->ours->n_dims; i++)
    json_builder_add_int_value(builder, (gint64)comparison->ours->shape[i]);
  json_builder_end_array(builder);
  swin_json_add_double(builder, "deviation", comparison->deviation);
  swin_json_add_double(builder, "difference", comparison->difference);
  swin_json_add_double(builder, "relative", comparison->relative);
  swin_json_add_boolean(builder, "passed", comparison->passed);
  json_builder_end_object(builder);
}

static void print_json(const Verification *verification) {
  g_autoptr(JsonBuilder) builder = json_builder_new();
  json_builder_begin_object(builder);
  swin_json_add_string(builder, "model", verification->model);
  swin_json_add_string(builder, "reference", verification->reference);
  swin_json_add_string(builder, "device", verification->device);
  swin_json_add_string(builder, "precision", verification->precision);
  swin_json_add_double(builder, "tolerance", verification->tolerance);
  json_builder_set_member_name(builder, "tensors");
  json_builder_begin_array(builder);
  for (guint i = 0; i < verification->comparisons->len; i++)
    add_comparison(builder, &g_array_index(verification->comparisons, Comparison, i));
  json_builder_end_array(builder);
  if (verification->has_logits) {
    json_builder_set_member_name(builder, "images");
    json_builder_add_int_value(builder, verification->n_images);
    json_builder_set_member_name(builder, "top1_agreeing");
    json_builder_add_int_value(builder, verification->n_agreeing);
  }
  swin_json_add_boolean(builder, "passed", verification->passed);
  json_builder_end_object(builder);
  swin_command_print_json(builder);
}

static gboolean verify(Verification *verification, SwinModel *model, SwinDevice *device,
                       SwinPrecision precision, gboolean json, GError **error) {
  g_autoptr(SwinSafetensors) file = swin_safetensors_open(verification->reference, error);
  g_autoptr(GPtrArray) outputs = file ? swin_evaluate(device, model, precision, file, error) : NULL;
  if (!outputs || !compare_all(verification, file, outputs, error))
    return FALSE;
  if (json)
    print_json(verification);
  else
    print_text(verification);
  if (!verification->passed)
    g_set_error(error, SWIN_ERROR, SWIN_ERROR_MODEL, "%s does not give what %s says it should.",
                verification->model, verification->reference);
  return verification->passed;
}

gboolean swin_command_verify(gint argc, gchar **argv, GError **error) {
  g_autofree gchar *selector = NULL, *image_size = NULL, *precision_name = NULL;
  SwinPrecision precision = SWIN_PRECISION_FP32; /* as the others compute */
  gint window_size = 0;
  gdouble tolerance = DEFAULT_TOLERANCE;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"tolerance", 't', 0, G_OPTION_ARG_DOUBLE, &tolerance,
       "Largest difference, in standard deviations of the tensor (default: 1e-4)", "T"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL},
      {"image-size", 0, 0, G_OPTION_ARG_STRING, &image_size,
       "Input size in pixels instead of the model's own", "N or WxH"},
      {"window-size", 0, 0, G_OPTION_ARG_INT, &window_size,
       "Window in tokens instead of the model's own", "N"},
      SWIN_COMMAND_PRECISION_ENTRY(precision_name, "fp32"),
      {"device", 'd', 0, G_OPTION_ARG_STRING, &selector, "Index, UUID or part of a name", "D"},
      G_OPTION_ENTRY_NULL,
  };
  if (!swin_command_parse(&argc, &argv, "MODEL REFERENCE.safetensors",
                          "Runs a model on the \"input\" of a reference that tools/reference.py "
                          "made with PyTorch, and tells how far \"logits\", \"pooled\" and "
                          "\"stages.0\", ... are off. The exit status is 1 when they are too far.",
                          entries, 2, error) ||
      !swin_command_parse_precision(precision_name, &precision, error))
    return FALSE;
  if (!(tolerance >= 0.0)) {
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        "--tolerance takes a number that is not negative.");
    return FALSE;
  }
  g_autoptr(SwinModel) model = swin_evaluate_load_model(argv[1], image_size, window_size, error);
  g_autoptr(SwinDevice) device = model ? swin_device_open(selector, error) : NULL;
  if (!device)
    return FALSE;
  g_autoptr(GArray) comparisons = g_array_new(FALSE, FALSE, sizeof(Comparison));
  Verification verification = {
      .model = swin_model_get_name(model),
      .reference = argv[2],
      .device = swin_device_get_info(device)->name,
      .precision = swin_command_precision_name(swin_device_get_precision(device, precision)),
      .tolerance = tolerance,
      .comparisons = comparisons,
      .passed = TRUE,
  };
  return verify(&verification, model, device, precision, json, error);
}
