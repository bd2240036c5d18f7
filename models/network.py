# SPDX-License-Identifier: LGPL-2.1-or-later
"""Swin V1 (arXiv:2103.14030) in PyTorch, for training; its state dict has the names of transformers' code."""

import torch
from torch import nn
from torch.nn import functional

EPS = 1e-5
MLP_RATIO = 4


def position_index(size, window):
    """Rows of a bias table made for @window that the pairs of tokens of a @size window take."""
    axis = torch.arange(size)
    row, column = [x.flatten() for x in torch.meshgrid(axis, axis, indexing="ij")]
    return (row[:, None] - row + window - 1) * (2 * window - 1) + column[:, None] - column + window - 1


def partition(x, window):
    """[N, H, W, C] to windows [N * H/M * W/M, M*M, C]."""
    n, h, w, c = x.shape
    x = x.view(n, h // window, window, w // window, window, c)
    return x.transpose(2, 3).reshape(-1, window * window, c)


def unpartition(x, n, h, w, window):
    x = x.view(n, h // window, w // window, window, window, -1)
    return x.transpose(2, 3).reshape(n, h, w, -1)


def shift_mask(size, window, shift):
    """-100 between tokens that the cyclic shift brought together: [windows, M*M, M*M]."""
    region = torch.zeros(size, dtype=torch.long)
    region[size - window:size - shift] = 1
    region[size - shift:] = 2
    regions = partition((region[:, None] * 3 + region)[None, :, :, None], window).squeeze(2)
    return (regions[:, :, None] != regions[:, None, :]).float() * -100.0


class WindowSelfAttention(nn.Module):
    def __init__(self, channels, heads, window):
        super().__init__()
        self.heads, self.window = heads, window
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.register_buffer("relative_position_index", position_index(window, window))

    def forward(self, x, mask, window):
        """x [windows, M*M, C], mask [windows, M*M, M*M] or None."""
        windows, tokens, channels = x.shape
        query, key, value = [
            linear(x).view(windows, tokens, self.heads, channels // self.heads).transpose(1, 2)
            for linear in (self.query, self.key, self.value)]
        scores = query @ key.transpose(2, 3) * (channels // self.heads) ** -0.5
        bias = self.relative_position_bias_table[position_index(window, self.window).flatten()]
        scores = scores + bias.view(tokens, tokens, self.heads).permute(2, 0, 1).to(scores.dtype)
        if mask is not None:
            scores = scores.view(-1, mask.shape[0], self.heads, tokens, tokens) + mask[:, None].to(scores.dtype)
            scores = scores.view(windows, self.heads, tokens, tokens)
        return (scores.softmax(-1).to(value.dtype) @ value).transpose(1, 2).reshape(windows, tokens, channels)


class DropPath(nn.Module):
    """Stochastic depth (arXiv:1603.09382)."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if not self.training or self.rate == 0.0:
            return x
        kept = (torch.rand(x.shape[0], 1, 1, 1) >= self.rate).to(x.dtype) / (1 - self.rate)
        return x * kept


class Block(nn.Module):
    """x [N, H, W, C]; a window no smaller than the map is cut to it and not shifted."""

    def __init__(self, channels, heads, window, shifted, drop_path):
        super().__init__()
        self.layernorm_before = nn.LayerNorm(channels, eps=EPS)
        self.attention = nn.ModuleDict({
            "self": WindowSelfAttention(channels, heads, window),
            "output": nn.ModuleDict({"dense": nn.Linear(channels, channels)})})
        self.layernorm_after = nn.LayerNorm(channels, eps=EPS)
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(channels, MLP_RATIO * channels)})
        self.output = nn.ModuleDict({"dense": nn.Linear(MLP_RATIO * channels, channels)})
        self.window, self.shifted = window, shifted
        self.drop_path = DropPath(drop_path)

    def forward(self, x):
        n, h, w, _ = x.shape
        window = min(self.window, h)
        shift = window // 2 if self.shifted and h > window else 0
        mask = shift_mask(h, window, shift) if shift else None
        y = self.layernorm_before(x)
        if shift:
            y = torch.roll(y, (-shift, -shift), (1, 2))
        y = self.attention["self"](partition(y, window), mask, window)
        y = unpartition(self.attention["output"]["dense"](y), n, h, w, window)
        if shift:
            y = torch.roll(y, (shift, shift), (1, 2))
        x = x + self.drop_path(y)
        y = functional.gelu(self.intermediate["dense"](self.layernorm_after(x)))
        return x + self.drop_path(self.output["dense"](y))


class PatchMerging(nn.Module):
    """[N, H, W, C] to [N, H/2, W/2, 2C]; neighbours in the order (0,0), (1,0), (0,1), (1,1)."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels, eps=EPS)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x):
        parts = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        # The residual stream stays in float32 under autocast.
        return self.reduction(self.norm(torch.cat(parts, -1))).float()


class Stage(nn.Module):
    def __init__(self, channels, heads, window, drop_paths, last):
        super().__init__()
        self.blocks = nn.ModuleList(Block(channels, heads, window, number % 2 == 1, rate)
                                    for number, rate in enumerate(drop_paths))
        self.downsample = None if last else PatchMerging(channels)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x if self.downsample is None else self.downsample(x)


class Swin(nn.Module):
    """A classifier of @classes; sizes as in transformers' SwinConfig."""

    def __init__(self, classes, embed_dim, depths, heads, window, patch, drop_path=0.0):
        super().__init__()
        width = embed_dim << (len(depths) - 1)
        rates = torch.linspace(0, drop_path, sum(depths)).split(depths)
        stages = [Stage(embed_dim << i, heads[i], window, rates[i].tolist(), i + 1 == len(depths))
                  for i in range(len(depths))]
        self.swin = nn.ModuleDict({
            "embeddings": nn.ModuleDict({
                "patch_embeddings": nn.ModuleDict({"projection": nn.Conv2d(3, embed_dim, patch, patch)}),
                "norm": nn.LayerNorm(embed_dim, eps=EPS)}),
            "encoder": nn.ModuleDict({"layers": nn.ModuleList(stages)}),
            "layernorm": nn.LayerNorm(width, eps=EPS)})
        self.classifier = nn.Linear(width, classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x):
        embeddings = self.swin["embeddings"]
        x = embeddings["patch_embeddings"]["projection"](x).permute(0, 2, 3, 1).float()
        x = embeddings["norm"](x)
        for stage in self.swin["encoder"]["layers"]:
            x = stage(x)
        return self.classifier(self.swin["layernorm"](x).mean((1, 2)))
