# SPDX-License-Identifier: LGPL-2.1-or-later
"""The cases of make.py, which explains their keys."""

import torch

SWIN = {"model_type": "swin", "patch_size": 2, "mlp_ratio": 4.0, "num_labels": 5, "images": 2}
SWIN_V2 = {**SWIN, "model_type": "swinv2"}
VIT = {**SWIN, "model_type": "vit", "patch_size": 4, "image_size": 16}
OLD = {"model_type": "swin", "mlp_ratio": 4.0, "drawn_by": "torchvision", "short_config": True}
ALL = ["hf", "timm", "microsoft", "torchvision"]

CASES = {
    # ---- Swin -----------------------------------------------------------------------------------
    # Windows, shifts and maps fit everywhere. Labels are out of order, as JSON may have them.
    "regular": {
        **OLD, "image_size": 32, "patch_size": 2, "window_size": 4, "embed_dim": 16,
        "depths": [2, 2], "num_heads": [2, 4], "num_labels": 5, "qkv_bias": True,
        "id2label": {"3": "delta", "0": "alpha", "4": "epsilon", "1": "beta", "2": "gamma"},
        "images": 3, "dialects": ALL, "buffers": True, "seed": 1,
        "resized": [
            {"name": "resized", "dialect": "timm", "image_size": 40, "window_size": 5},
        ],
    },
    # Maps of 28, 14 and 7 with the usual window of 7: the last stage has one window and no shift.
    "three-stages": {
        **OLD, "image_size": 56, "patch_size": 2, "window_size": 7, "embed_dim": 8,
        "depths": [2, 2, 2], "num_heads": [1, 2, 4], "num_labels": 10,
        "images": 2, "dialects": ["hf", "torchvision"], "seed": 2,
    },
    # Maps of 11 (padded to 14) and 6 (smaller than the window), merging of an odd map, head
    # dimensions of 6 and 12, and a hidden width that is no multiple of the channels.
    "odd-torchvision": {
        **OLD, "image_size": 33, "patch_size": 3, "window_size": 7, "embed_dim": 18,
        "depths": [2, 2], "num_heads": [3, 3], "mlp_ratio": 2.5, "num_labels": 10,
        "images": 2, "dialects": ["torchvision"], "seed": 3,
    },
    "odd-hf": {
        **OLD, "image_size": 33, "patch_size": 3, "window_size": 7, "embed_dim": 18,
        "depths": [2, 2], "num_heads": [3, 3], "mlp_ratio": 2.5, "num_labels": 10,
        "images": 2, "dialects": ["hf"], "clipped": True, "dtype": torch.float16, "seed": 4,
    },
    # Maps of 5 x 9 and 3 x 5 with a window of 5: one axis shifts and the other does not.
    "rectangle-torchvision": {
        **OLD, "image_size": [20, 36], "patch_size": 4, "window_size": 5, "embed_dim": 12,
        "depths": [2, 2], "num_heads": [2, 2], "mlp_ratio": 3.0, "num_labels": 3,
        "images": 2, "dialects": ["torchvision"], "seed": 5,
    },
    "rectangle-hf": {
        **OLD, "image_size": [20, 36], "patch_size": 4, "window_size": 5, "embed_dim": 12,
        "depths": [2, 2], "num_heads": [2, 2], "mlp_ratio": 3.0, "num_labels": 3,
        "images": 2, "dialects": ["hf"], "clipped": True, "dtype": torch.bfloat16, "seed": 6,
    },
    # Maps of 8, 4 and 2 with a window of 4: the last stage's window and bias table shrink.
    "clipped-square": {
        **SWIN, "image_size": 16, "window_size": 4, "embed_dim": 4, "depths": [2, 1, 2],
        "num_heads": [1, 2, 2], "dialects": ["timm", "microsoft"], "dtype": torch.float16,
        "seed": 7,
    },
    # The last pixels are cut off. Maps of 5 x 9, rolled before padding, and 3 x 5, where the window
    # of 4 shrinks on one axis and shifts on the other.
    "clipped-timm": {
        **SWIN, "image_size": [11, 19], "window_size": 4, "embed_dim": 6,
        "depths": [2, 2], "num_heads": [1, 2], "dialects": ["timm"], "seed": 8,
    },
    # The same in transformers, which fills up the last patches: maps of 6 x 10 and 3 x 5, padded. Its
    # epsilon is not that of patch norm and merging.
    "padded-hf": {
        **SWIN, "image_size": [11, 19], "window_size": 2, "embed_dim": 6, "depths": [2, 2],
        "num_heads": [1, 2], "qkv_bias": False, "layer_norm_eps": 0.01, "dialects": ["hf"],
        "seed": 9,
    },
    # Maps of 12, 6 (padded to 10) and 3.
    "window-per-stage": {
        **SWIN, "image_size": 24, "window_size": [2, 5, 3], "embed_dim": 4, "depths": [2, 2, 2],
        "num_heads": [1, 2, 2], "dialects": ["timm"], "dtype": torch.bfloat16, "seed": 10,
    },
    # Windows of 3 x 5 on maps of 5 x 9 and 3 x 5.
    "rectangular-window-timm": {
        **SWIN, "image_size": [10, 18], "window_size": [3, 5], "embed_dim": 6, "depths": [2, 2],
        "num_heads": [2, 3], "dialects": ["timm"], "seed": 11,
    },
    "rectangular-window-torchvision": {
        **SWIN, "image_size": [10, 18], "window_size": [3, 5], "embed_dim": 6, "depths": [2, 2],
        "num_heads": [2, 3], "drawn_by": "torchvision", "dialects": ["torchvision"], "seed": 12,
    },
    "position-embedding": {
        **SWIN, "image_size": 16, "window_size": 2, "embed_dim": 6, "depths": [2, 2],
        "num_heads": [2, 2], "use_absolute_embeddings": True,
        "dialects": ["hf", "microsoft"], "dtype": torch.float16, "seed": 13,
        "resized": [{"name": "resized", "dialect": "microsoft", "image_size": 24}],
    },
    # No patch norm, no biases of query, key and value.
    "bare": {
        **SWIN, "image_size": 12, "window_size": 3, "embed_dim": 8, "depths": [2, 2],
        "num_heads": [2, 2], "mlp_ratio": 2.5, "patch_norm": False, "qkv_bias": False,
        "dialects": ["microsoft"], "seed": 14,
    },
    # No head.
    "features": {
        **SWIN, "image_size": 12, "window_size": 3, "embed_dim": 6, "depths": [2, 1],
        "num_heads": [2, 2], "num_labels": 0, "dialects": ["hf", "timm", "microsoft"],
        "dtype": torch.float16, "seed": 15,
    },
    # ---- Swin V2 --------------------------------------------------------------------------------
    # transformers adds the mask twice, -200 in all. The seeds are such that it makes no difference:
    # with heads this small, cosines of 1 times 100 can come through a mask of -100.
    "v2-regular": {
        **SWIN_V2, "image_size": 16, "window_size": 2, "embed_dim": 4, "depths": [2, 2],
        "num_heads": [1, 1], "dialects": ALL, "buffers": True, "dtype": torch.float16, "seed": 41,
        "resized": [
            {"name": "resized", "dialect": "timm", "image_size": 24, "window_size": 3,
             "pretrained_window_sizes": [2, 2]},
        ],
    },
    # Maps of 8, 4 and 2 with a window of 4: the last stage's window shrinks.
    "v2-clipped-square": {
        **SWIN_V2, "image_size": 16, "window_size": 4, "embed_dim": 4, "depths": [1, 2, 1],
        "num_heads": [1, 1, 2], "dialects": ["hf", "timm", "microsoft"], "dtype": torch.bfloat16,
        "seed": 24,
    },
    # Windows of 6, trained as windows of 4 and 3.
    "v2-transfer": {
        **SWIN_V2, "image_size": 24, "window_size": 6, "embed_dim": 6, "depths": [2, 1],
        "num_heads": [1, 2], "pretrained_window_sizes": [4, 3],
        "dialects": ["hf", "timm", "microsoft"], "dtype": torch.float16,
        "seed": 21,
    },
    # Maps of 10 x 11 and 5 x 6; transformers decides about window and shift as if they were 9 x 10
    # and 4 x 5, by the height alone.
    "v2-odd-hf": {
        **SWIN_V2, "image_size": [19, 21], "window_size": 4, "embed_dim": 6,
        "depths": [2, 2], "num_heads": [1, 2], "dialects": ["hf"], "dtype": torch.float16,
        "seed": 21,
    },
    # A network whose result depends on how large the mask is: transformers adds it twice.
    "v2-mask-hf": {
        **SWIN_V2, "image_size": 16, "patch_size": 2, "window_size": 4, "embed_dim": 6,
        "depths": [2, 2], "num_heads": [3, 3], "dialects": ["hf"], "seed": 306,
    },
    # Maps of 5 x 9 and 3 x 5, taken for 5 x 9 and 2 x 4.
    "v2-small-hf": {
        **SWIN_V2, "image_size": [10, 18], "window_size": 4, "embed_dim": 6,
        "depths": [2, 2], "num_heads": [1, 2], "qkv_bias": False, "dialects": ["hf"],
        "dtype": torch.float16, "seed": 26,
    },
    # Maps of 5 x 9 and 3 x 5. Without biases, padded tokens have queries and keys of length 0.
    "v2-odd-timm": {
        **SWIN_V2, "image_size": [11, 19], "window_size": 4, "embed_dim": 6,
        "depths": [2, 2], "num_heads": [1, 2], "qkv_bias": False, "dialects": ["timm"],
        "dtype": torch.float16, "seed": 36,
    },
    "v2-odd-torchvision": {
        **SWIN_V2, "image_size": [11, 19], "window_size": 4, "embed_dim": 6,
        "depths": [2, 2], "num_heads": [1, 2], "dialects": ["torchvision"], "dtype": torch.float16,
        "seed": 35,
    },
    # ---- ViT ------------------------------------------------------------------------------------
    "vit": {
        **VIT, "embed_dim": 12, "depth": 2, "num_heads": 3, "dialects": ["hf", "timm"], "seed": 31,
        "resized": [
            {"name": "resized-hf", "dialect": "hf", "image_size": [12, 28]},
            {"name": "resized-timm", "dialect": "timm", "image_size": [12, 28]},
        ],
    },
    # The mean of all patches, then a norm, as encoders trained by MAE are fine-tuned. The last pixels
    # are cut off.
    "vit-mean": {
        **VIT, "image_size": [18, 29], "embed_dim": 12, "depth": 2, "num_heads": 2,
        "timm": {"global_pool": "avg"}, "dialects": ["timm"], "seed": 32,
    },
    # Registers, and positions of the patches alone.
    "vit-registers": {
        **VIT, "image_size": [20, 12], "embed_dim": 12, "depth": 2, "num_heads": 2,
        "timm": {"reg_tokens": 3, "no_embed_class": True}, "dialects": ["timm"], "seed": 33,
    },
    # Registers without a class token; no biases of query, key and value.
    "vit-mean-registers": {
        **VIT, "embed_dim": 12, "depth": 2, "num_heads": 2, "qkv_bias": False,
        "timm": {
            "reg_tokens": 2, "class_token": False, "no_embed_class": True, "global_pool": "avg",
        },
        "dialects": ["timm"], "seed": 34,
    },
    # No prefix tokens at all, and the norm before pooling.
    "vit-patches": {
        **VIT, "image_size": [12, 20], "embed_dim": 12, "depth": 2, "num_heads": 2,
        "timm": {"class_token": False, "global_pool": "avg", "fc_norm": False},
        "dialects": ["timm"], "seed": 35,
    },
    # The tanh form of GELU, as taggers of drawings have it.
    "vit-tanh-gelu": {
        **VIT, "embed_dim": 12, "depth": 2, "num_heads": 3,
        "timm": {"act_layer": "gelu_tanh"}, "dialects": ["timm"], "seed": 40,
    },
    # LayerScale, with a register as DINOv2 has them.
    "vit-layer-scale": {
        **VIT, "image_size": [12, 20], "embed_dim": 12, "depth": 2, "num_heads": 2,
        "timm": {"init_values": 1e-5, "reg_tokens": 1, "no_embed_class": True},
        "dialects": ["timm"], "seed": 39,
    },
    "vit-features": {
        **VIT, "embed_dim": 12, "depth": 2, "num_heads": 2, "num_labels": 0,
        "dialects": ["timm"], "seed": 36,
    },
    # Two heads, whose logits are averaged.
    "deit": {
        **VIT, "model_type": "deit", "embed_dim": 12, "depth": 2, "num_heads": 3,
        "dialects": ["hf", "timm"], "seed": 37,
        "resized": [{"name": "resized-timm", "dialect": "timm", "image_size": [24, 20]}],
    },
    "deit-single-head": {
        **VIT, "model_type": "deit", "embed_dim": 12, "depth": 2, "num_heads": 2,
        "single_head": True, "dialects": ["hf"], "seed": 38,
    },
}  # fmt: skip
