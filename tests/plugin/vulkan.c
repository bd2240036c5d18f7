// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames in Vulkan images, as GStreamer's own Vulkan elements make them: the results are those of
// the same frames in system memory, to the bit, and no pixel passes the host.
#include <string.h>

#include "common.h"

#define N_FRAMES 3
#define IMAGES "video/x-raw(memory:VulkanImage)"

/* ---- Pipelines ----------------------------------------------------------------------------- */

typedef struct {
  GstElement *pipeline;
  GstBus *bus;
  GHashTable *tags; // of each element, by its name: GArray of TestTags, in the order of the frames
} Run;

static Run run_new(const gchar *description) {
  g_autoptr(GError) error = NULL;
  Run run;

  run.pipeline = gst_parse_launch(description, &error);
  fail_unless(run.pipeline != NULL && error == NULL, "'%s': %s", description,
              error != NULL ? error->message : "");
  run.bus = gst_element_get_bus(run.pipeline);
  run.tags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
  return run;
}

static void run_clear(Run *run) {
  gst_element_set_state(run->pipeline, GST_STATE_NULL);
  g_hash_table_unref(run->tags);
  gst_object_unref(run->bus);
  gst_object_unref(run->pipeline);
}

static GstElement *run_element(Run *run, const gchar *name) {
  GstElement *element = gst_bin_get_by_name(GST_BIN(run->pipeline), name);

  fail_unless(element != NULL);
  gst_object_unref(element); // the pipeline keeps it
  return element;
}

static void fail_with_message(GstMessage *message, const gchar *what) {
  g_autoptr(GError) error = NULL;
  g_autofree gchar *details = NULL;

  gst_message_parse_error(message, &error, &details);
  fail("%s: %s (%s)", what, error->message, details);
}

static void note_tags(Run *run, GstMessage *message) {
  TestTags tags = test_tags_of_structure(gst_message_get_structure(message));
  GArray *all = g_hash_table_lookup(run->tags, GST_MESSAGE_SRC_NAME(message));

  if (all == NULL) {
    all = g_array_new(FALSE, FALSE, sizeof(TestTags));
    g_hash_table_insert(run->tags, g_strdup(GST_MESSAGE_SRC_NAME(message)), all);
  }
  g_array_append_val(all, tags);
}

static const GArray *run_tags(Run *run, const gchar *name) {
  const GArray *tags = g_hash_table_lookup(run->tags, name);

  fail_unless(tags != NULL, "%s says nothing", name);
  return tags;
}

static void run_to_end(Run *run) {
  gboolean ended = FALSE;

  g_hash_table_remove_all(run->tags);
  gst_element_set_state(run->pipeline, GST_STATE_PLAYING);
  while (!ended) {
    GstMessage *message = gst_bus_timed_pop_filtered(
        run->bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);

    fail_unless(message != NULL, "the pipeline hangs");
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
      fail_with_message(message, "a pipeline that should run");
    ended = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
    if (gst_message_has_name(message, "swin-classification"))
      note_tags(run, message);
    gst_message_unref(message);
  }
}

static Run run_description(const gchar *description) {
  Run run = run_new(description);

  run_to_end(&run);
  return run;
}

static void expect_same_tags(const GArray *tags, const GArray *expected, const gchar *what) {
  fail_unless_equals_int(expected->len, N_FRAMES);
  fail_unless(tags->len == expected->len, "%s: %u results, should be %u", what, tags->len,
              expected->len);
  for (guint i = 0; i < tags->len; i++) {
    const TestTags *a = &g_array_index(tags, TestTags, i);
    const TestTags *b = &g_array_index(expected, TestTags, i);

    fail_unless_equals_int(a->n_tags, b->n_tags);
    fail_unless(a->n_tags > 1);
    for (guint j = 0; j < a->n_tags; j++)
      fail_unless(a->labels[j] == b->labels[j] && a->confidences[j] == b->confidences[j],
                  "%s, frame %u, tag %u: %s %.9g, should be %s %.9g", what, i, j,
                  g_quark_to_string(a->labels[j]), a->confidences[j],
                  g_quark_to_string(b->labels[j]), b->confidences[j]);
  }
}

/*
 * Two faults of the stock elements shape what is put in. vulkanupload and vulkandownload take rows
 * to be as long as the texels in them, so only widths are uploaded whole whose rows GstVideoInfo
 * does not round up to 4 bytes. And vulkanupload fills its staging memory with the next frame
 * before the device has copied this one, unless somebody downstream waits for the device, as
 * vulkandownload does; so without that all frames are the same.
 */
static gchar *source(const gchar *pattern, const gchar *format, gint width, gint height) {
  return g_strdup_printf("videotestsrc pattern=%s num-buffers=%d ! "
                         "video/x-raw,format=%s,width=%d,height=%d",
                         pattern, N_FRAMES, format, width, height);
}

#define STILL "zone-plate kx2=7 ky2=5"
#define MOVING "ball"

#define CLASSIFY "swinclassify name=images top-k=64"

static guint64 get_stat(GstElement *element, const gchar *name) {
  GstStructure *stats = NULL;
  guint64 value = G_MAXUINT64;

  g_object_get(element, "stats", &stats, NULL);
  fail_unless(stats != NULL && gst_structure_get_uint64(stats, name, &value));
  gst_structure_free(stats);
  return value;
}

/* ---- Formats ------------------------------------------------------------------------------- */

static gboolean is_before_1_24(void) {
  guint major, minor, micro, nano;

  gst_version(&major, &minor, &micro, &nano);
  return major == 1 && minor < 24;
}

static void compare_uploaded(const gchar *format, gint width, gint height) {
  g_autofree gchar *frames = source(STILL, format, width, height);
  g_autofree gchar *in_memory = g_strdup_printf("%s ! " CLASSIFY " ! fakesink", frames);
  g_autofree gchar *in_images =
      g_strdup_printf("%s ! vulkanupload ! " IMAGES " ! " CLASSIFY " ! fakesink", frames);
  g_autofree gchar *what = g_strdup_printf("%s of %d x %d", format, width, height);
  Run expected = run_description(in_memory), run = run_description(in_images);

  expect_same_tags(run_tags(&run, "images"), run_tags(&expected, "images"), what);
  run_clear(&expected);
  run_clear(&run);
}

GST_START_TEST(test_uploaded) {
  compare_uploaded("BGRA", TEST_WIDTH, TEST_HEIGHT);
  compare_uploaded("BGRA", 321, 243);
  compare_uploaded("RGBA", 319, 241);
  compare_uploaded("RGBx", 323, 245);
  compare_uploaded("ARGB", 321, 243);
  compare_uploaded("NV12", 324, 243);
  compare_uploaded("NV12", 60, 31);
  // vulkanupload makes no images of these from 1.24 on.
  if (is_before_1_24()) {
    compare_uploaded("I420", 328, 243);
    compare_uploaded("GRAY8", 324, 241);
  }
}
GST_END_TEST;

// What was converted on the device is downloaded behind the element and classified once more, from
// system memory.
static void compare_converted(const gchar *from, const gchar *to, gint width, gint height) {
  g_autofree gchar *frames = source(MOVING, from, width, height);
  g_autofree gchar *description =
      g_strdup_printf("%s ! vulkanupload ! vulkancolorconvert ! " IMAGES ",format=%s ! " CLASSIFY
                      " ! vulkandownload ! swinclassify name=memory top-k=64 ! fakesink",
                      frames, to);
  g_autofree gchar *what = g_strdup_printf("%s to %s of %d x %d", from, to, width, height);
  Run run = run_description(description);

  expect_same_tags(run_tags(&run, "images"), run_tags(&run, "memory"), what);
  fail_unless_equals_uint64(get_stat(run_element(&run, "images"), "frames"), N_FRAMES);
  fail_unless_equals_uint64(get_stat(run_element(&run, "images"), "host-copies"), 0);
  fail_unless_equals_uint64(get_stat(run_element(&run, "memory"), "host-copies"), N_FRAMES);
  run_clear(&run);
}

GST_START_TEST(test_converted) {
  compare_converted("BGRA", "RGBA", TEST_WIDTH, TEST_HEIGHT);
  compare_converted("RGBA", "BGRx", 321, 243);
  compare_converted("BGRA", "NV12", TEST_WIDTH, TEST_HEIGHT);
  compare_converted("NV12", "RGBA", 324, 244);
}
GST_END_TEST;

/* ---- Buffers ------------------------------------------------------------------------------- */

static GstPadProbeReturn note_memory(G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info,
                                     gpointer user_data) {
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);

  // Held, so that its address is not given to another.
  g_ptr_array_add(user_data, gst_buffer_get_memory(buffer, 0));
  return GST_PAD_PROBE_OK;
}

static GPtrArray *watch_memory(GstElement *element, const gchar *pad_name) {
  GPtrArray *memories = g_ptr_array_new_with_free_func((GDestroyNotify)gst_memory_unref);
  GstPad *pad = gst_element_get_static_pad(element, pad_name);

  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, note_memory, memories, NULL);
  gst_object_unref(pad);
  return memories;
}

GST_START_TEST(test_buffers_pass_untouched) {
  g_autofree gchar *frames = source(MOVING, "NV12", 324, 243);
  g_autofree gchar *description =
      g_strdup_printf("%s ! vulkanupload ! " IMAGES " ! " CLASSIFY " ! fakesink", frames);
  Run run = run_new(description);
  GstElement *element = run_element(&run, "images");
  g_autoptr(GPtrArray) before = watch_memory(element, "sink");
  g_autoptr(GPtrArray) after = watch_memory(element, "src");

  run_to_end(&run);
  fail_unless_equals_int(before->len, N_FRAMES);
  fail_unless_equals_int(after->len, N_FRAMES);
  for (guint i = 0; i < N_FRAMES; i++)
    fail_unless(before->pdata[i] == after->pdata[i], "frame %u is another", i);
  fail_unless_equals_uint64(get_stat(element, "host-copies"), 0);
  run_clear(&run);
}
GST_END_TEST;

// Both branches read the same images, at the same time.
GST_START_TEST(test_tee) {
  g_autofree gchar *frames = source(STILL, "BGRA", 321, 243);
  g_autofree gchar *in_memory = g_strdup_printf("%s ! " CLASSIFY " ! fakesink", frames);
  g_autofree gchar *direct = g_strdup_printf("%s ! vulkanupload ! tee name=t "
                                             "t. ! " CLASSIFY " ! queue ! fakesink async=false "
                                             "t. ! vulkandownload ! fakesink async=false",
                                             frames);
  Run expected = run_description(in_memory);

  for (guint i = 0; i < 5; i++) {
    Run run = run_description(direct);

    expect_same_tags(run_tags(&run, "images"), run_tags(&expected, "images"), "tee");
    run_clear(&run);
  }
  run_clear(&expected);
}
GST_END_TEST;

// Frames leave before they are read, and are used downstream meanwhile.
GST_START_TEST(test_latest) {
  Run run = run_new("videotestsrc num-buffers=100 ! video/x-raw,format=BGRA,width=321,height=243 ! "
                    "vulkanupload ! " CLASSIFY " latency-policy=latest ! vulkandownload ! "
                    "fakesink");

  run_to_end(&run);
  fail_unless_equals_uint64(get_stat(run_element(&run, "images"), "frames"), 100);
  fail_unless(get_stat(run_element(&run, "images"), "inferences") > 0);
  fail_unless_equals_uint64(get_stat(run_element(&run, "images"), "host-copies"), 0);
  run_clear(&run);
}
GST_END_TEST;

/* ---- Life ---------------------------------------------------------------------------------- */

GST_START_TEST(test_state_cycles) {
  static const GstState states[] = {GST_STATE_READY, GST_STATE_NULL, GST_STATE_READY,
                                    GST_STATE_PAUSED};
  g_autofree gchar *frames = source(STILL, "RGBA", 321, 243);
  g_autofree gchar *in_memory = g_strdup_printf("%s ! " CLASSIFY " ! fakesink", frames);
  g_autofree gchar *description =
      g_strdup_printf("%s ! vulkanupload ! vulkancolorconvert ! " IMAGES ",format=RGBA ! " CLASSIFY
                      " ! vulkandownload ! fakesink",
                      frames);
  Run expected = run_description(in_memory), run = run_new(description);

  for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
    run_to_end(&run);
    expect_same_tags(run_tags(&run, "images"), run_tags(&expected, "images"), "a cycle");
    gst_element_set_state(run.pipeline, GST_STATE_READY);
    gst_element_set_state(run.pipeline, states[i]);
    gst_element_get_state(run.pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  }
  run_clear(&expected);
  run_clear(&run);
}
GST_END_TEST;

GST_START_TEST(test_two_elements) {
  g_autofree gchar *frames = source(MOVING, "BGRA", 321, 243);
  g_autofree gchar *description =
      g_strdup_printf("%s ! vulkanupload ! swinclassify name=first unique-id=1 top-k=64 ! "
                      "swinclassify name=second unique-id=2 top-k=64 ! vulkandownload ! fakesink",
                      frames);
  Run run = run_description(description);

  expect_same_tags(run_tags(&run, "first"), run_tags(&run, "second"), "two elements");
  fail_unless_equals_uint64(get_stat(run_element(&run, "first"), "host-copies"), 0);
  fail_unless_equals_uint64(get_stat(run_element(&run, "second"), "host-copies"), 0);
  run_clear(&run);
}
GST_END_TEST;

// (transfer full): the context of @type that the elements of a running pipeline have.
static GstContext *context_of(Run *run, const gchar *name, const gchar *type) {
  GstPad *pad = gst_element_get_static_pad(run_element(run, name), "src");
  GstQuery *query = gst_query_new_context(type);
  GstContext *context = NULL;

  fail_unless(gst_pad_query(pad, query), "%s has no %s", name, type);
  gst_query_parse_context(query, &context);
  gst_context_ref(context);
  gst_query_unref(query);
  gst_object_unref(pad);
  return context;
}

static void note_end(gpointer user_data, G_GNUC_UNUSED GObject *object) {
  *(gboolean *)user_data = TRUE;
}

// GstVulkan's device goes when the last element has gone, so nothing of it was kept.
GST_START_TEST(test_device_is_released) {
  gboolean gone = FALSE;
  g_autofree gchar *frames = source(STILL, "BGRA", TEST_WIDTH, TEST_HEIGHT);
  g_autofree gchar *description = g_strdup_printf(
      "%s ! vulkanupload name=upload ! " CLASSIFY " ! vulkandownload ! fakesink", frames);
  Run run = run_new(description);
  GstContext *context;
  GObject *device;

  run_to_end(&run);
  context = context_of(&run, "upload", "gst.vulkan.device");
  device = g_value_get_object(
      gst_structure_get_value(gst_context_get_structure(context), "gst.vulkan.device"));
  fail_unless(device != NULL);
  g_object_weak_ref(device, note_end, &gone);
  gst_context_unref(context);
  fail_if(gone);
  run_clear(&run);
  fail_unless(gone, "the Vulkan device outlives the pipeline");
}
GST_END_TEST;

/* ---- Contexts ------------------------------------------------------------------------------ */

/** Producer: a pipeline that is played as far as its first frame, for harnesses to take. */
typedef struct {
  Run run;
  GstContext *device, *queue;
  GstSample *sample;
} Producer;

static Producer producer_new(void) {
  Producer producer = {
      .run = run_new("videotestsrc pattern=smpte ! "
                     "video/x-raw,format=BGRA,width=320,height=240,framerate=25/1 ! "
                     "vulkanupload name=upload ! " IMAGES " ! appsink name=sink sync=false "
                     "max-buffers=1"),
  };

  gst_element_set_state(producer.run.pipeline, GST_STATE_PLAYING);
  g_signal_emit_by_name(run_element(&producer.run, "sink"), "pull-sample", &producer.sample);
  fail_unless(producer.sample != NULL);
  producer.device = context_of(&producer.run, "upload", "gst.vulkan.device");
  producer.queue = context_of(&producer.run, "upload", "gst.vulkan.queue");
  return producer;
}

static void producer_clear(Producer *producer) {
  gst_sample_unref(producer->sample);
  gst_context_unref(producer->device);
  gst_context_unref(producer->queue);
  run_clear(&producer->run);
}

// A harness says that it is live.
static GstHarness *harness_for(GstElement *element, GstBus *bus, const Producer *producer) {
  GstHarness *harness;

  gst_util_set_object_arg(G_OBJECT(element), "latency-policy", "every");
  gst_element_set_bus(element, bus);
  harness = gst_harness_new_with_element(element, "sink", "src");
  gst_harness_set_src_caps(harness, gst_caps_ref(gst_sample_get_caps(producer->sample)));
  return harness;
}

static void expect_colour_bars(GstHarness *harness, const Producer *producer) {
  GstBuffer *frame = gst_buffer_ref(gst_sample_get_buffer(producer->sample));
  GstBuffer *pulled = gst_harness_push_and_pull(harness, frame);

  fail_unless(pulled != NULL);
  fail_unless_equals_string(test_best_label(pulled), "colour bars");
  gst_buffer_unref(pulled);
}

static void teardown(GstHarness *harness, GstElement *element, GstBus *bus) {
  gst_element_set_bus(element, NULL);
  gst_harness_teardown(harness);
  gst_object_unref(element);
  gst_object_unref(bus);
}

GST_START_TEST(test_context_is_set) {
  Producer producer = producer_new();
  GstElement *element = gst_object_ref_sink(gst_element_factory_make("swinclassify", NULL));
  GstBus *bus = gst_bus_new();
  GstHarness *harness;

  gst_element_set_context(element, producer.device);
  gst_element_set_context(element, producer.queue);
  harness = harness_for(element, bus, &producer);
  expect_colour_bars(harness, &producer);
  teardown(harness, element, bus);
  producer_clear(&producer);
}
GST_END_TEST;

static GstBusSyncReply give_context(G_GNUC_UNUSED GstBus *bus, GstMessage *message,
                                    gpointer user_data) {
  const Producer *producer = user_data;
  const gchar *type;

  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_NEED_CONTEXT &&
      gst_message_parse_context_type(message, &type) && g_str_equal(type, "gst.vulkan.device")) {
    gst_element_set_context(GST_ELEMENT(GST_MESSAGE_SRC(message)), producer->queue);
    gst_element_set_context(GST_ELEMENT(GST_MESSAGE_SRC(message)), producer->device);
  }
  return GST_BUS_PASS;
}

// The application answers from within the message, so that set_context() is called re-entrantly.
GST_START_TEST(test_context_is_asked_for) {
  Producer producer = producer_new();
  GstElement *element = gst_object_ref_sink(gst_element_factory_make("swinclassify", NULL));
  GstBus *bus = gst_bus_new();
  GstHarness *harness;

  gst_bus_set_sync_handler(bus, give_context, &producer, NULL);
  harness = harness_for(element, bus, &producer);
  expect_colour_bars(harness, &producer);
  teardown(harness, element, bus);
  producer_clear(&producer);
}
GST_END_TEST;

// Images of a device that the element does not have are named in what it says, not read.
GST_START_TEST(test_another_device) {
  Producer own = producer_new(), other = producer_new();
  GstElement *element = gst_object_ref_sink(gst_element_factory_make("swinclassify", NULL));
  GstBus *bus = gst_bus_new();
  g_autoptr(GError) error = NULL;
  GstHarness *harness;
  GstMessage *message;

  gst_element_set_context(element, own.device);
  harness = harness_for(element, bus, &own);
  expect_colour_bars(harness, &own);
  gst_harness_push(harness, gst_buffer_ref(gst_sample_get_buffer(other.sample)));
  message =
      gst_bus_timed_pop_filtered(bus, 10 * GST_SECOND, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  fail_unless(message != NULL);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning(message, &error, NULL);
  else
    gst_message_parse_error(message, &error, NULL);
  fail_unless(strstr(error->message, "Vulkan device") != NULL, "%s", error->message);
  gst_message_unref(message);
  teardown(harness, element, bus);
  producer_clear(&own);
  producer_clear(&other);
}
GST_END_TEST;

/* ---- The property "device" ----------------------------------------------------------------- */

GST_START_TEST(test_device_by_name) {
  g_autofree gchar *frames = source(STILL, "BGRA", TEST_WIDTH, TEST_HEIGHT);
  g_autofree gchar *description = g_strdup_printf(
      "%s ! vulkanupload ! " CLASSIFY " device=llvmpipe ! vulkandownload ! fakesink", frames);
  Run run = run_description(description);

  fail_unless_equals_int(run_tags(&run, "images")->len, N_FRAMES);
  run_clear(&run);
}
GST_END_TEST;

GST_START_TEST(test_no_such_device) {
  Run run = run_new("videotestsrc num-buffers=3 ! video/x-raw,format=BGRA ! vulkanupload ! "
                    "swinclassify device=no-such-device ! vulkandownload ! fakesink");
  g_autoptr(GError) error = NULL;
  GstMessage *message;

  gst_element_set_state(run.pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered(run.bus, 30 * GST_SECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless(message != NULL && GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR);
  gst_message_parse_error(message, &error, NULL);
  fail_unless(strstr(error->message, "no-such-device") != NULL, "%s", error->message);
  gst_message_unref(message);
  run_clear(&run);
}
GST_END_TEST;

static Suite *vulkan_suite(void) {
  Suite *suite = suite_create("vulkan");
  TCase *formats = tcase_create("formats"), *memories = tcase_create("buffers");
  TCase *life = tcase_create("life"), *contexts = tcase_create("contexts");
  TCase *devices = tcase_create("device");

  tcase_add_test(formats, test_uploaded);
  tcase_add_test(formats, test_converted);
  suite_add_tcase(suite, formats);
  tcase_add_test(memories, test_buffers_pass_untouched);
  tcase_add_test(memories, test_tee);
  tcase_add_test(memories, test_latest);
  suite_add_tcase(suite, memories);
  tcase_add_test(life, test_state_cycles);
  tcase_add_test(life, test_two_elements);
  tcase_add_test(life, test_device_is_released);
  suite_add_tcase(suite, life);
  tcase_add_test(contexts, test_context_is_set);
  tcase_add_test(contexts, test_context_is_asked_for);
  tcase_add_test(contexts, test_another_device);
  suite_add_tcase(suite, contexts);
  tcase_add_test(devices, test_device_by_name);
  tcase_add_test(devices, test_no_such_device);
  suite_add_tcase(suite, devices);
  return suite;
}

GST_CHECK_MAIN(vulkan);
