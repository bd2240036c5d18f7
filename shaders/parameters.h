// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * parameters.h: the structs that C fills in and shaders read, in one place for both. Only 32-bit
 * scalars and arrays of them, so that std430 and C agree on the layout.
 */
#ifndef SWIN_SHADERS_PARAMETERS_H
#define SWIN_SHADERS_PARAMETERS_H

#ifdef VULKAN
#define SWIN_UINT uint
#define SWIN_INT int
#define SWIN_FLOAT float
#define SWIN_STRUCT(name) name
#else
#include <stdint.h>
#define SWIN_UINT uint32_t
#define SWIN_INT int32_t
#define SWIN_FLOAT float
#define SWIN_STRUCT(name) struct name
#endif

/* linear.comp; the values of SwinGelu in core/network/operations.h */
#define SWIN_LINEAR_GELU_EXACT 1
#define SWIN_LINEAR_GELU_TANH 2

struct SwinLinearPush {
  SWIN_UINT rows;
};

/* patch-partition.comp */
struct SwinPatchPartitionPush {
  SWIN_UINT height; /* of the picture, pixels */
  SWIN_UINT width;
  SWIN_UINT columns; /* patches in a row */
};

/* layer-norm.comp */
struct SwinLayerNormPush {
  SWIN_UINT rows;
  SWIN_UINT channels;
  SWIN_FLOAT epsilon;
};

/* patch-merging.comp */
struct SwinPatchMergingPush {
  SWIN_UINT height; /* of the input map, tokens */
  SWIN_UINT width;
  SWIN_UINT channels; /* of the input */
  SWIN_UINT rows;     /* of the output map, tokens */
  SWIN_UINT columns;
  SWIN_FLOAT epsilon;
};

/* token-embedding.comp */
struct SwinTokenEmbeddingPush {
  SWIN_UINT images;
  SWIN_UINT tokens; /* of an image in the output, those of the prefix counted */
  SWIN_UINT prefix; /* tokens */
  SWIN_UINT channels;
};

/* mean-pool.comp */
struct SwinMeanPoolPush {
  SWIN_UINT map_tokens; /* of an image */
  SWIN_UINT first;      /* token of the mean */
  SWIN_UINT tokens;     /* of the mean */
  SWIN_UINT channels;
  SWIN_UINT run; /* tokens that an invocation sums up */
};

/* top-k.comp */
struct SwinTopKPush {
  SWIN_UINT classes;
  SWIN_UINT k;
  SWIN_UINT first_rank; /* the ranks that this dispatch finds: first_rank to end_rank - 1 */
  SWIN_UINT end_rank;
};

/* attention.comp */
struct SwinAttentionPush {
  SWIN_UINT height; /* of the map, tokens */
  SWIN_UINT width;
  SWIN_UINT padded_height; /* multiples of the window */
  SWIN_UINT padded_width;
  SWIN_UINT rolled_height; /* what the cyclic shift goes around: the padded map or the map */
  SWIN_UINT rolled_width;
  SWIN_UINT heads;
  SWIN_UINT tiles;   /* work-groups that share the queries of a window and head */
  SWIN_UINT windows; /* of an image */
  SWIN_UINT work;    /* images * windows * heads * tiles */
  SWIN_UINT shift_y;
  SWIN_UINT shift_x;
  SWIN_UINT table_height;
  SWIN_UINT table_width;
  SWIN_FLOAT mask; /* what the score between regions loses */
};

/* resize-horizontal.comp and resize-vertical.comp */
#define SWIN_COLOUR_BITS 20   /* fractional bits of the colour matrix */
#define SWIN_RESAMPLE_BITS 22 /* fractional bits of a filter weight, as in Pillow */
#define SWIN_RESIZE_BLOCK 4   /* output columns that an invocation makes: the weights of an ivec4 */
#define SWIN_RESIZE_GROUP 4   /* neighbouring source columns that it fetches together */
#define SWIN_RESIZE_LANES 32  /* invocations of a work-group */
#define SWIN_NORMALISED_SIZE 768 /* normalised values of the codes 0 to 255 of each channel */

/* How the bytes of a group of source columns lie in 32-bit words. Groups begin at multiples of
 * SWIN_RESIZE_GROUP columns. */
#define SWIN_IMAGE_PLANAR 0 /* one word for each component (I420, NV12, GRAY8) */
#define SWIN_IMAGE_WORDS 1  /* one word for each pixel (RGBx, xRGB, BGRA, YUY2) */
#define SWIN_IMAGE_TRIPLE 2 /* three words for all (RGB, BGR) */
#define SWIN_IMAGE_BYTES 3  /* anyhow */

/* Where the upload holds the byte of component i at pixel (x, y) of the frame: at
 * base[i] + (y >> shift_y[i]) * row_stride[i] + (x >> shift_x[i]) * pixel_stride[i], modulo 2^32.
 */
struct SwinImageParameters {
  SWIN_UINT base[3];
  SWIN_UINT row_stride[3];
  SWIN_UINT pixel_stride[3];
  SWIN_UINT shift_x[3];
  SWIN_UINT shift_y[3];
  SWIN_INT colour_matrix[9]; /* a row for each channel; units of 2^-SWIN_COLOUR_BITS */
  SWIN_INT colour_offset[3];
  SWIN_UINT access; /* SWIN_IMAGE_PLANAR and so on */
};

/* The head of the parameter buffer, where the tables follow it: normalised values, float bits
 * [3, 256]; runs of the column blocks [ceil(width / SWIN_RESIZE_BLOCK)]; runs of the output rows
 * [height]; weights, from a multiple of 4 on. A multiple of 16 bytes long, so that the tables can
 * be read as vectors too. */
struct SwinPreprocessParameters {
  SWIN_UINT groups[3]; /* the work-groups of the horizontal pass, as VkDispatchIndirectCommand */
  SWIN_UINT first_row; /* of the frame that any output row needs */
  SWIN_UINT n_rows;    /* from there on */
  SWIN_STRUCT(SwinImageParameters) image;
  SWIN_UINT fill[3]; /* codes of what surrounds the frame, of each channel */
};

/* A run of whole groups of source columns with weights [1 + count, SWIN_RESIZE_BLOCK], or of source
 * rows, counted from first_row, with weights [1 + count]. The first weight is that of all that lies
 * outside of the frame. */
struct SwinResizeRun {
  SWIN_UINT first;
  SWIN_UINT count;
  SWIN_UINT weights; /* position of the first one in the tables */
};

struct SwinResizePush {
  SWIN_UINT width; /* of the network's input, pixels */
  SWIN_UINT height;
  SWIN_UINT first; /* position of the picture's first value in the output binding */
};

#endif /* SWIN_SHADERS_PARAMETERS_H */
