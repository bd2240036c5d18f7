// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * swin.h: image classification with Swin Transformer networks on Vulkan compute.
 *
 * The way of a frame: open a #SwinDevice, load a #SwinModel, make a #SwinClassifier of the two,
 * swin_classifier_submit() frames, and receive (index, confidence) tags, best first.
 *
 * Threads: every function may be called from any thread unless it says otherwise. Devices, models
 * and classifiers are reference counted atomically. Models are immutable.
 *
 * Errors: functions that can fail take a #GError of domain %SWIN_ERROR whose message is a sentence
 * for a person. The library never prints, exits or aborts on bad input or on a lost device.
 */
#ifndef SWIN_H
#define SWIN_H

#include <glib.h>
#include <vulkan/vulkan_core.h>

G_BEGIN_DECLS

/* ---- Errors ------------------------------------------------------------------------------- */

#define SWIN_ERROR (swin_error_quark())

/**
 * SwinError: what went wrong, for programs; the message of the #GError is for people.
 */
typedef enum {
  SWIN_ERROR_DEVICE,        /* no such device, or it lacks what is needed */
  SWIN_ERROR_DEVICE_LOST,   /* the device stopped answering; open it anew */
  SWIN_ERROR_OUT_OF_MEMORY, /* host or device memory is short */
  SWIN_ERROR_MODEL,         /* the weight file is missing, damaged or of another architecture */
  SWIN_ERROR_CONFIG,        /* the config is missing, malformed or contradicts the tensors */
  SWIN_ERROR_LABELS,        /* a label or threshold file that is unreadable or of wrong length */
  SWIN_ERROR_FRAME,         /* a frame that makes no sense or cannot be read */
  SWIN_ERROR_CANCELLED,     /* the caller cancelled before the result was there */
} SwinError;

GQuark swin_error_quark(void);

/* ---- Devices ------------------------------------------------------------------------------ */

/**
 * SwinDeviceKind: in the order in which a device is chosen when none is asked for.
 */
typedef enum {
  SWIN_DEVICE_KIND_DISCRETE,
  SWIN_DEVICE_KIND_INTEGRATED,
  SWIN_DEVICE_KIND_VIRTUAL,
  SWIN_DEVICE_KIND_CPU,
  SWIN_DEVICE_KIND_OTHER,
} SwinDeviceKind;

/**
 * SwinDeviceInfo: what is known of a device without opening it. Owned by whoever handed it out.
 */
typedef struct {
  guint index;         /* position in the loader's enumeration, from 0 */
  SwinDeviceKind kind; /* discrete GPU, CPU, ... */
  gchar *name;         /* the driver's name of the device, UTF-8 */
  gchar *driver;       /* driver name and version, such as "llvmpipe Mesa 22.3.6 (LLVM 15.0.6)" */
  gchar *uuid;         /* 32 lower-case hexadecimal digits; stable between runs */
  guint32 api_version; /* highest Vulkan version, as VK_MAKE_API_VERSION */
  gchar *refusal;      /* a sentence that names what the device lacks, or NULL when it is usable */
} SwinDeviceInfo;

/** swin_device_kind_name: a lower-case English word for @kind, such as "discrete". Static. */
const gchar *swin_device_kind_name(SwinDeviceKind kind);

/**
 * swin_device_list: every Vulkan device of the machine, in the loader's order.
 *
 * Returns: (transfer full): an array of #SwinDeviceInfo that frees its elements, or NULL with
 *   %SWIN_ERROR_DEVICE when no Vulkan loader or driver is there.
 */
GPtrArray *swin_device_list(GError **error);

typedef struct _SwinDevice SwinDevice;

/**
 * swin_device_open: opens a device of the library's own.
 * @selector: (nullable): an index ("0"), a UUID (32 hexadecimal digits, dashes allowed) or a part
 *   of a device name (any case). NULL or "" takes the environment variable `SWIN_DEVICE`, and
 *   without that the first usable device in the order of #SwinDeviceKind.
 *
 * The same device opened twice is the same object while it is referenced.
 *
 * Returns: (transfer full): the device, or NULL with %SWIN_ERROR_DEVICE.
 */
SwinDevice *swin_device_open(const gchar *selector, GError **error);

/**
 * SwinDeviceImport: an application's own Vulkan device. Everything in it stays the application's
 * and must outlive the #SwinDevice made of it, which @destroy tells of.
 */
typedef struct {
  gsize struct_size; /* sizeof(SwinDeviceImport); set by SWIN_DEVICE_IMPORT_INIT */
  PFN_vkGetInstanceProcAddr get_proc_addr; /* never NULL */
  VkInstance instance;                     /* created for Vulkan 1.1 or later */
  VkPhysicalDevice physical_device;
  VkDevice device;
  guint32 queue_family;           /* a family with VK_QUEUE_COMPUTE_BIT */
  guint32 queue_index;            /* the queue that was created in that family */
  const gchar *const *extensions; /* (nullable): enabled device extensions, NULL-terminated */
  const VkPhysicalDeviceFeatures2 *features; /* (nullable): enabled features, with its pNext chain;
                                                read during the call only */
  void (*lock_queue)(gpointer user_data);    /* (nullable): called before every use of the queue,
                                                from any thread */
  void (*unlock_queue)(gpointer user_data);  /* (nullable): called after it; both or neither */
  gpointer user_data;                        /* handed to the callbacks */
  GDestroyNotify destroy; /* (nullable): called once with user_data, from any thread and with no
                             lock held, when nothing of the import is used any more: with the last
                             reference to the #SwinDevice, or at once where another import of the
                             same queue is used instead; not when the import fails */
} SwinDeviceImport;

#define SWIN_DEVICE_IMPORT_INIT                                                                    \
  { .struct_size = sizeof(SwinDeviceImport) }

/**
 * swin_device_import: wraps an application's device, so that memory and queue are shared with it.
 *
 * The same queue of the same device imported twice is the same object while it is referenced. What
 * the library would use beyond core Vulkan 1.1 it uses only where @import says that it is enabled.
 *
 * Returns: (transfer full): the device, or NULL with %SWIN_ERROR_DEVICE when the description is
 *   incomplete or the device lacks what is needed.
 */
SwinDevice *swin_device_import(const SwinDeviceImport *import, GError **error);

/** SwinPrecision: how activations and weights lie in memory. Sums, softmax and norms are made in
 * float32 whatever it is. */
typedef enum {
  SWIN_PRECISION_AUTO, /* fp16 on a GPU that can, else fp32 */
  SWIN_PRECISION_FP32,
  SWIN_PRECISION_FP16, /* half the memory, and the matrix units where there are any */
} SwinPrecision;

/**
 * swin_device_get_precision: what @precision comes to on @device: %SWIN_PRECISION_FP32 or
 * %SWIN_PRECISION_FP16, or %SWIN_PRECISION_AUTO where @device has no 16-bit storage and fp16 was
 * asked for (of an imported device: where its extensions and features do not say that it is
 * enabled). Any thread.
 */
SwinPrecision swin_device_get_precision(SwinDevice *device, SwinPrecision precision);

/** SwinFrameMemory: where a frame's pixels are. */
typedef enum {
  SWIN_FRAME_MEMORY_HOST,   /* in the process: SwinFrame.planes */
  SWIN_FRAME_MEMORY_DMABUF, /* in Linux dma-bufs, row by row (linear): SwinFrame.dmabuf */
  SWIN_FRAME_MEMORY_IMAGE,  /* in Vulkan images of the classifier's device: SwinFrame.images */
} SwinFrameMemory;

/**
 * swin_device_takes_memory: whether @device can read frames in memory of this kind. Host memory and
 * images always; dma-bufs where the driver (and of an imported device its extensions) has
 * VK_KHR_external_memory_fd and VK_EXT_external_memory_dma_buf. Dma-bufs that it cannot read, or
 * one that the driver will not import, are copied by the processor if that can map them.
 */
gboolean swin_device_takes_memory(SwinDevice *device, SwinFrameMemory memory);

SwinDevice *swin_device_ref(SwinDevice *device);
void swin_device_unref(SwinDevice *device); /* NULL-safe */

/** swin_device_get_info: (transfer none): valid as long as @device. */
const SwinDeviceInfo *swin_device_get_info(SwinDevice *device);

/* ---- Models ------------------------------------------------------------------------------- */

typedef struct _SwinModel SwinModel;

/**
 * SwinModelOptions: what is asked of a model beyond what its files say. Opaque, so that it can
 * grow. Not thread-safe; read once by swin_model_load().
 */
typedef struct _SwinModelOptions SwinModelOptions;

SwinModelOptions *swin_model_options_new(void);
void swin_model_options_free(SwinModelOptions *options); /* NULL-safe */

/**
 * Input size in pixels, each side from one patch to 16384; 0 and 0, the default: the model's own.
 * Swin V2 computes its position bias anew, Swin V1 resizes its tables where the window changes, ViT
 * its position embedding.
 */
void swin_model_options_set_image_size(SwinModelOptions *options, guint width, guint height);

/**
 * swin_image_size_parse: reads a size for swin_model_options_set_image_size() as people write it:
 * one side of a square ("224"), or width and height ("640x384").
 * @text: each number from 1 to 16384, and nothing else around it
 * @width, @height: (out): pixels; left as they are on failure
 *
 * Returns: FALSE with %SWIN_ERROR_CONFIG where @text is no size.
 */
gboolean swin_image_size_parse(const gchar *text, guint *width, guint *height, GError **error);

/** Window of a Swin network in tokens a side, 1 to 128; 0, the default: the model's own. */
void swin_model_options_set_window_size(SwinModelOptions *options, guint window_size);

/**
 * swin_model_load: loads and checks a model.
 * @location: the name of a built-in model ("objects" or "testcard"), a directory that holds
 *   `model.safetensors`, or a `.safetensors` file. A directory called as a built-in model is
 *   "./objects".
 * @options: (nullable): NULL for the defaults
 *
 * Swin V1 and V2, ViT and DeiT, with tensor names as Hugging Face, timm, torchvision or Microsoft
 * write them, told apart by those names; F32, F16 or BF16. `config.json` (of Hugging Face or timm)
 * and `preprocessor_config.json` are read where they are beside the weights.
 *
 * The weights are mapped, and only what has to be computed from them is copied; the file must not
 * be written to while the model lives (one that replaces it is another file). Every value is
 * checked to be finite.
 *
 * The same files loaded twice with the same options are the same object while it is referenced.
 *
 * Returns: (transfer full): the model, or NULL with %SWIN_ERROR_MODEL, %SWIN_ERROR_CONFIG or
 *   %SWIN_ERROR_OUT_OF_MEMORY.
 */
SwinModel *swin_model_load(const gchar *location, const SwinModelOptions *options, GError **error);

/**
 * swin_model_new_random: a published configuration with random weights, for measuring speed.
 * @name: "swin_t", "swin_s", "swin_b", "swin_l", the same with "swin_v2_" ("swin_v2_t"),
 *   "vit_tiny", "vit_small" or "vit_base"
 * @seed: the same seed gives the same weights on every machine
 *
 * Returns: (transfer full): the model, or NULL with %SWIN_ERROR_MODEL when @name is unknown, or
 *   %SWIN_ERROR_OUT_OF_MEMORY.
 */
SwinModel *swin_model_new_random(const gchar *name, guint32 seed, GError **error);

SwinModel *swin_model_ref(SwinModel *model);
void swin_model_unref(SwinModel *model); /* NULL-safe */

/** swin_model_get_name: (transfer none): the built-in name, or the last part of the location. */
const gchar *swin_model_get_name(SwinModel *model);

/**
 * swin_model_get_notes: (transfer none): what had to be assumed because the files do not say it, a
 * sentence each, NULL-terminated; empty where nothing was. Valid as long as @model.
 */
const gchar *const *swin_model_get_notes(SwinModel *model);

/** swin_model_get_n_classes: number of logits; 0 for a model without a head, which only makes
 * features and cannot classify. */
guint swin_model_get_n_classes(SwinModel *model);

/**
 * swin_model_get_label: (transfer none): UTF-8 label of class @index, which must be less than
 * swin_model_get_n_classes(). "LABEL_<index>" where the config names none.
 */
const gchar *swin_model_get_label(SwinModel *model, guint index);

/** swin_model_get_n_parameters: number of trained values in the network. */
guint64 swin_model_get_n_parameters(SwinModel *model);

/** swin_model_get_input_size: the network's input in pixels. Either pointer may be NULL. */
void swin_model_get_input_size(SwinModel *model, guint *width, guint *height);

/**
 * swin_labels_load: reads a label file, UTF-8, in one of three forms: one label a line; a WordNet
 * synset and a label on each line ("n02123045 tabby, tabby cat", with a space, comma or tab
 * between), of which the synset is dropped; or CSV (RFC 4180) with a header, whose column "name",
 * "label", "tag" or "class" is taken, such as `selected_tags.csv`.
 * @path: the file
 * @n_classes: how many labels there must be
 *
 * Returns: (transfer full): a NULL-terminated array, free with g_strfreev(), or NULL with
 *   %SWIN_ERROR_LABELS.
 */
gchar **swin_labels_load(const gchar *path, guint n_classes, GError **error);

/**
 * swin_thresholds_load: reads a file of thresholds, one a class, from 0 to 1: one number a line, or
 * CSV with a header whose column "threshold" is taken.
 * @path: the file
 * @n_classes: how many thresholds there must be
 *
 * Returns: (transfer full): @n_classes values, free with g_free(), or NULL with
 *   %SWIN_ERROR_LABELS.
 */
gfloat *swin_thresholds_load(const gchar *path, guint n_classes, GError **error);

/* ---- Frames ------------------------------------------------------------------------------- */

#define SWIN_FRAME_MAX_PLANES 4

typedef enum {
  SWIN_COLOR_RGB,  /* components are R, G, B */
  SWIN_COLOR_YUV,  /* components are Y, U, V */
  SWIN_COLOR_GRAY, /* one component */
} SwinColorModel;

/**
 * SwinColorMatrix: how Y'CbCr was made of R'G'B'. It is turned back with the integer arithmetic of
 * GStreamer's videoconvert, to the bit, so that results do not depend on who converts: at 8 bits
 * that is up to 6 codes off the definition.
 */
typedef enum {
  SWIN_COLOR_MATRIX_BT601,  /* ITU-R BT.601 */
  SWIN_COLOR_MATRIX_BT709,  /* ITU-R BT.709 */
  SWIN_COLOR_MATRIX_BT2020, /* ITU-R BT.2020 non-constant luminance */
} SwinColorMatrix;

/** SwinColorRange: which code values are used. RGB frames are nearly always full. */
typedef enum {
  SWIN_COLOR_RANGE_FULL,    /* 0 to 255, or as many as the depth has */
  SWIN_COLOR_RANGE_LIMITED, /* luma 16 to 235, chroma 16 to 240, times 2 for each bit beyond 8 */
} SwinColorRange;

/**
 * SwinChromaSite: where the samples of a subsampled component lie between those of a full one;
 * flags. A component is interpolated linearly. None: in the middle of those that share a sample
 * (JPEG); %SWIN_CHROMA_COSITED_X alone: MPEG-2 and H.264.
 */
typedef enum {
  SWIN_CHROMA_COSITED_X = 1 << 0,  /* at the first of the columns that share it */
  SWIN_CHROMA_COSITED_Y = 1 << 1,  /* at the first of the rows that share it; these are repeated, as
                                      GStreamer's videoconvert has it */
  SWIN_CHROMA_INTERLACED = 1 << 2, /* even rows share samples with even rows alone, odd with odd */
} SwinChromaSite;

/**
 * SwinFrameComponent: where one component lies. The word of pixel (x, y) begins at byte
 * `offset + (y >> shift_y) * strides[plane] + (x >> shift_x) * pixel_stride + (x >> 1) *
 * pair_stride` of its plane; the sample is `depth` bits of it from `low_bit` on. Offset and strides
 * within a row are multiples of word_size. The first component of a frame is not subsampled.
 *
 * With %SWIN_CHROMA_INTERLACED the row of a component with shift_y > 0 is `((y >> shift_y) & ~1) |
 * (y & 1)`, so its plane needs rows for both fields.
 */
typedef struct {
  guint plane;         /* index into SwinFrame.planes */
  guint offset;        /* bytes from the start of the plane */
  guint pixel_stride;  /* bytes from one sample to the next in a row, 1 to 16 */
  guint shift_x;       /* horizontal subsampling, log2, 0 to 2 */
  guint shift_y;       /* vertical subsampling, log2, 0 to 2 */
  guint pair_stride;   /* bytes more for every second column; 0 but for IYU1 */
  guint word_size;     /* bytes of the word: 1, 2 or 4; 0 means 1 */
  gboolean big_endian; /* its highest byte comes first */
  guint low_bit;       /* of the sample within the word, 0 is the lowest */
  guint depth;         /* bits of the sample, 1 to 16; 0 means 8 */
} SwinFrameComponent;

/** SwinRectangle: a part of a picture, in pixels. */
typedef struct {
  guint x, y, width, height;
} SwinRectangle;

/**
 * SwinOrientation: what has to be done to a picture, as it is stored, to see it upright. Values are
 * those of GstVideoOrientationMethod.
 */
typedef enum {
  SWIN_ORIENTATION_IDENTITY,
  SWIN_ORIENTATION_ROTATE_90, /* clockwise */
  SWIN_ORIENTATION_ROTATE_180,
  SWIN_ORIENTATION_ROTATE_270,
  SWIN_ORIENTATION_FLIP_HORIZONTAL, /* left and right are exchanged */
  SWIN_ORIENTATION_FLIP_VERTICAL,
  SWIN_ORIENTATION_TRANSPOSE,     /* rows become columns: mirrored about the main diagonal */
  SWIN_ORIENTATION_ANTITRANSPOSE, /* mirrored about the other diagonal */
} SwinOrientation;

/** SwinImageState: what has to be known of an image to use it at one moment. */
typedef struct {
  VkImageLayout layout;
  VkPipelineStageFlags stages; /* that used it last */
  VkAccessFlags access;        /* what they did */
  guint32 queue_family;        /* that owns it; VK_QUEUE_FAMILY_IGNORED: the classifier's own */
  VkSemaphore semaphore;       /* (nullable): a timeline semaphore */
  guint64 value;               /* of it, when the last use is done */
} SwinImageState;

/**
 * SwinFrameImages: a frame in Vulkan images, of one mip level and one layer each, created with
 * VK_IMAGE_USAGE_TRANSFER_SRC_BIT. They are read by commands; no pixel passes the host.
 *
 * An image is shared with others that use it. So its state is asked for just before the commands
 * are submitted, and told just after it; both calls come from a thread of the library, under the
 * lock of the queue, and must not block.
 */
typedef struct {
  guint n_images;                                   /* 1 to SWIN_FRAME_MAX_PLANES */
  VkImage images[SWIN_FRAME_MAX_PLANES];            /* each a different one */
  guint image[SWIN_FRAME_MAX_PLANES];               /* of each plane: which of images it is in */
  VkImageAspectFlags aspect[SWIN_FRAME_MAX_PLANES]; /* of each plane: VK_IMAGE_ASPECT_COLOR_BIT, or
                                                       VK_IMAGE_ASPECT_PLANE_0_BIT and so on */
  guint texel_size[SWIN_FRAME_MAX_PLANES];          /* of each plane: bytes of one texel */
  /* Fills in @states [n_images]. */
  void (*begin)(gpointer keep_alive, SwinImageState *states);
  /* What they are from now on: layout, stages and access of the library's use, semaphore as it was
   * and the value that it has when that use is done. Not called when nothing was submitted. */
  void (*end)(gpointer keep_alive, const SwinImageState *states);
} SwinFrameImages;

/**
 * SwinFrame: a picture, described so that every planar, semi-planar or packed layout fits without a
 * conversion. NV12, for example, is `.model = SWIN_COLOR_YUV, .component = {{0, 0, 1, 0, 0},
 * {1, 0, 2, 1, 1}, {1, 1, 2, 1, 1}}`; BGRA is `.model = SWIN_COLOR_RGB, .component = {{0, 2, 4},
 * {0, 1, 4}, {0, 0, 4}}`; the Y of P010 is `{0, 0, 2, .word_size = 2, .low_bit = 6, .depth = 10}`.
 */
typedef struct {
  gsize struct_size; /* sizeof(SwinFrame); set by SWIN_FRAME_INIT */
  guint width;       /* pixels as stored, 1 to 32768 */
  guint height;      /* pixels as stored, 1 to 32768 */
  SwinColorModel model;
  SwinColorMatrix matrix;          /* YUV only */
  SwinColorRange range;            /* of any model */
  SwinFrameComponent component[3]; /* R, G, B or Y, U, V; the first alone for gray */
  SwinFrameMemory memory;
  const guint8 *planes[SWIN_FRAME_MAX_PLANES];  /* host memory: first byte; unused ones NULL */
  gsize strides[SWIN_FRAME_MAX_PLANES];         /* host memory and dma-bufs: bytes from one row to
                                                   the next */
  gint dmabuf[SWIN_FRAME_MAX_PLANES];           /* dma-bufs: file descriptor of each plane, which
                                                   stays the caller's; may be the same one. What
                                                   others still write is waited for (implicit
                                                   fences), for a second after the submit at most,
                                                   and not by frames of other classifiers */
  guint64 dmabuf_offset[SWIN_FRAME_MAX_PLANES]; /* dma-bufs: bytes to the first one of the plane */
  SwinFrameImages images;                       /* images: which */
  SwinChromaSite chroma_site;                   /* of subsampled components */
  SwinRectangle crop;          /* what is looked at, in pixels as stored; width or height 0: all */
  SwinOrientation orientation; /* of what is looked at */
} SwinFrame;

#define SWIN_FRAME_INIT                                                                            \
  { .struct_size = sizeof(SwinFrame) }

/* ---- Classifiers -------------------------------------------------------------------------- */

/**
 * SwinClassifierParams: how a classifier works. Opaque, so that it can grow. Not thread-safe;
 * read once by swin_classifier_new().
 */
typedef struct _SwinClassifierParams SwinClassifierParams;

SwinClassifierParams *swin_classifier_params_new(void);
void swin_classifier_params_free(SwinClassifierParams *params); /* NULL-safe */

/** Tags per result, 1 to 64, never more than there are classes. Default 5. */
void swin_classifier_params_set_top_k(SwinClassifierParams *params, guint top_k);

/** Largest number of frames computed together, 1 to 64. Default 1. */
void swin_classifier_params_set_batch_size(SwinClassifierParams *params, guint batch_size);

/**
 * How long the first frame of a batch that is not full waits for others, in microseconds.
 * Default 0: whatever is there is computed.
 */
void swin_classifier_params_set_batch_timeout(SwinClassifierParams *params, gint64 microseconds);

/**
 * What a result carries besides its tags: names out of "logits", "pooled" (the embedding before the
 * head) and "stages.0", "stages.1", ... (the tokens after each stage and its merging). Default
 * NULL: nothing. A name that the model does not have is refused when the classifier is made.
 * @names: (nullable): NULL-terminated; copied
 */
void swin_classifier_params_set_outputs(SwinClassifierParams *params, const gchar *const *names);

/** SwinActivation: how logits become confidences. */
typedef enum {
  SWIN_ACTIVATION_AUTO,    /* as the model's config has it ("problem_type"); else softmax */
  SWIN_ACTIVATION_SOFTMAX, /* one class of many: confidences add up to 1 */
  SWIN_ACTIVATION_SIGMOID, /* any number of classes at once, each by itself */
} SwinActivation;

/** Default %SWIN_PRECISION_AUTO. Where a device cannot do fp16 and it is asked for, the classifier
 * fails to open with %SWIN_ERROR_DEVICE. */
void swin_classifier_params_set_precision(SwinClassifierParams *params, SwinPrecision precision);

/** Default %SWIN_ACTIVATION_AUTO. */
void swin_classifier_params_set_activation(SwinClassifierParams *params, SwinActivation activation);

/** SwinCropMode: how a frame's shape is fitted to the network's input. */
typedef enum {
  SWIN_CROP_MODE_AUTO,   /* as the model was trained */
  SWIN_CROP_MODE_SQUASH, /* the whole frame, whatever its aspect ratio */
  SWIN_CROP_MODE_CENTER, /* the short side is resized, the centre cut out */
  SWIN_CROP_MODE_PAD,    /* the frame is centred on a square of the fill colour and resized */
} SwinCropMode;

/** Default %SWIN_CROP_MODE_AUTO. */
void swin_classifier_params_set_crop_mode(SwinClassifierParams *params, SwinCropMode mode);

/**
 * Short side after resizing and before the cut of %SWIN_CROP_MODE_CENTER, in pixels, at least the
 * longer side of the network's input. Default 0: the model's own, and where it has none 8/7 of the
 * input's longer side, as Microsoft's recipe has it. Refused where nothing is cut.
 */
void swin_classifier_params_set_resize_size(SwinClassifierParams *params, guint resize_size);

/** Colour around a frame with %SWIN_CROP_MODE_PAD, 0 to 255 each. Default: white. */
void swin_classifier_params_set_fill_color(SwinClassifierParams *params, guint8 red, guint8 green,
                                           guint8 blue);

/** SwinInterpolation: Pillow's filters, all but the first antialiased. */
typedef enum {
  SWIN_INTERPOLATION_AUTO, /* as the model was trained */
  SWIN_INTERPOLATION_NEAREST,
  SWIN_INTERPOLATION_BILINEAR,
  SWIN_INTERPOLATION_BICUBIC,
  SWIN_INTERPOLATION_LANCZOS,
} SwinInterpolation;

/** Default %SWIN_INTERPOLATION_AUTO. */
void swin_classifier_params_set_interpolation(SwinClassifierParams *params,
                                              SwinInterpolation interpolation);

/**
 * Mean and standard deviation of the three channels, on a scale of 0 to 1, in the order in which
 * the network takes them; finite, and the deviation above 0. @mean and @std: (nullable): NULL, the
 * default: the model's own.
 */
void swin_classifier_params_set_mean(SwinClassifierParams *params, const gfloat mean[3]);
void swin_classifier_params_set_std(SwinClassifierParams *params, const gfloat std[3]);

/** SwinChannelOrder: which of the network's input channels is which colour. */
typedef enum {
  SWIN_CHANNEL_ORDER_AUTO, /* as the model was trained */
  SWIN_CHANNEL_ORDER_RGB,
  SWIN_CHANNEL_ORDER_BGR,
} SwinChannelOrder;

/** Default %SWIN_CHANNEL_ORDER_AUTO. */
void swin_classifier_params_set_channel_order(SwinClassifierParams *params, SwinChannelOrder order);

typedef struct _SwinClassifier SwinClassifier;

/** SwinTag: one class of a result. */
typedef struct {
  guint index;       /* class, below swin_model_get_n_classes() */
  gfloat confidence; /* softmax or sigmoid of the logit, 0 to 1 */
} SwinTag;

#define SWIN_OUTPUT_MAX_DIMS 4

/** SwinOutput: a tensor of the network, of one frame: float32, row-major. */
typedef struct {
  const gchar *name;                /* as in swin_classifier_params_set_outputs() */
  guint n_dims;                     /* 1 to SWIN_OUTPUT_MAX_DIMS */
  guint dims[SWIN_OUTPUT_MAX_DIMS]; /* "logits": classes; "pooled": channels; a stage: height,
                                       width, channels */
  const gfloat *values;
} SwinOutput;

/** SwinResult: what became of one frame. Valid during the call that hands it out. */
typedef struct {
  const GError *error; /* (nullable): why there is no result, %SWIN_ERROR_CANCELLED included; then
                          all else is 0 */
  guint n_tags;        /* top-k */
  const SwinTag *tags; /* best first */
  guint n_outputs;     /* as many as were asked for */
  const SwinOutput *outputs; /* in the order in which they were asked for */
} SwinResult;

/**
 * SwinResultFunc: receives the result of one submitted frame, exactly once, from a thread of the
 * library. Results of one classifier arrive in the order of submission. It must not block and must
 * not drain the classifier; it may submit and unref.
 */
typedef void (*SwinResultFunc)(SwinClassifier *classifier, const SwinResult *result,
                               gpointer user_data);

/**
 * swin_classifier_new: one caller's front to a model on a device. Classifiers of the same device
 * and model share its weights. Those of the same parameters as well share memory and one scheduler,
 * which batches across them and takes their frames in turn, so that none waits for another's queue.
 * @params: (nullable): NULL for the defaults
 *
 * Uploads the weights and builds the pipelines: takes from milliseconds to seconds.
 *
 * Returns: (transfer full): the classifier, or NULL with an error: %SWIN_ERROR_MODEL where @model
 *   has no head, %SWIN_ERROR_CONFIG where the parameters make no sense for it.
 */
SwinClassifier *swin_classifier_new(SwinDevice *device, SwinModel *model,
                                    const SwinClassifierParams *params, GError **error);

SwinClassifier *swin_classifier_ref(SwinClassifier *classifier);

/**
 * swin_classifier_unref: (NULL-safe): with the last reference it waits until the results of all
 * frames under way have been delivered; cancel first to be quick. Called from a #SwinResultFunc it
 * does not wait, and the last frame under way frees the classifier.
 */
void swin_classifier_unref(SwinClassifier *classifier);

SwinModel *swin_classifier_get_model(SwinClassifier *classifier);   /* (transfer none) */
SwinDevice *swin_classifier_get_device(SwinClassifier *classifier); /* (transfer none) */

/** swin_classifier_get_top_k: tags per result: the parameter, or the classes where fewer. */
guint swin_classifier_get_top_k(SwinClassifier *classifier);

/** swin_classifier_get_precision: the one in use: fp32 or fp16, never auto. */
SwinPrecision swin_classifier_get_precision(SwinClassifier *classifier);

/** swin_classifier_get_activation: the one in use: softmax or sigmoid, never auto. */
SwinActivation swin_classifier_get_activation(SwinClassifier *classifier);

/** SwinClassifierStats: of a classifier and all that share its scheduler, since that was made. */
typedef struct {
  gsize struct_size; /* sizeof(SwinClassifierStats); set by the caller */
  guint batch_size;  /* the largest batch */
  guint64 n_batches; /* that were computed */
  guint64 n_frames;  /* in them; n_frames / n_batches / batch_size is how full they were */
} SwinClassifierStats;

void swin_classifier_get_stats(SwinClassifier *classifier, SwinClassifierStats *stats);

/**
 * swin_classifier_submit: queues one frame and returns at once.
 * @frame: description; copied. The pixels stay where they are until @release is called.
 * @release: (nullable): called once with @keep_alive, from any thread, as soon as the pixels are no
 *   longer needed: before @done. Not called when submit fails. @keep_alive also goes to the
 * functions of #SwinFrameImages.
 * @done: receives the result
 *
 * Returns: FALSE with %SWIN_ERROR_FRAME, %SWIN_ERROR_DEVICE_LOST; then no callback comes.
 */
gboolean swin_classifier_submit(SwinClassifier *classifier, const SwinFrame *frame,
                                GDestroyNotify release, gpointer keep_alive, SwinResultFunc done,
                                gpointer user_data, GError **error);

/**
 * swin_classifier_classify: submits one frame and waits for its result.
 * @tags: (out): room for swin_classifier_get_top_k() tags
 * @n_tags: (out): how many were written; 0 on failure
 *
 * Returns: FALSE with the error of swin_classifier_submit() or of the #SwinResultFunc.
 */
gboolean swin_classifier_classify(SwinClassifier *classifier, const SwinFrame *frame, SwinTag *tags,
                                  guint *n_tags, GError **error);

/**
 * swin_classifier_cancel: every frame submitted before the call whose result has not been
 * delivered completes with %SWIN_ERROR_CANCELLED, in order. Does not wait; frames submitted later
 * are not touched.
 */
void swin_classifier_cancel(SwinClassifier *classifier);

/** swin_classifier_drain: waits until every frame submitted before the call has completed. */
void swin_classifier_drain(SwinClassifier *classifier);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinDevice, swin_device_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinModel, swin_model_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinModelOptions, swin_model_options_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinClassifierParams, swin_classifier_params_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinClassifier, swin_classifier_unref)

G_END_DECLS

#endif /* SWIN_H */
