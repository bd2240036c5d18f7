// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.h"
#include "decoder.h"
#include "tag-writer.h"

#include <string.h>
#include <unistd.h>

#define DEFAULT_TOP_K 5
#define DEFAULT_BATCH 4

/** Options: what was asked for on the command line. */
typedef struct {
  gint top_k, batch, window_size;
  gdouble threshold;
  gboolean json, csv;
  gchar *device, *labels, *activation, *precision, *image_size;
} Options;

/** Run: what the main thread, which decodes, and the results share. */
typedef struct {
  SwinTagWriter *writer;
  gdouble threshold;
  gboolean show_progress;
  guint n_files;
  guint most_under_way; /* pictures; bounds the memory that they take */
  GMutex lock;          /* guards the rest and the output */
  GCond changed;
  guint n_under_way;
  guint n_done;
  guint n_failed;
} Run;

/** Picture: one file on its way. */
typedef struct {
  Run *run;
  const gchar *path;
} Picture;

static void options_clear(Options *options) {
  g_free(options->device);
  g_free(options->labels);
  g_free(options->activation);
  g_free(options->precision);
  g_free(options->image_size);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* ---- Output -------------------------------------------------------------------------------- */

/* The line of progress goes to the terminal only, and makes way for whatever else is printed. */
static void hide_progress(const Run *run) {
  if (run->show_progress)
    g_printerr("\r\033[K");
}

static void show_progress(const Run *run) {
  if (run->show_progress && run->n_done < run->n_files)
    g_printerr("\r\033[K%u of %u", run->n_done, run->n_files);
}

/* With the lock held. */
static void report_failure(Run *run, const gchar *message) {
  hide_progress(run);
  g_printerr("swin classify: %s\n", message);
  run->n_failed++;
  run->n_done++;
  show_progress(run);
}

static guint count_tags(const Run *run, const SwinResult *result) {
  guint n = 0;
  while (n < result->n_tags && (gdouble)result->tags[n].confidence >= run->threshold)
    n++;
  return n;
}

static void result_arrives(G_GNUC_UNUSED SwinClassifier *classifier, const SwinResult *result,
                           gpointer user_data) {
  g_autofree Picture *picture = user_data;
  Run *run = picture->run;
  g_mutex_lock(&run->lock);
  if (result->error != NULL) {
    g_autofree gchar *shown = g_filename_display_name(picture->path);
    g_autofree gchar *message = g_strdup_printf("%s: %s", shown, result->error->message);
    report_failure(run, message);
  } else {
    hide_progress(run);
    swin_tag_writer_write(run->writer, picture->path, result->tags, count_tags(run, result));
    run->n_done++;
    show_progress(run);
  }
  run->n_under_way--;
  g_cond_signal(&run->changed);
  g_mutex_unlock(&run->lock);
}

/* ---- Pictures ------------------------------------------------------------------------------ */

static void free_picture(gpointer data) {
  swin_decoded_picture_free(data);
}

/* Takes @decoded where it succeeds. */
static gboolean submit(SwinClassifier *classifier, Run *run, const gchar *path,
                       SwinDecodedPicture *decoded, GError **error) {
  Picture *picture = g_new(Picture, 1);
  *picture = (Picture){run, path};
  g_mutex_lock(&run->lock);
  while (run->n_under_way >= run->most_under_way)
    g_cond_wait(&run->changed, &run->lock);
  run->n_under_way++;
  g_mutex_unlock(&run->lock);
  if (swin_classifier_submit(classifier, &decoded->frame, free_picture, decoded, result_arrives,
                             picture, error))
    return TRUE;
  g_free(picture);
  g_mutex_lock(&run->lock);
  run->n_under_way--;
  g_mutex_unlock(&run->lock);
  g_autofree gchar *shown = g_filename_display_name(path);
  g_prefix_error(error, "%s: ", shown);
  return FALSE;
}

static gboolean classify_file(SwinClassifier *classifier, Run *run, const gchar *path,
                              GError **error) {
  g_autoptr(SwinDecodedPicture) decoded = swin_decoder_read(path, error);
  if (decoded == NULL || !submit(classifier, run, path, decoded, error))
    return FALSE;
  g_steal_pointer(&decoded);
  return TRUE;
}

static void classify_files(SwinClassifier *classifier, Run *run, gchar **paths) {
  for (guint i = 0; paths[i] != NULL; i++) {
    g_autoptr(GError) error = NULL;
    if (classify_file(classifier, run, paths[i], &error))
      continue;
    g_mutex_lock(&run->lock);
    report_failure(run, error->message);
    g_mutex_unlock(&run->lock);
  }
  swin_classifier_drain(classifier);
}

/* ---- Setting up ---------------------------------------------------------------------------- */

static gboolean check_options(const Options *options, GError **error) {
  const gchar *wrong = NULL;
  if (options->top_k < 1 || options->top_k > 64)
    wrong = "--top-k must be from 1 to 64.";
  else if (options->batch < 1 || options->batch > 64)
    wrong = "--batch must be from 1 to 64.";
  else if (!(options->threshold >= 0.0 && options->threshold <= 1.0))
    wrong = "--threshold must be from 0 to 1.";
  else if (options->json && options->csv)
    wrong = "--json and --csv exclude each other.";
  if (wrong != NULL)
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, wrong);
  return wrong == NULL;
}

static gboolean parse_activation(const gchar *name, SwinActivation *activation, GError **error) {
  static const gchar *const names[] = {"auto", "softmax", "sigmoid"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++)
    if (name == NULL || strcmp(name, names[i]) == 0) {
      *activation = (SwinActivation)i;
      return TRUE;
    }
  g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
              "--activation is \"%s\"; it can be auto, softmax or sigmoid.", name);
  return FALSE;
}

static SwinModel *load_model(const gchar *location, const Options *options, GError **error) {
  g_autoptr(SwinModelOptions) model_options =
      swin_command_make_model_options(options->image_size, options->window_size, error);
  SwinModel *model = model_options != NULL ? swin_model_load(location, model_options, error) : NULL;
  const gchar *const *notes = model != NULL ? swin_model_get_notes(model) : NULL;
  for (guint i = 0; notes != NULL && notes[i] != NULL; i++)
    g_printerr("swin classify: %s\n", notes[i]);
  return model;
}

/* Of a model without a head nothing is loaded: the classifier refuses it. */
static gboolean load_labels(SwinModel *model, const Options *options, gchar ***labels,
                            GError **error) {
  const guint n_classes = swin_model_get_n_classes(model);
  if (options->labels == NULL || n_classes == 0)
    return TRUE;
  *labels = swin_labels_load(options->labels, n_classes, error);
  return *labels != NULL;
}

static SwinClassifier *make_classifier(SwinModel *model, const Options *options,
                                       SwinActivation activation, guint n_files, GError **error) {
  SwinPrecision precision = SWIN_PRECISION_AUTO;
  if (!swin_command_parse_precision(options->precision, &precision, error))
    return NULL;
  g_autoptr(SwinDevice) device = swin_device_open(options->device, error);
  if (device == NULL)
    return NULL;
  g_autoptr(SwinClassifierParams) params = swin_classifier_params_new();
  swin_classifier_params_set_top_k(params, (guint)options->top_k);
  swin_classifier_params_set_batch_size(params, MIN((guint)options->batch, n_files));
  swin_classifier_params_set_activation(params, activation);
  swin_classifier_params_set_precision(params, precision);
  return swin_classifier_new(device, model, params, error);
}

static gboolean run_all(SwinClassifier *classifier, const Options *options, gchar **labels,
                        gchar **paths, guint n_files, GError **error) {
  const SwinTagFormat format = options->json  ? SWIN_TAG_FORMAT_JSON
                               : options->csv ? SWIN_TAG_FORMAT_CSV
                                              : SWIN_TAG_FORMAT_TEXT;
  g_autoptr(SwinTagWriter) writer =
      swin_tag_writer_new(format, swin_classifier_get_model(classifier), labels);
  Run run = {
      .writer = writer,
      .threshold = options->threshold,
      .show_progress = n_files > 1 && isatty(STDERR_FILENO),
      .n_files = n_files,
      .most_under_way = 2 * (guint)options->batch,
  };
  g_mutex_init(&run.lock);
  g_cond_init(&run.changed);
  classify_files(classifier, &run, paths);
  g_mutex_clear(&run.lock);
  g_cond_clear(&run.changed);
  if (!swin_tag_writer_finish(writer, error))
    return FALSE;
  if (run.n_failed == 0)
    return TRUE;
  g_set_error(error, SWIN_ERROR, SWIN_ERROR_FRAME, "%u of %u pictures could not be classified.",
              run.n_failed, n_files);
  return FALSE;
}

static gboolean classify(const Options *options, SwinActivation activation, const gchar *location,
                         gchar **paths, GError **error) {
  const guint n_files = g_strv_length(paths);
  g_autoptr(SwinModel) model = load_model(location, options, error);
  g_auto(GStrv) labels = NULL;
  if (model == NULL || !load_labels(model, options, &labels, error))
    return FALSE;
  g_autoptr(SwinClassifier) classifier =
      make_classifier(model, options, activation, n_files, error);
  return classifier != NULL && run_all(classifier, options, labels, paths, n_files, error);
}

gboolean swin_command_classify(gint argc, gchar **argv, GError **error) {
  g_auto(Options) options = {.top_k = DEFAULT_TOP_K, .batch = DEFAULT_BATCH};
  SwinActivation activation = SWIN_ACTIVATION_AUTO;
  const GOptionEntry entries[] = {
      {"top-k", 'k', 0, G_OPTION_ARG_INT, &options.top_k, "Tags a picture, 1 to 64 (5)", "K"},
      {"threshold", 't', 0, G_OPTION_ARG_DOUBLE, &options.threshold,
       "Leave out tags of less confidence than this, 0 to 1 (0)", "P"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "Print a line of JSON a picture", NULL},
      {"csv", 0, 0, G_OPTION_ARG_NONE, &options.csv, "Print CSV, a line a tag", NULL},
      {"labels", 'l', 0, G_OPTION_ARG_FILENAME, &options.labels,
       "Label file instead of the model's own labels", "FILE"},
      {"activation", 0, 0, G_OPTION_ARG_STRING, &options.activation,
       "auto, softmax or sigmoid (auto)", "A"},
      SWIN_COMMAND_PRECISION_ENTRY(options.precision, "auto"),
      {"image-size", 0, 0, G_OPTION_ARG_STRING, &options.image_size,
       "Input size instead of the model's own", "N or WxH"},
      {"window-size", 0, 0, G_OPTION_ARG_INT, &options.window_size,
       "Window instead of the model's own", "N"},
      {"batch", 'b', 0, G_OPTION_ARG_INT, &options.batch, "Pictures computed together, 1 to 64 (4)",
       "B"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &options.device, "Index, UUID or part of a name",
       "D"},
      G_OPTION_ENTRY_NULL,
  };
  if (!swin_command_parse(&argc, &argv, "MODEL IMAGE...",
                          "Says what pictures show, best tag first. A picture that cannot be read "
                          "is reported, and the others are done all the same.",
                          entries, SWIN_COMMAND_MANY(2), error) ||
      !check_options(&options, error) || !parse_activation(options.activation, &activation, error))
    return FALSE;
  return swin_decoder_init(error) && classify(&options, activation, argv[1], argv + 2, error);
}
