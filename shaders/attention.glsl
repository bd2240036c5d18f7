// SPDX-License-Identifier: LGPL-2.1-or-later
// What the attention kernels share: which tokens a window is made of. Windows, cyclic shift,
// padding and their reverse are index arithmetic (SwinAttentionParameters in
// core/network/operations.h says what they mean).
//
// Where a map does not fit one binding, a dispatch takes a band of rows of windows, whose tokens
// are one run of rows of the map, or two where the cyclic shift goes around the map's end: the last
// rows, at bindings 0 and 1, and the first ones, at 3 and 4 ("near", since they are near the map's
// first row). Addresses within a map are counted from where each binding begins, modulo 2^32.
#include "parameters.h"

layout(constant_id = 1) const uint HEAD_DIM = 32;
layout(constant_id = 2) const uint WINDOW_HEIGHT = 7; // tokens
layout(constant_id = 3) const uint WINDOW_WIDTH = 7;
layout(constant_id = 4) const bool BIASED = true;   // there is a relative position bias
layout(constant_id = 5) const bool SHIFTED = false; // on one axis or both
layout(constant_id = 6) const bool PADDED = false;  // the map is no multiple of the window
layout(constant_id = 7) const bool COSINE = false;  // scores are made of unit vectors
layout(constant_id = 8) const bool BANDED = false;  // bindings hold a band of a single map

layout(push_constant) uniform Push {
  SwinAttentionPush push;
};
layout(std430, set = 0, binding = 2) readonly buffer Weights {
  float weights[]; // biases of q, k and v [3, C]; scales of the scores [heads]; the bias table
                   // [heads, 2 * table_height - 1, 2 * table_width - 1]
};

const uint TOKENS = WINDOW_HEIGHT * WINDOW_WIDTH;
const float LOWEST = -1.7e38; // less than half of -FLT_MAX: twice that, and the difference of two, are finite

// Where a coordinate of the padded, rolled map comes from in the padded map. @rolled: what the roll
// went around; padding behind that stayed where it was.
uint unroll(uint coordinate, uint shift, uint rolled) {
  if (!SHIFTED)
    return coordinate;
  uint source = coordinate + shift;
  if (PADDED && coordinate >= rolled)
    return coordinate;
  return source >= rolled ? source - rolled : source;
}

// 1 / length of a vector whose square is @square, with a length of at least 1e-12 (the default of
// torch.nn.functional.normalize, which the reference code of Swin Transformer V2 calls).
float unit_scale(float square) {
  return inversesqrt(max(square, 1e-24));
}

// Which of three regions of a rolled axis a coordinate lies in; one where nothing was rolled.
uint region(uint coordinate, uint shift, uint size, uint window) {
  if (shift == 0 || coordinate < size - window)
    return 0;
  return coordinate < size - shift ? 1 : 2;
}

// ---- The window and head of the work-group ----

uint head, channels;
uint first; // token of the image
uint top;   // of the window in the padded, rolled map
uint left;

// Counts work-groups by tile, head, window and image. Returns: the tile.
uint find_window(uint work) {
  uint window = work / (push.tiles * push.heads);
  uint window_columns = push.padded_width / WINDOW_WIDTH;

  head = work / push.tiles % push.heads;
  channels = push.heads * HEAD_DIM;
  first = window / push.windows * push.height * push.width;
  top = push.first_row + window % push.windows / window_columns * WINDOW_HEIGHT;
  left = window % window_columns * WINDOW_WIDTH;
  return work % push.tiles;
}

uint table_columns() {
  return 2 * push.table_width - 1;
}

// Where the bias of the query at (@y, @x) of the window and the key at (0, 0) is; those of other
// keys are key_y * table_columns() + key_x before that.
uint bias_position(uint y, uint x) {
  uint table_rows = 2 * push.table_height - 1;
  return 3 * channels + push.heads + head * table_rows * table_columns() +
         (y + push.table_height - 1) * table_columns() + x + push.table_width - 1;
}

// Which region the mask tells apart the token at (@y, @x) of the window is in.
uint mask_region(uint y, uint x) {
  return 3 * region(top + y, push.shift_y, push.padded_height, WINDOW_HEIGHT) +
         region(left + x, push.shift_x, push.padded_width, WINDOW_WIDTH);
}

// ---- Tokens of the map ----

// Token: of a window. Where it is padding, a token of the map that is as good as any.
struct Token {
  uint y, x; // in the map
  bool padded;
};

Token find_token(uint y, uint x) {
  Token token;
  token.y = unroll(top + y, push.shift_y, push.rolled_height);
  token.x = unroll(left + x, push.shift_x, push.rolled_width);
  token.padded = PADDED && (token.y >= push.height || token.x >= push.width);
  if (PADDED) {
    token.y = token.y < push.height ? token.y : push.any_row;
    token.x = min(token.x, push.width - 1);
  }
  return token;
}

// Whether a row of the map is found at bindings 3 and 4.
bool is_near(Token token) {
  return BANDED && token.y < push.near_rows;
}

uint input_position(Token token) {
  uint position = (first + token.y * push.width + token.x) * 3 * channels + head * HEAD_DIM;
  return BANDED ? position - (is_near(token) ? push.near_input : push.far_input) : position;
}

uint output_position(Token token) {
  uint position = (first + token.y * push.width + token.x) * channels + head * HEAD_DIM;
  return BANDED ? position - (is_near(token) ? push.near_output : push.far_output) : position;
}
