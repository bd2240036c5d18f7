# SPDX-License-Identifier: LGPL-2.1-or-later
"""What half precision does to a network, by PyTorch: the bounds of --precision fp16.

Everything that `swin` keeps in half precision is rounded to it and computed with in float32: the
weights of products, and what goes into and comes out of every module. The heads and what they are
given stay float32.
"""

import contextlib
import copy

import torch
from torch import nn

import reference

HEADS = ("head", "head.fc", "head_dist", "classifier", "cls_classifier", "distillation_classifier")


def rounded(value):
    """Tensors of floats, also in tuples; anything else is left as it is."""
    if isinstance(value, tuple):
        return tuple(rounded(part) for part in value)
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.half().float()
    return value


def round_weights(model):
    with torch.no_grad():
        for name, module in model.named_modules():
            if name not in HEADS and isinstance(module, (nn.Linear, nn.Conv2d)):
                module.weight.copy_(rounded(module.weight))


@contextlib.contextmanager
def rounding(model):
    """While it is open, @model rounds: by hooks, and where it multiplies without a module."""
    hooks = []
    heads = [module.weight for name, module in model.named_modules()
             if name in HEADS and isinstance(module, nn.Linear)]  # fmt: skip
    linear = nn.functional.linear

    def rounded_linear(values, weight, bias=None):
        product = linear(values, weight, bias)
        return product if any(weight is head for head in heads) else rounded(product)

    for name, module in model.named_modules():
        if name == "" or name in HEADS:
            continue
        hooks.append(module.register_forward_pre_hook(lambda _, given: rounded(given)))
        hooks.append(module.register_forward_hook(lambda _, given, made: rounded(made)))
    nn.functional.linear = rounded_linear
    try:
        yield
    finally:
        nn.functional.linear = linear
        for hook in hooks:
            hook.remove()


def compute(model, pixels):
    """reference.compute() in half precision."""
    half = copy.deepcopy(model)
    round_weights(half)
    with rounding(half):
        return reference.compute(half, pixels)
