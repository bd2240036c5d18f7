# SPDX-License-Identifier: LGPL-2.1-or-later
"""
ncnn on Vulkan. It has no operations for shifted windows; its benchmark's Vision Transformer (width 768, 12 blocks
of 12 heads, patches of 32 on 384 pixels) is the nearest. The graph and its random weights are written here.
"""

import os
import struct
import tempfile

from worker import Unavailable, sample_calls

WIDTH, BLOCKS, HEADS, PATCH, SIZE, CLASSES = 768, 12, 12, 32, 384, 1000
TOKENS = (SIZE // PATCH) ** 2 + 1


class Graph:
    """ncnn's text form of a network, and its weights in the order of the layers."""

    def __init__(self, numpy, weights):
        self.numpy, self.weights = numpy, weights
        self.random = numpy.random.default_rng(1)
        self.lines, self.n_blobs = [], 0

    def add(self, kind, inputs, parameters="", outputs=1):
        """Appends a layer. Returns: the names of its outputs; of a single one its name."""
        name = f"layer{len(self.lines)}"
        names = [f"{name}_{i}" for i in range(outputs)]
        self.lines.append(" ".join([kind, name, str(len(inputs)), str(outputs), *inputs, *names, parameters]))
        self.n_blobs += outputs
        return names if outputs > 1 else names[0]

    def write(self, n_values, matrix=False, centre=0.0):
        """Random weights; a matrix begins with a word that says how it is stored: 0 for float32."""
        if matrix:
            self.weights.write(struct.pack("<I", 0))
        values = self.random.random(n_values, dtype=self.numpy.float32) - self.numpy.float32(0.5)
        self.weights.write((values * self.numpy.float32(0.07) + self.numpy.float32(centre)).tobytes())

    def norm(self, tokens):
        normed = self.add("LayerNorm", [tokens], f"0={WIDTH} 1=1e-6 2=1")
        self.write(WIDTH, centre=1.0)
        self.write(WIDTH)
        return normed

    def linear(self, tokens, inputs, outputs):
        product = self.add("InnerProduct", [tokens], f"0={outputs} 1=1 2={inputs * outputs}")
        self.write(inputs * outputs, matrix=True)
        self.write(outputs)
        return product

    def embed(self):
        pixels = self.add("Input", [])
        token = self.add("MemoryData", [], f"0={WIDTH} 1=1")
        self.write(WIDTH)
        positions = self.add("MemoryData", [], f"0={WIDTH} 1={TOKENS}")
        self.write(WIDTH * TOKENS)
        n_weights = WIDTH * 3 * PATCH * PATCH
        patches = self.add("Convolution", [pixels], f"0={WIDTH} 1={PATCH} 3={PATCH} 5=1 6={n_weights}")
        self.write(n_weights, matrix=True)
        self.write(WIDTH)
        rows = self.add("Permute", [self.add("Reshape", [patches], f"0=-1 1={WIDTH}")], "0=1")
        return self.add("BinaryOp", [self.add("Concat", [token, rows], "0=0"), positions], "0=0")

    def block(self, tokens):
        tokens, residual = self.add("Split", [tokens], outputs=2)
        attended = self.add("MultiHeadAttention", [self.norm(tokens)], f"0={WIDTH} 1={HEADS} 2={WIDTH * WIDTH}")
        for _ in range(4):
            self.write(WIDTH * WIDTH, matrix=True)
            self.write(WIDTH)
        tokens, residual = self.add("Split", [self.add("BinaryOp", [residual, attended], "0=0")], outputs=2)
        hidden = self.add("GELU", [self.linear(self.norm(tokens), WIDTH, 4 * WIDTH)], "0=0")
        return self.add("BinaryOp", [residual, self.linear(hidden, 4 * WIDTH, WIDTH)], "0=0")

    def build(self):
        """Returns: the names of input and output."""
        tokens = self.embed()
        for _ in range(BLOCKS):
            tokens = self.block(tokens)
        token = self.add("Crop", [self.norm(tokens)], f"3={WIDTH} 4=1")
        return "layer0_0", self.linear(token, WIDTH, CLASSES)

    def text(self):
        return "\n".join(["7767517", f"{len(self.lines)} {self.n_blobs}", *self.lines, ""])


def count_gflop():
    """Multiplications and additions, each counted as one, as `swin bench` does."""
    block = 24 * TOKENS * WIDTH**2 + 4 * TOKENS**2 * WIDTH
    patches = 2 * (TOKENS - 1) * WIDTH * 3 * PATCH**2
    return 1e-9 * (BLOCKS * block + patches + 2 * WIDTH * CLASSES)


def load(ncnn, numpy, half):
    network = ncnn.Net()
    network.opt.use_vulkan_compute = True
    network.opt.num_threads = len(os.sched_getaffinity(0))
    if not half:
        for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_packed", "bf16_storage"):
            if hasattr(network.opt, f"use_{option}"):
                setattr(network.opt, f"use_{option}", False)
    with tempfile.TemporaryDirectory() as folder:
        weights, text = os.path.join(folder, "vit.bin"), os.path.join(folder, "vit.param")
        with open(weights, "wb") as file:
            graph = Graph(numpy, file)
            names = graph.build()
        with open(text, "w", encoding="ascii") as file:
            file.write(graph.text())
        if network.load_param(text) != 0 or network.load_model(weights) != 0:
            raise Unavailable("this ncnn cannot load the graph.")
    return network, names


def make(precision):
    import ncnn
    import numpy

    if not hasattr(ncnn, "get_gpu_count") or ncnn.get_gpu_count() == 0:
        raise Unavailable("this ncnn sees no Vulkan device.")
    network, (first, last) = load(ncnn, numpy, precision == "fp16")
    pixels = ncnn.Mat(numpy.random.default_rng(2).random((3, SIZE, SIZE), dtype=numpy.float32))
    finite = []

    def call():
        extractor = network.create_extractor()
        extractor.input(first, pixels)
        status, logits = extractor.extract(last)
        if status != 0:
            raise Unavailable(f"ncnn failed with {status}.")
        finite.append(bool(numpy.isfinite(numpy.array(logits)).all()))

    call()
    about = {"version": ncnn.__version__, "precision": precision, "gflop": count_gflop(), "finite": finite[0],
             "device": ncnn.get_gpu_info(ncnn.get_default_gpu_index()).device_name()}  # fmt: skip
    return sample_calls(call), about
