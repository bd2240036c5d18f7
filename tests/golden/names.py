# SPDX-License-Identifier: LGPL-2.1-or-later
"""The names that publishers give to the tensors of a network, as renamings of {name: tensor} from and
to those of timm (0.9 and later).
"""

import re

import torch

# timm's name in a block, and that of transformers.
HUGGING_FACE_BLOCK = [
    ("norm1", "layernorm_before"),
    ("norm2", "layernorm_after"),
    ("attn.proj", "attention.output.dense"),
    ("attn.relative_position_bias_table", "attention.self.relative_position_bias_table"),
    ("attn.relative_position_index", "attention.self.relative_position_index"),
    ("attn.logit_scale", "attention.self.logit_scale"),
    ("attn.cpb_mlp", "attention.self.continuous_position_bias_mlp"),
    ("attn.q_bias", "attention.self.query.bias"),
    ("attn.v_bias", "attention.self.value.bias"),
    ("attn.qkv", "attention.self.{query,key,value}"),
    ("mlp.fc1", "intermediate.dense"),
    ("mlp.fc2", "output.dense"),
]

HUGGING_FACE_SWIN = [
    ("patch_embed.proj", "embeddings.patch_embeddings.projection"),
    ("patch_embed.norm", "embeddings.norm"),
    ("absolute_pos_embed", "embeddings.position_embeddings"),
    ("norm", "layernorm"),
]

HUGGING_FACE_VIT = [
    ("patch_embed.proj", "embeddings.patch_embeddings.projection"),
    ("cls_token", "embeddings.cls_token"),
    ("dist_token", "embeddings.distillation_token"),
    ("pos_embed", "embeddings.position_embeddings"),
    ("norm", "layernorm"),
]


def replace_start(name, table):
    """@name with the first entry of @table that it is, or is a part of, replaced; or None."""
    for old, new in table:
        if name == old or name.startswith(old + "."):
            return new + name[len(old) :]
    return None


def split_qkv(name, tensor):
    """{name: tensor} of "PREFIX{query,key,value}SUFFIX"."""
    before, after = name.split("{query,key,value}")
    thirds = zip(("query", "key", "value"), tensor.chunk(3))
    return {before + part + after: third for part, third in thirds}


def to_hugging_face_swin(state, prefix):
    """@prefix: before all names but the head's: "swin.", "swinv2." or "" for a model without a head."""
    renamed = {}
    for name, tensor in state.items():
        block = re.fullmatch(r"layers\.(\d+)\.blocks\.(\d+)\.(.+)", name)
        merging = re.fullmatch(r"layers\.(\d+)\.downsample\.(.+)", name)
        if name.startswith("head.fc."):
            renamed["classifier." + name[len("head.fc.") :]] = tensor
            continue
        if block:
            stage, number, rest = block.groups()
            new = f"encoder.layers.{stage}.blocks.{number}."
            new += replace_start(rest, HUGGING_FACE_BLOCK)
        elif merging:
            new = f"encoder.layers.{int(merging[1]) - 1}.downsample.{merging[2]}"
        else:
            new = replace_start(name, HUGGING_FACE_SWIN)
        new = prefix + new
        renamed.update(split_qkv(new, tensor) if "{" in new else {new: tensor})
    return renamed


def to_hugging_face_vit(state, prefix):
    """@prefix: "vit." or "deit."."""
    heads = [("head", "classifier"), ("head_dist", "distillation_classifier")]
    if "head_dist.weight" in state:
        heads[0] = ("head", "cls_classifier")
    renamed = {}
    for name, tensor in state.items():
        block = re.fullmatch(r"blocks\.(\d+)\.(.+)", name)
        head = replace_start(name, heads)
        if head:
            renamed[head] = tensor
            continue
        if block:
            rest = replace_start(block[2], HUGGING_FACE_BLOCK)
            # ViT's attention proper goes by another name than Swin's.
            rest = rest.replace("attention.self.", "attention.attention.")
            new = f"encoder.layer.{block[1]}.{rest}"
        else:
            new = replace_start(name, HUGGING_FACE_VIT)
        new = prefix + new
        renamed.update(split_qkv(new, tensor) if "{" in new else {new: tensor})
    return renamed


def to_microsoft(state):
    """Microsoft's names, which timm had too before 0.9: merging belongs to the stage before it."""
    renamed = {}
    for name, tensor in state.items():
        merging = re.fullmatch(r"layers\.(\d+)\.downsample\.(.+)", name)
        if merging:
            name = f"layers.{int(merging[1]) - 1}.downsample.{merging[2]}"
        elif name.startswith("head.fc."):
            name = "head." + name[len("head.fc.") :]
        renamed[name] = tensor
    return renamed


TORCHVISION_BLOCK = [("mlp.fc1", "mlp.0"), ("mlp.fc2", "mlp.3")]


def to_torchvision(state):
    """Swin V2 gets fused biases, whose third for the keys torchvision ignores: here it is no zero."""
    renamed = {}
    for name, tensor in state.items():
        block = re.fullmatch(r"layers\.(\d+)\.blocks\.(\d+)\.(.+)", name)
        merging = re.fullmatch(r"layers\.(\d+)\.downsample\.(.+)", name)
        if block:
            stage, number, rest = block.groups()
            rest = replace_start(rest, TORCHVISION_BLOCK) or rest
            name = f"features.{2 * int(stage) + 1}.{number}.{rest}"
        elif merging:
            name = f"features.{2 * int(merging[1])}.{merging[2]}"
        elif name.startswith("patch_embed."):
            name = name.replace("patch_embed.proj", "features.0.0")
            name = name.replace("patch_embed.norm", "features.0.2")
        elif name.startswith("head.fc."):
            name = "head." + name[len("head.fc.") :]
        renamed[name] = tensor
    for name in [name for name in renamed if name.endswith("q_bias")]:
        query, value = renamed.pop(name), renamed.pop(name.replace("q_bias", "v_bias"))
        fused = torch.cat((query, torch.full_like(query, 0.75), value))
        renamed[name.replace("q_bias", "qkv.bias")] = fused
    return renamed


def from_torchvision(state):
    """The first generation only."""
    renamed = {}
    for name, tensor in state.items():
        parts = name.split(".")
        if name.startswith("features.0."):
            new = ("patch_embed.proj." if parts[2] == "0" else "patch_embed.norm.") + parts[3]
        elif parts[0] == "features" and int(parts[1]) % 2 == 0:
            new = f"layers.{int(parts[1]) // 2}.downsample." + ".".join(parts[2:])
        elif parts[0] == "features":
            rest = ".".join(parts[3:])
            rest = replace_start(rest, [(new, old) for old, new in TORCHVISION_BLOCK]) or rest
            new = f"layers.{int(parts[1]) // 2}.blocks.{parts[2]}.{rest}"
        else:
            new = name.replace("head.", "head.fc.")
        renamed[new] = tensor
    return renamed
