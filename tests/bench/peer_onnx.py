# SPDX-License-Identifier: LGPL-2.1-or-later
"""ONNX Runtime on the processor: the network that PyTorch exports."""

import os
import tempfile

from worker import Unavailable, sample_calls


def trace(library, model, batch, path):
    import torch
    from peer_torch import make_network

    network, size = make_network(library, model)
    pixels = torch.randn(batch, 3, size, size)
    options = {"opset_version": 16, "input_names": ["pixels"], "output_names": ["logits"]}
    # The exporter that traces; newer versions have another one for their default.
    for extra in ({"dynamo": False}, {}):
        try:
            torch.onnx.export(network.eval(), pixels, path, **options, **extra)
            return pixels.numpy()
        except TypeError:
            continue
    raise Unavailable("this PyTorch has no exporter that traces.")


def export(model, batch, path):
    """Of torchvision's and timm's networks the first that this PyTorch can export. Returns: the pixels."""
    try:
        return trace("torchvision", model, batch, path)
    except Exception:  # torch.onnx has no common class of errors
        return trace("timm", model, batch, path)


def make(model, batch):
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.onnx")
        pixels = export(model, batch, path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    call = lambda: session.run(None, {"pixels": pixels})
    call()
    return sample_calls(call), {"version": onnxruntime.__version__, "precision": "fp32"}
