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

/* linear*.comp; the values of SwinGelu and SwinLinearSource in core/network/operations.h */
#define SWIN_LINEAR_GELU_EXACT 1
#define SWIN_LINEAR_GELU_TANH 2
#define SWIN_LINEAR_SOURCE_ROWS 0
#define SWIN_LINEAR_SOURCE_MERGING 1
#define SWIN_LINEAR_SOURCE_PATCHES 2

struct SwinLinearPush {
  SWIN_UINT rows;
};

/* linear-address.comp; addresses are two words, the low one first */
#define SWIN_LINEAR_ADDRESS_RUNS 4  /* of a column a lane, side by side in a tile */
#define SWIN_LINEAR_ADDRESS_STEP 16 /* input channels of a round; a multiple of the lanes */

struct SwinLinearAddressPush {
  SWIN_UINT rows;
  SWIN_UINT depth;
  SWIN_UINT columns;
  SWIN_UINT input_address[2];
  SWIN_UINT weights_address[2];
  SWIN_UINT residual_address[2];
};

/* linear-tile.comp and linear-matrix.comp */
struct SwinLinearTilePush {
  SWIN_UINT rows;
  SWIN_UINT height; /* of the input map, tokens, or of the picture, pixels */
  SWIN_UINT width;
  SWIN_UINT map_rows; /* of the output map, tokens */
  SWIN_UINT map_columns;
  SWIN_FLOAT epsilon;
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
  SWIN_UINT tokens;   /* of an image in the output, those of the prefix counted */
  SWIN_UINT prefix;   /* tokens */
  SWIN_UINT embedded; /* tokens that have an embedding: the first ones */
  SWIN_UINT channels;
};

/* mean-pool.comp */
struct SwinMeanPoolPush {
  SWIN_UINT map_tokens; /* of an image */
  SWIN_UINT first;      /* token of the mean */
  SWIN_UINT tokens;     /* of the mean */
  SWIN_UINT channels;
  SWIN_FLOAT epsilon;
};

/* ceiling-arithmetic.comp, ceiling-bandwidth.comp and ceiling-matrix.comp */
#define SWIN_CEILING_CHAINS 12  /* that an invocation has under way at once */
#define SWIN_CEILING_STEPS 32   /* of a round */
#define SWIN_CEILING_PRODUCTS 8 /* that a subgroup has under way at once */
#define SWIN_CEILING_SHIFT 37   /* work-groups that the one who reads a part moves on */

struct SwinCeilingPush {
  SWIN_UINT rounds;
  SWIN_UINT mask; /* vectors of the source less one: a power of two less one */
};

/* top-k.comp */
struct SwinTopKPush {
  SWIN_UINT classes;
  SWIN_UINT k;
  SWIN_UINT first_rank; /* the ranks that this dispatch finds: first_rank to end_rank - 1 */
  SWIN_UINT end_rank;
};

/* attention.comp and attention-matrix.comp */
struct SwinAttentionPush {
  SWIN_UINT height; /* of the map, tokens */
  SWIN_UINT width;
  SWIN_UINT padded_height; /* multiples of the window */
  SWIN_UINT padded_width;
  SWIN_UINT rolled_height; /* what the cyclic shift goes around: the padded map or the map */
  SWIN_UINT rolled_width;
  SWIN_UINT heads;
  SWIN_UINT tiles;     /* work-groups that share the queries of a window and head */
  SWIN_UINT windows;   /* of an image, or of the band */
  SWIN_UINT work;      /* images * windows * heads * tiles */
  SWIN_UINT first_row; /* of the padded, rolled map: where the windows begin */
  SWIN_UINT any_row;   /* of the map: one that is bound */
  SWIN_UINT shift_y;
  SWIN_UINT shift_x;
  SWIN_UINT table_height;
  SWIN_UINT table_width;
  SWIN_FLOAT mask; /* what the score between regions loses */
  /* of a band alone; positions are those of values within the image, where the bindings begin */
  SWIN_UINT near_rows; /* rows of the map, from the first one on, that are at bindings 3 and 4 */
  SWIN_UINT far_input;
  SWIN_UINT far_output;
  SWIN_UINT near_input;
  SWIN_UINT near_output;
};

/* unpack.comp, resize-horizontal.comp and resize-vertical.comp */
#define SWIN_RESAMPLE_BITS 22 /* fractional bits of a filter weight, as in Pillow */
#define SWIN_RESIZE_BLOCK 4   /* output columns that an invocation makes: the weights of an ivec4 */
#define SWIN_RESIZE_GROUP 4   /* neighbouring columns that are fetched together */
#define SWIN_RESIZE_ROWS 2    /* rows for which an invocation makes them, with the same weights */
#define SWIN_RESIZE_LANES 32  /* invocations of a work-group */
#define SWIN_UNPACK_COLUMNS 256  /* of a line, that an invocation of unpack.comp makes */
#define SWIN_NORMALISED_SIZE 768 /* normalised values of the codes 0 to 255 of each channel */

/* How the samples of a group of stored columns lie in 32-bit words. Groups begin at multiples of
 * SWIN_RESIZE_GROUP columns. All but the last two have samples of 8 bits. */
#define SWIN_IMAGE_PLANAR 0  /* one word for each component (Y444, GBR, GRAY8) */
#define SWIN_IMAGE_HALVED 1  /* one word for each component; chroma of half the columns (NV12) */
#define SWIN_IMAGE_PAIRS 2   /* one word for two pixels (YUY2) */
#define SWIN_IMAGE_WORDS 3   /* one word for each pixel (RGBx, AYUV) */
#define SWIN_IMAGE_TRIPLE 4  /* three words for all (RGB, v308) */
#define SWIN_IMAGE_FULL 5    /* anyhow, and of any depth; none is subsampled (RGB16, Y410) */
#define SWIN_IMAGE_SAMPLES 6 /* anyhow; the second and third may be subsampled (P010, IYU1) */

/* How a component's samples are interpolated along one axis. Positions are in columns or lines of
 * the frame. Position x is the one with number p = (x + before) & (span - 1) of its group and takes
 * from the samples of position x - p + (p & odd) and of the one that lies `gap` behind that, both
 * moved into the crop. */
struct SwinInterpolation {
  SWIN_UINT span;    /* positions of a group: 1, 2 or 4 */
  SWIN_UINT before;  /* how far ahead of a multiple of span a group begins */
  SWIN_UINT odd;     /* 1 where even positions take from even ones, and odd from odd */
  SWIN_UINT gap;     /* positions from the first sample to the second */
  SWIN_UINT weights; /* of the second sample, in eighths: 4 bits for each p */
};

/* Where the upload holds the word of component i at column x and line y of the frame: at byte
 * base[i] + row * row_stride[i] + (x >> shift_x[i]) * pixel_stride[i] + (x >> 1) * pair_stride[i],
 * modulo 2^32, where row is y >> shift_y[i], or of interlaced chroma the row of the line's field.
 *
 * Samples are widened, sample * repeat >> surplus, before they are interpolated; not where access
 * has them of 8 bits. With t = (sample ^ flip) * spread >> drop, a channel is
 *   (sum of (matrix * t >> inner) + offset) >> outer,
 * clamped to 8 bits. */
struct SwinImageParameters {
  SWIN_UINT first_column; /* of what is unpacked; whole groups */
  SWIN_UINT end_column;
  SWIN_UINT first_line;
  SWIN_UINT n_lines;
  SWIN_UINT left; /* columns and lines of the crop: first and last */
  SWIN_UINT right;
  SWIN_UINT top;
  SWIN_UINT bottom;
  SWIN_UINT origin;      /* where column 0 of line 0 goes among the pixels, modulo 2^32 */
  SWIN_UINT column_step; /* from there, for each column */
  SWIN_UINT line_step;
  SWIN_UINT access; /* SWIN_IMAGE_PLANAR and so on */
  SWIN_UINT base[3];
  SWIN_UINT row_stride[3];
  SWIN_UINT pixel_stride[3];
  SWIN_UINT pair_stride[3];
  SWIN_UINT shift_x[3];
  SWIN_UINT shift_y[3];
  SWIN_UINT interlaced; /* 1: rows of subsampled components belong to fields */
  SWIN_STRUCT(SwinInterpolation) columns[3];
  SWIN_STRUCT(SwinInterpolation) lines[3];
  SWIN_UINT big_endian[3]; /* 1: the word's highest byte comes first */
  SWIN_UINT low_bit[3];    /* of the sample, in 32 bits that begin where the word does */
  SWIN_UINT mask[3];       /* of the sample */
  SWIN_UINT repeat[3];
  SWIN_UINT surplus[3];
  SWIN_UINT flip;
  SWIN_UINT spread;
  SWIN_UINT drop;
  SWIN_UINT inner;
  SWIN_UINT outer;
  SWIN_INT colour_matrix[9]; /* a row for each channel */
  SWIN_INT colour_offset[3];
};

/* The head of the parameter buffer, where the tables follow it: normalised values, float bits
 * [3, 256]; runs of the column blocks [ceil(width / SWIN_RESIZE_BLOCK)]; runs of the output rows
 * [height]; weights, from a multiple of 4 on. A multiple of 16 bytes long, so that the tables can
 * be read as vectors too. */
struct SwinPreprocessParameters {
  SWIN_UINT unpack_groups[3];     /* work-groups of unpack.comp, as VkDispatchIndirectCommand */
  SWIN_UINT horizontal_groups[3]; /* work-groups of the horizontal pass */
  SWIN_UINT n_rows;               /* of the unpacked picture that any output row needs */
  SWIN_UINT first_group;          /* the first row's, among groups of SWIN_RESIZE_GROUP pixels */
  SWIN_UINT row_groups;           /* groups from one row to the next */
  SWIN_UINT fill[3];              /* codes of what surrounds the frame, of each channel */
  SWIN_STRUCT(SwinImageParameters) image;
  SWIN_UINT padding[3];
};

/* A run of whole groups of unpacked columns with weights [1 + count, SWIN_RESIZE_BLOCK], or of
 * unpacked rows with weights [1 + count]. The first weight is that of all that lies outside of the
 * frame. */
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
