# SPDX-License-Identifier: LGPL-2.1-or-later
"""The networks that are compared, as data.

A case is {
  "family": "swin", "swinv2" or "vit",
  "image": (height, width), "patch", "width" (of the first stage), "depths", "heads", "mlp_ratio",
  "classes", Swin: "window" (one number, or one a stage) and "pretrained_windows",
  "timm": the name of the architecture in timm, "torchvision": the one in torchvision, if it has one,
  "libraries": whose code computes it,
  "trained": fields that were others when it was trained,
  "small": not published: built out of these fields, and saved with a config.json by every library,
  "identical": the dialects whose edge rules coincide on it, so that all bits must be the same,
}. What is left out has the value in COMMON.
"""

COMMON = {
    "family": "swin",
    "patch": 4,
    "mlp_ratio": 4.0,
    "qkv_bias": True,
    "patch_norm": True,
    "absolute_positions": False,
    "distilled": False,
    "average_pool": False,
    "classes": 1000,
    "layer_norm_epsilon": 1e-5,
    "pretrained_windows": None,
    "small": False,
    "trained": None,
    "identical": (),
    "libraries": ("timm", "transformers"),
}

SIZES = {
    "tiny": {"width": 96, "depths": (2, 2, 6, 2), "heads": (3, 6, 12, 24)},
    "small": {"width": 96, "depths": (2, 2, 18, 2), "heads": (3, 6, 12, 24)},
    "base": {"width": 128, "depths": (2, 2, 18, 2), "heads": (4, 8, 16, 32)},
    "large": {"width": 192, "depths": (2, 2, 18, 2), "heads": (6, 12, 24, 48)},
}

EVERYBODY = ("timm", "transformers", "torchvision", "microsoft")
# transformers 5 has new names for V1 and ViT.
NEWEST = ("transformers 5",)
# Where a window is larger than a map, torchvision pads the map and the others shrink the window.
WITHOUT_TORCHVISION = ("timm", "transformers", "microsoft")


def swin(size, window, image, torchvision=None):
    case = {
        **SIZES[size],
        "window": window,
        "image": (image, image),
        "timm": f"swin_{size}_patch4_window{window}_{image}",
        "identical": EVERYBODY + NEWEST,
    }
    if torchvision:
        case["torchvision"] = torchvision
        case["libraries"] = ("timm", "transformers", "torchvision")
    return case


def swin_v2(size, window, image, torchvision=None, timm=None, pretrained_windows=None):
    return {
        **swin(size, window, image, torchvision),
        "family": "swinv2",
        "timm": timm or f"swinv2_{size}_window{window}_{image}",
        "pretrained_windows": pretrained_windows,
        "identical": WITHOUT_TORCHVISION if image // 32 < window else EVERYBODY,
    }


def vit(size, timm, **more):
    width = {"tiny": 192, "small": 384, "base": 768}[size]
    return {
        "family": "vit",
        "image": (224, 224),
        "patch": 16,
        "width": width,
        "depths": (12,),
        "heads": (width // 64,),
        "layer_norm_epsilon": 1e-6,
        "timm": timm,
        "identical": ("timm", "transformers") + NEWEST,
        **more,
    }


# As published, by the names of `swin info` where it has one.
PUBLISHED = {
    "swin_t": swin("tiny", 7, 224, "swin_t"),
    "swin_s": swin("small", 7, 224, "swin_s"),
    "swin_b": swin("base", 7, 224, "swin_b"),
    "swin_b_384": swin("base", 12, 384),
    "swin_l": swin("large", 7, 224),
    "swin_l_384": swin("large", 12, 384),
    "swin_s3_t": {
        **swin("tiny", (7, 7, 14, 7), 224),
        "timm": "swin_s3_tiny_224", "libraries": ("timm",), "identical": ("timm",),
    },  # fmt: skip
    "swin_v2_t": swin_v2("tiny", 8, 256, "swin_v2_t"),
    "swin_v2_s": swin_v2("small", 8, 256, "swin_v2_s"),
    "swin_v2_b": swin_v2("base", 8, 256, "swin_v2_b"),
    "swin_v2_t_window16": swin_v2("tiny", 16, 256),
    "swin_v2_s_window16": swin_v2("small", 16, 256),
    "swin_v2_b_window16": swin_v2("base", 16, 256),
    "swin_v2_b_192": swin_v2("base", 12, 192),
    "swin_v2_b_256": swin_v2(
        "base", 16, 256,
        timm="swinv2_base_window12to16_192to256", pretrained_windows=(12, 12, 12, 6),
    ),
    "swin_v2_b_384": swin_v2(
        "base", 24, 384,
        timm="swinv2_base_window12to24_192to384", pretrained_windows=(12, 12, 12, 6),
    ),
    "swin_v2_l_192": swin_v2("large", 12, 192),
    "vit_tiny": vit("tiny", "vit_tiny_patch16_224"),
    "vit_small": vit("small", "vit_small_patch16_224"),
    "vit_base": vit("base", "vit_base_patch16_224"),
    "vit_base_mae": vit(
        "base", "vit_base_patch16_224.mae", average_pool=True,
        libraries=("timm",), identical=("timm",),
    ),
    "deit_tiny": vit("tiny", "deit_tiny_patch16_224"),
    "deit_base_distilled": vit(
        "base", "deit_base_distilled_patch16_224", distilled=True, identical=("timm", "transformers"),
    ),
}  # fmt: skip

# Wide enough that the norms after V2's attention do not magnify rounding.
SMALL = {"width": 48, "depths": (2, 2), "heads": (2, 4), "classes": 7, "small": True}
V2 = {"family": "swinv2"}

# Where the families differ: small maps, rectangles, padding, and options of configs. The numbers in
# the names are maps in tokens.
EDGES = {
    # 9 x 13 of window 5: padded, rolled, and merged though odd.
    "padding_9x13": {**SMALL, "image": (36, 52), "window": 5},
    # 10 x 20 of window 5, then 5 x 10: one axis has one window, the other several.
    "rectangle_10x20": {**SMALL, "image": (40, 80), "window": 5},
    "rectangle_20x10": {**SMALL, "image": (80, 40), "window": 5},
    # 5 x 9, then 3 x 5, where HF's code for V1 fails, as it does with every map below the window.
    "rectangle_5x9": {**SMALL, "image": (20, 36), "window": 5, "libraries": ("timm", "torchvision")},
    "rectangle_9x5": {**SMALL, "image": (36, 20), "window": 5, "libraries": ("timm", "torchvision")},
    # 8, then 4 of window 8: as large as the map, then larger.
    "small_8x8": {**SMALL, "image": (32, 32), "window": 8, "libraries": ("timm", "torchvision")},
    # Each axis by itself is smaller than, as large as, or larger than the window.
    "small_4x11": {**SMALL, "image": (16, 44), "window": 6, "libraries": ("timm", "torchvision")},
    # 11 x 11 of window 7 with three stages: 11, 6, 3.
    "odd_11x11": {
        **SMALL, "image": (44, 44), "window": 7, "depths": (2, 2, 1), "heads": (1, 2, 8),
        "libraries": ("timm", "torchvision"),
    },
    # An image that is no whole number of patches.
    "cut_patches": {**SMALL, "image": (35, 38), "window": 4, "libraries": ("transformers", "torchvision")},
    # Options that public configs have.
    "patch_2": {**SMALL, "image": (24, 24), "patch": 2, "window": 6, "mlp_ratio": 2.5},
    "no_qkv_bias": {
        **SMALL, "image": (32, 32), "window": 4, "qkv_bias": False, "libraries": ("timm", "transformers"),
    },
    "no_patch_norm": {
        **SMALL, "image": (32, 32), "window": 4, "patch_norm": False, "libraries": ("microsoft",),
    },
    # On narrower maps timm, whose code stands in for Microsoft's, decides on each axis by itself.
    "absolute_positions": {
        **SMALL, "image": (64, 96), "window": 4, "absolute_positions": True, "libraries": ("microsoft",),
    },
    "window_per_stage": {**SMALL, "image": (48, 48), "window": (4, 6), "libraries": ("timm",)},
    "features_only": {
        **SMALL, "image": (32, 32), "window": 4, "classes": 0, "libraries": ("timm", "transformers"),
    },
    "v2_padding_9x13": {**SMALL, **V2, "image": (36, 52), "window": 5},
    "v2_rectangle_10x20": {**SMALL, **V2, "image": (40, 80), "window": 5},
    "v2_rectangle_5x9": {**SMALL, **V2, "image": (20, 36), "window": 5},
    "v2_rectangle_9x5": {**SMALL, **V2, "image": (36, 20), "window": 5},
    "v2_small_8x8": {**SMALL, **V2, "image": (32, 32), "window": 8},
    "v2_small_4x11": {**SMALL, **V2, "image": (16, 44), "window": 6},
    "v2_odd_11x11": {
        **SMALL, **V2, "image": (44, 44), "window": 7, "depths": (2, 2, 1), "heads": (1, 2, 8),
    },
    # 1 x 2: a side with a single coordinate.
    "v2_window_1": {
        **SMALL, **V2, "image": (4, 8), "window": 2, "libraries": ("timm", "torchvision"),
    },
    "v2_pretrained": {
        **SMALL, **V2, "image": (32, 32), "window": 4, "pretrained_windows": (6, 3),
        "libraries": ("timm", "transformers"),
    },
    "v2_no_qkv_bias": {
        **SMALL, **V2, "image": (32, 32), "window": 4, "qkv_bias": False,
        "libraries": ("timm", "transformers"),
    },
    "v2_absolute_positions": {
        **SMALL, **V2, "image": (64, 96), "window": 4, "absolute_positions": True,
        "libraries": ("microsoft",),
    },
    "v2_features_only": {
        **SMALL, **V2, "image": (32, 32), "window": 4, "classes": 0, "libraries": ("timm", "transformers"),
    },
}  # fmt: skip

# Run at another size than they were trained at: "trained" has what was different then. V1 resizes its
# tables bicubically, as Microsoft's loader does; V2 scales its coordinates by the window that it was
# trained with; ViT resizes its position embedding, in timm with antialiasing.
VIT = {"family": "vit", "width": 16, "depths": (2,), "heads": (2,), "layer_norm_epsilon": 1e-6}
RESIZED = {
    "resized_window": {
        **SMALL, "image": (48, 48), "window": 6, "trained": {"image": (32, 32), "window": 4},
    },
    "resized_image": {**SMALL, "image": (40, 56), "window": 4, "trained": {"image": (32, 32)}},
    "v2_resized_window": {
        **SMALL, **V2, "image": (48, 48), "window": 6, "pretrained_windows": (4, 4),
        "trained": {"image": (32, 32), "window": 4, "pretrained_windows": None},
        "libraries": ("timm", "transformers"),
    },
    "v2_resized_image": {**SMALL, **V2, "image": (40, 56), "window": 4, "trained": {"image": (32, 32)}},
    "vit_resized_image": {
        **SMALL, **VIT, "image": (48, 40), "patch": 8, "trained": {"image": (32, 32)},
        "libraries": ("timm", "transformers"),
    },
}  # fmt: skip

for _case in [*EDGES.values(), *RESIZED.values()]:
    _case.setdefault("libraries", ("timm", "transformers", "torchvision"))
    _case["timm"] = {
        "swinv2": "swinv2_tiny_window8_256",
        "vit": "vit_tiny_patch16_224",
    }.get(_case.get("family"), "swin_tiny_patch4_window7_224")

ALL = {**PUBLISHED, **EDGES, **RESIZED}
QUICK = ("swin_t", "swin_v2_t", "vit_tiny", *EDGES, *RESIZED)


def find(name):
    """The case called @name, complete."""
    return {**COMMON, **ALL[name]}
