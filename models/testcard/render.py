#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Frames for the test card model: rendered by videotestsrc, worn by a transmission chain, squashed.

A frame is a picture or a test pattern at some size and pixel format, adjusted, given noise, logos
and borders, and (always for held-out frames) encoded and decoded. What comes out is what the
element's preprocessing would see: an RGB frame squashed to the model's input with Pillow's bicubic
filter.
"""

import argparse
import multiprocessing
import os
import random
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFont

INPUT_SIZE = 96
LABELS = ["colour bars", "black", "white", "red", "green", "blue", "solid colour", "snow",
          "checkerboard", "zone plate", "circular rings", "gradient", "moving ball", "bar",
          "colour field", "pinwheel", "spokes", "gamut stripes", "programme"]
FLAT = ("black", "white", "red", "green", "blue", "solid colour")

# Widths are multiples of four, so that RGB rows need no padding. The two lists share no size.
TRAIN_SIZES = [(160, 120), (192, 108), (224, 224), (256, 192), (320, 240), (320, 240), (320, 180),
               (384, 216), (480, 270), (480, 360), (576, 432), (640, 360), (640, 480), (640, 480),
               (720, 480), (768, 432), (800, 600), (1024, 576), (240, 320), (360, 640), (420, 420),
               (1920, 1080)]
HELD_SIZES = [(176, 144), (352, 288), (400, 300), (424, 240), (512, 288), (600, 400), (720, 576),
              (848, 480), (960, 540), (1280, 720), (272, 480), (480, 480)]
FORMATS = ["I420", "I420", "I420", "NV12", "YUY2", "RGB", "BGRx", "Y444", "AYUV"]

# Fine patterns that the squash or a low bitrate has washed out hold nothing to recognise: a frame
# whose middle has a standard deviation at the model's input lower than this is rendered again.
LEAST_CONTRAST = {"snow": 3.0, "checkerboard": 7.0, "zone plate": 8.0, "circular rings": 8.0,
                  "spokes": 5.0, "programme": 8.0}
# videotestsrc's ball has a radius of 20 pixels whatever the size: on larger frames it shrinks away.
LARGEST_FOR_BALL = 1280

_gst = None
_pictures = {}


def gst():
    """GStreamer's bindings, initialised once in each worker (never before a fork)."""
    global _gst
    if _gst is None:
        import gi
        gi.require_version("Gst", "1.0")
        gi.require_version("GstApp", "1.0")
        from gi.repository import Gst, GstApp  # noqa: F401  (GstApp gives appsink its methods)
        Gst.init(None)
        _gst = Gst
    return _gst


def run_pipeline(description, frames=(), keep=None):
    """Frames out of a pipeline as RGB arrays [h, w, 3]; `frames` go in through an appsrc."""
    Gst = gst()
    source = ""
    if len(frames):
        height, width = frames[0].shape[:2]
        source = (f"appsrc name=source format=time caps=video/x-raw,format=RGB,width={width},"
                  f"height={height},framerate=25/1 max-bytes=0 ! videoconvert ! ")
    pipeline = Gst.parse_launch(source + description + " ! videoconvert ! video/x-raw,format=RGB ! "
                                "appsink name=sink sync=false")
    pipeline.set_state(Gst.State.PLAYING)
    if len(frames):
        appsrc = pipeline.get_by_name("source")
        for number, frame in enumerate(frames):
            buffer = Gst.Buffer.new_wrapped(frame.tobytes())
            buffer.pts = number * Gst.SECOND // 25
            buffer.duration = Gst.SECOND // 25
            appsrc.emit("push-buffer", buffer)
        appsrc.emit("end-of-stream")
    sink, bus = pipeline.get_by_name("sink"), pipeline.get_bus()
    out, failure = [], None
    while failure is None and not sink.get_property("eos"):
        # A pipeline that fails never reaches the end of its stream: so wait in steps, and look.
        sample = sink.emit("try-pull-sample", Gst.SECOND // 5)
        if sample is None:
            failure = bus.pop_filtered(Gst.MessageType.ERROR)
            continue
        if keep is not None and len(out) >= keep:
            out.pop(0)
        structure = sample.get_caps().get_structure(0)
        width, height = structure.get_value("width"), structure.get_value("height")
        buffer = sample.get_buffer()
        _, memory = buffer.map(Gst.MapFlags.READ)
        stride = (3 * width + 3) // 4 * 4
        rows = np.frombuffer(memory.data, np.uint8).reshape(height, stride)
        out.append(rows[:, :3 * width].reshape(height, width, 3).copy())
        buffer.unmap(memory)
    pipeline.set_state(Gst.State.NULL)
    if failure is not None:
        raise RuntimeError(f"{description}: {failure.parse_error()[0].message}")
    return out


def argb(colour):
    return 0xff000000 | int(colour[0]) << 16 | int(colour[1]) << 8 | int(colour[2])


def contrasting_colours(rng):
    """Two colours that differ well in luma, so that a pattern drawn with them shows."""
    luma = np.array([0.299, 0.587, 0.114])
    while True:
        pair = [[rng.randrange(256) for _ in range(3)] for _ in range(2)]
        if abs(np.dot(pair[0], luma) - np.dot(pair[1], luma)) > 90:
            return pair


def flat_colour(rng, label):
    """A colour that is surely of the class: what lies between two classes is left out."""
    if label == "black":
        return [rng.randrange(22)] * 3 if rng.random() < 0.5 else [rng.randrange(22) for _ in "rgb"]
    if label == "white":
        return [rng.randrange(236, 256) for _ in "rgb"]
    if label in ("red", "green", "blue"):
        colour = [rng.randrange(26) for _ in "rgb"]
        colour[("red", "green", "blue").index(label)] = rng.randrange(190, 256)
        return colour
    while True:
        if rng.random() < 0.25:
            colour = [rng.randrange(60, 196)] * 3
        else:
            colour = [rng.randrange(256) for _ in "rgb"]
        low, middle, high = sorted(colour)
        near_primary = high > 90 and middle < 0.45 * high
        if high > 64 and low < 190 and not near_primary:
            return colour


def zone_plate(rng, width, height):
    """Rings, hyperbolas or gratings whose frequency at the model's input is known to survive."""
    kind = rng.random()
    phase = f"k0={rng.randrange(256)} kt={rng.randrange(-20, 21)}"
    sign = rng.choice([-1, 1])
    if kind < 0.75:
        if rng.random() < 0.4:
            kx2 = ky2 = rng.choice([10, 16, 20, 20, 32, 40])
        else:
            edge = rng.uniform(0.12, 0.8) * 256 * INPUT_SIZE
            kx2, ky2 = max(3, round(edge / width)), max(3, round(edge / height))
        offset = ""
        if rng.random() < 0.2:
            offset = (f" xoffset={rng.randrange(-width // 3, width // 3)}"
                      f" yoffset={rng.randrange(-height // 3, height // 3)}")
        return f"kx2={sign * kx2} ky2={sign * ky2} {phase}{offset}"
    if kind < 0.87:
        edge = rng.uniform(0.15, 0.5) * 256 * INPUT_SIZE
        return f"kx2={round(edge / width)} ky2={-round(edge / height)} {phase}"
    axis, length = rng.choice([("kx", width), ("ky", height)])
    return f"{axis}={max(1, round(rng.uniform(6, 32) * 256 / length))} {phase}"


def pattern_source(rng, label, width, height):
    """The properties of a videotestsrc that draws the class, and how many frames to let pass."""
    pattern = {"circular rings": "circular", "moving ball": "ball", "colour field": "colors",
               "gamut stripes": "gamut"}.get(label, label)
    properties, frames = "", 1
    if label == "colour bars":
        pattern = rng.choice(["smpte", "smpte75", "smpte100", "smpte-rp-219"])
    elif label in FLAT:
        if label == "solid colour" or rng.random() < 0.5:
            pattern = "solid-color"
            properties = f"foreground-color={argb(flat_colour(rng, label))}"
            if label == "solid colour" and rng.random() < 0.08:
                pattern, properties = rng.choice(["zone-plate", "chroma-zone-plate"]), ""
    elif label == "checkerboard":
        pattern = rng.choice(["checkers-4", "checkers-8", "checkers-8"])
    elif label == "zone plate":
        pattern = rng.choice(["zone-plate", "zone-plate", "chroma-zone-plate"])
        properties, frames = zone_plate(rng, width, height), rng.randrange(1, 4)
    elif label == "moving ball":
        frames = rng.randrange(1, 110)
        properties = (f"motion={rng.choice(['wavy', 'wavy', 'sweep', 'hsweep'])} "
                      f"flip={rng.choice(['true', 'false', 'false'])}")
    if label in ("snow", "circular rings", "moving ball", "bar", "pinwheel", "spokes"):
        if rng.random() < 0.15 and label != "snow":
            front, back = contrasting_colours(rng)
            properties += f" foreground-color={argb(front)} background-color={argb(back)}"
    scrolls = label in ("bar", "pinwheel", "spokes", "circular rings", "colour bars")
    if scrolls and rng.random() < 0.2:
        properties += f" horizontal-speed={rng.randrange(1, max(2, width // 3))}"
        frames = 2
    return f"pattern={pattern} {properties}", frames


def pattern_picture(rng, label, width, height):
    """A test pattern as an RGB array, drawn at its own size or at another and scaled."""
    draw_width, draw_height = width, height
    scaled = rng.random() < 0.3 and label not in FLAT
    if scaled:
        factor = rng.uniform(0.35, 1.3)
        draw_width = max(64, min(1280, int(width * factor) // 4 * 4))
        draw_height = max(64, min(1280, int(height * factor) // 2 * 2))
    properties, frames = pattern_source(rng, label, draw_width, draw_height)
    formats = FORMATS
    if label in ("black", "white", "snow", "circular rings", "gradient", "moving ball", "bar",
                 "pinwheel", "spokes"):
        formats = FORMATS + ["GRAY8"]
    picture = run_pipeline(
        f"videotestsrc num-buffers={frames} {properties} ! "
        f"video/x-raw,format={rng.choice(formats)},width={draw_width},height={draw_height},"
        f"framerate=30/1", keep=1)[-1]
    if label == "moving ball":  # Its way is 200 frames long and more: mirroring covers the rest.
        picture = picture[::rng.choice([-1, 1]), ::rng.choice([-1, 1])].copy()
    if label == "checkerboard":
        picture = checkerboard_variant(rng, picture)
    if label == "gradient" and rng.random() < 0.4:
        picture = np.ascontiguousarray(np.rot90(picture, rng.randrange(1, 4)))
    if picture.shape[:2] != (height, width):
        filters = [Image.BILINEAR, Image.BICUBIC, Image.NEAREST]
        picture = np.asarray(Image.fromarray(picture).resize((width, height), rng.choice(filters)))
    return picture


def checkerboard_variant(rng, picture):
    """Larger squares and other colours than videotestsrc's red and green."""
    height, width = picture.shape[:2]
    if rng.random() < 0.45:
        times = rng.randrange(2, 8)
        start = rng.randrange(8)
        small = picture[start:start + height // times + 1, start:start + width // times + 1]
        picture = small.repeat(times, 0).repeat(times, 1)[:height, :width]
    if rng.random() < 0.4:
        front, back = contrasting_colours(rng) if rng.random() < 0.5 else ([255] * 3, [0] * 3)
        weight = picture[:, :, :1].astype(np.float32) / 255
        picture = (weight * np.float32(front) + (1 - weight) * np.float32(back)).astype(np.uint8)
    return np.ascontiguousarray(picture)


def programme_picture(rng, kind, width, height):
    """A crop of a photo or of a clip's frame at the frame's size."""
    picture = rng.choice(_pictures[kind])
    if isinstance(picture, str):
        picture = Image.open(picture).convert("RGB")
    else:
        picture = Image.fromarray(picture)
    if rng.random() < 0.6:
        part = rng.uniform(0.5, 1.0)
        w, h = int(picture.width * part), int(picture.height * part)
        x, y = rng.randrange(picture.width - w + 1), rng.randrange(picture.height - h + 1)
        picture = picture.crop((x, y, x + w, y + h))
    if rng.random() < 0.5:
        picture = picture.transpose(Image.FLIP_LEFT_RIGHT)
    if rng.random() < 0.1:
        picture = picture.convert("L").convert("RGB")
    if rng.random() < 0.1:
        faded = rng.uniform(0.3, 0.7)
        picture = picture.point(lambda value: int(value * faded))
    return np.asarray(picture.resize((width, height), Image.BICUBIC))


def adjust(rng, picture, label):
    """Brightness, contrast and gamma, gently on plain fields, whose class is their level."""
    if rng.random() < 0.4:
        return picture
    levels = np.arange(256, dtype=np.float32)[:, None]
    if label in FLAT:
        levels = levels * rng.uniform(0.93, 1.05) + rng.uniform(-6, 6)
    else:
        tint = np.float32([rng.uniform(0.94, 1.06) for _ in range(3)])
        gamma = rng.uniform(0.7, 1.4)
        levels = 255 * (levels / 255) ** gamma * tint
        levels = (levels - 128) * rng.uniform(0.65, 1.2) + 128 + rng.uniform(-25, 25)
    table = np.broadcast_to(np.clip(levels, 0, 255), (256, 3)).astype(np.uint8)
    return np.stack([table[picture[:, :, c], c] for c in range(3)], 2)


def add_noise(rng, picture, label):
    """Sensor and analogue noise, its strength given by what is left of it after the squash."""
    if rng.random() < 0.65:
        return picture
    height, width = picture.shape[:2]
    left = rng.uniform(0, 1.3 if label in FLAT else 3.0)
    sigma = min(25.0, left * max(1.0, (width * height) ** 0.5 / INPUT_SIZE))
    generator = np.random.default_rng(rng.randrange(1 << 32))
    noise = generator.standard_normal(picture.shape, dtype=np.float32) * sigma
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def add_border(rng, picture):
    """Letter box, pillar box or both, or a picture moved partly off the screen."""
    choice = rng.random()
    if choice > 0.24:
        return picture
    height, width = picture.shape[:2]
    out = np.full_like(picture, rng.choice([0, 0, 0, 16, 28]))
    if choice > 0.16:
        dx = rng.randrange(-width // 16, width // 16 + 1)
        dy = rng.randrange(-height // 16, height // 16 + 1)
        out[max(0, dy):height + min(0, dy), max(0, dx):width + min(0, dx)] = \
            picture[max(0, -dy):height + min(0, -dy), max(0, -dx):width + min(0, -dx)]
        return out
    w, h = width, height
    if choice < 0.11:
        w = int(width * rng.uniform(0.74, 0.97))
    if choice > 0.05:
        h = int(height * rng.uniform(0.74, 0.97))
    x, y = (width - w) // 2, (height - h) // 2
    out[y:y + h, x:x + w] = np.asarray(Image.fromarray(picture).resize((w, h), Image.BILINEAR))
    return out


def add_logo(rng, picture):
    """A channel's logo or a caption: text, or a rectangle with text, in a corner or at an edge."""
    if rng.random() > 0.25:
        return picture
    height, width = picture.shape[:2]
    text = "".join(rng.choice("ABCDEFGHKLMNPRSTUVWXYZ0123456789 :-")
                   for _ in range(rng.randrange(2, 12)))
    font = ImageFont.load_default()
    w, h = font.getmask(text).size
    mask = Image.new("L", (w + 4, h + 4), rng.choice([0, 0, 0, 90, 255]))
    ink = 255 if mask.getpixel((0, 0)) < 255 else 0
    ImageDraw.Draw(mask).text((2, 2), text, fill=ink, font=font)
    logo_height = max(6, int(height * rng.uniform(0.03, 0.075)))
    logo_width = min(int(width * 0.45), max(8, logo_height * mask.width // mask.height))
    mask = mask.resize((logo_width, logo_height), Image.BILINEAR)
    opacity = rng.uniform(0.4, 1)
    mask = mask.point(lambda value: int(value * opacity))
    grey = rng.choice([255, 255, 255, 230, 40])
    colour = (grey,) * 3 if rng.random() < 0.7 else tuple(rng.randrange(256) for _ in "rgb")
    x = rng.choice([int(width * 0.04), (width - logo_width) // 2, int(width * 0.96) - logo_width])
    y = rng.choice([int(height * 0.05), int(height * 0.94) - logo_height])
    image = Image.fromarray(picture)
    image.paste(colour, (max(0, x), max(0, y)), mask)
    return np.asarray(image)


def coding_chain(rng, held_out):
    """An encoder with its decoder, as a pipeline description, and the name of the codec."""
    codecs = ["h264", "h264", "vp8", "jpeg"] if held_out else \
        ["none", "none", "h264", "h264", "h264", "vp8", "vp8", "jpeg", "jpeg", "theora"]
    codec = rng.choice(codecs)
    interval = rng.choice([1, 1, 4, 30])
    rate = int(10 ** rng.uniform(5.3, 6.9))
    worst = rng.randrange(30, 49)
    if codec == "h264":
        return codec, (f"video/x-raw,format=I420 ! openh264enc rate-control=bitrate bitrate={rate} "
                       f"qp-max={worst} gop-size={interval} ! h264parse ! openh264dec")
    if codec == "vp8":
        return codec, (f"vp8enc deadline=1 cpu-used=8 target-bitrate={rate} keyframe-max-dist="
                       f"{interval} max-quantizer={rng.randrange(35, 61)} ! vp8dec")
    if codec == "jpeg":
        return codec, f"video/x-raw,format=I420 ! jpegenc quality={rng.randrange(20, 96)} ! jpegdec"
    if codec == "theora":
        return codec, f"theoraenc quality={rng.randrange(8, 56)} keyframe-auto=false ! theoradec"
    return codec, None


def squash(picture):
    image = Image.fromarray(picture).resize((INPUT_SIZE, INPUT_SIZE), Image.BICUBIC)
    return np.asarray(image)


def render_sheet(job):
    """One pipeline's worth of frames: (frames [n, 96, 96, 3], label indices, sources, codec)."""
    held_out, seed, wanted = job
    rng = random.Random(seed)
    width, height = rng.choice(HELD_SIZES if held_out else TRAIN_SIZES)
    pictures = []
    for label, kind in wanted:
        if label == "programme":
            picture = programme_picture(rng, kind, width, height)
        else:
            picture = pattern_picture(rng, label, width, height)
        picture = add_noise(rng, adjust(rng, picture, label), label)
        pictures.append(np.ascontiguousarray(add_logo(rng, add_border(rng, picture))))
    codec, chain = coding_chain(rng, held_out)
    decoded = pictures if chain is None else run_pipeline(chain, pictures)
    if len(decoded) != len(pictures):
        raise RuntimeError(f"{chain}: {len(pictures)} frames went in, {len(decoded)} came out")
    frames, labels, kinds = [], [], []
    for (label, kind), picture in zip(wanted, decoded):
        frame = squash(picture)
        contrast = frame[16:-16, 16:-16].astype(np.float32).std((0, 1)).max()
        if label == "moving ball" and max(width, height) > LARGEST_FOR_BALL:
            continue
        if contrast >= LEAST_CONTRAST.get(label, 0.0):
            frames.append(frame)
            labels.append(LABELS.index(label))
            kinds.append(kind)
    return frames, labels, kinds, codec


def decode_clip(job):
    path, rate, most = job
    frames = run_pipeline(f'filesrc location="{path}" ! decodebin ! videoconvert ! videorate ! '
                          f"video/x-raw,framerate={rate}")
    step = max(1, len(frames) // most)
    return frames[::step][:most]


def clip_frames(path, rate="2/1", most=150):
    """Frames of a clip, decoded in a process of their own so that the caller may still fork."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(decode_clip, ((os.path.abspath(path), rate, most),))


def render_set(pictures, wanted, held_out, seed, workers, sheet=24):
    """Renders the wanted (label, kind) list; frames that came out without contrast come again."""
    global _pictures
    _pictures = pictures
    rng = random.Random(seed)
    frames, labels, kinds, codecs = [], [], [], {}
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for attempt in range(6):
            rng.shuffle(wanted)
            jobs = [(held_out, f"{seed}/{attempt}/{start}", wanted[start:start + sheet])
                    for start in range(0, len(wanted), sheet)]
            missing = []
            for job, result in zip(jobs, pool.imap(render_sheet, jobs)):
                frames += result[0]
                labels += result[1]
                kinds += result[2]
                codecs[result[3]] = codecs.get(result[3], 0) + len(result[0])
                left = list(job[2])
                for label, kind in zip(result[1], result[2]):
                    left.remove((LABELS[label], kind))
                missing += left
                print(f"\r{len(frames)} frames", end="", file=sys.stderr, flush=True)
            wanted = missing
            if not wanted:
                break
    print(file=sys.stderr)
    return np.stack(frames), np.array(labels), kinds, codecs


def main():
    parser = argparse.ArgumentParser(description="Draws a contact sheet of training frames.")
    parser.add_argument("output", help="PNG file to write")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    wanted = [(label, label) for label in LABELS[:-1] for _ in range(12)]
    frames, labels, _, _ = render_set({}, wanted, False, arguments.seed, 2)
    order = np.argsort(labels, kind="stable")
    rows = frames[order][:len(order) // 12 * 12].reshape(-1, 12, INPUT_SIZE, INPUT_SIZE, 3)
    rows = rows.transpose(0, 2, 1, 3, 4).reshape(-1, 12 * INPUT_SIZE, 3)
    Image.fromarray(rows).save(arguments.output)


if __name__ == "__main__":
    main()
