# SPDX-License-Identifier: LGPL-2.1-or-later
"""Golden networks in the publishers' own code: timm, transformers and torchvision.

Each dialect has a class that makes the network of a case (see make.py) from tensors under timm's names:

    tensors(state)          the same tensors under the names of the dialect
    buffers()               what the publisher stores beside them
    config()                what its config.json says
    compute(state, pixels)  {"logits", "pooled", "stages.I"}, in the precision of @pixels

Needs torch, torchvision, timm and transformers.
"""

import functools
import json
import math
import pathlib
import tempfile

import timm
import timm.models._hub
import torch
import transformers
from torch import nn
from torchvision.models import swin_transformer as torchvision_swin

import checkpoint
import names


def pair(value):
    return value if isinstance(value, list) else [value, value]


def is_vit(case):
    return case["model_type"] in ("vit", "deit")


# ---- Position bias of Swin V2 -----------------------------------------------------------------


def use_exact_coordinates(model):
    """The libraries compute the coordinates of Swin V2's position bias in float32, whose rounding is no
    part of a reference: the same formula (arXiv:2111.09883, section 3.3) in float64."""
    for module in model.modules():
        theirs = getattr(module, "relative_coords_table", None)
        if theirs is None:
            continue
        pretrained = getattr(module, "pretrained_window_size", (0, 0))
        sides = []
        for window, scale in zip(module.window_size, pretrained):
            offsets = torch.arange(-(window - 1), window, dtype=torch.float64)
            offsets *= 8 / max((scale if scale > 0 else window) - 1, 1)
            sides.append(offsets.sign() * torch.log2(1 + offsets.abs()) / math.log2(8))
        exact = torch.stack(torch.meshgrid(*sides, indexing="ij"), dim=-1).unsqueeze(0)
        assert torch.allclose(exact, theirs.double(), rtol=0, atol=1e-6)
        module.relative_coords_table = exact


class Dialect:
    """@case: a case of make.py."""

    def __init__(self, case):
        self.case = case

    def compute(self, state, pixels):
        model = self.make().eval()
        self.load(model, self.tensors(state))
        model.to(pixels.dtype)
        if pixels.dtype == torch.float64:
            use_exact_coordinates(model)
        with torch.no_grad():
            return self.run(model, pixels)

    def buffers(self):
        model = self.make()
        parameters = dict(model.named_parameters())
        return {name: x for name, x in model.state_dict().items() if name not in parameters}

    def load(self, model, tensors):
        missing, unexpected = model.load_state_dict(tensors, strict=False)
        # Buffers may be missing; parameters may not.
        missing = [name for name in missing if name in dict(model.named_parameters())]
        assert not missing and not unexpected, (missing, unexpected)


# ---- timm and Microsoft -----------------------------------------------------------------------


class Timm(Dialect):
    ARCHITECTURES = {
        "swin": "swin_tiny_patch4_window7_224",
        "swinv2": "swinv2_tiny_window8_256",
        "vit": "vit_tiny_patch16_224",
        "deit": "deit_tiny_distilled_patch16_224",
    }

    def arguments(self):
        case = self.case
        arguments = {
            "img_size": pair(case["image_size"]),
            "patch_size": case["patch_size"],
            "embed_dim": case["embed_dim"],
            "num_heads": case["num_heads"],
            "mlp_ratio": case["mlp_ratio"],
            "qkv_bias": case.get("qkv_bias", True),
            "num_classes": case["num_labels"],
            **case.get("timm", {}),
        }
        if is_vit(case):
            arguments["depth"] = case["depth"]
        else:
            arguments["depths"] = case["depths"]
            arguments["window_size"] = case["window_size"]
        if "pretrained_window_sizes" in case:
            arguments["pretrained_window_sizes"] = case["pretrained_window_sizes"]
        return arguments

    def make(self):
        architecture = self.ARCHITECTURES[self.case["model_type"]]
        return timm.create_model(architecture, pretrained=False, **self.arguments())

    def tensors(self, state):
        return state

    def config(self):
        labels = self.case.get("id2label", {})
        description = {}
        if labels:
            description["label_names"] = [labels[str(i)] for i in range(len(labels))]
        if "act_layer" in self.case.get("timm", {}):
            description["model_args"] = {"act_layer": self.case["timm"]["act_layer"]}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "config.json"
            timm.models._hub.save_config_for_hf(self.make(), str(path), description)
            return json.loads(path.read_text())

    def run(self, model, pixels):
        outputs = {}

        def keep(name, _module, _inputs, output):
            outputs[name] = output

        if is_vit(self.case):
            model.blocks[-1].register_forward_hook(functools.partial(keep, "stages.0"))
        else:
            for i, layer in enumerate(model.layers[1:]):
                hook = functools.partial(keep, f"stages.{i}")
                layer.downsample.register_forward_hook(hook)
            hook = functools.partial(keep, f"stages.{len(model.layers) - 1}")
            model.layers[-1].register_forward_hook(hook)
        features = model.forward_features(pixels)
        logits = model.forward_head(features)
        if self.case["model_type"] == "deit":
            outputs["pooled"] = features[:, 0]  # of the class token
        else:
            outputs["pooled"] = model.forward_head(features, pre_logits=True)
        if self.case["num_labels"]:
            outputs["logits"] = logits
        if is_vit(self.case):
            outputs["stages.0"] = as_map(model, outputs["stages.0"])
        return outputs


def as_map(model, tokens):
    """[N, tokens, C] -> [N, 1, tokens, C]; without prefix tokens [N, h, w, C]."""
    if model.num_prefix_tokens:
        return tokens.unsqueeze(1)
    return tokens.unflatten(1, model.patch_embed.grid_size)


class Microsoft(Timm):
    """Microsoft's code is in no package registry. timm's is derived from it and computes the same
    where all maps fit, but lacks two of its options, which are put back here."""

    def make(self):
        model = super().make()
        if not self.case.get("patch_norm", True):
            model.patch_embed.norm = nn.Identity()
        if self.case.get("use_absolute_embeddings"):
            height, width = model.patch_embed.grid_size
            positions = nn.Parameter(torch.zeros(1, height * width, self.case["embed_dim"]))
            model.register_parameter("absolute_pos_embed", positions)
            model.patch_embed.register_forward_hook(
                lambda _module, _inputs, output: output
                + model.absolute_pos_embed.reshape(1, *output.shape[1:])
            )
        return model

    def load(self, model, tensors):
        # The weights went into timm's network under timm's names; the file has Microsoft's.
        super().load(model, self.timm_state)

    def compute(self, state, pixels):
        self.timm_state = state
        return super().compute(state, pixels)

    def tensors(self, state):
        return names.to_microsoft(state)

    def buffers(self):
        # timm keeps these to itself; Microsoft's files have them.
        kinds = ("relative_position_index", "relative_coords_table", "attn_mask")
        return {name: x for name, x in self.make().named_buffers() if name.endswith(kinds)}

    def config(self):
        return plain_config(self.case)


def plain_config(case):
    """As transformers would have it, in few words: for publishers who add no config of their own."""
    keys = (
        "image_size", "patch_size", "window_size", "embed_dim", "depths", "num_heads", "mlp_ratio",
        "qkv_bias", "num_labels", "id2label", "patch_norm", "use_absolute_embeddings",
        "pretrained_window_sizes",
    )  # fmt: skip
    config = checkpoint.make_config({key: case[key] for key in keys if key in case})
    config["model_type"] = case["model_type"]
    return config


# ---- torchvision ------------------------------------------------------------------------------


class Torchvision(Dialect):
    def make(self):
        case = self.case
        options = {}
        if case["model_type"] == "swinv2":
            options["block"] = torchvision_swin.SwinTransformerBlockV2
            options["downsample_layer"] = torchvision_swin.PatchMergingV2
        return torchvision_swin.SwinTransformer(
            patch_size=pair(case["patch_size"]),
            embed_dim=case["embed_dim"],
            depths=case["depths"],
            num_heads=case["num_heads"],
            window_size=pair(case["window_size"]),
            mlp_ratio=case["mlp_ratio"],
            stochastic_depth_prob=0.0,
            num_classes=case["num_labels"],
            **options,
        )

    def tensors(self, state):
        return names.to_torchvision(state)

    def config(self):
        return plain_config(self.case)

    def run(self, model, pixels):
        return checkpoint.compute(model, pixels)


# ---- Hugging Face -----------------------------------------------------------------------------


class HuggingFace(Dialect):
    CLASSES = {
        "swin": ("Swin", "SwinForImageClassification", "swin."),
        "swinv2": ("Swinv2", "Swinv2ForImageClassification", "swinv2."),
        "vit": ("ViT", "ViTForImageClassification", "vit."),
        "deit": ("DeiT", "DeiTForImageClassificationWithTeacher", "deit."),
    }

    def __init__(self, case):
        super().__init__(case)
        self.kind, self.model_class, self.prefix = self.CLASSES[case["model_type"]]
        if case["num_labels"] == 0:
            self.model_class, self.prefix = self.kind + "Model", ""
        elif case.get("single_head"):
            self.model_class = self.kind + "ForImageClassification"

    def options(self):
        case = self.case
        options = {
            "image_size": case["image_size"],
            "patch_size": case["patch_size"],
            "qkv_bias": case.get("qkv_bias", True),
        }
        if is_vit(case):
            options["hidden_size"] = case["embed_dim"]
            options["num_hidden_layers"] = case["depth"]
            options["num_attention_heads"] = case["num_heads"]
            options["intermediate_size"] = int(case["embed_dim"] * case["mlp_ratio"])
            options["layer_norm_eps"] = 1e-6  # as timm has it; transformers' default is 1e-12
        else:
            keys = ("window_size", "embed_dim", "depths", "num_heads", "mlp_ratio")
            options.update({key: case[key] for key in keys})
        for key in ("use_absolute_embeddings", "pretrained_window_sizes", "layer_norm_eps"):
            if key in case:
                options[key] = case[key]
        if "id2label" in case:
            options["id2label"] = {int(i): label for i, label in case["id2label"].items()}
        elif case["num_labels"]:
            options["num_labels"] = case["num_labels"]
        return options

    def make_config(self):
        # transformers counts the dimensions of the image before it writes this.
        return getattr(transformers, self.kind + "Config")(**self.options())

    def make(self):
        model = getattr(transformers, self.model_class)(self.make_config())
        if self.case.get("use_absolute_embeddings"):
            # Release 4.40 has a row too many and cannot run; later ones have as many as patches.
            embeddings = model.base_model.embeddings
            embeddings.position_embeddings.data = embeddings.position_embeddings[:, 1:].clone()
        return model

    def tensors(self, state):
        rename = names.to_hugging_face_vit if is_vit(self.case) else names.to_hugging_face_swin
        return rename(state, self.prefix)

    def config(self):
        if self.case.get("short_config"):
            return plain_config(self.case)
        config = self.make_config()
        config.architectures = [self.model_class]
        return json.loads(config.to_json_string())

    def run(self, model, pixels):
        result = model(pixels, output_hidden_states=True)
        outputs = {}
        features = model.base_model(pixels)
        if is_vit(self.case):
            outputs["stages.0"] = result.hidden_states[-1].unsqueeze(1)
            outputs["pooled"] = features.last_hidden_state[:, 0]
        else:
            maps = result.reshaped_hidden_states[1:]
            outputs.update({f"stages.{i}": x.permute(0, 2, 3, 1) for i, x in enumerate(maps)})
            outputs["pooled"] = features.pooler_output
        if self.case["num_labels"]:
            outputs["logits"] = result.logits
        return outputs


class HuggingFaceClipped(HuggingFace):
    """Swin V1 where a window shrinks to a small map, at which transformers itself fails: its rules over
    torchvision's modules (see checkpoint.HuggingFaceAttention)."""

    def make(self):
        return checkpoint.use_hugging_face_rules(checkpoint.make_model(self.case))

    def compute(self, state, pixels):
        model = checkpoint.make_model(self.case)
        self.load(model, names.to_torchvision(state))
        model = checkpoint.use_hugging_face_rules(model.to(pixels.dtype))
        return checkpoint.compute(model, pixels)


DIALECTS = {
    "hf": HuggingFace,
    "hf-clipped": HuggingFaceClipped,
    "timm": Timm,
    "torchvision": Torchvision,
    "microsoft": Microsoft,
}
