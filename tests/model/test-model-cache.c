// SPDX-License-Identifier: LGPL-2.1-or-later
/* Models that are in use: the same files are the same object, anything else is another. */
#include "model/model-cache.h"

#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "model/model-private.h"

static void copy_golden(const gchar *name, const gchar *to) {
  g_autofree gchar *path = fixture_golden(name);
  g_autofree gchar *content = NULL;
  gsize length;
  ck_assert_msg(g_file_get_contents(path, &content, &length, NULL), "no %s", path);
  fixture_write(to, content, length);
}

static void make_place(void) {
  copy_golden("regular/hf/model.safetensors", "place/model.safetensors");
  copy_golden("regular/hf/config.json", "place/config.json");
}

static SwinModel *load(const gchar *name, const SwinModelOptions *options) {
  g_autofree gchar *path = fixture_path(name);
  GError *error = NULL;
  SwinModel *model = swin_model_load(path, options, &error);
  ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
  return model;
}

START_TEST(same_files) {
  make_place();
  g_autoptr(SwinModelOptions) defaults = swin_model_options_new();
  g_autoptr(SwinModel) first = load("place", NULL);
  g_autoptr(SwinModel) again = load("place", NULL);
  g_autoptr(SwinModel) with_slash = load("place/", defaults);
  ck_assert_ptr_eq(again, first);
  ck_assert_ptr_eq(with_slash, first);
  g_clear_pointer(&first, swin_model_unref);
  g_autoptr(SwinModel) still = load("place", NULL);
  ck_assert_ptr_eq(still, again);
}
END_TEST

START_TEST(built_in) {
  g_autoptr(SwinModel) first = swin_model_load("golden-regular", NULL, NULL);
  g_autoptr(SwinModel) again = swin_model_load("golden-regular", NULL, NULL);
  ck_assert_ptr_nonnull(first);
  ck_assert_ptr_eq(again, first);
}
END_TEST

START_TEST(other_options) {
  make_place();
  g_autoptr(SwinModelOptions) small = swin_model_options_new();
  g_autoptr(SwinModelOptions) window = swin_model_options_new();
  g_autoptr(SwinModel) own = load("place", NULL);
  guint width, height;
  swin_model_get_input_size(own, &width, &height);
  swin_model_options_set_image_size(small, width + 4, height);
  swin_model_options_set_window_size(window, 2);
  g_autoptr(SwinModel) resized = load("place", small);
  g_autoptr(SwinModel) windowed = load("place", window);
  ck_assert_ptr_ne(resized, own);
  ck_assert_ptr_ne(windowed, own);
  ck_assert_ptr_ne(windowed, resized);
  g_autoptr(SwinModel) again = load("place", small);
  ck_assert_ptr_eq(again, resized);
}
END_TEST

/* A model is called after its location, so that the same file has as many models as names. */
START_TEST(other_names) {
  make_place();
  g_autofree gchar *link_path = fixture_path("link");
  ck_assert_int_eq(symlink("place", link_path), 0);
  static const gchar *const locations[] = {"place", "place/model.safetensors", "link"};
  SwinModel *models[G_N_ELEMENTS(locations)];
  for (guint i = 0; i < G_N_ELEMENTS(locations); i++) {
    g_autofree gchar *name = g_path_get_basename(locations[i]);
    models[i] = load(locations[i], NULL);
    ck_assert_str_eq(swin_model_get_name(models[i]), name);
  }
  for (guint i = 0; i < G_N_ELEMENTS(locations); i++) {
    swin_model_unref(models[i]);
  }
}
END_TEST

/* The old one stays what it was. */
START_TEST(replaced_files) {
  make_place();
  g_autoptr(SwinModel) first = load("place", NULL);
  ck_assert_str_eq(swin_model_get_label(first, 0), "alpha");
  copy_golden("regular/hf/model.safetensors", "place/model.safetensors");
  g_autoptr(SwinModel) weights = load("place", NULL);
  ck_assert_ptr_ne(weights, first);
  g_autofree gchar *config = NULL;
  g_autofree gchar *path = fixture_golden("regular/hf/config.json");
  ck_assert(g_file_get_contents(path, &config, NULL, NULL));
  memcpy(strstr(config, "alpha"), "aleph", 5);
  fixture_write_text("place/config.json", config);
  g_autoptr(SwinModel) labels = load("place", NULL);
  ck_assert_ptr_ne(labels, weights);
  ck_assert_str_eq(swin_model_get_label(labels, 0), "aleph");
  ck_assert_str_eq(swin_model_get_label(weights, 0), "alpha");
  fixture_write_text("place/preprocessor_config.json", "{}");
  g_autoptr(SwinModel) preprocessing = load("place", NULL);
  ck_assert_ptr_ne(preprocessing, labels);
  g_autoptr(SwinModel) again = load("place", NULL);
  ck_assert_ptr_eq(again, preprocessing);
}
END_TEST

/* ---- With another loader -------------------------------------------------------------------- */

/* What count_load() does and did. */
static struct {
  GMutex lock;
  GCond changed;
  guint n_loads;
  guint n_failures; /* so many loads fail */
  gboolean held;    /* loads of "held" do not end */
  gboolean replace; /* the file changes while it is loaded */
} loading;

static SwinModel *count_load(const gchar *location, G_GNUC_UNUSED const SwinModelOptions *options,
                             GError **error) {
  g_mutex_lock(&loading.lock);
  loading.n_loads++;
  g_cond_broadcast(&loading.changed);
  while (loading.held && g_str_has_suffix(location, "held")) {
    g_cond_wait(&loading.changed, &loading.lock);
  }
  const gboolean fails = loading.n_failures > 0;
  loading.n_failures -= fails;
  g_mutex_unlock(&loading.lock);
  if (loading.replace) {
    fixture_write_text("counted", "other text");
  }
  if (fails) {
    g_set_error_literal(error, SWIN_ERROR, SWIN_ERROR_MODEL, "It fails.");
    return NULL;
  }
  SwinModel *model = swin_model_new(location);
  model->labels = g_new0(gchar *, 1);
  return model;
}

static void reset(void) {
  loading.n_loads = loading.n_failures = 0;
  loading.held = loading.replace = FALSE;
}

static void hold(gboolean held) {
  g_mutex_lock(&loading.lock);
  loading.held = held;
  g_cond_broadcast(&loading.changed);
  g_mutex_unlock(&loading.lock);
}

static void wait_for_loads(guint n) {
  g_mutex_lock(&loading.lock);
  while (loading.n_loads < n) {
    g_cond_wait(&loading.changed, &loading.lock);
  }
  g_mutex_unlock(&loading.lock);
}

static SwinModel *get(const gchar *name) {
  g_autofree gchar *path = fixture_path(name);
  return swin_model_cache_get(path, NULL, count_load, NULL);
}

static gpointer get_in_thread(gpointer name) {
  return get(name);
}

START_TEST(freed_when_unreferenced) {
  reset();
  for (guint i = 1; i <= 3; i++) {
    SwinModel *model = get("counted");
    SwinModel *again = get("counted");
    ck_assert_ptr_eq(again, model);
    ck_assert_uint_eq(loading.n_loads, i);
    swin_model_unref(model);
    swin_model_unref(again);
  }
}
END_TEST

START_TEST(loaded_once_by_many) {
  enum { N = 8 };
  GThread *threads[N];
  reset();
  hold(TRUE);
  for (guint i = 0; i < N; i++) {
    threads[i] = g_thread_new("loader", get_in_thread, (gpointer) "held");
  }
  wait_for_loads(1);
  g_usleep(20000);
  /* Who wants another does not wait for it. */
  g_autoptr(SwinModel) other = get("other");
  ck_assert_ptr_nonnull(other);
  hold(FALSE);
  SwinModel *models[N];
  for (guint i = 0; i < N; i++) {
    models[i] = g_thread_join(threads[i]);
    ck_assert_ptr_nonnull(models[i]);
    ck_assert_ptr_eq(models[i], models[0]);
  }
  ck_assert_uint_eq(loading.n_loads, 2);
  for (guint i = 0; i < N; i++) {
    swin_model_unref(models[i]);
  }
}
END_TEST

START_TEST(failures_are_not_kept) {
  enum { N = 4 };
  GThread *threads[N];
  reset();
  loading.n_failures = 1;
  ck_assert_ptr_null(get("held"));
  g_autoptr(SwinModel) model = get("held");
  ck_assert_ptr_nonnull(model);
  g_clear_pointer(&model, swin_model_unref);

  loading.n_loads = 0;
  loading.n_failures = 2;
  hold(TRUE);
  for (guint i = 0; i < N; i++) {
    threads[i] = g_thread_new("loader", get_in_thread, (gpointer) "held");
  }
  wait_for_loads(1);
  hold(FALSE);
  guint n_failed = 0;
  for (guint i = 0; i < N; i++) {
    SwinModel *loaded = g_thread_join(threads[i]);
    n_failed += loaded == NULL;
    swin_model_unref(loaded);
  }
  ck_assert_uint_eq(n_failed, 2);
}
END_TEST

/* What was loaded may be of the old files, of the new ones, or of both. */
START_TEST(replaced_while_loading) {
  reset();
  fixture_write_text("counted", "a text");
  loading.replace = TRUE;
  g_autoptr(SwinModel) first = get("counted");
  loading.replace = FALSE;
  g_autoptr(SwinModel) second = get("counted");
  ck_assert_ptr_ne(second, first);
  ck_assert_uint_eq(loading.n_loads, 2);
}
END_TEST

static gpointer get_and_drop(gpointer name) {
  for (guint i = 0; i < 2000; i++) {
    SwinModel *model = get(name);
    ck_assert_ptr_nonnull(model);
    swin_model_unref(model);
  }
  return NULL;
}

/* The last reference goes while somebody else asks for it. */
START_TEST(dropped_at_once) {
  reset();
  GThread *threads[4];
  for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
    threads[i] = g_thread_new("loader", get_and_drop, (gpointer) "counted");
  }
  for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
    g_thread_join(threads[i]);
  }
}
END_TEST

/* ---- Keys ----------------------------------------------------------------------------------- */

static void expect_other_key(gchar **key, const gchar *location, const SwinModelOptions *options) {
  gchar *next = swin_model_cache_key(location, options);
  ck_assert_str_ne(next, *key);
  g_free(*key);
  *key = next;
}

START_TEST(keys) {
  g_autofree gchar *path = fixture_path("keys");
  g_autoptr(SwinModelOptions) options = swin_model_options_new();
  g_autofree gchar *key = swin_model_cache_key(path, NULL);
  fixture_write_text("keys/model.safetensors", "weights");
  expect_other_key(&key, path, NULL);
  fixture_write_text("keys/config.json", "config");
  expect_other_key(&key, path, NULL);
  fixture_write_text("keys/preprocessor_config.json", "preprocessing");
  expect_other_key(&key, path, NULL);
  fixture_write_text("keys/model.safetensors.index.json", "not read");
  g_autofree gchar *same = swin_model_cache_key(path, options);
  ck_assert_str_eq(same, key);
  swin_model_options_set_image_size(options, 1, 11);
  expect_other_key(&key, path, options);
  swin_model_options_set_image_size(options, 11, 1);
  expect_other_key(&key, path, options);
  swin_model_options_set_window_size(options, 1);
  expect_other_key(&key, path, options);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {same_files,
                                built_in,
                                other_options,
                                other_names,
                                replaced_files,
                                freed_when_unreferenced,
                                loaded_once_by_many,
                                failures_are_not_kept,
                                replaced_while_loading,
                                dropped_at_once,
                                keys};
  return fixture_run("model-cache", tests, G_N_ELEMENTS(tests));
}
