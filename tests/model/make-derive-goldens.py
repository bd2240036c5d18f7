#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes derive.safetensors: what PyTorch derives from the weights of a checkpoint when it is loaded.

`bias.I.*`: Swin V2's position bias, by timm's WindowAttention: `size` [window height and width,
pretrained window], `weight1`, `bias1`, `weight2`, and `table`, 16 * sigmoid included.

`resize.I.*`: torch.nn.functional.interpolate(mode="bicubic", align_corners=False): `size` [height,
width, new height, new width, antialias], `values` [height, width, channels] and `resized`.

Everything is computed in float32, as those libraries do. The committed file was made with torch
1.13.0 and timm 1.0.31.
"""

import argparse
import pathlib
import sys

import torch
from timm.models.swin_transformer_v2 import WindowAttention
from torch import nn

sys.path.append(str(pathlib.Path(__file__).parent.parent / "golden"))
from checkpoint import write_safetensors

# Window height and width, pretrained window (0: none), heads, hidden width.
BIASES = [
    (7, 7, 0, 3, 512),
    (1, 1, 0, 2, 5),
    (1, 5, 0, 4, 8),
    (3, 5, 0, 1, 7),
    (12, 12, 6, 2, 16),
    (6, 6, 12, 9, 11),
    (5, 3, 4, 17, 33),
    (2, 2, 1, 3, 6),
]

# Height, width, new height, new width, channels, antialias.
RESIZES = [
    (13, 13, 23, 23, 3, False),
    (23, 23, 13, 13, 2, False),
    (9, 9, 9, 9, 2, False),
    (1, 1, 3, 5, 2, False),
    (3, 7, 7, 3, 5, False),
    (5, 3, 2, 9, 1, False),
    (14, 14, 24, 24, 2, True),
    (14, 14, 7, 7, 3, True),
    (16, 12, 5, 31, 2, True),
    (9, 9, 9, 9, 2, True),
    (1, 1, 4, 3, 2, True),
    (4, 6, 1, 1, 2, True),
    (31, 29, 4, 3, 1, True),
]


def make_bias(generator, height, width, pretrained, heads, hidden):
    module = WindowAttention(
        dim=heads, window_size=(height, width), num_heads=heads,
        pretrained_window_size=(pretrained, pretrained),
    )
    weight1 = torch.randn(hidden, 2, generator=generator)
    bias1 = torch.randn(hidden, generator=generator)
    weight2 = 2.0 * torch.randn(heads, hidden, generator=generator) / hidden**0.5
    linear1 = nn.Linear(2, hidden)
    linear2 = nn.Linear(hidden, heads, bias=False)
    with torch.no_grad():
        linear1.weight.copy_(weight1)
        linear1.bias.copy_(bias1)
        linear2.weight.copy_(weight2)
        mlp = nn.Sequential(linear1, nn.ReLU(), linear2)
        table = 16 * torch.sigmoid(mlp(module.relative_coords_table).view(-1, heads))
    size = torch.tensor([height, width, pretrained], dtype=torch.float32)
    return {"size": size, "weight1": weight1, "bias1": bias1, "weight2": weight2, "table": table}


def make_resize(generator, height, width, new_height, new_width, channels, antialias):
    values = torch.randn(height, width, channels, generator=generator)
    resized = nn.functional.interpolate(
        values.permute(2, 0, 1).unsqueeze(0), size=(new_height, new_width), mode="bicubic",
        align_corners=False, antialias=antialias,
    )
    size = torch.tensor([height, width, new_height, new_width, antialias], dtype=torch.float32)
    return {"size": size, "values": values, "resized": resized[0].permute(1, 2, 0)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", default=pathlib.Path(__file__).with_name("derive.safetensors"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # how sums are split decides about their last bits
    generator = torch.Generator().manual_seed(1)
    tensors = {}
    for kind, make, cases in (("bias", make_bias, BIASES), ("resize", make_resize, RESIZES)):
        for index, case in enumerate(cases):
            for name, tensor in make(generator, *case).items():
                tensors[f"{kind}.{index}.{name}"] = tensor
    write_safetensors(arguments.file, tensors)


if __name__ == "__main__":
    main()
