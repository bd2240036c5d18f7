# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is done to a batch of training pictures, on whichever device it is."""

import math

import torch
from torch.nn import functional
from torchvision.transforms import InterpolationMode, RandAugment

# RandAugment draws once for each group of pictures: one draw a picture would take longer than the network.
GROUP = 16


def crop(x, size, generator, smallest):
    """
    Random crops of at least @smallest of the area, half of them mirrored, as Inception's.

    @x: uint8 [N, 3, H, W]
    Returns: uint8 [N, 3, size, size]
    """
    n = len(x)

    def rand():
        return torch.rand(n, generator=generator)

    area = (smallest + (1 - smallest) * rand()).sqrt()
    ratio = torch.exp((rand() - 0.5) * 2 * math.log(4 / 3)).sqrt()
    width, height = (area * ratio).clamp(max=1.0), (area / ratio).clamp(max=1.0)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = width * torch.where(rand() < 0.5, -1.0, 1.0)
    theta[:, 1, 1] = height
    theta[:, 0, 2] = (rand() * 2 - 1) * (1 - width)
    theta[:, 1, 2] = (rand() * 2 - 1) * (1 - height)
    x = x.float()
    while x.shape[2] >= 2 * size:
        # What is sampled coarser than it is has to be smoothed first.
        x = functional.avg_pool2d(x, 2)
    grid = functional.affine_grid(theta, (n, 3, size, size), align_corners=False).to(x.device)
    x = functional.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    return x.round().clamp(0, 255).to(torch.uint8)


def rand_augment(x, operations, magnitude):
    """RandAugment (arXiv:1909.13719) of uint8 [N, 3, H, W]; takes its draws from torch's own generator."""
    if not operations:
        return x
    draw = RandAugment(operations, magnitude, interpolation=InterpolationMode.BILINEAR, fill=[124, 116, 104])
    return torch.cat([draw(group) for group in x.split(GROUP)])


def erase(x, share, generator):
    """Random erasing (arXiv:1708.04896): a square of a third of the side, in @share of the pictures, in place."""
    size = x.shape[2]
    side = int(size * 0.35)
    for i in (torch.rand(len(x), generator=generator) < share).nonzero().flatten().tolist():
        top, left = (torch.rand(2, generator=generator) * (size - side)).long().tolist()
        x[i, :, top:top + side, left:left + side] = 0
    return x


def mix(x, target, share, generator):
    """
    CutMix (arXiv:1905.04899) of 0.6 and mixup (arXiv:1710.09412) of 0.4 of @share of the batches.

    @target: [N, classes], probabilities
    """
    draw = torch.rand(1, generator=generator).item()
    if draw >= share:
        return x, target
    order = torch.randperm(len(x), generator=generator).to(x.device)
    cut = draw < 0.6 * share
    alpha = torch.tensor(1.0 if cut else 0.4)
    kept = torch.distributions.Beta(alpha, alpha).sample().item()
    if cut:
        size = x.shape[2]
        side = int(size * math.sqrt(1 - kept))
        top, left = torch.randint(0, size - side + 1, (2,), generator=generator).tolist()
        x = x.clone()
        x[:, :, top:top + side, left:left + side] = x[order][:, :, top:top + side, left:left + side]
        kept = 1 - side * side / size / size
    else:
        x = kept * x + (1 - kept) * x[order]
    return x, kept * target + (1 - kept) * target[order]
