#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program `swin` from outside: what it prints, and how it refuses."""
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import unittest

SWIN = sys.argv.pop(1)


def swin(*arguments):
    return subprocess.run([SWIN, *arguments], capture_output=True, text=True, check=False)


def read_safetensors(path):
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: (entry["shape"],
                   struct.unpack(f"<{math.prod(entry['shape'])}f", data[slice(*entry["data_offsets"])]))
            for name, entry in header.items()}


def write_safetensors(path, name, shape, values):
    data = struct.pack(f"<{len(values)}f", *values)
    header = json.dumps({name: {"dtype": "F32", "shape": shape, "data_offsets": [0, len(data)]}}).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + data)


class Help(unittest.TestCase):
    def test_help(self):
        result = swin("--help")
        self.assertEqual(result.returncode, 0)
        for command in ("devices", "info", "run", "bench"):
            self.assertIn(command, result.stdout)
            self.assertEqual(swin(command, "--help").returncode, 0)

    def test_mistakes(self):
        for arguments in ((), ("dance",), ("info",), ("info", "a", "b"), ("bench", "swin_t", "--batch", "0"),
                          ("info", "--no-such-option", "x")):
            result = swin(*arguments)
            self.assertEqual(result.returncode, 2, arguments)


class Devices(unittest.TestCase):
    def test_json(self):
        devices = json.loads(swin("devices", "--json").stdout)
        self.assertGreaterEqual(len(devices), 1)
        for index, device in enumerate(devices):
            self.assertEqual(device["index"], index)
            self.assertEqual(len(device["uuid"]), 32)
            self.assertIn(device["name"], swin("devices").stdout)


class Info(unittest.TestCase):
    def test_published_sizes(self):
        # Parameters and multiply-accumulates (half the FLOP) as the paper's table 1 and 7 have them.
        for name, parameters, gmac in (("swin_t", 28.3, 4.5), ("swin_s", 49.6, 8.7), ("swin_b", 87.8, 15.4)):
            info = json.loads(swin("info", name, "--json").stdout)
            self.assertAlmostEqual(info["parameters"] * 1e-6, parameters, delta=0.05)
            self.assertAlmostEqual(info["gflop_per_image"] / 2, gmac, delta=0.1)

    def test_builtin_model_has_labels(self):
        info = json.loads(swin("info", "testcard", "--json", "--classes").stdout)
        self.assertEqual(len(info["labels"]), info["num_classes"])
        self.assertIn("programme", info["labels"])

    def test_missing_model(self):
        result = swin("info", "/no/such/model")
        self.assertEqual(result.returncode, 1)
        self.assertIn("/no/such/model", result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1)


class Run(unittest.TestCase):
    def test_outputs(self):
        info = json.loads(swin("info", "testcard", "--json").stdout)
        size = info["image_width"]
        with tempfile.TemporaryDirectory() as folder:
            source, target = os.path.join(folder, "in"), os.path.join(folder, "out")
            write_safetensors(source, "input", [2, 3, size, size],
                              [math.sin(i) for i in range(2 * 3 * size * size)])
            result = swin("run", "testcard", "--input", source, "--output", target)
            self.assertEqual(result.returncode, 0, result.stderr)
            tensors = read_safetensors(target)
        self.assertEqual(tensors["logits"][0], [2, info["num_classes"]])
        self.assertEqual(tensors["pooled"][0][0], 2)
        for stage in range(len(info["depths"])):
            self.assertEqual(tensors[f"stages.{stage}"][0][0], 2)
        for _, values in tensors.values():
            self.assertTrue(all(math.isfinite(value) for value in values))
            self.assertGreater(len(set(values)), 1)

    def test_wrong_input(self):
        with tempfile.TemporaryDirectory() as folder:
            source, target = os.path.join(folder, "in"), os.path.join(folder, "out")
            for name, shape in (("input", [1, 3, 5, 5]), ("inputs", [1, 3, 5, 5]), ("input", [75])):
                write_safetensors(source, name, shape, [0.5] * 75)
                result = swin("run", "testcard", "--input", source, "--output", target)
                self.assertEqual(result.returncode, 1)
                self.assertIn("input", result.stderr)
                self.assertFalse(os.path.exists(target))


class Bench(unittest.TestCase):
    def test_json(self):
        bench = json.loads(swin("bench", "testcard", "--batch", "2", "--runs", "3", "--json").stdout)
        for key in ("device", "driver", "model", "batch", "precision", "images_per_second", "latency_ms",
                    "gflops", "operations"):
            self.assertIn(key, bench)
        latency = bench["latency_ms"]
        self.assertEqual(bench["batch"], 2)
        self.assertLessEqual(latency["min"], latency["median"])
        self.assertLessEqual(latency["median"], latency["p95"])
        self.assertGreater(bench["gflops"], 0)
        self.assertAlmostEqual(sum(operation["share"] for operation in bench["operations"]), 1.0, places=6)
        names = {operation["name"] for operation in bench["operations"]}
        self.assertLessEqual({"linear", "attention", "layer_norm"}, names)


if __name__ == "__main__":
    unittest.main()
