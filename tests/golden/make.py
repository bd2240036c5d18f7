#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the golden models: small Swin networks with seeded random weights and what PyTorch computes
with them.

For each case there are DIRECTORY/CASE/{hf,torchvision}/model.safetensors and config.json, the same
weights under the names of each publisher, and DIRECTORY/CASE/reference.safetensors with `input`
[N, 3, H, W], `logits` [N, classes], `pooled` [N, C] and `stages.I` [N, h, w, C] (the tokens after
stage I and its merging). Cases in which the publishers' edge rules give different results exist once
for each, with one of the two folders.

The references are computed in float64 and stored as float32, so that they carry no rounding errors
of their own and the same bytes come out on every machine. The committed files were made with
Debian 12's torch 1.13.0 and torchvision 0.14.1, from which the random numbers come.
"""

import argparse
import copy
import json
import pathlib

import torch

import checkpoint

# Keys as in config.json, and: images (batch of the reference), dialects (folders to write), dtype
# (what the weights are stored as), buffers (store relative_position_index, as publishers do).
CASES = {
    # Windows, shifts and maps fit everywhere. Labels are out of order, as JSON may have them.
    "regular": {
        "image_size": 32, "patch_size": 2, "window_size": 4, "embed_dim": 16, "depths": [2, 2],
        "num_heads": [2, 4], "mlp_ratio": 4.0, "num_labels": 5, "qkv_bias": True,
        "id2label": {"3": "delta", "0": "alpha", "4": "epsilon", "1": "beta", "2": "gamma"},
        "images": 3, "dialects": ["hf", "torchvision"], "buffers": True, "seed": 1,
    },
    # Maps of 28, 14 and 7 with the usual window of 7: the last stage has one window and no shift.
    "three-stages": {
        "image_size": 56, "patch_size": 2, "window_size": 7, "embed_dim": 8, "depths": [2, 2, 2],
        "num_heads": [1, 2, 4], "mlp_ratio": 4.0, "num_labels": 10,
        "images": 2, "dialects": ["hf", "torchvision"], "seed": 2,
    },
    # Maps of 11 (padded to 14) and 6 (smaller than the window), merging of an odd map, head
    # dimensions of 6 and 12, and a hidden width that is no multiple of the channels.
    "odd-torchvision": {
        "image_size": 33, "patch_size": 3, "window_size": 7, "embed_dim": 18, "depths": [2, 2],
        "num_heads": [3, 3], "mlp_ratio": 2.5, "num_labels": 10,
        "images": 2, "dialects": ["torchvision"], "seed": 3,
    },
    "odd-hf": {
        "image_size": 33, "patch_size": 3, "window_size": 7, "embed_dim": 18, "depths": [2, 2],
        "num_heads": [3, 3], "mlp_ratio": 2.5, "num_labels": 10,
        "images": 2, "dialects": ["hf"], "dtype": torch.float16, "seed": 4,
    },
    # Maps of 5 x 9 and 3 x 5 with a window of 5: one axis shifts and the other does not.
    "rectangle-torchvision": {
        "image_size": [20, 36], "patch_size": 4, "window_size": 5, "embed_dim": 12,
        "depths": [2, 2], "num_heads": [2, 2], "mlp_ratio": 3.0, "num_labels": 3,
        "images": 2, "dialects": ["torchvision"], "seed": 5,
    },
    "rectangle-hf": {
        "image_size": [20, 36], "patch_size": 4, "window_size": 5, "embed_dim": 12,
        "depths": [2, 2], "num_heads": [2, 2], "mlp_ratio": 3.0, "num_labels": 3,
        "images": 2, "dialects": ["hf"], "dtype": torch.bfloat16, "seed": 6,
    },
}  # fmt: skip

NOT_IN_CONFIG = ("images", "dialects", "dtype", "buffers", "seed")


def stored_tensors(model, case):
    dtype = case.get("dtype", torch.float32)
    return {
        name: tensor.to(dtype) if tensor.is_floating_point() else tensor
        for name, tensor in model.state_dict().items()
        if tensor.is_floating_point() or case.get("buffers")
    }


def write_model(folder, dialect, model, case):
    folder.mkdir(parents=True, exist_ok=True)
    state = stored_tensors(model, case)
    if dialect == "hf":
        state = checkpoint.to_hugging_face(state, case["window_size"])
    checkpoint.write_safetensors(folder / "model.safetensors", state, {"format": "pt"})
    description = {key: value for key, value in case.items() if key not in NOT_IN_CONFIG}
    text = json.dumps(checkpoint.make_config(description), indent=2)
    (folder / "config.json").write_text(text + "\n")


def reference(model, dialect, pixels):
    exact = copy.deepcopy(model).double()
    if dialect == "hf":
        checkpoint.use_hugging_face_rules(exact)
    outputs = checkpoint.compute(exact, pixels.double())
    return {name: tensor.float() for name, tensor in outputs.items()}


def check_agreement(name, references):
    """Where a case is for both publishers, their rules must give the same."""
    for tensor in references[0]:
        difference = (references[0][tensor] - references[-1][tensor]).abs().max().item()
        if difference > 1e-6:
            raise SystemExit(f"{name}: {tensor} differs by {difference} between the edge rules")


def make_case(directory, name, case):
    model = checkpoint.make_model(case)
    checkpoint.draw_parameters(model, case["seed"], case.get("dtype", torch.float32))
    size = case["image_size"]
    height, width = size if isinstance(size, list) else (size, size)
    generator = torch.Generator().manual_seed(1000 + case["seed"])
    pixels = torch.randn(case["images"], 3, height, width, generator=generator)
    references = [reference(model, dialect, pixels) for dialect in case["dialects"]]
    check_agreement(name, references)
    for dialect in case["dialects"]:
        write_model(directory / name / dialect, dialect, model, case)
    outputs = {"input": pixels, **references[-1]}
    checkpoint.write_safetensors(directory / name / "reference.safetensors", outputs)
    size = sum(path.stat().st_size for path in (directory / name).rglob("*") if path.is_file())
    logits = outputs["logits"]
    print(f"{name}: {size} bytes, logits {list(logits.shape)}, deviation {logits.std().item():.3f}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    here = pathlib.Path(__file__).resolve().parent
    parser.add_argument(
        "--output", type=pathlib.Path, default=here, metavar="DIRECTORY",
        help="where the cases are written (default: beside this script)",
    )  # fmt: skip
    parser.add_argument("case", nargs="*", help="cases to make (default: all)")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.case) - set(CASES))
    if unknown:
        parser.error(f"unknown case {', '.join(unknown)}; there are {', '.join(CASES)}")
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}")
    for name in arguments.case or CASES:
        make_case(arguments.output, name, CASES[name])


if __name__ == "__main__":
    main()
