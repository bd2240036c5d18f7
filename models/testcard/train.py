#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trains the test card model: renders frames, trains a small Swin V1, writes it in HF's layout."""

import argparse
import glob
import json
import math
import os
import pathlib
import platform
import random
import sys
import time

import numpy as np
import PIL
import torch
from torch import nn
from torch.nn import functional

import render

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent))
from checkpoint import load_model, normalise, write_model
from network import Swin

NETWORK = {"embed_dim": 32, "depths": [2, 2, 2], "heads": [1, 2, 4], "window": 6, "patch": 4}

# Frames for each class: (training, held out). Classes with more looks get more frames.
PATTERN_FRAMES = (560, 160)
MORE_FRAMES = {"colour bars": (1100, 240), "snow": (800, 160), "checkerboard": (900, 160),
               "zone plate": (1100, 200), "moving ball": (900, 160), "solid colour": (900, 200),
               "circular rings": (900, 160), "spokes": (900, 160), "bar": (700, 160)}
PROGRAMME_FRAMES = {"photo": (1900, 300), "object": (2200, 300), "clip": (1100, 300)}


def pictures_of_programme(arguments):
    """Paths and decoded frames for `programme`, as two dictionaries: training, held out."""
    rng = random.Random(arguments.seed)
    photos = sorted(glob.glob(os.path.join(arguments.photos, "*.jpg")))
    rng.shuffle(photos)
    fifth = len(photos) // 5
    sides = ({"photo": photos[fifth:]}, {"photo": photos[:fifth]})
    for side, name in zip(sides, ("train", "val")):
        side["object"] = sorted(glob.glob(os.path.join(arguments.objects, name, "*", "*.JPEG")))
    sides[0]["clip"] = [frame for clip in arguments.clip for frame in render.clip_frames(clip)]
    sides[1]["clip"] = render.clip_frames(arguments.held_out_clip)
    for side in sides:
        for kind, pictures in side.items():
            if not pictures:
                sys.exit(f"train.py: no pictures of kind '{kind}': check what was given")
    return sides


def render_side(pictures, column, seed, threads):
    """The training (column 0) or the held-out set (1): (frames, labels, kinds, codecs)."""
    wanted = [(label, label) for label in render.LABELS[:-1]
              for _ in range(MORE_FRAMES.get(label, PATTERN_FRAMES)[column])]
    for kind, counts in PROGRAMME_FRAMES.items():
        wanted += [("programme", kind)] * counts[column]
    name = ("train", "held out")[column]
    return render.render_set(pictures, wanted, column == 1, f"{seed}/{name}", threads)


def render_all(arguments):
    """The training and the held-out set."""
    return [render_side(pictures, column, arguments.seed, arguments.threads)
            for column, pictures in enumerate(pictures_of_programme(arguments))]


def load_or_render(arguments):
    """Rendered sets, kept in --cache so that a second training does not render again."""
    if arguments.cache and os.path.exists(arguments.cache):
        stored = np.load(arguments.cache)
        return [tuple(stored[f"{name}{side}"] for name in ("frames", "labels", "kinds")) +
                (json.loads(str(stored[f"codecs{side}"])),) for side in (0, 1)]
    sets = render_all(arguments)
    if arguments.cache:
        arrays = {}
        for side, (frames, labels, kinds, codecs) in enumerate(sets):
            arrays.update({f"frames{side}": frames, f"labels{side}": labels,
                           f"kinds{side}": np.array(kinds),
                           f"codecs{side}": np.array(json.dumps(codecs))})
        np.savez(arguments.cache, **arrays)
    return sets


def augment(frames, labels, generator):
    """Mirrors and small level changes at the model's input; plain fields keep their level."""
    x = torch.as_tensor(frames).float()
    n = len(x)
    mirrored = torch.rand(n, generator=generator) < 0.5
    keeps_side = torch.tensor([name in ("colour bars", "bar") for name in render.LABELS])[labels]
    mirrored &= ~keeps_side
    x[mirrored] = x[mirrored].flip(2)
    flat = torch.tensor([name in render.FLAT for name in render.LABELS])[labels]
    amount = torch.where(flat, 0.15, 1.0)[:, None, None, None]
    gain = 1 + amount * (torch.rand(n, 1, 1, 1, generator=generator) - 0.5) * 0.3
    lift = amount * (torch.rand(n, 1, 1, 3, generator=generator) - 0.5) * 24
    return ((x - 128) * gain + 128 + lift).clamp(0, 255)


def learning_rate(step, steps, peak):
    warm = steps // 20
    if step < warm:
        return peak * (step + 1) / warm
    return peak * (0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm))))


def train(model, frames, labels, arguments):
    """AdamW with a cosine schedule; no dropout and no stochastic depth."""
    generator = torch.Generator().manual_seed(arguments.seed)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05},
                                   {"params": plain, "weight_decay": 0.0}])
    targets = torch.as_tensor(labels)
    batches = len(frames) // arguments.batch
    steps = batches * arguments.epochs
    for epoch in range(arguments.epochs):
        order = torch.randperm(len(frames), generator=generator)
        total, right, start = 0.0, 0, time.monotonic()
        for number in range(batches):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(epoch * batches + number, steps, arguments.rate)
            chosen = order[number * arguments.batch:(number + 1) * arguments.batch]
            x = normalise(augment(frames[chosen.numpy()], targets[chosen], generator))
            logits = model(x)
            loss = functional.cross_entropy(logits, targets[chosen], label_smoothing=0.01)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
            right += (logits.argmax(1) == targets[chosen]).sum().item()
        print(f"epoch {epoch + 1}: loss {total / batches:.4f}, training accuracy "
              f"{right / (batches * arguments.batch):.4f}, {time.monotonic() - start:.0f} s",
              flush=True)
        write_model(model.state_dict(), arguments.output, NETWORK, render.LABELS, render.INPUT_SIZE)


@torch.no_grad()
def probabilities(model, frames):
    return torch.cat([model(normalise(frames[i:i + 128])).softmax(1)
                      for i in range(0, len(frames), 128)]).numpy()


def report(model, frames, labels, kinds, codecs):
    """Held-out accuracy, accuracy by class and by kind of programme, and the confusions."""
    scores = probabilities(model, frames)
    best, kinds = scores.argmax(1), np.array(kinds)
    right = best == labels
    lines = [f"Held-out accuracy: {100 * right.mean():.2f} % of {len(labels)} frames "
             f"({', '.join(f'{name} {count}' for name, count in sorted(codecs.items()))}).", "",
             "| class | frames | right | accuracy | median confidence | taken for |",
             "|---|---|---|---|---|---|"]
    for index, label in enumerate(render.LABELS):
        mine = labels == index
        wrong = {}
        for other in best[mine & ~right]:
            wrong[render.LABELS[other]] = wrong.get(render.LABELS[other], 0) + 1
        taken = ", ".join(f"{name} {count}" for name, count in
                          sorted(wrong.items(), key=lambda item: -item[1])) or "-"
        lines.append(f"| {label} | {mine.sum()} | {right[mine].sum()} "
                     f"| {100 * right[mine].mean():.1f} % "
                     f"| {np.median(scores[mine].max(1)):.3f} | {taken} |")
    lines += ["", "| programme from | frames | right |", "|---|---|---|"]
    for kind in PROGRAMME_FRAMES:
        lines.append(f"| {kind} | {(kinds == kind).sum()} | {right[kinds == kind].sum()} |")
    return "\n".join(lines)


def demo_report(model):
    """Every pattern of videotestsrc as it comes, I420, at the sizes of the demo."""
    patterns = ("smpte snow black white red green blue checkers-4 checkers-8 circular smpte75 "
                "zone-plate(kx2=20,ky2=20,kt=1) gamut chroma-zone-plate(kx2=20,ky2=20,kt=1) "
                "solid-color(foreground-color=4286611456) "
                "solid-color(foreground-color=4280320144) ball ball(motion=sweep) smpte100 bar "
                "pinwheel spokes gradient colors smpte-rp-219").split()
    lines = ["| pattern | 320x240 | 640x480 |", "|---|---|---|"]
    for pattern in patterns:
        properties = pattern.replace("(", " ").replace(")", "").replace(",", " ")
        cells = []
        for width, height in ((320, 240), (640, 480)):
            pictures = render.run_pipeline(
                f"videotestsrc num-buffers=60 pattern={properties} ! "
                f"video/x-raw,format=I420,width={width},height={height}")[::3]
            scores = probabilities(model, np.stack([render.squash(p) for p in pictures]))
            names = {render.LABELS[index] for index in scores.argmax(1)}
            cells.append(f"{', '.join(sorted(names))} (at least {scores.max(1).min():.2f})")
        lines.append(f"| `{pattern}` | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", required=True, help="folder of photos (*.jpg)")
    parser.add_argument("--objects", required=True, help="folder with train/*/*.JPEG, val/*/*.JPEG")
    parser.add_argument("--clip", action="append", required=True, help="clip to train on (again)")
    parser.add_argument("--held-out-clip", required=True, help="clip to measure on only")
    parser.add_argument("--output", required=True, help="folder to write the model to")
    parser.add_argument("--cache", help="file (.npz) to keep the rendered frames in")
    parser.add_argument("--start", help="folder of a model to go on from, instead of from scratch")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2, help="threads and rendering processes")
    parser.add_argument("--measure-only", action="store_true",
                        help="measure the model already in the output folder; do not train")
    parser.add_argument("--fresh-held-out", type=int, metavar="SEED",
                        help="measure the model already in the output folder on a held-out set "
                        "rendered anew with this seed, never cached; do not train. Which photos "
                        "are held out still follows --seed")
    parser.add_argument("--no-demo", action="store_true",
                        help="leave out the table that renders the demo's frames")
    arguments = parser.parse_args()
    if arguments.fresh_held_out == arguments.seed:
        parser.error("--fresh-held-out renders the usual set when it equals --seed: "
                     "give another number")
    return arguments


def main():
    arguments = parse_arguments()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    if arguments.fresh_held_out is not None:
        # The photos' split must stay the training's: a split by the fresh seed would leak photos.
        pictures = pictures_of_programme(arguments)[1]
        held_out = render_side(pictures, 1, arguments.fresh_held_out, arguments.threads)
        print(report(load_model(arguments.output)[0], *held_out))
        return
    start = time.monotonic()
    (frames, labels, _, codecs), held_out = load_or_render(arguments)
    print(f"Python {platform.python_version()}, PyTorch {torch.__version__}, "
          f"NumPy {np.__version__}, Pillow {PIL.__version__}; {len(frames)} training frames "
          f"({', '.join(f'{name} {count}' for name, count in sorted(codecs.items()))}) and "
          f"{len(held_out[0])} held out after {time.monotonic() - start:.0f} s", flush=True)
    if not arguments.measure_only:
        model = load_model(arguments.start)[0].train() if arguments.start else Swin(len(render.LABELS), **NETWORK)
        train(model, frames, labels, arguments)
    model = load_model(arguments.output)[0]
    print(f"{sum(p.numel() for p in model.parameters())} parameters, "
          f"{time.monotonic() - start:.0f} s\n\n{report(model, *held_out)}")
    if not arguments.no_demo:
        print("\n" + demo_report(model))


if __name__ == "__main__":
    try:
        main()
    except (OSError, RuntimeError, OverflowError, ImportError) as error:
        sys.exit(f"train.py: {error}")
