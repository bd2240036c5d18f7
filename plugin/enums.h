// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * enums.h: libswin's enumerations as GObject types, for properties.
 */
#ifndef SWIN_PLUGIN_ENUMS_H
#define SWIN_PLUGIN_ENUMS_H

#include <glib-object.h>

/** GstSwinClassifyCropMode: a #SwinCropMode. */
#define GST_TYPE_SWIN_CLASSIFY_CROP_MODE (gst_swin_classify_crop_mode_get_type())
GType gst_swin_classify_crop_mode_get_type(void);

/** GstSwinClassifyInterpolation: a #SwinInterpolation. */
#define GST_TYPE_SWIN_CLASSIFY_INTERPOLATION (gst_swin_classify_interpolation_get_type())
GType gst_swin_classify_interpolation_get_type(void);

/** GstSwinClassifyChannelOrder: a #SwinChannelOrder. */
#define GST_TYPE_SWIN_CLASSIFY_CHANNEL_ORDER (gst_swin_classify_channel_order_get_type())
GType gst_swin_classify_channel_order_get_type(void);

/** GstSwinClassifyActivation: a #SwinActivation. */
#define GST_TYPE_SWIN_CLASSIFY_ACTIVATION (gst_swin_classify_activation_get_type())
GType gst_swin_classify_activation_get_type(void);

#endif /* SWIN_PLUGIN_ENUMS_H */
