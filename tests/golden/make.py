#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the golden models: small networks with seeded random weights and what the publishers' own code
computes with them.

For each case there are DIRECTORY/CASE/DIALECT/model.safetensors and config.json, the same weights as
each publisher writes them (hf, timm, torchvision, microsoft), and DIRECTORY/CASE/reference.safetensors
with `input` [N, 3, H, W], `logits` [N, classes], `pooled` [N, C] and `stages.I` [N, h, w, C] (the
tokens after stage I and its merging; of a ViT all tokens after its last block). Cases in which the
publishers' edge rules give different results exist once for each. DIRECTORY/CASE/resized*.safetensors
is what the same weights give at another image size and window.

Needs timm and transformers besides torch and torchvision: run it with the interpreter that
`tools/setup oracles` installs, ~/.cache/gst-swin/oracles/bin/python (timm 1.0.31 and transformers
4.40.2, with Debian 12's torch 1.13.0 and torchvision 0.14.1, from which the random numbers come).

The references are computed in float64 and stored as float32, so that they carry no rounding errors
of their own and the same bytes come out on every machine.
"""

import argparse
import json
import pathlib

import torch
from torch.nn import functional

import checkpoint
import libraries
import names
from cases import CASES

# Keys of a case: those of transformers' config.json; for ViT depth instead of depths; and
#   dialects      folders to write; the last one's code makes the reference
#   images        batch of the reference
#   dtype         what the weights are stored as
#   buffers       store relative_position_index and the like, as publishers do
#   timm          further arguments of timm's constructor
#   drawn_by      whose network has its parameters drawn; "torchvision" or, by default, timm's
#   clipped       Hugging Face V1 with a window that shrinks, where transformers itself fails
#   single_head   DeiT without the head of its distillation token
#   short_config  an hf/config.json of few words instead of transformers' own
#   resized       [{"name", "dialect"}]: references at other sizes; with the keys that change


def make_dialect(name, case):
    return libraries.DIALECTS["hf-clipped" if name == "hf" and case.get("clipped") else name](case)


def draw_state(case):
    """{timm's name: tensor}"""
    dtype = case.get("dtype", torch.float32)
    if case.get("drawn_by") == "torchvision":
        model = libraries.Torchvision(case).make()
    else:
        model = libraries.Microsoft(case).make()
    checkpoint.draw_parameters(model, case["seed"], dtype)
    state = {name: parameter.data for name, parameter in model.named_parameters()}
    if case.get("drawn_by") == "torchvision":
        return names.from_torchvision(state)
    if case["model_type"] == "swinv2":
        scales = [x.max() for name, x in state.items() if name.endswith("logit_scale")]
        assert max(scales) > 4.7, "no logit scale is above its clamp; take another seed"
    if case.get("single_head"):
        state = {name: x for name, x in state.items() if not name.startswith("head_dist.")}
    return state


def draw_pixels(case, seed):
    height, width = libraries.pair(case["image_size"])
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(case["images"], 3, height, width, generator=generator)


def compute(dialect, case, state, pixels):
    outputs = make_dialect(dialect, case).compute(state, pixels.double())
    return {name: tensor.float() for name, tensor in outputs.items()}


def check_condition(name, dialect, case, state, pixels, reference):
    """Where float32 goes astray in the publisher's own code, a case would only measure that: Swin V2
    multiplies cosines by up to 100, and with them what queries and keys were rounded by."""
    for tensor, values in make_dialect(dialect, case).compute(state, pixels).items():
        difference = (values - reference[tensor]).abs().max() / reference[tensor].std()
        if difference > 1e-5:
            raise SystemExit(f"{name}: {tensor} in float32 is off by {difference}; take another seed")


def check_agreement(name, references):
    """Where a case is for several publishers, their rules must give the same."""
    for other in references[:-1]:
        for tensor in references[-1]:
            difference = (other[tensor] - references[-1][tensor]).abs().max().item()
            if difference > 1e-6:
                raise SystemExit(f"{name}: {tensor} differs by {difference} between the dialects")


def write_model(folder, dialect, case, state):
    folder.mkdir(parents=True, exist_ok=True)
    library = make_dialect(dialect, case)
    tensors = library.tensors(state)
    if case.get("buffers"):
        tensors.update(library.buffers())
    dtype = case.get("dtype", torch.float32)
    tensors = {name: x.to(dtype) if x.is_floating_point() else x for name, x in tensors.items()}
    checkpoint.write_safetensors(folder / "model.safetensors", tensors, {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(library.config(), indent=2) + "\n")


# ---- Other sizes ------------------------------------------------------------------------------


def resize_bicubic(values, height, width):
    """[rows * columns, C] of a square to [height * width, C], as Microsoft's load_pretrained() and
    transformers' interpolate_pos_encoding() do."""
    side = round(len(values) ** 0.5)
    values = values.double().T.reshape(1, -1, side, side)
    resized = functional.interpolate(values, size=(height, width), mode="bicubic")
    return resized.reshape(-1, height * width).T.float()


def resize_positions(dialect, model, values, prefix):
    """The position embedding [1, prefix + tokens, C] of a ViT, for the image size of @model."""
    height, width = model.patch_embed.grid_size
    if dialect == "timm":
        return libraries.timm.layers.resample_abs_pos_embed(
            values, [height, width], num_prefix_tokens=prefix
        )
    tokens = resize_bicubic(values[0, prefix:], height, width)
    return torch.cat((values[0, :prefix], tokens)).unsqueeze(0)


def resize_state(dialect, case, state):
    """The tensors @state for @case, whose sizes are other ones."""
    model = libraries.Microsoft(case).make()
    resized = dict(state)
    for name, parameter in model.named_parameters():
        values = state[name]
        if values.shape == parameter.shape:
            continue
        if name.endswith("relative_position_bias_table"):
            side = round(len(parameter) ** 0.5)
            resized[name] = resize_bicubic(values, side, side)
        elif name == "absolute_pos_embed":
            resized[name] = resize_bicubic(values[0], *model.patch_embed.grid_size).unsqueeze(0)
        else:
            resized[name] = resize_positions(dialect, model, values, model.num_prefix_tokens)
    return resized


def make_resized(folder, case, state):
    for i, change in enumerate(case.get("resized", [])):
        keys = ("image_size", "window_size", "pretrained_window_sizes")
        other = {**case, **{key: change[key] for key in keys if key in change}, "images": 1}
        pixels = draw_pixels(other, 2000 + 10 * case["seed"] + i)
        resized = resize_state(change["dialect"], other, state)
        outputs = compute(change["dialect"], other, resized, pixels)
        check_condition(folder.name, change["dialect"], other, resized, pixels, outputs)
        path = folder / f"{change['name']}.safetensors"
        checkpoint.write_safetensors(path, {"input": pixels, **outputs})


# ---- Cases ------------------------------------------------------------------------------------


def make_case(directory, name, case):
    folder = directory / name
    state = draw_state(case)
    pixels = draw_pixels(case, 1000 + case["seed"])
    references = [compute(dialect, case, state, pixels) for dialect in case["dialects"]]
    check_agreement(name, references)
    check_condition(name, case["dialects"][-1], case, state, pixels, references[-1])
    for dialect in case["dialects"]:
        write_model(folder / dialect, dialect, case, state)
    outputs = {"input": pixels, **references[-1]}
    checkpoint.write_safetensors(folder / "reference.safetensors", outputs)
    make_resized(folder, case, state)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    last = outputs.get("logits", outputs["pooled"])
    print(f"{name}: {size} bytes, {list(last.shape)}, deviation {last.std().item():.3f}")


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
