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
  SWIN_ERROR_LABELS,        /* a label file that cannot be read or has the wrong length */
  SWIN_ERROR_FRAME,         /* a frame description that makes no sense */
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
 * and must outlive the #SwinDevice made of it.
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
  gpointer user_data;                        /* handed to the two callbacks */
} SwinDeviceImport;

#define SWIN_DEVICE_IMPORT_INIT                                                                    \
  { .struct_size = sizeof(SwinDeviceImport) }

/**
 * swin_device_import: wraps an application's device, so that memory and queue are shared with it.
 *
 * Returns: (transfer full): the device, or NULL with %SWIN_ERROR_DEVICE when the description is
 *   incomplete or the device lacks what is needed.
 */
SwinDevice *swin_device_import(const SwinDeviceImport *import, GError **error);

SwinDevice *swin_device_ref(SwinDevice *device);
void swin_device_unref(SwinDevice *device); /* NULL-safe */

/** swin_device_get_info: (transfer none): valid as long as @device. */
const SwinDeviceInfo *swin_device_get_info(SwinDevice *device);

/* ---- Models ------------------------------------------------------------------------------- */

typedef struct _SwinModel SwinModel;

/**
 * swin_model_load: loads and checks a model.
 * @location: the name of a built-in model ("testcard"), a directory that holds `model.safetensors`
 *   and `config.json`, or a `.safetensors` file with `config.json` beside it. Tensor names as
 *   Hugging Face or torchvision write them; F32, F16 or BF16. `preprocessor_config.json` is read
 *   where present.
 *
 * The weights are mapped, not read; the file must not change while the model lives.
 *
 * Returns: (transfer full): the model, or NULL with %SWIN_ERROR_MODEL or %SWIN_ERROR_CONFIG.
 */
SwinModel *swin_model_load(const gchar *location, GError **error);

/**
 * swin_model_new_random: a published configuration with random weights, for measuring speed.
 * @name: "swin_t", "swin_s", "swin_b" or "swin_l"
 * @seed: the same seed gives the same weights on every machine
 *
 * Returns: (transfer full): the model, or NULL with %SWIN_ERROR_MODEL when @name is unknown.
 */
SwinModel *swin_model_new_random(const gchar *name, guint32 seed, GError **error);

SwinModel *swin_model_ref(SwinModel *model);
void swin_model_unref(SwinModel *model); /* NULL-safe */

/** swin_model_get_name: (transfer none): the built-in name, or the last part of the location. */
const gchar *swin_model_get_name(SwinModel *model);

/** swin_model_get_n_classes: number of logits, at least 1. */
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
 * swin_labels_load: reads a label file: UTF-8, one label a line; a trailing newline is no label.
 * @path: the file
 * @n_classes: how many labels there must be
 *
 * Returns: (transfer full): a NULL-terminated array, free with g_strfreev(), or NULL with
 *   %SWIN_ERROR_LABELS.
 */
gchar **swin_labels_load(const gchar *path, guint n_classes, GError **error);

/* ---- Frames ------------------------------------------------------------------------------- */

#define SWIN_FRAME_MAX_PLANES 4

typedef enum {
  SWIN_COLOR_RGB,  /* components are R, G, B */
  SWIN_COLOR_YUV,  /* components are Y, U, V */
  SWIN_COLOR_GRAY, /* one component */
} SwinColorModel;

/** SwinColorMatrix: how Y'CbCr was made of R'G'B'. */
typedef enum {
  SWIN_COLOR_MATRIX_BT601,  /* ITU-R BT.601 */
  SWIN_COLOR_MATRIX_BT709,  /* ITU-R BT.709 */
  SWIN_COLOR_MATRIX_BT2020, /* ITU-R BT.2020 non-constant luminance */
} SwinColorMatrix;

/** SwinColorRange: which code values are used. RGB frames are nearly always full. */
typedef enum {
  SWIN_COLOR_RANGE_FULL,    /* 0 to 255 */
  SWIN_COLOR_RANGE_LIMITED, /* luma 16 to 235, chroma 16 to 240 */
} SwinColorRange;

/**
 * SwinFrameComponent: where one 8-bit component lies. The value at pixel (x, y) is the byte
 * `planes[plane][offset + (y >> shift_y) * strides[plane] + (x >> shift_x) * pixel_stride]`.
 */
typedef struct {
  guint plane;        /* index into SwinFrame.planes */
  guint offset;       /* bytes from the start of the plane */
  guint pixel_stride; /* bytes from one sample to the next in a row, 1 to 16 */
  guint shift_x;      /* horizontal subsampling, log2: 0 or 1 (2 for 4:1:1) */
  guint shift_y;      /* vertical subsampling, log2 */
} SwinFrameComponent;

/**
 * SwinFrame: a picture in host memory, described so that every 8-bit layout fits without a
 * conversion. NV12, for example, is `.model = SWIN_COLOR_YUV, .component = {{0, 0, 1, 0, 0},
 * {1, 0, 2, 1, 1}, {1, 1, 2, 1, 1}}`; BGRA is `.model = SWIN_COLOR_RGB, .component = {{0, 2, 4},
 * {0, 1, 4}, {0, 0, 4}}`.
 */
typedef struct {
  gsize struct_size; /* sizeof(SwinFrame); set by SWIN_FRAME_INIT */
  guint width;       /* pixels, 1 to 32768 */
  guint height;      /* pixels, 1 to 32768 */
  SwinColorModel model;
  SwinColorMatrix matrix;                      /* YUV only */
  SwinColorRange range;                        /* of any model */
  SwinFrameComponent component[3];             /* R, G, B or Y, U, V; the first alone for gray */
  const guint8 *planes[SWIN_FRAME_MAX_PLANES]; /* first byte of each plane; unused ones NULL */
  gsize strides[SWIN_FRAME_MAX_PLANES];        /* bytes from one row to the next */
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

typedef struct _SwinClassifier SwinClassifier;

/** SwinTag: one class of a result. */
typedef struct {
  guint index;       /* class, below swin_model_get_n_classes() */
  gfloat confidence; /* softmax probability, 0 to 1 */
} SwinTag;

/**
 * SwinResultFunc: receives the result of one submitted frame, exactly once, from a thread of the
 * library. Results of one classifier arrive in the order of submission. It must not block and must
 * not drain the classifier; it may submit and unref.
 * @tags: best first; valid during the call; NULL when @error is set
 * @n_tags: top-k, or 0 when @error is set
 * @error: (nullable): why there is no result, %SWIN_ERROR_CANCELLED included
 */
typedef void (*SwinResultFunc)(SwinClassifier *classifier, const SwinTag *tags, guint n_tags,
                               const GError *error, gpointer user_data);

/**
 * swin_classifier_new: one caller's front to a model on a device. Classifiers of the same device,
 * model and parameters share weights, memory and one scheduler, which batches across them.
 * @params: (nullable): NULL for the defaults
 *
 * Uploads the weights and builds the pipelines: takes from milliseconds to seconds.
 *
 * Returns: (transfer full): the classifier, or NULL with an error.
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

/**
 * swin_classifier_submit: queues one frame and returns at once.
 * @frame: description; copied. The pixels stay where they are until @release is called.
 * @release: (nullable): called once with @keep_alive, from any thread, as soon as the pixels are no
 *   longer needed: before @done. Not called when submit fails.
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
 * @n_tags: (out): how many were written
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
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinClassifierParams, swin_classifier_params_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SwinClassifier, swin_classifier_unref)

G_END_DECLS

#endif /* SWIN_H */
