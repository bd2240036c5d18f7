#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds `swin run` against torchvision on a network of published size.

Draws every parameter of the network at random, writes the weights under the names of torchvision
and of Hugging Face, runs both through SWIN, and compares logits, pooled features and the tokens of
each stage with what torchvision computes in float32. torchvision in float64 tells how much of a
difference is rounding. Exits with 1 when a difference is above the tolerance or the two files give
different results, and with 77 when torch or torchvision is missing.
"""

import argparse
import os
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

# In place of this folder, where this file would be found under the name of the package.
sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent / "golden")
sys.dont_write_bytecode = True

try:
    import torch
    import torchvision

    import checkpoint
except ImportError as missing:
    print(f"skipped: {missing}; on Debian, install python3-torchvision", file=sys.stderr)
    sys.exit(1 if "torchvision" in os.environ.get("SWIN_TEST_REQUIRE", "").split() else 77)

# What all published networks of the first generation share, and where they differ.
COMMON = {"image_size": 224, "patch_size": 4, "window_size": 7, "mlp_ratio": 4.0, "num_labels": 1000}
MODELS = {
    "swin_t": {"embed_dim": 96, "depths": [2, 2, 6, 2], "num_heads": [3, 6, 12, 24]},
    "swin_s": {"embed_dim": 96, "depths": [2, 2, 18, 2], "num_heads": [3, 6, 12, 24]},
    "swin_b": {"embed_dim": 128, "depths": [2, 2, 18, 2], "num_heads": [4, 8, 16, 32]},
}


def write_models(folder, model, name):
    """Writes the same weights in both dialects, with the buffers that publishers store too."""
    state = model.state_dict()
    config = json.dumps(checkpoint.make_config({**COMMON, **MODELS[name]}))
    for dialect in ("torchvision", "hf"):
        tensors = state
        if dialect == "hf":
            tensors = checkpoint.to_hugging_face(state, COMMON["window_size"])
        (folder / dialect).mkdir()
        checkpoint.write_safetensors(folder / dialect / "model.safetensors", tensors)
        (folder / dialect / "config.json").write_text(config)


def run_swin(arguments, folder, dialect):
    output = folder / dialect / "output.safetensors"
    command = [
        arguments.swin, "run", folder / dialect,
        "--input", folder / "input.safetensors", "--output", output,
    ]  # fmt: skip
    if arguments.device:
        command += ["--device", arguments.device]
    try:
        subprocess.run([str(part) for part in command], check=True)
    except (OSError, subprocess.CalledProcessError) as failure:
        raise SystemExit(f"{arguments.swin} failed: {failure}") from failure
    return checkpoint.read_safetensors(output)


def relative_difference(a, b):
    """max |a - b| over the standard deviation of b."""
    return ((a.double() - b.double()).abs().max() / b.double().std()).item()


def compare(ours, theirs, exact, tolerance):
    print(f"{'tensor':10} {'shape':>20} {'deviation':>10} {'difference':>11} {'to float64':>11} "
          f"{'theirs':>11}")  # fmt: skip
    good = True
    for name in sorted(theirs):
        if name not in ours or ours[name].shape != theirs[name].shape:
            print(f"{name:10} is missing or of another shape than {list(theirs[name].shape)}")
            good = False
            continue
        difference = relative_difference(ours[name], theirs[name])
        passed = difference <= tolerance  # False for NaN
        good = good and passed
        print(f"{name:10} {str(list(theirs[name].shape)):>20} {theirs[name].std().item():10.4f} "
              f"{difference:11.2e} {relative_difference(ours[name], exact[name]):11.2e} "
              f"{relative_difference(theirs[name], exact[name]):11.2e}"
              f"{'' if passed else f'  above {tolerance:.0e}'}")  # fmt: skip
    return good


def identical(first, second):
    different = [
        name
        for name in sorted(first.keys() | second.keys())
        if name not in first
        or name not in second
        or not torch.equal(first[name].view(torch.int32), second[name].view(torch.int32))
    ]
    if different:
        print(f"the two dialects differ in {', '.join(different)}")
    else:
        print("the two dialects give identical bits")
    return not different


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--swin", required=True, metavar="PROGRAM", help="the swin program to test")
    parser.add_argument("--model", default="swin_t", choices=MODELS, help="default: swin_t")
    parser.add_argument("--images", type=int, default=1, help="batch size (default: 1)")
    parser.add_argument("--seed", type=int, default=1, help="of weights and input (default: 1)")
    parser.add_argument("--device", help="handed to swin: index, UUID or part of a name")
    parser.add_argument(
        "--tolerance", type=float, default=1e-4,
        help="largest difference, in standard deviations of the tensor (default: 1e-4)",
    )  # fmt: skip
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    model = getattr(torchvision.models, arguments.model)().eval()
    checkpoint.draw_parameters(model, arguments.seed)
    size = COMMON["image_size"]
    generator = torch.Generator().manual_seed(arguments.seed + 1)
    pixels = torch.randn(arguments.images, 3, size, size, generator=generator)
    theirs = checkpoint.compute(model, pixels)
    exact = checkpoint.compute(copy.deepcopy(model).double(), pixels.double())
    print(f"{arguments.model}, {arguments.images} x 3 x {size} x {size}, seed {arguments.seed}, "
          f"torch {torch.__version__}, torchvision {torchvision.__version__}")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_models(folder, model, arguments.model)
        checkpoint.write_safetensors(folder / "input.safetensors", {"input": pixels})
        ours = run_swin(arguments, folder, "torchvision")
        hugging_face = run_swin(arguments, folder, "hf")
    good = compare(ours, theirs, exact, arguments.tolerance)
    good = identical(ours, hugging_face) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
