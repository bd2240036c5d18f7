# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/fidelity.md, out of the rows of a comparison."""

import datetime
import os
import re

import timm
import torch
import torchvision
import transformers

import cases
import comparison

TEXT = """\
# Fidelity

The same picture must get the same answer here and in the library that a checkpoint comes from. This
page is written by `tests/parity/run --all --write docs/fidelity.md`, its part on half precision by the same
with `--precision fp16`; nobody types figures into it.

## What is compared

Networks of the published configurations are made by each library with every parameter drawn at random:
norms, biases, relative position bias tables, the position bias MLPs of Swin V2, logit scales (some
above their clamp at ln 100). Each library saves its network as it does for everybody: transformers with
`save_pretrained`, timm in the format of its hub files, torchvision as a `state_dict`; the names of
Microsoft's repository are given to timm's network, whose code computes for them, and those of
transformers 5 to the network of transformers 4. Then `swin run` and the library's own float32 code
compute {images} made-up pictures with noise of all scales.

A difference is the largest one of any value, in standard deviations of the tensor. Tokens after each
stage and the pooled features are compared too; the worst of them is in the table. The bounds, which the
script holds, are {tolerance:.0e} for all tensors, {half_tolerance:.0e} for logits of weights rounded to F16 against those
of the float32 weights, and the same class first in every picture. "Same bits" says that every output is
equal to the last bit to that of timm's file, with which the others share their weights.

{date}, on {device}; torch {torch}, torchvision {torchvision}, timm {timm}, transformers {transformers}.

## Published configurations

{published}

## Small maps, rectangles, padding and options

Configurations on which the libraries differ, or that exercise an option, each against the code of every
library that runs them.

{edges}

## Another input size

Networks run at a size they were not trained at (`--image-size`, `--window-size`). Swin V1 resizes its
bias tables as Microsoft's loader does, Swin V2 computes its bias anew with coordinates scaled by the
window it was trained with, ViT resizes its position embedding as its library does.

{resized}

{half}

## Your own checkpoint

`tools/reference.py` computes with PyTorch on your machine, and `swin verify` compares:

```sh
tools/reference.py FOLDER reference.safetensors        # transformers or timm, whichever wrote config.json
swin verify FOLDER reference.safetensors
```

Weights without a `config.json` need the name of the network; timm also reads Microsoft's files:

```sh
tools/reference.py torchvision:swin_t reference.safetensors --weights swin_t.pth
tools/reference.py timm:swin_tiny_patch4_window7_224 reference.safetensors --weights swin_tiny.pth
```

`--image PICTURE` takes a picture through the library's own preprocessing instead of a made-up one.

To make this page anew: `tools/setup oracles`, build, `tests/parity/run --all --write docs/fidelity.md`.
`tests/parity/run swin_v2_b` compares one network; `--help` lists them.

The part on half precision is of the kernels for GPUs with cooperative matrices, which lavapipe has from
Mesa 25 on. Here the oracles run on Debian 12 and `swin` is that of a Debian 13:

```sh
.ci/debian13 sh -c 'meson setup /var/tmp/parity; ninja -C /var/tmp/parity tools/swin'
root=$(.ci/debian13 --path)
SWIN_KERNELS=gpu tests/parity/run --precision fp16 --all --write docs/fidelity.md \\
    --root "$root" --swin "$root/var/tmp/parity/tools/swin"
```
"""

HALF_TITLE = "## Half precision"

HALF = """\
{title}

With `precision=fp16` activations and the weights of products are stored with 11 binary digits. What that does
to a network PyTorch says as well: its modules are given and give back values rounded to half precision,
its products' weights are rounded, and all is computed in float32 (`tests/parity/rounding.py`). The bound
for each tensor is {factor} times what PyTorch is off by then, and the same class must come first.

{date}, on {device}{kernels}; torch {torch}, torchvision {torchvision}, timm {timm}, transformers {transformers}.

{table}"""


def small(number):
    return "-" if number is None else f"{number:.1e}"


def size(image):
    return f"{image[1]} x {image[0]}"


def pixels(case):
    trained = (case["trained"] or {}).get("image")
    return size(case["image"]) + (f" (trained: {size(trained)})" if trained else "")


def numbers(value):
    return ", ".join(str(number) for number in value) if isinstance(value, tuple) else str(value)


def windows(case):
    window = case.get("window")
    if window is None:
        return "-"
    text = numbers(window)
    trained = case["pretrained_windows"] or (case["trained"] or {}).get("window")
    return text + (f" (trained: {numbers(trained)})" if trained else "")


def table(header, lines):
    rule = ["---"] * len(header)
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, rule, *lines])


def same_class(count, row):
    return "-" if count is None or row.logits() is None else f"{count} of {comparison.IMAGES}"


def published_line(row):
    case = cases.find(row.case)
    worst, difference = row.worst()
    return [
        row.case, pixels(case), windows(case), row.library, small(row.logits()),
        f"{small(difference)} {worst}", same_class(row.same_class, row),
        {None: "-", True: "yes", False: "NO"}[row.identical],
        small(row.half), same_class(row.half_same_class, row),
    ]  # fmt: skip


def edge_line(row):
    case = cases.find(row.case)
    worst, difference = row.worst()
    return [
        row.case, pixels(case), windows(case), row.library, small(row.logits()),
        f"{small(difference)} {worst}", same_class(row.same_class, row),
    ]  # fmt: skip


def versions():
    return {
        "date": datetime.date.today().isoformat(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "timm": timm.__version__,
        "transformers": transformers.__version__,
    }


def half_line(row):
    case = cases.find(row.case)
    worst, difference = row.worst()
    return [
        row.case, pixels(case), windows(case), row.library,
        small(row.logits()), small(row.rounding.get("logits")),
        f"{small(difference)} {worst}", small(row.rounding[worst]), same_class(row.same_class, row),
    ]  # fmt: skip


def find_half(page):
    """The part of @page on half precision, or nothing."""
    found = re.search(rf"^{HALF_TITLE}$.*?(?=^## )", page, re.DOTALL | re.MULTILINE)
    return found.group().rstrip() if found else HALF_TITLE


def make_half(page, rows, device):
    """@page with another part on half precision."""
    header = [
        "network", "pixels", "window", "library", "logits", "PyTorch", "worst of the others", "PyTorch",
        "same class",
    ]  # fmt: skip
    half = HALF.format(
        title=HALF_TITLE,
        factor=comparison.ROUNDING_FACTOR,
        device=device,
        kernels=" with the kernels for GPUs" if os.environ.get("SWIN_KERNELS") == "gpu" else "",
        table=table(header, [half_line(row) for row in rows]),
        **versions(),
    )
    return page.replace(find_half(page), half)


def make(page, rows, device):
    """The whole page, with what @page says about half precision."""
    header = ["network", "pixels", "window", "library", "logits", "worst of the others", "same class"]
    published = [published_line(row) for row in rows if row.case in cases.PUBLISHED]
    return TEXT.format(
        images=comparison.IMAGES,
        tolerance=comparison.TOLERANCE,
        half_tolerance=comparison.HALF_TOLERANCE,
        device=device,
        half=find_half(page),
        **versions(),
        published=table([*header, "same bits", "F16 logits", "F16 same class"], published),
        edges=table(header, [edge_line(row) for row in rows if row.case in cases.EDGES]),
        resized=table(header, [edge_line(row) for row in rows if row.case in cases.RESIZED]),
    )
