// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/gst.h>

#include "metadata.h"
#include "overlay.h"
#include "swinclassify.h"

static gboolean plugin_init(GstPlugin *plugin) {
  swin_metadata_register();
  return GST_ELEMENT_REGISTER(swinclassify, plugin) && GST_ELEMENT_REGISTER(swinoverlay, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, swin,
                  "Image classification with Swin Transformer on Vulkan compute", plugin_init,
                  VERSION, "LGPL", PACKAGE, GST_PACKAGE_ORIGIN)
