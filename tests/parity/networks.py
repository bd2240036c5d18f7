# SPDX-License-Identifier: LGPL-2.1-or-later
"""Networks of timm, transformers and torchvision, with every parameter drawn at random."""

import math

import timm
import torch
import transformers
from torch import nn
from torchvision.models import swin_transformer as torchvision_swin


def make_timm(case):
    options = {"num_classes": case["classes"]}
    if case["small"]:
        options.update(
            img_size=case["image"],
            patch_size=case["patch"],
            embed_dim=case["width"],
            mlp_ratio=case["mlp_ratio"],
            qkv_bias=case["qkv_bias"],
        )
        if case["family"] == "vit":
            options.update(depth=case["depths"][0], num_heads=case["heads"][0])
        else:
            options.update(
                window_size=case["window"], depths=case["depths"], num_heads=case["heads"]
            )
        if case["pretrained_windows"]:
            options["pretrained_window_sizes"] = case["pretrained_windows"]
    if case["average_pool"]:
        options["global_pool"] = "avg"
    return timm.create_model(case["timm"], pretrained=False, **options)


def make_transformers(case):
    height, width = case["image"]
    options = {
        "image_size": height if height == width else [height, width],
        "patch_size": case["patch"],
        "qkv_bias": case["qkv_bias"],
        "num_labels": case["classes"],
        "layer_norm_eps": case["layer_norm_epsilon"],
    }
    if case["family"] == "vit":
        options.update(
            hidden_size=case["width"],
            num_hidden_layers=case["depths"][0],
            num_attention_heads=case["heads"][0],
            intermediate_size=int(case["width"] * case["mlp_ratio"]),
        )
        if case["distilled"]:
            config = transformers.DeiTConfig(**options)
            return transformers.DeiTForImageClassificationWithTeacher(config)
        return transformers.ViTForImageClassification(transformers.ViTConfig(**options))
    options.update(
        embed_dim=case["width"],
        depths=list(case["depths"]),
        num_heads=list(case["heads"]),
        window_size=case["window"],
        mlp_ratio=case["mlp_ratio"],
    )
    if case["family"] == "swin":
        return transformers.SwinForImageClassification(transformers.SwinConfig(**options))
    options["pretrained_window_sizes"] = list(case["pretrained_windows"] or [0] * len(case["depths"]))
    return transformers.Swinv2ForImageClassification(transformers.Swinv2Config(**options))


def make_torchvision(case):
    if "torchvision" in case:
        return getattr(torchvision_swin, case["torchvision"])(num_classes=case["classes"])
    second = case["family"] == "swinv2"
    return torchvision_swin.SwinTransformer(
        patch_size=[case["patch"]] * 2,
        embed_dim=case["width"],
        depths=list(case["depths"]),
        num_heads=list(case["heads"]),
        window_size=[case["window"]] * 2,
        mlp_ratio=case["mlp_ratio"],
        num_classes=case["classes"],
        block=torchvision_swin.SwinTransformerBlockV2 if second else torchvision_swin.SwinTransformerBlock,
        downsample_layer=torchvision_swin.PatchMergingV2 if second else torchvision_swin.PatchMerging,
    )


class PositionsAfter(nn.Module):
    """A patch embedding, and Microsoft's absolute position embedding [1, tokens, C] added to it."""

    def __init__(self, embed, height, width, channels):
        super().__init__()
        self.embed = embed
        self.shape = (height, width, channels)
        self.absolute_pos_embed = nn.Parameter(torch.zeros(1, height * width, channels))

    def forward(self, x):
        return self.embed(x) + self.absolute_pos_embed.view(1, *self.shape)


def make_microsoft(case):
    """Microsoft's code is no package, so timm's stands in for it, with the options that it left out."""
    model = make_timm(case)
    if not case["patch_norm"]:
        model.patch_embed.norm = nn.Identity()
    if case["absolute_positions"]:
        height, width = (side // case["patch"] for side in case["image"])
        model.patch_embed = PositionsAfter(model.patch_embed, height, width, case["width"])
    return model


MAKERS = {
    "timm": make_timm,
    "transformers": make_transformers,
    "torchvision": make_torchvision,
    "microsoft": make_microsoft,
}


def make(case, library):
    """A network of @library, in evaluation mode."""
    return MAKERS[library](case).eval()


def drawn(module, name, parameter, generator):
    """Random values for one parameter, with a spread that keeps activations near 1."""
    noise = torch.randn(parameter.shape, generator=generator)
    if name == "relative_position_bias_table":
        return 0.5 * noise  # comparable to the scores, which have a spread of about 1
    if name == "logit_scale":
        values = math.log(10) + noise
        values.view(-1)[0] = math.log(100) + 1  # above the clamp
        return values
    if isinstance(module, nn.LayerNorm):
        return 1 + 0.2 * noise if name == "weight" else 0.2 * noise
    if isinstance(module, (nn.Linear, nn.Conv2d)) and name == "weight":
        return noise / math.sqrt(parameter[0].numel())
    return 0.2 * noise


def draw(model, seed):
    """Draws every parameter of @model, so that none stays at the zero or one it is created with."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                parameter.copy_(drawn(module, name, parameter, generator))


# ---- Another input size ---------------------------------------------------------------------------


def resize_table(table, rows):
    """A relative position bias table [(2M-1)^2, heads] as load_pretrained() in utils.py of
    microsoft/Swin-Transformer resizes it."""
    old, new = math.isqrt(table.shape[0]), math.isqrt(rows)
    square = table.T.reshape(1, -1, old, old)
    resized = nn.functional.interpolate(square, size=(new, new), mode="bicubic")
    return resized.reshape(-1, rows).T


def resize_positions(positions, case, antialias):
    """A position embedding [1, 1 + tokens, C] as timm's resample_abs_pos_embed() and the newest
    interpolate_pos_encoding() of transformers do."""
    channels = positions.shape[2]
    size = tuple(side // case["patch"] for side in case["image"])
    old = math.isqrt(positions.shape[1] - 1)
    square = positions[:, 1:].reshape(1, old, old, channels).permute(0, 3, 1, 2)
    resized = nn.functional.interpolate(
        square, size=size, mode="bicubic", align_corners=False, antialias=antialias
    )
    rest = resized.permute(0, 2, 3, 1).reshape(1, -1, channels)
    return torch.cat([positions[:, :1], rest], dim=1)


def resize(trained, case, library):
    """A network for @case with the weights of @trained, which is of another size."""
    model = make(case, library)
    wanted = model.state_dict()
    state = {}
    for name, tensor in trained.state_dict().items():
        if name.endswith("relative_position_bias_table"):
            tensor = resize_table(tensor, wanted[name].shape[0])
        elif name.endswith(("pos_embed", "position_embeddings")):
            tensor = resize_positions(tensor, case, antialias=library == "timm")
        elif tensor.shape != wanted[name].shape or not tensor.is_floating_point():
            continue  # a buffer
        state[name] = tensor
    model.load_state_dict(state, strict=False)
    return model
