#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program `swin` from outside: what it prints, and how it refuses."""
import json
import math
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

from program import read_safetensors, swin, write_safetensors


class Help(unittest.TestCase):
    def test_help(self):
        result = swin("--help")
        self.assertEqual(result.returncode, 0)
        for command in ("devices", "info", "run", "verify", "bench"):
            self.assertIn(command, result.stdout)
            self.assertEqual(swin(command, "--help").returncode, 0)

    def test_mistakes(self):
        for arguments in ((), ("dance",), ("info",), ("info", "a", "b"), ("bench", "swin_t", "--batch", "0"),
                          ("bench", "testcard", "--streams", "65"), ("bench", "x", "--streams", "2", "--loading"),
                          ("info", "--no-such-option", "x"), ("info", "testcard", "--image-size", "big"),
                          ("info", "swin_t", "--image-size", "384"), ("verify", "testcard"),
                          ("verify", "testcard", "x", "--tolerance", "-1")):
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
        # Those of V2 are from the table of Microsoft's repository, those of ViT from DeiT's table 5.
        for name, parameters, gmac in (("swin_t", 28.3, 4.5), ("swin_s", 49.6, 8.7), ("swin_b", 87.8, 15.4),
                                       ("swin_v2_t", 28.3, 5.9), ("vit_tiny", 5.7, 1.3), ("vit_small", 22.1, 4.6)):
            info = json.loads(swin("info", name, "--json").stdout)
            self.assertAlmostEqual(info["parameters"] * 1e-6, parameters, delta=0.05)
            self.assertAlmostEqual(info["gflop_per_image"] / 2, gmac, delta=0.1)

    def test_builtin_models_have_labels(self):
        for model, classes, label in ("testcard", 19, "programme"), ("objects", 100, "teapot"):
            info = json.loads(swin("info", model, "--json", "--classes").stdout)
            self.assertEqual((len(set(info["labels"])), info["num_classes"]), (classes, classes))
            self.assertIn(label, info["labels"])

    def test_describes_the_network(self):
        info = json.loads(swin("info", "swin_v2_t", "--json").stdout)
        self.assertEqual((info["family"], info["image_width"]), ("swinv2", 256))
        self.assertEqual([window["width"] for window in info["windows"]], [8, 8, 8, 8])
        self.assertEqual([window["map_height"] for window in info["windows"]], [64, 32, 16, 8])
        self.assertEqual(info["activation"], "softmax")
        info = json.loads(swin("info", "vit_tiny", "--json").stdout)
        self.assertEqual(info["family"], "vit")
        self.assertNotIn("windows", info)
        text = swin("info", "testcard").stdout
        for word in ("Swin Transformer", "windows", "softmax", "RGB", "mean"):
            self.assertIn(word, text)

    def test_another_input_size(self):
        size = json.loads(swin("info", "testcard", "--json").stdout)["image_width"]
        info = json.loads(swin("info", "testcard", "--json", "--image-size", f"{3 * size}x{2 * size}").stdout)
        self.assertEqual((info["image_width"], info["image_height"]), (3 * size, 2 * size))

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
            write_safetensors(source, {"input": ([2, 3, size, size],
                                                 [math.sin(i) for i in range(2 * 3 * size * size)])})
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
                write_safetensors(source, {name: (shape, [0.5] * 75)})
                result = swin("run", "testcard", "--input", source, "--output", target)
                self.assertEqual(result.returncode, 1)
                self.assertIn("input", result.stderr)
                self.assertFalse(os.path.exists(target))


class Bench(unittest.TestCase):
    def test_streams(self):
        bench = json.loads(swin("bench", "testcard", "--streams", "3", "--batch", "2", "--runs", "1", "--json").stdout)
        self.assertEqual((bench["model"], bench["streams"], bench["batch"]), ("testcard", 3, 2))
        self.assertGreater(bench["alone_per_second"], 0)
        self.assertAlmostEqual(bench["ratio"], bench["streams_per_second"] / bench["alone_per_second"])
        self.assertGreater(bench["batch_fill"], 0.5)
        self.assertLessEqual(bench["batch_fill"], 1)
        self.assertGreater(bench["least_share"], 0)
        self.assertLessEqual(bench["least_share"], 1)


if __name__ == "__main__":
    unittest.main()
