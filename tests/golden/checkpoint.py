# SPDX-License-Identifier: LGPL-2.1-or-later
"""Swin checkpoints for tests: networks with every parameter drawn at random, safetensors files, and
what torchvision and transformers' edge rules compute.

Needs torch and torchvision.
"""

import json
import math
import struct

import torch
from torch import nn
from torchvision.models.swin_transformer import ShiftedWindowAttention, SwinTransformer

DTYPE_NAMES = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
}


# ---- safetensors ------------------------------------------------------------------------------


def write_safetensors(path, tensors, metadata=None):
    """Writes {name: tensor} in the order of the names, so that the same tensors give the same bytes."""
    header = {"__metadata__": metadata} if metadata else {}
    blobs = []
    offset = 0
    for name in sorted(tensors):
        tensor = tensors[name].detach().contiguous()
        # numpy knows no bfloat16: take its bits.
        bits = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
        blob = bits.numpy().tobytes()
        header[name] = {
            "dtype": DTYPE_NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


# ---- Weights ----------------------------------------------------------------------------------


def draw_parameters(model, seed, dtype=torch.float32):
    """Draws every parameter, so that none stays at the zero or one it is created with.

    @dtype is what the weights will be stored as: they are rounded to it, and kept as float32.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if name.endswith("relative_position_bias_table"):
            values = 0.5 * noise  # comparable to the scores, which have a spread of about 1
        elif name.endswith("logit_scale"):
            values = 3.5 + 1.5 * noise  # natural logarithms, on both sides of the clamp at ln 100
        elif name.endswith(("pos_embed", "_token")):
            values = 0.5 * noise  # comparable to the patches
        elif parameter.dim() > 1:
            values = noise / math.sqrt(parameter[0].numel())
        elif is_norm_weight(name):
            values = 1 + 0.2 * noise
        else:
            values = 0.2 * noise
        parameter.data = values.to(dtype).to(torch.float32)


def is_norm_weight(name):
    return name.endswith((".norm.weight", "norm1.weight", "norm2.weight", "0.2.weight")) or (
        name in ("norm.weight", "fc_norm.weight")
    )


def make_model(description):
    """A torchvision network of the sizes in @description (keys as in config.json)."""
    model = SwinTransformer(
        patch_size=[description["patch_size"]] * 2,
        embed_dim=description["embed_dim"],
        depths=description["depths"],
        num_heads=description["num_heads"],
        window_size=[description["window_size"]] * 2,
        mlp_ratio=description["mlp_ratio"],
        stochastic_depth_prob=0.0,
        num_classes=description["num_labels"],
    )
    return model.eval()


def make_config(description):
    config = {"model_type": "swin", "num_channels": 3, "hidden_act": "gelu", "layer_norm_eps": 1e-5}
    config.update(description)
    if "id2label" in config:
        del config["num_labels"]
    return config


# ---- Hugging Face's edge rules ----------------------------------------------------------------


class HuggingFaceAttention(nn.Module):
    """Shifted window attention with the edge rules of transformers' SwinLayer
    (set_shift_and_window_size, maybe_pad, get_attn_mask), over the weights of torchvision's module.

    When the shorter side of the map is no longer than the window, the window becomes that side and
    nothing shifts. transformers goes on to fail when the window really shrank, because the bias it
    looks up is still that of the configured window; here an offset between two tokens of the
    smaller window finds the entry of that same offset, which is the only sensible meaning.
    """

    def __init__(self, attention):
        super().__init__()
        self.attention = attention

    def forward(self, x):
        n, height, width, channels = x.shape
        table_window = self.attention.window_size[0]
        window, shift = table_window, self.attention.shift_size[0]
        if min(height, width) <= window:
            window, shift = min(height, width), 0
        padded_height = -(-height // window) * window
        padded_width = -(-width // window) * window
        padded = x.new_zeros(n, padded_height, padded_width, channels)
        padded[:, :height, :width] = x
        qkv = self.attention.qkv(padded)
        output = torch.zeros_like(padded)
        for top in range(0, padded_height, window):
            for left in range(0, padded_width, window):
                tokens = window_tokens(top, left, window, shift, padded_height, padded_width)
                bias = window_bias(self.attention, tokens, table_window, window, x.dtype)
                values = attend(qkv, tokens, bias, self.attention.num_heads)
                for i, token in enumerate(tokens):
                    output[:, token["y"], token["x"]] = values[:, i]
        return self.attention.proj(output)[:, :height, :width]


def window_tokens(top, left, window, shift, height, width):
    """The tokens of one window: where they lie in the map, and the region that they belong to."""
    tokens = []
    for dy in range(window):
        for dx in range(window):
            y, x = top + dy, left + dx  # in the rolled map
            tokens.append(
                {
                    "dy": dy,
                    "dx": dx,
                    "y": (y + shift) % height,
                    "x": (x + shift) % width,
                    # A token that came around an edge must not meet the ones that it came to.
                    "region": (shift > 0 and y >= height - shift, shift > 0 and x >= width - shift),
                }
            )
    return tokens


def window_bias(attention, tokens, table_window, window, dtype):
    """[heads, window^2, window^2]: the position bias of each pair, less 100 between regions."""
    side = 2 * table_window - 1
    rows = [
        [
            (a["dy"] - b["dy"] + table_window - 1) * side + a["dx"] - b["dx"] + table_window - 1
            for b in tokens
        ]
        for a in tokens
    ]
    bias = attention.relative_position_bias_table[torch.tensor(rows)].permute(2, 0, 1)
    mask = [[0.0 if a["region"] == b["region"] else -100.0 for b in tokens] for a in tokens]
    return bias + torch.tensor(mask, dtype=dtype)


def attend(qkv, tokens, bias, heads):
    """[N, tokens, C]: softmax(q k^T / sqrt(d) + bias) v for one window."""
    rows = [token["y"] for token in tokens]
    columns = [token["x"] for token in tokens]
    n, count = qkv.shape[0], len(tokens)
    q, k, v = (
        part.reshape(n, count, heads, -1).transpose(1, 2)
        for part in qkv[:, rows, columns].chunk(3, dim=-1)
    )
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]) + bias
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, count, -1)


def use_hugging_face_rules(model):
    for module in model.modules():
        if isinstance(getattr(module, "attn", None), ShiftedWindowAttention):
            module.attn = HuggingFaceAttention(module.attn)
    return model


# ---- What a network computes ------------------------------------------------------------------


def compute(model, pixels):
    """{"logits", "pooled", "stages.I"} of @pixels [N, 3, H, W] in the model's precision."""
    outputs = {}
    with torch.no_grad():
        x = model.features[0](pixels)
        layers = list(model.features)[1:]
        for i, layer in enumerate(layers):
            x = layer(x)
            # Stages and mergings alternate; the last stage has no merging.
            if i % 2 == 1 or i == len(layers) - 1:
                outputs[f"stages.{i // 2}"] = x
        pooled = model.norm(x).mean(dim=(1, 2))
        outputs["pooled"] = pooled
        outputs["logits"] = model.head(pooled)
        expected = model(pixels)
    assert torch.allclose(expected, outputs["logits"], rtol=1e-4, atol=1e-5)
    return outputs
