#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes pillow.bin: what Pillow and the families' own transforms make of generated pictures.

The pictures follow integer formulas that test-frames.c repeats, so only the results are stored. Each
record: 13 little-endian 32-bit numbers (width, height, output width, output height, resize mode,
resize size, resize width, resize height, crop rounding, filter, fill as 0xBBGGRR, channel order,
pattern; modes, filters and orders as preprocessing.h numbers them), then the codes [height, width, 3]
in the network's channel order, or the SHA-256 of them where they are more than 64 x 64. The number of
the record is the seed of its picture.

The committed file was made with Pillow 9.4.0, torchvision 0.14.1, timm 1.0.31 and transformers 4.40.2.
"""
import argparse
import hashlib
import struct

import numpy
import PIL.Image
import timm.data.transforms
import transformers.image_transforms
from torchvision import transforms
from torchvision.transforms import functional

NEAREST, LANCZOS, BILINEAR, BICUBIC, BOX, HAMMING = range(6)
SQUASH, SHORT_SIDE, PAD, COVER, CONTAIN = range(5)
GRADIENT, NOISE, CHECKERS = range(3)
EVEN, DOWN = range(2)
RGB, BGR = range(2)
WHITE, GREY = (255, 255, 255), (124, 116, 104)

# (width, height), (output width, output height), how, filter, pattern
CASES = [
    ((1, 1), (32, 24), {}, BICUBIC, NOISE),
    ((3, 500), (40, 32), {}, BICUBIC, NOISE),
    ((3, 500), (24, 40), {"short": 36}, BICUBIC, CHECKERS),
    ((17, 23), (48, 40), {}, BICUBIC, NOISE),
    ((17, 23), (48, 40), {}, BILINEAR, NOISE),
    ((17, 23), (48, 40), {}, NEAREST, NOISE),
    ((17, 23), (9, 11), {}, BICUBIC, CHECKERS),
    ((17, 23), (17, 40), {}, BICUBIC, NOISE),
    ((17, 23), (48, 23), {}, BILINEAR, CHECKERS),
    ((17, 23), (17, 23), {}, BICUBIC, NOISE),
    ((1, 300), (40, 32), {"short": 40}, BICUBIC, NOISE),
    ((300, 1), (40, 32), {"short": 40}, BILINEAR, NOISE),
    ((31, 64), (28, 20), {"short": 32}, BILINEAR, GRADIENT),
    ((64, 31), (20, 28), {"short": 33}, NEAREST, NOISE),
    ((33, 50), (40, 40), {"short": 24}, BICUBIC, NOISE),
    ((640, 480), (48, 48), {}, BICUBIC, NOISE),
    ((640, 480), (48, 48), {"short": 56}, BICUBIC, GRADIENT),
    ((640, 480), (48, 48), {"short": 55}, BILINEAR, CHECKERS),
    ((640, 480), (48, 40), {}, NEAREST, NOISE),
    ((1920, 1080), (56, 48), {}, BICUBIC, CHECKERS),
    ((1920, 1080), (48, 48), {"short": 53}, BICUBIC, NOISE),
    ((1001, 999), (47, 41), {"short": 50}, NEAREST, NOISE),
    ((2500, 40), (30, 30), {"short": 34}, BICUBIC, CHECKERS),
    ((4000, 3000), (32, 32), {}, BICUBIC, NOISE),
    # The other filters, up and down and to the same size.
    ((17, 23), (48, 40), {}, LANCZOS, NOISE),
    ((17, 23), (48, 40), {}, BOX, NOISE),
    ((17, 23), (48, 40), {}, HAMMING, CHECKERS),
    ((17, 23), (17, 23), {}, LANCZOS, NOISE),
    ((17, 23), (17, 23), {}, BOX, NOISE),
    ((17, 23), (17, 23), {}, HAMMING, NOISE),
    ((500, 375), (41, 29), {}, LANCZOS, NOISE),
    ((500, 375), (41, 29), {}, BOX, NOISE),
    ((500, 375), (41, 29), {}, HAMMING, NOISE),
    ((90, 60), (45, 30), {}, BOX, NOISE),
    ((501, 374), (48, 48), {"short": 53}, LANCZOS, CHECKERS),
    # A squash to another size than the input, and a crop of it.
    ((500, 375), (48, 40), {"squash": (55, 46)}, BICUBIC, NOISE),
    ((500, 375), (47, 40), {"squash": (55, 47), "round": DOWN}, BICUBIC, CHECKERS),
    ((17, 23), (24, 24), {"squash": (27, 29)}, LANCZOS, NOISE),
    ((17, 23), (24, 24), {"squash": (29, 27), "round": DOWN}, NEAREST, NOISE),
    # Odd excess, which transformers rounds down and torchvision to even.
    ((501, 375), (40, 40), {"short": 45, "round": DOWN}, BICUBIC, NOISE),
    ((375, 503), (40, 40), {"short": 47, "round": DOWN}, BILINEAR, NOISE),
    ((503, 375), (40, 40), {"short": 47}, BILINEAR, NOISE),
    # Padding to a square, even and odd, of every filter.
    ((17, 23), (40, 40), {"pad": WHITE}, BICUBIC, NOISE),
    ((24, 17), (9, 9), {"pad": GREY}, BICUBIC, CHECKERS),
    ((23, 23), (31, 31), {"pad": WHITE}, BILINEAR, NOISE),
    ((1, 1), (5, 5), {"pad": GREY}, LANCZOS, NOISE),
    ((3, 500), (40, 40), {"pad": GREY}, LANCZOS, NOISE),
    ((501, 4), (40, 40), {"pad": WHITE}, BOX, CHECKERS),
    ((3, 500), (40, 40), {"pad": GREY}, NEAREST, NOISE),
    ((500, 1), (16, 16), {"pad": GREY}, NEAREST, NOISE),
    ((640, 480), (48, 48), {"pad": WHITE}, BICUBIC, NOISE),
    ((641, 480), (48, 48), {"pad": GREY}, NEAREST, NOISE),
    ((480, 641), (48, 40), {"pad": WHITE, "to": (55, 46)}, HAMMING, NOISE),
    ((480, 640), (41, 48), {"pad": GREY, "to": (46, 53), "round": DOWN}, BILINEAR, GRADIENT),
    # timm's crops of rectangles, and its border.
    ((500, 375), (48, 32), {"cover": (53, 35)}, BICUBIC, NOISE),
    ((375, 500), (48, 32), {"cover": (54, 36)}, BICUBIC, CHECKERS),
    ((17, 23), (32, 48), {"cover": (35, 53)}, LANCZOS, NOISE),
    ((500, 375), (40, 40), {"contain": (44, 44), "fill": GREY}, BICUBIC, NOISE),
    ((375, 501), (48, 33), {"contain": (48, 33), "fill": WHITE}, BILINEAR, NOISE),
    ((9, 500), (32, 32), {"contain": (36, 36), "fill": GREY}, BICUBIC, CHECKERS),
    ((17, 23), (40, 33), {"contain": (44, 36), "fill": GREY}, NEAREST, NOISE),
    # Blue first.
    ((500, 375), (40, 40), {"pad": GREY, "order": BGR}, BICUBIC, NOISE),
    ((17, 23), (40, 40), {"order": BGR}, LANCZOS, CHECKERS),
    ((501, 375), (40, 40), {"short": 45, "order": BGR}, BILINEAR, NOISE),
    # As large as networks are.
    ((1, 1), (224, 224), {"short": 256}, BICUBIC, NOISE),
    ((1, 1), (256, 256), {"pad": GREY}, LANCZOS, NOISE),
    ((3, 5000), (224, 224), {}, BICUBIC, NOISE),
    ((3, 5000), (224, 224), {"short": 232}, BICUBIC, CHECKERS),
    ((3, 5000), (256, 256), {"pad": WHITE, "order": BGR}, BICUBIC, NOISE),
    ((17, 23), (224, 224), {"squash": (256, 256), "round": DOWN}, BICUBIC, NOISE),
    ((17, 23), (256, 256), {"short": 284}, LANCZOS, NOISE),
    ((500, 375), (224, 224), {"short": 248}, BICUBIC, NOISE),
    ((500, 375), (224, 224), {"pad": GREY}, BOX, NOISE),
    ((500, 375), (256, 256), {"short": 292}, BICUBIC, GRADIENT),
    ((500, 375), (256, 256), {"contain": (284, 284), "fill": GREY}, HAMMING, NOISE),
    ((4000, 3000), (224, 224), {"short": 256}, BICUBIC, NOISE),
    ((4000, 3000), (224, 224), {"pad": WHITE, "order": BGR}, BICUBIC, NOISE),
    ((4000, 3000), (256, 256), {}, LANCZOS, NOISE),
]


def picture(size, pattern, seed):
    """R'G'B' codes [height, width, 3] of a pattern; test_code() in C."""
    y, x, c = numpy.meshgrid(
        numpy.arange(size[1], dtype=numpy.uint32),
        numpy.arange(size[0], dtype=numpy.uint32),
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


def resize(image, how, output_size, resample):
    """Returns the resized picture and the struct's mode, size, width and height."""
    names = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]
    interpolation = timm.data.transforms.str_to_interp_mode(names[resample])
    if "short" in how:
        resized = transforms.Resize(how["short"], interpolation=interpolation)(image)
        return resized, (SHORT_SIDE, how["short"], 0, 0)
    for name, mode in (("cover", COVER), ("contain", CONTAIN)):
        if name in how:
            keep_ratio = timm.data.transforms.ResizeKeepRatio(
                how[name][::-1], longest=float(mode == CONTAIN), interpolation=names[resample])
            return keep_ratio(image), (mode, 0, *how[name])
    if "pad" in how:
        size = how.get("to", output_size)
        side = max(image.size)
        square = PIL.Image.new("RGB", (side, side), how["pad"])
        square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        return square.resize(size, resample=resample), (PAD, 0, *size)
    size = how.get("squash", output_size)
    return image.resize(size, resample=resample), (SQUASH, 0, *size)


def crop(image, how, output_size):
    """The centre, as torchvision, timm or transformers cut it out."""
    height_and_width = output_size[::-1]
    if how.get("round", EVEN) == DOWN:
        return transformers.image_transforms.center_crop(
            numpy.asarray(image), height_and_width, input_data_format="channels_last")
    if "fill" in how:
        return timm.data.transforms.CenterCropOrPad(height_and_width, fill=how["fill"])(image)
    return functional.center_crop(image, height_and_width)


def record(seed, size, output_size, how, resample, pattern):
    image = PIL.Image.fromarray(picture(size, pattern, seed), "RGB")
    resized, fields = resize(image, how, output_size, resample)
    codes = numpy.asarray(crop(resized, how, output_size))
    assert codes.shape == (output_size[1], output_size[0], 3), codes.shape
    order = how.get("order", RGB)
    if order == BGR:
        codes = codes[:, :, ::-1]
    fill = how.get("pad", how.get("fill", (0, 0, 0)))
    header = struct.pack("<13I", *size, *output_size, *fields, how.get("round", EVEN), resample,
                         fill[0] | fill[1] << 8 | fill[2] << 16, order, pattern)
    contents = numpy.ascontiguousarray(codes).tobytes()
    if len(contents) > 3 * 64 * 64:
        contents = hashlib.sha256(contents).digest()
    return header + contents


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", help="the file to write, such as tests/preprocess/pillow.bin")
    output = parser.parse_args().output
    with open(output, "wb") as file:
        for seed, case in enumerate(CASES):
            file.write(record(seed, *case))


if __name__ == "__main__":
    main()
