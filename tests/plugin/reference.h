// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * reference.h: any picture of GstVideo as R'G'B', in double precision and by the definitions, for
 * tests to compare with.
 */
#ifndef SWIN_TESTS_PLUGIN_REFERENCE_H
#define SWIN_TESTS_PLUGIN_REFERENCE_H

#include <gst/video/video.h>

/**
 * reference_unpack: reads a row as GstVideo does: of each pixel alpha and the three components, or
 * Y with two that mean nothing, of 8 or 16 bits each (GstVideoFormatInfo.unpack_format), with the
 * sample in the high ones and zeros below.
 * @line: room for 4 * (width + 1) components
 */
void reference_unpack(const GstVideoFrame *frame, guint row, gpointer line);

/**
 * reference_convert: (transfer full): R'G'B' of every pixel, 0 to 255, [height][width][3]. Samples
 * are read by GstVideo's own functions; those of subsampled components are interpolated linearly.
 *
 * Even rows of an interlaced frame have chroma samples of their own, and so have odd ones; the rows
 * of samples lie where those of a progressive frame would, and belong to even and odd rows by turns
 * (ISO/IEC 13818-2, figure 6-3).
 */
gdouble *reference_convert(const GstVideoFrame *frame);

#endif /* SWIN_TESTS_PLUGIN_REFERENCE_H */
