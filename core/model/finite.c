// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/finite.h"

#include "model/parallel.h"

/* Elements that a thread takes at a time: long enough to outweigh the taking, short enough for the
 * threads to finish together. */
#define PIECE_ELEMENTS (1u << 20)

typedef struct {
  guint tensor;
  guint64 first, n_elements;
  gboolean finite;
} Piece;

typedef struct {
  const SwinTensor *tensors;
  GArray *pieces; /* of Piece */
} Search;

static void check_piece(guint index, gpointer data) {
  const Search *search = data;
  Piece *piece = &g_array_index(search->pieces, Piece, index);
  piece->finite =
      swin_tensor_is_finite(&search->tensors[piece->tensor], piece->first, piece->n_elements);
}

static guint64 find_element(const SwinTensor *tensor, const Piece *piece) {
  guint64 element = piece->first;
  while (swin_tensor_is_finite(tensor, element, 1)) {
    element++;
  }
  return element;
}

gboolean swin_finite_check(const SwinTensor *tensors, guint n_tensors, guint *bad_tensor,
                           guint64 *bad_element) {
  g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
  guint64 n_elements = 0;
  for (guint i = 0; i < n_tensors; i++) {
    for (guint64 first = 0; first < tensors[i].n_elements; first += PIECE_ELEMENTS) {
      const Piece piece = {i, first, MIN(PIECE_ELEMENTS, tensors[i].n_elements - first), TRUE};
      g_array_append_val(pieces, piece);
    }
    n_elements += tensors[i].n_elements;
  }
  Search search = {tensors, pieces};
  if (n_elements > PIECE_ELEMENTS) {
    swin_parallel_for(pieces->len, check_piece, &search);
  } else { /* a thread would take longer to start */
    for (guint i = 0; i < pieces->len; i++) {
      check_piece(i, &search);
    }
  }
  for (guint i = 0; i < pieces->len; i++) {
    const Piece *piece = &g_array_index(pieces, Piece, i);
    if (!piece->finite) {
      *bad_tensor = piece->tensor;
      *bad_element = find_element(&tensors[piece->tensor], piece);
      return FALSE;
    }
  }
  return TRUE;
}
