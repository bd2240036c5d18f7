#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes a reference for `swin verify`: what PyTorch computes with a checkpoint.

  tools/reference.py FOLDER reference.safetensors
  swin verify FOLDER reference.safetensors

MODEL is one of
  FOLDER             with model.safetensors and config.json, as transformers or timm write them; the
                     library that wrote it computes
  torchvision:NAME   such as torchvision:swin_t, with --weights FILE
  timm:NAME          such as timm:swin_tiny_patch4_window7_224, with --weights FILE; also for files of
                     Microsoft's repository
FILE is .safetensors, or a .pth that PyTorch reads without running code from it.

The file that is written holds `input` [N, 3, H, W], normalised; `logits` [N, classes]; `pooled` [N, C],
what the head sees; and `stages.I`, the tokens after stage I and its merging [N, h, w, C] (of a Vision
Transformer those after the last block, [N, 1, tokens, C]). All of it is computed in float32.
"""

import argparse
import importlib
import json
import math
import pathlib
import sys

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Problem(Exception):
    """A sentence for the user."""


def need(module, package=None):
    """The module, or a sentence that says what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise Problem(
            f"this needs the Python package {package or module}, which {sys.executable} cannot import "
            f"({error}); install it with: {sys.executable} -m pip install {package or module}"
        ) from error


# ---- What a network computes --------------------------------------------------------------------


def head_of(model):
    """The layer whose input is `pooled` and whose output is `logits`; None where there are two."""
    if hasattr(model, "head_dist") or hasattr(model, "distillation_classifier"):
        return None
    head = model.classifier if hasattr(model, "classifier") else getattr(model, "head", None)
    return getattr(head, "fc", head)


def stages_of(model):
    """The layers of a network of timm or torchvision whose outputs are the stages."""
    if hasattr(model, "features"):  # torchvision: stages and mergings alternate
        features = list(model.features)
        return features[2::2] + [features[-1]]
    if hasattr(model, "blocks"):  # timm's Vision Transformer
        return [model.blocks[-1]]
    # timm merges at the start of the next stage.
    return [layer.downsample for layer in list(model.layers)[1:]] + [model.layers[-1]]


def is_vision_transformer(model):
    if hasattr(model, "config"):
        return not model.config.model_type.startswith("swin")
    return hasattr(model, "blocks")


def first(output):
    return output[0] if isinstance(output, tuple) else output


def compute_transformers(model, pixels, found):
    """Runs a network of transformers; returns its logits or None."""
    if is_vision_transformer(model):
        # Called `encoder.layer` up to transformers 4, `layers` since.
        base = model.base_model
        layers = base.encoder.layer if hasattr(base, "encoder") else base.layers

        def keep(module, inputs, output):
            found["stages.0"] = first(output)[:, None]

        hook = layers[-1].register_forward_hook(keep)
        result = model(pixels)
        hook.remove()
        if not hasattr(result, "logits"):
            found["pooled"] = result.last_hidden_state[:, 0]
    else:
        result = model(pixels, output_hidden_states=True)
        # The first is the patch embedding's.
        for i, stage in enumerate(result.reshaped_hidden_states[1:]):
            found[f"stages.{i}"] = stage.permute(0, 2, 3, 1)
        if getattr(result, "pooler_output", None) is not None:
            found["pooled"] = result.pooler_output
    return getattr(result, "logits", None)


def compute_hooked(model, pixels, found):
    """Runs a network of timm or torchvision; returns its logits."""
    vision_transformer = is_vision_transformer(model)
    hooks = []
    for i, layer in enumerate(stages_of(model)):

        def keep(module, inputs, output, name=f"stages.{i}"):
            found[name] = output[:, None] if vision_transformer else output

        hooks.append(layer.register_forward_hook(keep))
    logits = model(pixels)
    for hook in hooks:
        hook.remove()
    return logits


def compute(model, pixels):
    """{"logits", "pooled", "stages.I"} of @pixels [N, 3, H, W], in the precision of the model."""
    torch = need("torch")
    found = {}
    head = head_of(model)
    hook = None
    if head is not None:

        def keep(module, inputs):
            found["pooled"] = inputs[0]

        hook = head.register_forward_pre_hook(keep)
    with torch.no_grad():
        run = compute_transformers if hasattr(model, "config") else compute_hooked
        logits = run(model, pixels, found)
    if hook is not None:
        hook.remove()
    # A model that only makes features has no head, or one that hands its input on.
    if isinstance(getattr(model, "head_dist", None), torch.nn.Identity):
        found["pooled"] = logits
    elif logits is not None and not isinstance(head, torch.nn.Identity):
        found["logits"] = logits
    return {name: tensor.detach().contiguous() for name, tensor in found.items()}


# ---- Input --------------------------------------------------------------------------------------


def synthetic_pictures(count, height, width, seed):
    """[count, 3, height, width] from 0 to 1 in steps of 1/255: noise of all scales, the coarse the
    strongest, as in photographs."""
    torch = need("torch")
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.zeros(count, 3, height, width)
    for octave in range(1, 1 + max(1, math.ceil(math.log2(max(height, width))))):
        side = 2**octave
        noise = torch.randn(count, 3, side, side, generator=generator) / octave
        pictures += torch.nn.functional.interpolate(
            noise, size=(height, width), mode="bilinear", align_corners=False
        )
    low = pictures.amin(dim=(1, 2, 3), keepdim=True)
    high = pictures.amax(dim=(1, 2, 3), keepdim=True)
    return ((pictures - low) / (high - low) * 255).round() / 255


def normalise(pictures, mean, std):
    torch = need("torch")
    return (pictures - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1)


# ---- Loading ------------------------------------------------------------------------------------


class Loaded:
    """A network with its input: @size (height, width), @mean, @std, and @transform, which turns a
    Pillow picture into [3, H, W] as the publisher does, or None."""

    def __init__(self, model, size, mean=IMAGENET_MEAN, std=IMAGENET_STD, transform=None):
        self.model = model.eval().float()
        self.size = tuple(size)
        self.mean = tuple(mean)
        self.std = tuple(std)
        self.transform = transform


def pair(size):
    return tuple(size) if isinstance(size, (list, tuple)) else (size, size)


def load_transformers(folder):
    transformers = need("transformers")
    need("safetensors")
    try:
        config = transformers.AutoConfig.from_pretrained(folder)
        classifies = any("ForImageClassification" in name for name in config.architectures or ())
        if classifies:
            kind, options = transformers.AutoModelForImageClassification, {}
        else:
            # The pooling layer of a Vision Transformer is not part of its features.
            kind = transformers.AutoModel
            options = {} if config.model_type.startswith("swin") else {"add_pooling_layer": False}
        model, report = kind.from_pretrained(folder, output_loading_info=True, **options)
    except Exception as error:  # whatever that version raises on files that it did not write
        raise Problem(
            f"transformers {transformers.__version__} cannot load {folder}: {shorten(error)}"
        ) from error
    if report["missing_keys"]:
        raise Problem(
            f"transformers does not find {', '.join(sorted(report['missing_keys'])[:3])} in {folder}, and "
            "would go on with random values; the weights do not belong to this config.json."
        )
    loaded = Loaded(model, pair(config.image_size))
    if (pathlib.Path(folder) / "preprocessor_config.json").is_file():
        processor = transformers.AutoImageProcessor.from_pretrained(folder)
        loaded.mean, loaded.std = tuple(processor.image_mean), tuple(processor.image_std)
        loaded.transform = lambda picture: processor(picture, return_tensors="pt").pixel_values[0]
    return loaded


def loaded_timm(model):
    data = need("timm.data", "timm")
    config = data.resolve_data_config({}, model=model)
    size = config["input_size"][1:]
    loaded = Loaded(model, size, config["mean"], config["std"])
    loaded.transform = data.create_transform(**config, is_training=False)
    return loaded


def load_timm_folder(folder):
    timm = need("timm")
    need("safetensors")
    try:
        model = timm.create_model(f"local-dir:{folder}", pretrained=True)
    except (RuntimeError, ValueError, AssertionError) as error:
        raise Problem(
            f"timm {timm.__version__} (1.0.16 or later is needed) cannot load {folder}: {shorten(error)}"
        ) from error
    return loaded_timm(model)


def read_weights(path):
    """The tensors of a .safetensors or .pth file."""
    if path is None:
        raise Problem("a name needs --weights FILE, the file with the weights.")
    if not pathlib.Path(path).is_file():
        raise Problem(f"there is no file {path}.")
    if str(path).endswith(".safetensors"):
        return need("safetensors.torch", "safetensors").load_file(path)
    state = need("torch").load(path, map_location="cpu", weights_only=True)
    return state.get("model", state.get("state_dict", state))


def count_classes(state):
    for name in ("head.fc.weight", "head.weight"):
        if name in state:
            return state[name].shape[0]
    return 0


def shorten(error):
    """What a library says, without the list of all tensors."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:300] + " ..."


def load_into(model, state, what):
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise Problem(f"the weights are not those of {what}: {shorten(error)}") from error


def load_timm_name(name, weights):
    timm = need("timm")
    state = read_weights(weights)
    try:
        model = timm.create_model(name, num_classes=count_classes(state))
    except RuntimeError as error:
        raise Problem(f"timm {timm.__version__} has no model {name}.") from error
    # Turns other publishers' names into timm's and leaves buffers out.
    adapt = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn")
    load_into(model, adapt(state, model), f"timm's {name}")
    return loaded_timm(model)


def load_torchvision(name, weights):
    models = need("torchvision").models
    if not hasattr(models, name) or not name.startswith("swin"):
        raise Problem(f"torchvision has no Swin Transformer {name}; it has swin_t, swin_s, swin_b, "
                      "swin_v2_t, swin_v2_s and swin_v2_b.")  # fmt: skip
    state = read_weights(weights)
    model = getattr(models, name)(num_classes=count_classes(state))
    load_into(model, state, f"torchvision's {name}")
    side = 256 if "_v2_" in name else 224
    return Loaded(model, (side, side), transform=models.get_model_weights(name).DEFAULT.transforms())


def load(name, weights=None):
    """A #Loaded for what the user calls MODEL; raises #Problem."""
    library, colon, rest = name.partition(":")
    if colon and library == "torchvision":
        return load_torchvision(rest, weights)
    if colon and library == "timm":
        return load_timm_name(rest, weights)
    config = pathlib.Path(name) / "config.json"
    if not config.is_file():
        raise Problem(f"{name} is no folder with a config.json; for weights without one give the name of the "
                      "network: timm:NAME or torchvision:NAME, with --weights FILE.")  # fmt: skip
    try:
        fields = json.loads(config.read_text())
    except ValueError as error:
        raise Problem(f"{config} is not JSON: {error}.") from error
    if "model_type" in fields:
        return load_transformers(name)
    if "architecture" in fields:
        return load_timm_folder(name)
    raise Problem(f'{config} has neither "model_type" (transformers) nor "architecture" (timm).')


# ---- The program --------------------------------------------------------------------------------


def make_input(loaded, arguments):
    torch = need("torch")
    if not arguments.image:
        pictures = synthetic_pictures(arguments.count, *loaded.size, arguments.seed)
        return normalise(pictures, loaded.mean, loaded.std)
    if loaded.transform is None:
        raise Problem(f"{arguments.model} has no preprocessor_config.json, so there is no telling what "
                      "becomes of a picture; leave --image out.")  # fmt: skip
    image = need("PIL.Image", "pillow")
    try:
        pictures = [image.open(path).convert("RGB") for path in arguments.image]
    except OSError as error:
        raise Problem(f"a picture cannot be read: {error}.") from error
    return torch.stack([loaded.transform(picture) for picture in pictures])


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", metavar="MODEL", help="a folder, torchvision:NAME or timm:NAME")
    parser.add_argument("output", metavar="OUT", help="the .safetensors file to write")
    parser.add_argument("--weights", metavar="FILE", help="weights of torchvision:NAME or timm:NAME")
    parser.add_argument(
        "--image", action="append", metavar="PICTURE",
        help="a picture instead of a made-up one; may be given several times",
    )  # fmt: skip
    parser.add_argument("--count", type=int, default=2, help="made-up pictures (default: 2)")
    parser.add_argument("--seed", type=int, default=1, help="of made-up pictures (default: 1)")
    arguments = parser.parse_args()
    if arguments.count < 1:
        parser.error("--count must be at least 1")
    return arguments


def main():
    arguments = parse_arguments()
    need("torch")
    save = need("safetensors.torch", "safetensors").save_file
    loaded = load(arguments.model, arguments.weights)
    pixels = make_input(loaded, arguments).contiguous()
    outputs = compute(loaded.model, pixels)
    try:
        save({"input": pixels, **outputs}, arguments.output)
    except OSError as error:
        raise Problem(f"{arguments.output} cannot be written: {error}.") from error
    shapes = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in sorted(outputs.items()))
    print(f"{arguments.output}: input {list(pixels.shape)}, {shapes}")


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        sys.exit(f"tools/reference.py: {problem}")
