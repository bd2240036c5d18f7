# SPDX-License-Identifier: LGPL-2.1-or-later
"""Networks written as their libraries write them, and one network turned into those of others."""

import json

import safetensors.torch
import timm
import torch

import names
import networks

# Whose code computes what is written under other names.
CODE = {"microsoft": "timm", "transformers 5": "transformers"}
BUFFERS = ("relative_position_index", "relative_coords_table", "attn_mask")


def translate(source, case, dialect):
    """A network whose code computes @dialect, with the weights of @source, which is timm's."""
    library = CODE.get(dialect, dialect)
    if library == "timm":
        return source
    model = networks.make(case, library)
    turn = {"transformers": names.to_transformers, "torchvision": names.to_torchvision}[library]
    left = model.load_state_dict(turn(source.state_dict(), case), strict=False)
    missing = [name for name in left.missing_keys if not name.endswith(BUFFERS)]
    assert not missing and not left.unexpected_keys, (missing, left.unexpected_keys)
    return model


def description(case):
    """What a config.json of transformers says, for weights of libraries that write none."""
    height, width = case["image"]
    return {
        "model_type": case["family"],
        "image_size": height if height == width else [height, width],
        "patch_size": case["patch"],
        "embed_dim": case["width"],
        "depths": case["depths"],
        "num_heads": case["heads"],
        "window_size": case["window"],
        "pretrained_window_sizes": case["pretrained_windows"] or [0] * len(case["depths"]),
        "mlp_ratio": case["mlp_ratio"],
        "qkv_bias": case["qkv_bias"],
        "patch_norm": case["patch_norm"],
        "use_absolute_embeddings": case["absolute_positions"],
        "layer_norm_eps": case["layer_norm_epsilon"],
        "num_labels": case["classes"],
    }


def write_plain(state, case, folder):
    """A published state is written alone: names and shapes tell what it is."""
    folder.mkdir()
    state = {name: tensor.contiguous() for name, tensor in state.items()}
    safetensors.torch.save_file(state, folder / "model.safetensors")
    if case["small"]:
        (folder / "config.json").write_text(json.dumps(description(case)))


def save(model, case, dialect, folder):
    """Writes @model, a network of the library in CODE, into @folder as @dialect does."""
    if dialect.startswith("transformers"):
        model.save_pretrained(folder, safe_serialization=True)
        if dialect == "transformers 5":
            state = names.to_newest_transformers(model.state_dict())
            safetensors.torch.save_file(state, folder / "model.safetensors")
    elif dialect == "timm":
        timm.models.save_for_hf(model, folder, safe_serialization=True)
    elif dialect == "torchvision":
        write_plain(model.state_dict(), case, folder)
    else:
        write_plain(names.to_microsoft(model), case, folder)


def save_half(model, case, dialect, folder):
    """The same with the weights rounded to float16; @model stays as it is."""
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    save(model.half(), case, dialect, folder)
    model.float().load_state_dict(state)


def read(path):
    return safetensors.torch.load_file(path)


def write_input(pixels, path):
    safetensors.torch.save_file({"input": pixels.contiguous()}, path)


def same_bits(a, b):
    return a.keys() == b.keys() and all(
        a[name].shape == b[name].shape and torch.equal(a[name].view(torch.int32), b[name].view(torch.int32))
        for name in a
    )
