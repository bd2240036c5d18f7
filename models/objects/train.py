#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trains the objects model from scratch, and writes it in HF's layout with its curves and its figures.

Goes on from --state when that file is there; it is written after every epoch. Without a GPU the recipe is short: an
epoch takes a minute and a half on two cores, four minutes at the full size.
"""

import argparse
import math
import os
import pathlib
import sys
import time

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

import augment

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[1:1] = [str(ROOT / "models"), str(ROOT / "tests" / "bench")]
import svg
from checkpoint import load_model, normalise, write_model
from network import Swin

SIZE = 64
NETWORK = {"embed_dim": 64, "depths": [2, 2, 4], "heads": [2, 4, 8], "window": 4, "patch": 4}

# epochs; of them the first at half the size, and the last on pictures that are cropped and mirrored, no more;
# RandAugment's operations and magnitude; the rate of stochastic depth; the share of batches that are mixed; the smallest crop
SHORT = {"epochs": 52, "small": 40, "plain": 9,
         "operations": 1, "magnitude": 5, "drop_path": 0.05, "mixed": 0.5, "smallest": 0.25}
LONG = {"epochs": 300, "small": 0, "plain": 15,
        "operations": 2, "magnitude": 9, "drop_path": 0.1, "mixed": 0.8, "smallest": 0.2}
# The smallest crop of the last epochs: what is looked at later is whole pictures.
SMALLEST_PLAIN = 0.5


def load_pictures(folder, cache):
    """({"train", "val"}: (uint8 [N, 64, 64, 3], class indices), labels)"""
    with open(os.path.join(folder, "classes.tsv"), encoding="utf-8") as file:
        classes = [line.rstrip("\n").split("\t") for line in file if line.strip()]
    labels = [name for _, name in classes]
    if cache and os.path.exists(cache):
        stored = np.load(cache)
        return {side: (stored[side], stored[f"{side} classes"]) for side in ("train", "val")}, labels
    sets = {}
    for side in ("train", "val"):
        paths = [(path, index) for index, (synset, _) in enumerate(classes)
                 for path in sorted(pathlib.Path(folder, side, synset).iterdir())]
        pictures = [np.asarray(Image.open(path).convert("RGB")) for path, _ in paths]
        sets[side] = np.stack(pictures), np.array([index for _, index in paths])
    if cache:
        np.savez(cache, **{side: sets[side][0] for side in sets}, **{f"{side} classes": sets[side][1] for side in sets})
    return sets, labels


def learning_rate(step, steps, warm, peak):
    """Warm-up, then a cosine down to a hundredth (arXiv:1608.03983)."""
    if step < warm:
        return peak * (step + 1) / warm
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm))))


@torch.no_grad()
def logits_of(model, pictures, size, device, autocast):
    """float [N, classes] of uint8 [N, 64, 64, 3], in the order given."""
    out = []
    for i in range(0, len(pictures), 250):
        x = normalise(torch.as_tensor(pictures[i:i + 250]).to(device))
        if size < SIZE:
            x = functional.avg_pool2d(x, SIZE // size)
        with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
            out.append(model(x).float().cpu())
    return torch.cat(out)


def accuracies(logits, classes):
    """Top-1 and top-5, in percent."""
    top = logits.topk(5, 1).indices
    right = top == torch.as_tensor(classes)[:, None]
    return 100 * right[:, 0].float().mean().item(), 100 * right.any(1).float().mean().item()


class Training:
    """The network, its moving average, the optimizer, and what has been done."""

    def __init__(self, classes, recipe, device):
        self.device, self.recipe = device, recipe
        self.model = Swin(classes, **NETWORK, drop_path=recipe["drop_path"]).to(device)
        self.average = Swin(classes, **NETWORK).to(device).eval()
        self.average.load_state_dict(self.model.state_dict())
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05},
                                            {"params": plain, "weight_decay": 0.0}])
        self.history = []

    def save(self, path):
        torch.save({"model": self.model.state_dict(), "average": self.average.state_dict(),
                    "optimizer": self.optimizer.state_dict(), "history": self.history}, path + ".new")
        os.replace(path + ".new", path)

    def resume(self, path):
        state = torch.load(path, map_location=self.device)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.history = state["history"]

    def size(self, epoch):
        return SIZE // 2 if epoch < self.recipe["small"] else SIZE

    def step(self, x, target, rate, number):
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(self.device.type, torch.bfloat16):
            logits = self.model(x)
        loss = functional.cross_entropy(logits.float(), target, label_smoothing=0.1)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        keep = min(0.999, (number + 1) / (number + 20))
        with torch.no_grad():
            for average, weight in zip(self.average.parameters(), self.model.parameters()):
                average.mul_(keep).add_(weight, alpha=1 - keep)
        return loss.item()

    def prepare(self, pictures, classes, size, plain, generator):
        """One batch as the network gets it, and the probabilities that it should give."""
        x = torch.as_tensor(pictures).to(self.device).permute(0, 3, 1, 2)
        target = functional.one_hot(torch.as_tensor(classes), self.model.classifier.out_features)
        target = target.float().to(self.device)
        if plain:
            return normalise(augment.crop(x, size, generator, SMALLEST_PLAIN).permute(0, 2, 3, 1)), target
        x = augment.crop(x, size, generator, self.recipe["smallest"])
        x = augment.rand_augment(x, self.recipe["operations"], self.recipe["magnitude"])
        x = augment.erase(normalise(x.permute(0, 2, 3, 1)), 0.25, generator)
        return augment.mix(x, target, self.recipe["mixed"], generator)

    def epoch(self, pictures, classes, batch, peak):
        number = len(self.history)
        size = self.size(number)
        plain = number >= self.recipe["epochs"] - self.recipe["plain"]
        # An epoch draws the same however often the training was interrupted before it.
        torch.manual_seed(1000 + number)
        generator = torch.Generator().manual_seed(1000 + number)
        order = torch.randperm(len(pictures), generator=generator).numpy()
        batches = len(pictures) // batch
        total = 0.0
        self.model.train()
        for i in range(batches):
            chosen = order[i * batch:(i + 1) * batch]
            x, target = self.prepare(pictures[chosen], classes[chosen], size, plain, generator)
            step = number * batches + i
            rate = learning_rate(step, self.recipe["epochs"] * batches, 3 * batches, peak)
            total += self.step(x, target, rate, step)
        return {"size": size, "loss": total / batches}


def train(training, sets, arguments):
    while len(training.history) < training.recipe["epochs"]:
        start = time.monotonic()
        done = training.epoch(*sets["train"], arguments.batch, arguments.rate)
        logits = logits_of(training.average, sets["val"][0], done["size"], training.device, True)
        done["top1"], done["top5"] = accuracies(logits, sets["val"][1])
        training.history.append(done)
        training.save(arguments.state)
        print(f"epoch {len(training.history)} at {done['size']} px: loss {done['loss']:.4f}, top-1 {done['top1']:.2f}, "
              f"top-5 {done['top5']:.2f}, {time.monotonic() - start:.0f} s", flush=True)


def calibrate(model, pictures, classes, device):
    """Scales the head so that its confidences are about as often right as they say (arXiv:1706.04599); ranks stay.

    Mixed pictures and smoothed labels leave a network less sure than it may be.
    """
    logits = logits_of(model, pictures, SIZE, device, False)
    scales = torch.arange(0.5, 4.0, 0.01)
    losses = [functional.cross_entropy(scale * logits, torch.as_tensor(classes)) for scale in scales]
    scale = scales[torch.stack(losses).argmin()].item()
    with torch.no_grad():
        for parameter in model.classifier.parameters():
            parameter.mul_(scale)


def curves(history, n_pictures):
    epochs = range(1, len(history) + 1)
    series = {"top-1": [(epoch, done["top1"]) for epoch, done in zip(epochs, history)],
              "top-5": [(epoch, done["top5"]) for epoch, done in zip(epochs, history)],
              "training loss x 10": [(epoch, 10 * done["loss"]) for epoch, done in zip(epochs, history)]}
    return svg.lines("Training of the objects model", f"{n_pictures:,} validation pictures, moving average of the weights",
                     "epoch", "percent", series)


def report(model, sets, labels):
    """Accuracy of what was written, by class, and what is most often taken for what."""
    pictures, classes = sets["val"]
    logits = logits_of(model, pictures, SIZE, torch.device("cpu"), False)
    best = logits.argmax(1).numpy()
    lines = ["Top-1 {:.2f} %, top-5 {:.2f} % of {} pictures.".format(*accuracies(logits, classes), len(pictures)),
             f"Confidence of the best class: {100 * logits.softmax(1).amax(1).mean():.2f} % on average.", ""]
    shares = sorted(((best[classes == i] == i).mean(), label) for i, label in enumerate(labels))
    for title, some in (("Best known", shares[:-9:-1]), ("Least known", shares[:8])):
        lines.append(f"{title}: " + ", ".join(f"{label} {100 * share:.0f} %" for share, label in some) + ".")
    pairs = {}
    for true, taken in zip(classes[best != classes], best[best != classes]):
        pairs[true, taken] = pairs.get((true, taken), 0) + 1
    lines += ["", f"| is | taken for | of {len(classes) // len(labels)} |", "|---|---|---|"]
    lines += [f"| {labels[true]} | {labels[taken]} | {count} |"
              for (true, taken), count in sorted(pairs.items(), key=lambda item: -item[1])[:12]]
    return "\n".join(lines)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("objects", help="folder with classes.tsv, train/SYNSET/* and val/SYNSET/*")
    parser.add_argument("--output", required=True, help="folder to write the model to")
    parser.add_argument("--state", default="objects-training.pt", help="file to go on from (default: %(default)s)")
    parser.add_argument("--cache", help="file (.npz) to keep the decoded pictures in")
    parser.add_argument("--recipe", choices=("short", "long"), help="default: long on a GPU")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=1.5e-3, help="peak learning rate")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--measure-only", action="store_true", help="measure the model in the output folder")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    sets, labels = load_pictures(arguments.objects, arguments.cache)
    if not arguments.measure_only:
        torch.manual_seed(1)
        recipe = {"short": SHORT, "long": LONG}[arguments.recipe or ("long" if device.type == "cuda" else "short")]
        training = Training(len(labels), recipe, device)
        if os.path.exists(arguments.state):
            training.resume(arguments.state)
        train(training, sets, arguments)
        calibrate(training.average, *sets["val"], device)
        write_model(training.average.state_dict(), arguments.output, NETWORK, labels, SIZE)
        pathlib.Path(arguments.output, "training.svg").write_text(curves(training.history, len(sets["val"][0])), encoding="utf-8")
    print(report(load_model(arguments.output)[0], sets, labels))


if __name__ == "__main__":
    try:
        main()
    except (OSError, RuntimeError, OverflowError, ImportError) as error:
        sys.exit(f"train.py: {error}")
