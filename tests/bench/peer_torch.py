# SPDX-License-Identifier: LGPL-2.1-or-later
"""PyTorch: the same network from torchvision or timm, with random weights, on the processor or a GPU."""

import os

from worker import Unavailable, sample_calls

NAMES = {
    "swin_t": ("swin_t", "swin_tiny_patch4_window7_224", 224),
    "swin_s": ("swin_s", "swin_small_patch4_window7_224", 224),
    "swin_b": ("swin_b", "swin_base_patch4_window7_224", 224),
    "swin_v2_t": ("swin_v2_t", "swinv2_tiny_window8_256", 256),
    "swin_v2_s": ("swin_v2_s", "swinv2_small_window8_256", 256),
    "swin_v2_b": ("swin_v2_b", "swinv2_base_window8_256", 256),
    "vit_small": (None, "vit_small_patch16_224", 224),
    "vit_base": ("vit_b_16", "vit_base_patch16_224", 224),
}
WAYS = ("eager", "channels-last", "graph", "compile", "autotune")
CHUNK = 5  # ms: so long at least between two events


def make_network(library, model):
    if model not in NAMES:
        raise Unavailable(f"nobody said what {model} is called there.")
    torchvision_name, timm_name, size = NAMES[model]
    if library == "timm":
        import timm

        return timm.create_model(timm_name, pretrained=False), size
    import torchvision.models

    if not torchvision_name or not hasattr(torchvision.models, torchvision_name):
        raise Unavailable(f"this torchvision has no {model}.")
    return getattr(torchvision.models, torchvision_name)(weights=None), size


def capture(torch, network, pixels):
    """A CUDA graph of one inference: the host submits it as a whole."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            network(pixels)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        network(pixels)
    return graph.replay


def prepare(torch, network, pixels, way, device):
    """What computes one batch, the way that was asked for."""
    if way == "graph":
        if device != "cuda":
            raise Unavailable("CUDA graphs need a GPU.")
        return capture(torch, network, pixels)
    if way in ("compile", "autotune"):
        if not hasattr(torch, "compile"):
            raise Unavailable(f"PyTorch {torch.__version__} has no torch.compile.")
        # On a GPU max-autotune tries kernels of its own and captures them into a CUDA graph.
        network = torch.compile(network, mode="max-autotune" if way == "autotune" else None)
    return lambda: network(pixels)


def sample_events(torch, call):
    """A sampler for a GPU: of runs that follow one another without a wait, by the GPU's own clock."""

    def chunk(n_calls):
        first, last = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        first.record()
        for _ in range(n_calls):
            call()
        last.record()
        last.synchronize()
        return first.elapsed_time(last) / n_calls

    def sample(seconds):
        for _ in range(10):
            call()
        torch.cuda.synchronize()
        single = max(chunk(3), 1e-3)
        n_calls = max(1, round(CHUNK / single))
        n_chunks = max(5, min(1000, int(seconds * 1e3 / (n_calls * single))))
        return [chunk(n_calls) for _ in range(n_chunks)]

    return sample


def make(library, model, way, precision, device, batch):
    """@way: one of WAYS; @precision: fp32, fp16 or bf16; @device: cpu or cuda"""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise Unavailable(f"PyTorch {torch.__version__} sees no GPU.")
    if device == "cpu":
        torch.set_num_threads(len(os.sched_getaffinity(0)))
    # TF32 in place of float32 is what people who want speed switch on.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    kind = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
    torch.manual_seed(1)
    network, size = make_network(library, model)
    layout = torch.channels_last if way == "channels-last" else torch.contiguous_format
    network = network.eval().to(device=device, dtype=kind, memory_format=layout)
    pixels = torch.randn(batch, 3, size, size).to(device=device, dtype=kind, memory_format=layout)
    with torch.inference_mode(way not in ("compile", "autotune")), torch.no_grad():
        call = prepare(torch, network, pixels, way, device)
        for _ in range(3 if device == "cuda" else 1):
            call()

    def run():
        with torch.no_grad():
            return call()

    sample = sample_events(torch, run) if device == "cuda" else sample_calls(run)
    name = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"
    return sample, {"version": torch.__version__, "device": name, "precision": precision, "size": size}
