# SPDX-License-Identifier: LGPL-2.1-or-later
"""OpenBLAS: the product of two float32 matrices, which a processor does best."""

import ctypes
import ctypes.util
import glob
import importlib.util
import pathlib
import random

from worker import Unavailable, sample_calls

ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE = 101, 111, 112
# The second with sizes of 64 bits, which the first reads the lower half of.
SYMBOLS = ("cblas_sgemm", "scipy_cblas_sgemm64_", "cblas_sgemm64_")


def find_product():
    """The function of Debian's package, or of the library that a wheel of NumPy carries."""
    names = ["libopenblas.so.0", ctypes.util.find_library("openblas")]
    numpy = importlib.util.find_spec("numpy")
    if numpy and numpy.origin:
        folder = pathlib.Path(numpy.origin).parent.parent / "numpy.libs"
        names += sorted(glob.glob(str(folder / "*openblas*.so*")))
    for name in filter(None, names):
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        for symbol in SYMBOLS:
            if hasattr(library, symbol):
                return getattr(library, symbol)
    raise Unavailable("there is no libopenblas.so.0 (Debian: libopenblas0-pthread).")


def make(rows, columns, depth):
    sgemm = find_product()
    generator = random.Random(1)
    sizes = (rows * depth, columns * depth, rows * columns)
    left, right, product = ((ctypes.c_float * size)() for size in sizes)
    for matrix in (left, right):
        for i in range(len(matrix)):
            matrix[i] = generator.uniform(-1, 1)

    def multiply():
        m, n, k = map(ctypes.c_int64, (rows, columns, depth))
        sgemm(ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE, m, n, k, ctypes.c_float(1), left, k, right, k, ctypes.c_float(0), product, n)

    multiply()
    expected = sum(left[i] * right[i] for i in range(depth))
    if abs(product[0] - expected) > 1e-3 * depth:
        raise Unavailable("its product is wrong.")
    return sample_calls(multiply), {"gflop": 2e-9 * rows * columns * depth, "precision": "fp32"}
