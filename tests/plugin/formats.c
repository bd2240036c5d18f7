// SPDX-License-Identifier: LGPL-2.1-or-later
// What the network gets of a picture in each format that the element takes, against what it gets of
// the R'G'B' that `videoconvert dither=none chroma-resampler=linear` makes of that picture. A table
// of the differences is printed, beside those from the definitions in double precision, which
// GstVideoConverter itself is not near: its matrices have factors of 8 bits, and it cuts off where
// it could round.
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <math.h>
#include <string.h>

#include "../../plugin/frame.h"
#include "../../plugin/metadata.h"
#include "../../plugin/swinclassify.h"
#include "network-input.h"
#include "reference.h"

// In 1/255. Values are rounded to float.
#define LARGEST 2.0
#define LARGEST_MEAN 0.5
#define ROUNDING 1e-3

#define INPUT_WIDTH 64
#define INPUT_HEIGHT 48
#define N_VALUES (3 * INPUT_WIDTH * INPUT_HEIGHT)

/** Case: what else there is to a picture beside its format. */
typedef struct {
  const gchar *name;
  gint width, height;
  GstVideoChromaSite site;
  const gchar *colorimetry; /* of formats that are not RGB */
  gboolean interlaced;
  SwinRectangle crop; /* width 0: none */
  gboolean of_rgb;    /* RGB formats are tried too */
} Case;

// Interlaced pictures of other heights have a wrong row at the end when GstVideoConverter is done
// with them: its cache of lines loses the last group of four.
static const Case cases[] = {
    {"BT.601, JPEG", 61, 43, GST_VIDEO_CHROMA_SITE_JPEG, "bt601", FALSE, {0}, TRUE},
    {"BT.709, MPEG-2", 61, 43, GST_VIDEO_CHROMA_SITE_MPEG2, "bt709", FALSE, {0}, FALSE},
    {"BT.2020, MPEG-2", 61, 43, GST_VIDEO_CHROMA_SITE_MPEG2, "bt2020", FALSE, {0}, FALSE},
    {"BT.601, cosited", 61, 43, GST_VIDEO_CHROMA_SITE_COSITED, "bt601", FALSE, {0}, FALSE},
    {"BT.601 full, rows cosited",
     62,
     45,
     GST_VIDEO_CHROMA_SITE_V_COSITED,
     "1:4:0:0",
     FALSE,
     {0},
     FALSE},
    {"BT.601 full, unknown", 63, 41, GST_VIDEO_CHROMA_SITE_UNKNOWN, "1:4:0:0", FALSE, {0}, FALSE},
    {"BT.709 full, MPEG-2", 59, 44, GST_VIDEO_CHROMA_SITE_MPEG2, "1:3:5:1", FALSE, {0}, FALSE},
    {"interlaced, JPEG", 61, 43, GST_VIDEO_CHROMA_SITE_JPEG, "bt601", TRUE, {0}, FALSE},
    {"interlaced, MPEG-2", 61, 47, GST_VIDEO_CHROMA_SITE_MPEG2, "bt709", TRUE, {0}, FALSE},
    {"interlaced, cosited", 61, 43, GST_VIDEO_CHROMA_SITE_COSITED, "bt709", TRUE, {0}, FALSE},
    {"cropped", 97, 75, GST_VIDEO_CHROMA_SITE_JPEG, "bt601", FALSE, {19, 13, 61, 43}, TRUE},
    {"cropped, MPEG-2",
     96,
     76,
     GST_VIDEO_CHROMA_SITE_MPEG2,
     "bt709",
     FALSE,
     {18, 14, 61, 43},
     FALSE},
};

/** Difference: of two tensors, in 1/255. */
typedef struct {
  gdouble largest, mean;
} Difference;

/* ---- The element --------------------------------------------------------------------------- */

static GstHarness *open_element(void) {
  GstHarness *harness;
  GstElement *element;

  swin_metadata_register();
  fail_unless(GST_ELEMENT_REGISTER(swinclassify, NULL));
  // Pixel codes on a scale of 0 to 1, of every pixel, hardly resized.
  harness = gst_harness_new_parse("swinclassify name=classify image-size=64x48 crop-mode=squash "
                                  "interpolation=bilinear channel-order=rgb mean=<0.0,0.0,0.0> "
                                  "std=<1.0,1.0,1.0> latency-policy=every");
  element = gst_harness_find_element(harness, "swinclassify");
  fail_unless(element != NULL);
  gst_object_unref(element);
  return harness;
}

// Takes @buffer.
static gfloat *tensor_of(GstHarness *harness, const GstVideoInfo *info, GstBuffer *buffer) {
  GstVideoInfo copy = *info;
  GError *error = NULL;
  guint width, height;
  gfloat *tensor;

  gst_harness_set_src_caps(harness, gst_video_info_to_caps(&copy));
  fail_unless_equals_int(gst_harness_push(harness, buffer), GST_FLOW_OK);
  gst_buffer_unref(gst_harness_pull(harness));
  tensor = network_input_read(&width, &height, &error);
  fail_unless(tensor != NULL, "%s", error != NULL ? error->message : "");
  fail_unless(width == INPUT_WIDTH && height == INPUT_HEIGHT);
  return tensor;
}

static Difference compare(const gfloat *a, const gfloat *b) {
  Difference difference = {0.0, 0.0};

  for (guint i = 0; i < N_VALUES; i++) {
    gdouble distance = fabs((gdouble)a[i] - (gdouble)b[i]) * 255.0;

    // Not MAX: a value that is not a number must not pass.
    if (!(distance <= difference.largest))
      difference.largest = distance;
    difference.mean += distance / N_VALUES;
  }
  return difference;
}

static gboolean is_within(Difference difference) {
  return difference.largest <= LARGEST + ROUNDING && difference.mean <= LARGEST_MEAN;
}

/* ---- Pictures ------------------------------------------------------------------------------ */

static void colour_of(guint x, guint y, guint width, guint height, GRand *random,
                      gdouble colour[3]) {
  guint half_width = width / 2, half_height = height / 2, bar;
  gdouble wave;

  if (y < half_height && x < half_width) { // a gradient
    colour[0] = (gdouble)x / half_width;
    colour[1] = (gdouble)y / half_height;
    colour[2] = 1.0 - (colour[0] + colour[1]) / 2.0;
  } else if (y < half_height) { // bars: white, yellow, cyan, ..., black
    bar = (x - half_width) * 8 / (width - half_width);
    for (guint i = 0; i < 3; i++)
      colour[i] = (bar >> (i == 0 ? 1 : i == 1 ? 2 : 0)) & 1 ? 0.0 : y % 2 == 0 ? 1.0 : 0.75;
  } else if (x < half_width) { // a zone plate
    wave = 0.5 + 0.5 * cos(0.03 * (gdouble)(x * x + (y - half_height) * (y - half_height)));
    colour[0] = wave;
    colour[1] = 1.0 - wave;
    colour[2] = 0.5;
  } else { // snow
    for (guint i = 0; i < 3; i++)
      colour[i] = g_rand_double(random);
  }
}

static GstVideoFrame new_frame(const GstVideoInfo *info) {
  GstBuffer *buffer = gst_buffer_new_allocate(NULL, info->size, NULL);
  GstVideoInfo copy = *info;
  GstVideoFrame frame;

  // What a converter leaves out of a picture of odd size must be the same whenever it is read.
  gst_buffer_memset(buffer, 0, 0x55, info->size);
  fail_unless(gst_video_frame_map(&frame, &copy, buffer, GST_MAP_READWRITE));
  gst_buffer_unref(buffer);
  return frame;
}

static GstVideoFrame paint(const GstVideoInfo *like) {
  g_autoptr(GRand) random = g_rand_new_with_seed(1);
  GstVideoInfo info;
  GstVideoFrame frame;
  guint width = (guint)like->width, height = (guint)like->height;

  gst_video_info_set_interlaced_format(&info, GST_VIDEO_FORMAT_ARGB64, like->interlace_mode, width,
                                       height);
  frame = new_frame(&info);
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++) {
      guint16 *pixel = (guint16 *)frame.data[0] + (y * width + x) * 4;
      gdouble colour[3];

      colour_of(x, y, width, height, random, colour);
      pixel[0] = G_MAXUINT16;
      for (guint i = 0; i < 3; i++)
        pixel[1 + i] = (guint16)lrint(colour[i] * G_MAXUINT16);
    }
  return frame;
}

// As `videoconvert dither=none chroma-resampler=linear` does it.
static void convert(const GstVideoFrame *from, GstVideoFrame *to) {
  GstStructure *options = gst_structure_new(
      "options", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD, GST_TYPE_VIDEO_DITHER_METHOD,
      GST_VIDEO_DITHER_NONE, GST_VIDEO_CONVERTER_OPT_CHROMA_RESAMPLER_METHOD,
      GST_TYPE_VIDEO_RESAMPLER_METHOD, GST_VIDEO_RESAMPLER_METHOD_LINEAR, NULL);
  GstVideoConverter *converter = gst_video_converter_new(&from->info, &to->info, options);

  gst_video_converter_frame(converter, from, to);
  gst_video_converter_free(converter);
}

static GstVideoInfo info_of(GstVideoFormat format, const Case *one) {
  GstVideoColorimetry colorimetry;
  GstVideoInfo info;

  gst_video_info_set_interlaced_format(&info, format,
                                       one->interlaced ? GST_VIDEO_INTERLACE_MODE_INTERLEAVED
                                                       : GST_VIDEO_INTERLACE_MODE_PROGRESSIVE,
                                       (guint)one->width, (guint)one->height);
  fail_unless(gst_video_colorimetry_from_string(&colorimetry, one->colorimetry));
  if (!GST_VIDEO_INFO_IS_RGB(&info))
    info.colorimetry = colorimetry;
  info.chroma_site = one->site;
  return info;
}

static GstVideoFrame make_picture(GstVideoFormat format, const Case *one) {
  GstVideoInfo info = info_of(format, one);
  GstVideoFrame painting = paint(&info), frame = new_frame(&info);

  convert(&painting, &frame);
  gst_video_frame_unmap(&painting);
  return frame;
}

// The same picture as a buffer with strides and offsets that are odd.
static GstBuffer *pad_picture(const GstVideoFrame *frame, const SwinRectangle *crop) {
  const GstVideoInfo *info = &frame->info;
  guint n_planes = GST_VIDEO_INFO_N_PLANES(info);
  gsize offset[GST_VIDEO_MAX_PLANES] = {0}, rows[GST_VIDEO_MAX_PLANES], size = 0;
  gint stride[GST_VIDEO_MAX_PLANES] = {0};
  GstBuffer *buffer;
  GstMapInfo map;

  for (guint i = 0; i < n_planes; i++) {
    gsize end = i + 1 < n_planes ? info->offset[i + 1] : info->size;

    rows[i] = (end - info->offset[i]) / (gsize)info->stride[i];
    stride[i] = info->stride[i] + 5;
    offset[i] = size + 3;
    size = offset[i] + rows[i] * (gsize)stride[i];
  }
  buffer = gst_buffer_new_allocate(NULL, size, NULL);
  gst_buffer_memset(buffer, 0, 0xaa, size);
  fail_unless(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
  for (guint i = 0; i < n_planes; i++)
    for (gsize y = 0; y < rows[i]; y++)
      memcpy(map.data + offset[i] + y * (gsize)stride[i],
             (const guint8 *)frame->data[i] + y * (gsize)info->stride[i], (gsize)info->stride[i]);
  gst_buffer_unmap(buffer, &map);
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(info),
                                 (guint)info->width, (guint)info->height, n_planes, offset, stride);
  if (crop->width > 0) {
    GstVideoCropMeta *meta = gst_buffer_add_video_crop_meta(buffer);

    meta->x = crop->x;
    meta->y = crop->y;
    meta->width = crop->width;
    meta->height = crop->height;
  }
  return buffer;
}

/* ---- What should come out ------------------------------------------------------------------ */

static SwinRectangle seen_of(const Case *one) {
  if (one->crop.width > 0)
    return one->crop;
  return (SwinRectangle){0, 0, (guint)one->width, (guint)one->height};
}

// Bytes of a row to @x, which chroma samples of a plane begin with.
static gsize bytes_to(const GstVideoFormatInfo *format, guint plane, guint x) {
  gint components[GST_VIDEO_MAX_COMPONENTS];

  if (format->format == GST_VIDEO_FORMAT_IYU1)
    return x / 4 * 6;
  gst_video_format_info_component(format, plane, components);
  return (gsize)(x >> format->w_sub[components[0]]) * (gsize)format->pixel_stride[components[0]];
}

// The first pixel that shares chroma samples with (x, y).
static void find_origin(const GstVideoFormatInfo *format, guint *x, guint *y) {
  guint component = GST_VIDEO_FORMAT_INFO_N_COMPONENTS(format) > 1 ? 1 : 0;

  *x = *x >> format->w_sub[component] << format->w_sub[component];
  *y = *y >> format->h_sub[component] << format->h_sub[component];
}

// What a converter can see of the crop: from the first pixel on that shares samples with it, which
// is (@x, @y) before it. Borrows.
static GstVideoFrame cut(const GstVideoFrame *frame, const Case *one, guint *x, guint *y) {
  SwinRectangle seen = seen_of(one);
  const GstVideoFormatInfo *format = frame->info.finfo;
  GstVideoFrame part = *frame;
  guint left = seen.x, top = seen.y;

  find_origin(format, &left, &top);
  *x = seen.x - left;
  *y = seen.y - top;
  part.info.width = (gint)(*x + seen.width);
  part.info.height = (gint)(*y + seen.height);
  for (guint i = 0; i < format->n_planes; i++) {
    gint components[GST_VIDEO_MAX_COMPONENTS];

    gst_video_format_info_component(format, i, components);
    part.data[i] = (guint8 *)frame->data[i] + bytes_to(format, i, left) +
                   (gsize)(top >> format->h_sub[components[0]]) * (gsize)frame->info.stride[i];
  }
  return part;
}

// What the element makes of R'G'B' of 8 bits from (@x, @y) on; @pixels is freed.
static gfloat *tensor_of_pixels(GstHarness *harness, gdouble *pixels, const Case *one, guint x,
                                guint y) {
  SwinRectangle seen = seen_of(one);
  GstVideoInfo info;
  GstBuffer *buffer;
  GstMapInfo map;

  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_RGB, seen.width, seen.height);
  buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
  fail_unless(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
  for (guint row = 0; row < seen.height; row++)
    for (guint i = 0; i < 3 * seen.width; i++)
      map.data[row * (gsize)info.stride[0] + i] =
          (guint8)lrint(pixels[((y + row) * (x + seen.width) + x) * 3 + i]);
  gst_buffer_unmap(buffer, &map);
  g_free(pixels);
  return tensor_of(harness, &info, buffer);
}

// The format of the same samples that GstVideoConverter converts in its general way. I420 and its
// like have one of their own, which repeats chroma samples (convert_I420_pack_ARGB() in
// video-converter.c). Of VYUY it exchanges U and V in the last of an odd number of columns.
static GstVideoFormat general_format(const GstVideoFormatInfo *format) {
  switch (format->format) {
  case GST_VIDEO_FORMAT_I420:
  case GST_VIDEO_FORMAT_YV12:
  case GST_VIDEO_FORMAT_A420:
    return GST_VIDEO_FORMAT_NV12;
  case GST_VIDEO_FORMAT_VYUY:
    return GST_VIDEO_FORMAT_UYVY;
  default:
    return format->format;
  }
}

// The same samples in another layout.
static GstVideoFrame repack(const GstVideoFrame *frame, GstVideoFormat format) {
  guint width = (guint)frame->info.width, height = (guint)frame->info.height;
  g_autofree guint8 *line = g_malloc(4 * (width + 1));
  GstVideoInfo info;
  GstVideoFrame other;

  gst_video_info_set_interlaced_format(&info, format, frame->info.interlace_mode, width, height);
  info.colorimetry = frame->info.colorimetry;
  info.chroma_site = frame->info.chroma_site;
  other = new_frame(&info);
  for (guint y = 0; y < height; y++) {
    reference_unpack(frame, y, line);
    info.finfo->pack_func(info.finfo,
                          GST_VIDEO_FRAME_IS_INTERLACED(frame) ? GST_VIDEO_PACK_FLAG_INTERLACED
                                                               : GST_VIDEO_PACK_FLAG_NONE,
                          line, 0, other.data, other.info.stride, info.chroma_site, (gint)y,
                          (gint)width);
  }
  return other;
}

// R'G'B' as GstVideoConverter makes it.
static gdouble *convert_to_pixels(const GstVideoFrame *frame) {
  GstVideoInfo info;
  GstVideoFrame converted;
  gdouble *pixels;

  gst_video_info_set_interlaced_format(&info, GST_VIDEO_FORMAT_RGB, frame->info.interlace_mode,
                                       (guint)frame->info.width, (guint)frame->info.height);
  converted = new_frame(&info);
  convert(frame, &converted);
  pixels = reference_convert(&converted);
  gst_video_frame_unmap(&converted);
  return pixels;
}

static gdouble *converted_pixels(const GstVideoFrame *frame) {
  GstVideoFormat general = general_format(frame->info.finfo);
  GstVideoFrame repacked;
  gdouble *pixels;

  if (general == frame->info.finfo->format)
    return convert_to_pixels(frame);
  repacked = repack(frame, general);
  pixels = convert_to_pixels(&repacked);
  gst_video_frame_unmap(&repacked);
  return pixels;
}

/* ---- Comparison ---------------------------------------------------------------------------- */

/** Results: of one picture, or the worst of several. */
typedef struct {
  Difference converter;  /* from what GstVideoConverter makes of it */
  Difference definition; /* from what it should be */
} Results;

static Results try_picture(GstHarness *harness, GstVideoFormat format, const Case *one) {
  SwinRectangle seen = seen_of(one);
  guint x, y;
  GstVideoFrame frame = make_picture(format, one), part = cut(&frame, one, &x, &y);
  GstVideoInfo info = frame.info;
  g_autofree gfloat *tensor = NULL, *converted = NULL, *defined = NULL;
  Results results;

  info.width = (gint)seen.width;
  info.height = (gint)seen.height;
  tensor = tensor_of(harness, &info, pad_picture(&frame, &one->crop));
  converted = tensor_of_pixels(harness, converted_pixels(&part), one, x, y);
  defined = tensor_of_pixels(harness, reference_convert(&part), one, x, y);
  results.converter = compare(tensor, converted);
  results.definition = compare(tensor, defined);
  gst_video_frame_unmap(&frame);
  return results;
}

static Difference worse(Difference a, Difference b) {
  return (Difference){MAX(a.largest, b.largest), MAX(a.mean, b.mean)};
}

static void print_results(const gchar *name, const Results *results, const gchar *verdict) {
  g_print("%-14s | %6.2f %6.3f | %6.2f %6.3f%s\n", name, results->converter.largest,
          results->converter.mean, results->definition.largest, results->definition.mean, verdict);
}

// Returns how many pictures were off.
static guint try_format(GstHarness *harness, GstVideoFormat format) {
  const gchar *name = gst_video_format_to_string(format);
  gboolean is_rgb = GST_VIDEO_FORMAT_INFO_IS_RGB(gst_video_format_get_info(format));
  Results all = {{0.0, 0.0}, {0.0, 0.0}};
  guint n_bad = 0;

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    Results results;

    if (is_rgb && !cases[i].of_rgb)
      continue;
    results = try_picture(harness, format, &cases[i]);
    if (!is_within(results.converter)) {
      g_autofree gchar *verdict = g_strdup_printf("  %s FAILED", cases[i].name);

      print_results(name, &results, verdict);
      n_bad++;
    }
    all.converter = worse(all.converter, results.converter);
    all.definition = worse(all.definition, results.definition);
  }
  print_results(name, &all, "");
  return n_bad;
}

GST_START_TEST(test_every_format) {
  g_autoptr(GArray) formats = swin_frame_formats();
  GstHarness *harness = open_element();
  guint n_bad = 0;

  g_print("Largest and mean differences in 1/255, the worst of %u kinds of pictures: from\n"
          "GstVideoConverter, and from the definition.\n",
          (guint)G_N_ELEMENTS(cases));
  for (guint i = 0; i < formats->len; i++)
    n_bad += try_format(harness, g_array_index(formats, GstVideoFormat, i));
  gst_harness_teardown(harness);
  fail_unless(n_bad == 0, "%u pictures are off", n_bad);
}
GST_END_TEST;

static Suite *formats_suite(void) {
  Suite *suite = suite_create("formats");
  TCase *tcase = tcase_create("formats");

  suite_add_tcase(suite, tcase);
  tcase_set_timeout(tcase, 600);
  tcase_add_test(tcase, test_every_format);
  return suite;
}

GST_CHECK_MAIN(formats);
