#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes pillow.bin: what Pillow and torchvision's transforms make of generated pictures.

The pictures follow integer formulas that test-frames.c repeats, so only the results are stored. Each
record: width, height, output width, output height, resize size (0: squash), filter (as Pillow
numbers them), pattern and seed as little-endian 32-bit numbers, then the R'G'B' codes [height, width, 3].

The committed file was made with Pillow 9.4.0 and torchvision 0.14.1.
"""
import argparse
import struct

import numpy
import PIL.Image
from torchvision import transforms

NEAREST, BILINEAR, BICUBIC = 0, 2, 3
GRADIENT, NOISE, CHECKERS = 0, 1, 2

# width, height, output width, output height, resize size, filter, pattern
CASES = [
    (1, 1, 32, 24, 0, BICUBIC, NOISE),
    (3, 500, 40, 32, 0, BICUBIC, NOISE),
    (3, 500, 24, 40, 36, BICUBIC, CHECKERS),
    (17, 23, 48, 40, 0, BICUBIC, NOISE),
    (17, 23, 48, 40, 0, BILINEAR, NOISE),
    (17, 23, 48, 40, 0, NEAREST, NOISE),
    (17, 23, 9, 11, 0, BICUBIC, CHECKERS),
    (17, 23, 17, 40, 0, BICUBIC, NOISE),
    (17, 23, 48, 23, 0, BILINEAR, CHECKERS),
    (17, 23, 17, 23, 0, BICUBIC, NOISE),
    (1, 300, 40, 32, 40, BICUBIC, NOISE),
    (300, 1, 40, 32, 40, BILINEAR, NOISE),
    (31, 64, 28, 20, 32, BILINEAR, GRADIENT),
    (64, 31, 20, 28, 33, NEAREST, NOISE),
    (33, 50, 40, 40, 24, BICUBIC, NOISE),
    (640, 480, 48, 48, 0, BICUBIC, NOISE),
    (640, 480, 48, 48, 56, BICUBIC, GRADIENT),
    (640, 480, 48, 48, 55, BILINEAR, CHECKERS),
    (640, 480, 48, 40, 0, NEAREST, NOISE),
    (1920, 1080, 56, 48, 0, BICUBIC, CHECKERS),
    (1920, 1080, 48, 48, 53, BICUBIC, NOISE),
    (1001, 999, 47, 41, 50, NEAREST, NOISE),
    (2500, 40, 30, 30, 34, BICUBIC, CHECKERS),
    (4000, 3000, 32, 32, 0, BICUBIC, NOISE),
]


def picture(width, height, pattern, seed):
    """R'G'B' codes [height, width, 3] of a pattern; test_code() in C."""
    y, x, c = numpy.meshgrid(
        numpy.arange(height, dtype=numpy.uint32),
        numpy.arange(width, dtype=numpy.uint32),
        numpy.arange(3, dtype=numpy.uint32), indexing="ij")
    if pattern == GRADIENT:
        code = x * 5 + y * 3 + c * 80 + ((x * y) >> 6) + seed
    elif pattern == NOISE:
        code = x * 374761393 + y * 668265263 + c * 2246822519 + numpy.uint32(seed * 3266489917 % 2**32)
        code = (code ^ (code >> 13)) * 1274126177
        code = code ^ (code >> 16)
    else:
        code = ((x // 3 + y // 5 + c + seed) & 1) * 255
    return (code & 255).astype(numpy.uint8)


def transform(image, width, height, resize_size, resample):
    """The families' way: squash, or the short side and a centre crop."""
    if resize_size == 0:
        return image.resize((width, height), resample=resample)
    mode = {NEAREST: transforms.InterpolationMode.NEAREST,
            BILINEAR: transforms.InterpolationMode.BILINEAR,
            BICUBIC: transforms.InterpolationMode.BICUBIC}[resample]
    resized = transforms.Resize(resize_size, interpolation=mode)(image)
    return transforms.CenterCrop((height, width))(resized)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", help="the file to write, such as tests/preprocess/pillow.bin")
    output = parser.parse_args().output
    with open(output, "wb") as file:
        for seed, (width, height, out_width, out_height, size, resample, pattern) in enumerate(CASES):
            image = PIL.Image.fromarray(picture(width, height, pattern, seed), "RGB")
            result = numpy.asarray(transform(image, out_width, out_height, size, resample))
            assert result.shape == (out_height, out_width, 3), result.shape
            file.write(struct.pack("<8I", width, height, out_width, out_height, size, resample,
                                   pattern, seed))
            file.write(result.tobytes())


if __name__ == "__main__":
    main()
