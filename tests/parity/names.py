# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tensors of a network under the names of each publisher, out of those of timm.

Written from the sources of the libraries, and not from the table in core/model, which it tests.
"""

import torch

SWIN_BLOCK = {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "attn.proj": "attention.output.dense",
    "attn.relative_position_bias_table": "attention.self.relative_position_bias_table",
    "attn.logit_scale": "attention.self.logit_scale",
    "attn.cpb_mlp": "attention.self.continuous_position_bias_mlp",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}
VIT_BLOCK = {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "attn.proj": "attention.output.dense",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}
VIT_OUTSIDE = {
    "cls_token": "embeddings.cls_token",
    "dist_token": "embeddings.distillation_token",
    "pos_embed": "embeddings.position_embeddings",
    "patch_embed.proj": "embeddings.patch_embeddings.projection",
    "norm": "layernorm",
}


def replace_start(name, table):
    """@name with the first of the keys that it starts with replaced, or None."""
    for old, new in table.items():
        if name == old or name.startswith(old + "."):
            return new + name[len(old) :]
    return None


def split_qkv(block, inside, tensor, attention):
    """query, key and value of a fused tensor."""
    kind = inside.rsplit(".", 1)[1]
    return {
        f"{block}{attention}.{part}.{kind}": third.clone()
        for part, third in zip(("query", "key", "value"), tensor.chunk(3))
    }


def swin_to_transformers(state, family):
    renamed = {}
    for name, tensor in state.items():
        parts = name.split(".")
        if parts[0] == "head":
            renamed["classifier." + parts[-1]] = tensor
        elif parts[0] == "norm":
            renamed[f"{family}.layernorm.{parts[1]}"] = tensor
        elif parts[0] == "patch_embed":
            inside = {"proj": "patch_embeddings.projection", "norm": "norm"}[parts[1]]
            renamed[f"{family}.embeddings.{inside}.{parts[2]}"] = tensor
        elif parts[2] == "downsample":
            # timm has the merging at the start of the next stage.
            stage = int(parts[1]) - 1
            renamed[f"{family}.encoder.layers.{stage}." + ".".join(parts[2:])] = tensor
        else:
            block = f"{family}.encoder.layers.{parts[1]}.blocks.{parts[3]}."
            renamed.update(block_to_transformers(block, ".".join(parts[4:]), tensor, SWIN_BLOCK))
    return renamed


def block_to_transformers(block, inside, tensor, table, attention="attention.self"):
    if inside.startswith("attn.qkv."):
        return split_qkv(block, inside, tensor, attention)
    if inside in ("attn.q_bias", "attn.v_bias"):
        part = {"q": "query", "v": "value"}[inside[5]]
        return {f"{block}{attention}.{part}.bias": tensor}
    return {block + replace_start(inside, table): tensor}


def vit_to_transformers(state, distilled):
    prefix = "deit." if distilled else "vit."
    heads = {"head": "classifier"}
    if distilled:
        heads = {"head_dist": "distillation_classifier", "head": "cls_classifier"}
    renamed = {}
    for name, tensor in state.items():
        parts = name.split(".")
        if parts[0] == "blocks":
            block = f"{prefix}encoder.layer.{parts[1]}."
            inside = ".".join(parts[2:])
            renamed.update(block_to_transformers(block, inside, tensor, VIT_BLOCK, "attention.attention"))
        elif replace_start(name, heads):
            renamed[replace_start(name, heads)] = tensor
        else:
            renamed[prefix + replace_start(name, VIT_OUTSIDE)] = tensor
    return renamed


def to_transformers(state, case):
    if case["family"] == "vit":
        return vit_to_transformers(state, case["distilled"])
    return swin_to_transformers(state, case["family"])


# In this order: what is left of "output.dense" after the third is the MLP's.
NEWEST = {
    ".attention.attention.": ".attention.self.",
    ".attention.self.relative_position_bias_table": (
        ".attention.relative_position_bias.relative_position_bias_table"
    ),
    ".attention.output.dense.": ".attention.o_proj.",
    ".attention.self.query.": ".attention.q_proj.",
    ".attention.self.key.": ".attention.k_proj.",
    ".attention.self.value.": ".attention.v_proj.",
    ".intermediate.dense.": ".mlp.fc1.",
    ".output.dense.": ".mlp.fc2.",
    "vit.encoder.layer.": "vit.layers.",
}


def to_newest_transformers(state):
    """What modeling_swin.py and modeling_vit.py of transformers 5 call the tensors of 4."""
    renamed = {}
    for name, tensor in state.items():
        for old, new in NEWEST.items():
            name = name.replace(old, new)
        if not name.endswith("relative_position_index"):
            renamed[name] = tensor
    return renamed


def to_torchvision(state, case):
    renamed = {}
    for name, tensor in state.items():
        parts = name.split(".")
        if parts[0] == "head":
            renamed["head." + parts[-1]] = tensor
        elif parts[0] == "norm":
            renamed[name] = tensor
        elif parts[0] == "patch_embed":
            renamed[f"features.0.{'0' if parts[1] == 'proj' else '2'}.{parts[2]}"] = tensor
        elif parts[2] == "downsample":
            renamed[f"features.{2 * int(parts[1])}." + ".".join(parts[3:])] = tensor
        else:
            inside = ".".join(parts[4:])
            inside = replace_start(inside, {"mlp.fc1": "mlp.0", "mlp.fc2": "mlp.3"}) or inside
            renamed[f"features.{2 * int(parts[1]) + 1}.{parts[3]}.{inside}"] = tensor
    for name in [name for name in renamed if name.endswith(".q_bias")]:
        stem = name[: -len("q_bias")]
        q, v = renamed.pop(name), renamed.pop(stem + "v_bias")
        # torchvision stores a bias of the key and ignores it.
        renamed[stem + "qkv.bias"] = torch.cat([q, torch.full_like(q, 0.3), v])
    return renamed


def to_microsoft(model):
    """The state that microsoft/Swin-Transformer saves, with its buffers; @model is timm's."""
    renamed = {}
    for name, tensor in model.state_dict().items():
        parts = name.split(".")
        if parts[0] == "head":
            name = "head." + parts[-1]
        elif parts[0] == "layers" and parts[2] == "downsample":
            name = ".".join(["layers", str(int(parts[1]) - 1), *parts[2:]])
        # Of networks.PositionsAfter.
        name = name.replace("patch_embed.absolute_pos_embed", "absolute_pos_embed")
        renamed[name.replace("patch_embed.embed.", "patch_embed.")] = tensor
    kept = ("relative_position_index", "relative_coords_table", "attn_mask")
    for name, buffer in model.named_buffers():
        if name.endswith(kept):
            renamed[name] = buffer
    return renamed
