#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds what swinclassify feeds its network against Pillow and the transforms of the families.

Makes pictures and tiny networks in the naming of each family, lets PROGRAM (pictures.c) decode the
pictures with GStreamer and run them through the element, and compares the tensor that the network
got with what Pillow and the family's transform make of the same file, or of the same decoded
picture where decoders differ (JPEG, 16-bit grey). Exits with 1 when a value is further off than
1/255 of the range of pixels, or a picture 0.05/255 on average; with 77 when Pillow or numpy is
missing.
"""

import argparse
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

try:
    import numpy
    import PIL.Image
except ImportError as missing:
    print(f"skipped: {missing}; on Debian, install python3-pil and python3-numpy", file=sys.stderr)
    sys.exit(1 if "pillow" in os.environ.get("SWIN_TEST_REQUIRE", "").split() else 77)

NEAREST, LANCZOS, BILINEAR, BICUBIC = 0, 1, 2, 3  # as Pillow numbers them
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

LARGEST, LARGEST_MEAN = 1.0, 0.05  # differences, in 1/255 of the range
ROUNDING = 1e-3  # of float32, in the same unit


# ---- Pictures ---------------------------------------------------------------------------------


def draw(width, height, channels=3):
    """Codes [height, width, channels]: slopes, edges, and noise where they meet."""
    y, x, c = numpy.meshgrid(
        numpy.arange(height, dtype=numpy.uint32),
        numpy.arange(width, dtype=numpy.uint32),
        numpy.arange(channels, dtype=numpy.uint32),
        indexing="ij",
    )
    slope = (x * 255 // max(width - 1, 1) * (c + 1) + y * 255 // max(height - 1, 1)) // 2
    noise = x * 374761393 + y * 668265263 + c * 2246822519
    noise = (noise ^ (noise >> 13)) * 1274126177
    edges = ((x // 7 + y // 5) & 1) * 96
    return ((slope + edges + (noise >> 27)) & 255).astype(numpy.uint8)


def draw_16_bits(width, height):
    codes = draw(width, height, 2).astype(numpy.uint16)
    return codes[..., 0] << 8 | codes[..., 1]


def palette_of(image, transparency=False):
    """The picture in 64 colours."""
    image = image.quantize(64)
    if transparency:
        image.info["transparency"] = 3
    return image


def make_pngs(folder):
    """Writes the PNG files, in all kinds. Returns {name: path}."""
    pictures = {f"{w}x{h}": PIL.Image.fromarray(draw(w, h))
                for w, h in [(1, 1), (3, 5000), (17, 23), (500, 375), (4000, 3000)]}  # fmt: skip
    pictures["grey"] = PIL.Image.fromarray(draw(301, 200, 1)[..., 0])
    pictures["grey-16"] = PIL.Image.fromarray(draw_16_bits(301, 200))
    pictures["grey-alpha"] = PIL.Image.fromarray(draw(33, 65, 2), "LA")
    pictures["alpha"] = PIL.Image.fromarray(draw(75, 50, 4), "RGBA")
    pictures["palette"] = palette_of(PIL.Image.fromarray(draw(120, 80)))
    pictures["palette-alpha"] = palette_of(PIL.Image.fromarray(draw(80, 120)), True)
    pictures["bits"] = PIL.Image.fromarray(draw(65, 33, 1)[..., 0]).convert("1")
    paths = {}
    for name, image in pictures.items():
        paths[name] = folder / f"{name}.png"
        image.save(paths[name], compress_level=1)
    return paths


def make_jpegs(folder):
    """Writes the JPEG files. Returns {name: path}."""
    colours = PIL.Image.fromarray(draw(323, 241))
    kinds = {"jpeg-444": (colours, 0), "jpeg-422": (colours, 1), "jpeg-420": (colours, 2),
             "jpeg-grey": (PIL.Image.fromarray(draw(323, 241, 1)[..., 0]), 0)}  # fmt: skip
    paths = {}
    for name, (image, subsampling) in kinds.items():
        paths[name] = folder / f"{name}.jpg"
        image.save(paths[name], quality=90, subsampling=subsampling)
    return paths


# ---- What the element got ---------------------------------------------------------------------

# Chroma's subsampling, log2, horizontal and vertical.
PLANAR = {"I420": (1, 1), "Y42B": (1, 0), "Y444": (0, 0)}


def interpolate(plane, size, cosited):
    """Chroma of half the columns -> @size columns, as GStreamer's video-chroma.c interpolates it."""
    x = numpy.arange(size)
    last = plane.shape[1] - 1
    own = plane[:, x // 2]
    next_to_it = plane[:, numpy.clip(x // 2 + (1 if cosited else x % 2 * 2 - 1), 0, last)]
    if cosited:
        return numpy.where(x % 2 == 0, own, (own + next_to_it + 1) >> 1)
    return (3 * own + next_to_it + 2) >> 2


def read_planes(data, width, height, shifts, chroma_site):
    """Y, Cb and Cr [height, width]."""
    sizes = [(height, width)] + 2 * [(-(-height >> shifts[1]), -(-width >> shifts[0]))]
    planes, start = [], 0
    assert chroma_site in ("jpeg", "mpeg2", ""), chroma_site
    for rows, columns in sizes:
        plane = data[start : start + rows * columns].reshape(rows, columns).astype(numpy.int32)
        start += rows * columns
        if planes and shifts[0]:
            plane = interpolate(plane, width, chroma_site == "mpeg2")
        if planes and shifts[1]:
            plane = interpolate(plane.T, height, False).T
        planes.append(plane)
    assert start == data.size
    return planes


def from_yuv(planes, colorimetry):
    """Full-range BT.601, as JFIF has it, in the integers of GStreamer's video-orc.orc."""
    assert colorimetry.startswith("1:4:"), colorimetry

    def product(plane, factor):
        splat = (((plane ^ 128) * 257 + 32768) & 65535) - 32768
        return splat * round(factor * 256) >> 16

    luma, blue, red = planes
    sums = [product(luma, 1) + product(red, 1.402),
            product(luma, 1) + product(blue, -0.114 * 1.772 / 0.587)
            + product(red, -0.299 * 1.402 / 0.587),
            product(luma, 1) + product(blue, 1.772)]  # fmt: skip
    return (numpy.clip(numpy.stack(sums, -1), -128, 127) + 128).astype(numpy.uint8)


def read_frame(path, result):
    """The decoded picture in R'G'B'."""
    data = numpy.fromfile(f"{path}.frame", dtype=numpy.uint8)
    width, height, name = result["width"], result["height"], result["format"]
    if name == "GRAY8":
        return PIL.Image.fromarray(data.reshape(height, width))
    if name in ("GRAY16_LE", "GRAY16_BE"):
        codes = data.view("<u2" if name == "GRAY16_LE" else ">u2").reshape(height, width)
        codes = codes.astype(numpy.int32) * 255 + 65536 // 4 >> 16  # see core/image-colour.c
        return PIL.Image.fromarray(codes.astype(numpy.uint8))
    if name in PLANAR:
        planes = read_planes(data, width, height, PLANAR[name], result["chroma_site"])
        return PIL.Image.fromarray(from_yuv(planes, result["colorimetry"]))
    pixels = data.reshape(height, width, len(name))
    pixels = pixels[..., [name.index(colour) for colour in "RGB"]]
    return PIL.Image.fromarray(numpy.ascontiguousarray(pixels))


# ---- Transforms -------------------------------------------------------------------------------


def squash(width, height, resample=BICUBIC):
    return lambda image: image.resize((width, height), resample)


def short_side(size, width, height, resample=BICUBIC):
    """torchvision's Resize and CenterCrop, which timm and Microsoft use too."""

    def transform(image):
        short, long = sorted(image.size)
        longer = int(size * long / short)
        new_size = (size, longer) if image.width <= image.height else (longer, size)
        image = image.resize(new_size, resample)
        left = int(round((image.width - width) / 2.0))
        top = int(round((image.height - height) / 2.0))
        return image.crop((left, top, left + width, top + height))

    return transform


def pad(width, height, colour, resample=BICUBIC):
    """The picture in the middle of a square, as taggers take it."""

    def transform(image):
        side = max(image.size)
        square = PIL.Image.new("RGB", (side, side), colour)
        square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        return square.resize((width, height), resample)

    return transform


class Way:
    """A network, properties of the element, and what they should do to a picture."""

    def __init__(self, model, transform, properties="", mean=MEAN, std=STD, bgr=False):
        self.model, self.transform, self.properties = model, transform, properties
        self.mean, self.std, self.bgr = mean, std, bgr

    def expect(self, image):
        """Codes [3, height, width] in the network's channel order."""
        codes = numpy.asarray(self.transform(image.convert("RGB")))
        return codes[..., ::-1 if self.bgr else 1].transpose(2, 0, 1)

    def pixels(self, tensor):
        """What the network got on the scale of the codes."""
        mean, std = (numpy.array(values).reshape(3, 1, 1) for values in (self.mean, self.std))
        return (tensor.astype(numpy.float64) * std + mean) * 255


FAMILIES = {
    "hugging-face": Way("hugging-face", squash(224, 224)),
    "timm": Way("timm", short_side(math.floor(224 / 0.9), 224, 224)),
    "torchvision": Way("torchvision", short_side(232, 224, 224)),
    "microsoft": Way("microsoft", short_side(256, 224, 224)),
}

OVERRIDES = {
    "center": Way("hugging-face", short_side(256, 224, 224), "crop-mode=center"),
    "center-260-bilinear": Way("timm", short_side(260, 224, 224, BILINEAR),
                               "crop-mode=center resize-size=260 interpolation=bilinear"),
    "squash": Way("microsoft", squash(224, 224), "crop-mode=squash"),
    "lanczos": Way("hugging-face", squash(224, 224, LANCZOS), "interpolation=lanczos"),
    "nearest": Way("hugging-face", squash(224, 224, NEAREST), "interpolation=nearest"),
    "pad-bgr": Way("timm", pad(224, 224, (255, 255, 255)),
                   "crop-mode=pad channel-order=bgr mean=<0.5,0.5,0.5> std=<0.5,0.5,0.5>",
                   (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), True),
    "pad-colour": Way("torchvision", pad(224, 224, (18, 52, 86)),
                      "crop-mode=pad fill-color=0xff123456"),
    "mean-std": Way("microsoft", short_side(256, 224, 224),
                    "mean=<0.0,0.25,1.0> std=<1.0,0.003921568627,2.0>",
                    (0.0, 0.25, 1.0), (1.0, 0.003921568627, 2.0)),
    "rectangle": Way("hugging-face", squash(96, 64), "image-size=96x64"),
    "rectangle-center": Way("hugging-face", short_side(120, 96, 64),
                            "image-size=96x64 crop-mode=center resize-size=120"),
}  # fmt: skip


# ---- Networks ---------------------------------------------------------------------------------

# Two stages of one block each, in Hugging Face's names.
CHANNELS, WINDOW, CLASSES = 8, 7, 3


def norm(name, channels):
    return {f"{name}.weight": [channels], f"{name}.bias": [channels]}


def linear(name, inputs, outputs):
    return {f"{name}.weight": [outputs, inputs], f"{name}.bias": [outputs]}


def block(name, channels):
    shapes = {**norm(f"{name}.norm1", channels), **norm(f"{name}.norm2", channels)}
    shapes[f"{name}.attn.relative_position_bias_table"] = [(2 * WINDOW - 1) ** 2, 1]
    shapes.update(linear(f"{name}.attn.qkv", channels, 3 * channels))
    shapes.update(linear(f"{name}.attn.proj", channels, channels))
    shapes.update(linear(f"{name}.mlp.fc1", channels, 4 * channels))
    shapes.update(linear(f"{name}.mlp.fc2", 4 * channels, channels))
    return shapes


def microsoft_shapes():
    shapes = {"patch_embed.proj.weight": [CHANNELS, 3, 4, 4], "patch_embed.proj.bias": [CHANNELS]}
    shapes.update(norm("patch_embed.norm", CHANNELS))
    shapes.update(block("layers.0.blocks.0", CHANNELS))
    shapes.update(norm("layers.0.downsample.norm", 4 * CHANNELS))
    shapes["layers.0.downsample.reduction.weight"] = [2 * CHANNELS, 4 * CHANNELS]
    shapes.update(block("layers.1.blocks.0", 2 * CHANNELS))
    shapes.update(norm("norm", 2 * CHANNELS))
    shapes.update(linear("head", 2 * CHANNELS, CLASSES))
    return shapes


# From Microsoft's names to those of the others: in this order, each wherever it is found.
NAMES = {
    "timm": [("layers.0.downsample", "layers.1.downsample"), ("head.", "head.fc.")],
    "torchvision": [
        ("patch_embed.proj", "features.0.0"), ("patch_embed.norm", "features.0.2"),
        ("layers.0.blocks", "features.1"), ("layers.0.downsample", "features.2"),
        ("layers.1.blocks", "features.3"), ("mlp.fc1", "mlp.0"), ("mlp.fc2", "mlp.3"),
    ],
    "hugging-face": [
        ("patch_embed.proj", "swin.embeddings.patch_embeddings.projection"),
        ("patch_embed.norm", "swin.embeddings.norm"), ("layers.", "swin.encoder.layers."),
        ("norm1", "layernorm_before"), ("norm2", "layernorm_after"),
        ("attn.relative", "attention.self.relative"), ("attn.proj", "attention.output.dense"),
        ("mlp.fc1", "intermediate.dense"), ("mlp.fc2", "output.dense"), ("head.", "classifier."),
    ],
    "microsoft": [],
}  # fmt: skip


def rename(name, family):
    for old, new in NAMES[family]:
        name = name.replace(old, new)
    if family == "hugging-face" and name.startswith("norm."):
        name = "swin.layernorm." + name.split(".")[1]
    return name


def family_shapes(family):
    shapes = {}
    for name, shape in microsoft_shapes().items():
        name = rename(name, family)
        if family == "hugging-face" and ".attn.qkv." in name:
            for part in ("query", "key", "value"):
                third = name.replace("attn.qkv", f"attention.self.{part}")
                shapes[third] = [shape[0] // 3] + shape[1:]
        else:
            shapes[name] = shape
    return shapes


CONFIGS = {
    "hugging-face": {
        "model_type": "swin", "image_size": 224, "patch_size": 4, "embed_dim": CHANNELS,
        "depths": [1, 1], "num_heads": [1, 1], "window_size": WINDOW, "num_labels": CLASSES,
    },
    "timm": {
        "architecture": "swin_tiny_patch4_window7_224", "num_classes": CLASSES,
        "pretrained_cfg": {"input_size": [3, 224, 224], "interpolation": "bicubic",
                           "crop_pct": 0.9, "crop_mode": "center", "mean": MEAN, "std": STD,
                           "num_classes": CLASSES},
    },
}  # fmt: skip


def write_model(folder, family):
    """All weights are zero: what counts is what comes in."""
    header, offset = {}, 0
    for name, shape in family_shapes(family).items():
        size = 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    folder.mkdir()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + bytes(offset))
    if family in CONFIGS:
        (folder / "config.json").write_text(json.dumps(CONFIGS[family]))


# ---- Jobs -------------------------------------------------------------------------------------


class Job:
    """One picture on its way."""

    def __init__(self, name, path, way, decoder, on_frame):
        self.name, self.path, self.way, self.decoder = name, path, way, decoder
        self.on_frame = on_frame  # whether the transform starts from what the decoder made


def make_jobs(pngs, jpegs):
    jobs = []
    for way in FAMILIES:
        for name, path in pngs.items():
            jobs.append(Job(f"{way}, {name}", path, FAMILIES[way], "pngdec", name == "grey-16"))
        for name, path in jpegs.items():
            jobs.append(Job(f"{way}, {name}", path, FAMILIES[way], "jpegdec", True))
            jobs.append(Job(f"{way}, {name} as RGB", path, FAMILIES[way],
                            "jpegdec ! videoconvert ! video/x-raw,format=RGB", True))  # fmt: skip
    for way in OVERRIDES:
        for name in ("1x1", "17x23", "500x375", "grey", "alpha"):
            jobs.append(Job(f"{way}, {name}", pngs[name], OVERRIDES[way], "pngdec", False))
    return jobs


def run_program(program, folder, jobs):
    lines = [
        f"filesrc location={job.path} ! {job.decoder} ! videoconvert\t"
        f"model-file={folder / job.way.model} {job.way.properties}\t{folder / str(number)}"
        for number, job in enumerate(jobs)
    ]
    (folder / "jobs").write_text("\n".join(lines) + "\n")
    subprocess.run([program, folder / "jobs"], check=True)


def check_16_bits(image, job):
    """The codes that the decoder gave, or that videoconvert made of them, are those of the file."""
    exact = numpy.asarray(PIL.Image.open(job.path), dtype=numpy.float64) * (255 / 65535)
    difference = numpy.abs(numpy.asarray(image.convert("L")) - exact).max()
    if difference > 1:
        print(f"{job.name}: the frame is off by {difference}")
    return difference <= 1


def check(job, path):
    with open(f"{path}.json", encoding="utf-8") as file:
        result = json.load(file)
    image = read_frame(path, result) if job.on_frame else PIL.Image.open(job.path)
    good = check_16_bits(image, job) if job.name.endswith("grey-16") else True
    expected = job.way.expect(image).astype(numpy.float64)
    shape = (3, result["input_height"], result["input_width"])
    if expected.shape != shape:
        print(f"{job.name}: the input is {shape} and should be {expected.shape}")
        return False
    tensor = numpy.fromfile(f"{path}.tensor", dtype=numpy.float32).reshape(shape)
    pixels = job.way.pixels(tensor)
    difference = numpy.abs(expected - pixels)
    largest, mean = difference.max(), difference.mean()
    good = bool(largest <= LARGEST + ROUNDING and mean <= LARGEST_MEAN) and good  # False for NaN
    verdict = "" if good else "  FAILED"
    print(f"{job.name:40} {result['format']:6} {largest:8.4f} {mean:9.6f}{verdict}")
    return good


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", metavar="PROGRAM", help="pictures.c, built")
    program = parser.parse_args().program
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for family in NAMES:
            write_model(folder / family, family)
        jobs = make_jobs(make_pngs(folder), make_jpegs(folder))
        run_program(program, folder, jobs)
        print(f"{'':40} {'format':6} {'largest':>8} {'mean':>9}  differences in 1/255")
        failures = [job for number, job in enumerate(jobs) if not check(job, folder / str(number))]
    print(f"{len(jobs) - len(failures)} of {len(jobs)} are as Pillow {PIL.__version__} has them.")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
