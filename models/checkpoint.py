# SPDX-License-Identifier: LGPL-2.1-or-later
"""Models as transformers' save_pretrained lays them out: model.safetensors in F16 and two JSON files."""

import json
import os
import struct

import numpy as np
import torch

from network import EPS, MLP_RATIO, Swin

MEAN = [0.485, 0.456, 0.406]
STD = [0.229, 0.224, 0.225]
TYPES = {"F16": np.dtype("<f2"), "I64": np.dtype("<i8")}


def write_safetensors(path, tensors):
    """An 8-byte little-endian length, a JSON header padded to 8 bytes, then the tensors' bytes."""
    header, offset, chunks = {"__metadata__": {"format": "pt"}}, 0, []
    names = {dtype: name for name, dtype in TYPES.items()}
    # Widest type first keeps every tensor aligned to its element size.
    for name, array in sorted(tensors.items(), key=lambda item: (-item[1].itemsize, item[0])):
        data = array.tobytes()
        header[name] = {"dtype": names[array.dtype], "shape": list(array.shape),
                        "data_offsets": [offset, offset + len(data)]}
        chunks.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    length, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + length + start:8 + length + end], TYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def write_model(state, folder, network, labels, size):
    """
    @state: the state dict of a Swin made with @network, its keyword arguments without `classes`
    @labels: of the classes, in the order of the logits
    @size: of the input, height and width
    """
    os.makedirs(folder, exist_ok=True)
    tensors = {name: tensor.cpu().numpy().astype("<f2" if tensor.is_floating_point() else "<i8")
               for name, tensor in state.items()}
    if not all(np.isfinite(array).all() for array in tensors.values()):
        raise OverflowError("a weight does not fit F16: lower --rate")
    write_safetensors(os.path.join(folder, "model.safetensors"), tensors)
    stages = len(network["depths"])
    config = {
        "architectures": ["SwinForImageClassification"], "attention_probs_dropout_prob": 0.0,
        "depths": network["depths"], "drop_path_rate": 0.0, "embed_dim": network["embed_dim"],
        "encoder_stride": 32, "hidden_act": "gelu", "hidden_dropout_prob": 0.0,
        "hidden_size": network["embed_dim"] << (stages - 1),
        "id2label": {str(index): label for index, label in enumerate(labels)},
        "image_size": size, "initializer_range": 0.02,
        "label2id": {label: index for index, label in enumerate(labels)}, "layer_norm_eps": EPS,
        "mlp_ratio": float(MLP_RATIO), "model_type": "swin", "num_channels": 3,
        "num_heads": network["heads"], "num_layers": stages, "patch_size": network["patch"],
        "qkv_bias": True, "torch_dtype": "float16", "use_absolute_embeddings": False,
        "window_size": network["window"]}
    preprocessor = {
        "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": MEAN,
        "image_processor_type": "ViTImageProcessor", "image_std": STD, "resample": 3,
        "rescale_factor": 1 / 255, "size": {"height": size, "width": size}}
    for name, content in (("config.json", config), ("preprocessor_config.json", preprocessor)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=2) + "\n")


def load_model(folder):
    """(network with the weights of the file as written, rounded to F16; labels; input size)"""
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    labels = [config["id2label"][str(index)] for index in range(len(config["id2label"]))]
    model = Swin(len(labels), config["embed_dim"], config["depths"], config["num_heads"],
                 config["window_size"], config["patch_size"])
    tensors = read_safetensors(os.path.join(folder, "model.safetensors"))
    model.load_state_dict({name: torch.from_numpy(array.astype(np.float32)
                                                  if array.dtype.kind == "f" else array.copy())
                           for name, array in tensors.items()})
    return model.eval(), labels, config["image_size"]


def normalise(pictures):
    """uint8 or float [N, H, W, 3] of 0..255 to the network's input [N, 3, H, W]."""
    x = torch.as_tensor(pictures).float() / 255
    mean, std = (torch.tensor(values, device=x.device) for values in (MEAN, STD))
    return ((x - mean) / std).permute(0, 3, 1, 2).contiguous()
