#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`swin verify` and `swin run`: a reference that fits, one that is off, and files that do not belong."""
import json
import math
import os
import random
import statistics
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

from program import read_safetensors, swin, write_safetensors

IMAGES = 2


def sines(count):
    return [math.sin(0.37 * i) for i in range(count)]


class Verify(unittest.TestCase):
    """Against what `swin run` itself gives for the built-in model."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        size = json.loads(swin("info", "testcard", "--json").stdout)["image_width"]
        cls.path = os.path.join(cls.folder.name, "reference")
        shape = [IMAGES, 3, size, size]
        write_safetensors(cls.path, {"input": (shape, sines(math.prod(shape)))})
        outputs = os.path.join(cls.folder.name, "outputs")
        result = swin("run", "testcard", "--input", cls.path, "--output", outputs, "--precision", "fp32")
        assert result.returncode == 0, result.stderr
        cls.reference = {**read_safetensors(cls.path), **read_safetensors(outputs)}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def verify(self, changes, *options):
        """With some tensors replaced, or left out where they are None."""
        tensors = {**self.reference, **changes}
        write_safetensors(self.path, {name: tensor for name, tensor in tensors.items() if tensor})
        return swin("verify", "testcard", self.path, "--precision", "fp32", *options)

    def logits(self, change):
        """The logits with @change added to the largest of the last image."""
        shape, values = self.reference["logits"]
        values = list(values)
        last = values[-shape[1]:]
        index = len(values) - shape[1] + last.index(max(last))
        values[index] += change
        return shape, values

    def test_precision(self):
        """What half precision changes is more than the tolerance of float32 and less than one for it."""
        self.assertEqual(self.verify({}, "--precision", "fp32").returncode, 0)
        result = self.verify({}, "--precision", "fp16", "--json")
        if "16-bit storage" in result.stderr:
            self.skipTest(result.stderr)
        self.assertEqual(result.returncode, 1, result.stdout)
        result = self.verify({}, "--precision", "fp16", "--tolerance", "0.02")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        for command in (["verify", "testcard", self.path], ["classify", "testcard", self.path],
                        ["run", "testcard", "--input", self.path, "--output", self.path]):
            result = swin(*command, "--precision", "half")
            self.assertEqual(result.returncode, 2)
            self.assertIn("auto, fp32 or fp16", result.stderr)

    def test_agrees(self):
        result = self.verify({})
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn(f"{IMAGES} of {IMAGES}", result.stdout)
        verdict = [line for line in result.stdout.splitlines() if line.startswith("verdict")]
        self.assertEqual(len(verdict), 1)
        self.assertIn("agrees", verdict[0])

    def test_json(self):
        result = json.loads(self.verify({}, "--json").stdout)
        self.assertTrue(result["passed"])
        self.assertEqual((result["images"], result["top1_agreeing"]), (IMAGES, IMAGES))
        self.assertEqual({tensor["name"] for tensor in result["tensors"]}, self.reference.keys() - {"input"})
        for tensor in result["tensors"]:
            self.assertLess(tensor["difference"], 1e-6)
            self.assertEqual(tensor["shape"], self.reference[tensor["name"]][0])

    def test_measures_in_deviations(self):
        logits = self.logits(0.01)
        result = self.verify({"logits": logits}, "--json")
        self.assertEqual(result.returncode, 1)
        parsed = json.loads(result.stdout)
        measured = next(tensor for tensor in parsed["tensors"] if tensor["name"] == "logits")
        deviation = statistics.pstdev(logits[1])
        self.assertFalse(parsed["passed"] or measured["passed"])
        self.assertAlmostEqual(measured["deviation"], deviation, delta=1e-5 * deviation)
        self.assertAlmostEqual(measured["difference"], 0.01, delta=1e-5)
        self.assertAlmostEqual(measured["relative"], 0.01 / deviation, delta=1e-4)
        self.assertEqual(self.verify({"logits": logits}, "--tolerance", "0.1").returncode, 0)

    def test_another_class_is_never_right(self):
        result = self.verify({"logits": self.logits(-1e3)}, "--tolerance", "1e9")
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"{IMAGES - 1} of {IMAGES}", result.stdout)
        self.assertIn("DOES NOT AGREE", result.stdout)

    def test_not_a_number(self):
        shape, values = self.reference["stages.0"]
        for value in (math.nan, math.inf):
            result = self.verify({"stages.0": (shape, [value, *values[1:]])}, "--json")
            self.assertEqual(result.returncode, 1)
            self.assertFalse(json.loads(result.stdout)["passed"])

    def test_part_of_a_reference(self):
        stages = {name: None for name in self.reference if name.startswith("stages.")}
        self.assertEqual(self.verify(stages).returncode, 0)
        result = self.verify({"logits": None})
        self.assertEqual(result.returncode, 0)
        self.assertNotIn("top-1", result.stdout)

    def test_refuses_what_does_not_belong(self):
        shape, values = self.reference["logits"]
        nothing = {name: None for name in self.reference if name != "input"}
        for changes, word in (({"logits": ([shape[0], shape[1] - 1], values[: shape[0] * (shape[1] - 1)])}, "logits"),
                              ({"stages.77": ([1], [0.0])}, "stages.77"),
                              ({"input": None}, "input"),
                              ({"input": ([1, 3, 5, 5], [0.5] * 75)}, "--image-size"),
                              (nothing, "logits")):
            result = self.verify(changes)
            self.assertEqual(result.returncode, 1, word)
            self.assertIn(word, result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
            self.assertEqual(result.stdout, "")


class FeaturesOnly(unittest.TestCase):
    """A model without a head, of one block."""

    CONFIG = {"model_type": "swin", "image_size": 12, "patch_size": 3, "embed_dim": 8, "depths": [1],
              "num_heads": [2], "window_size": 2, "mlp_ratio": 2.0, "num_labels": 0}
    BLOCK = "swin.encoder.layers.0.blocks.0."

    def shapes(self):
        shapes = {"swin.embeddings.patch_embeddings.projection.weight": [8, 3, 3, 3],
                  "swin.embeddings.patch_embeddings.projection.bias": [8],
                  self.BLOCK + "attention.self.relative_position_bias_table": [9, 2]}
        for name in ("swin.embeddings.norm", "swin.layernorm", self.BLOCK + "layernorm_before",
                     self.BLOCK + "layernorm_after"):
            shapes.update({name + ".weight": [8], name + ".bias": [8]})
        for name, rows, columns in (("attention.self.query", 8, 8), ("attention.self.key", 8, 8),
                                    ("attention.self.value", 8, 8), ("attention.output.dense", 8, 8),
                                    ("intermediate.dense", 16, 8), ("output.dense", 8, 16)):
            shapes.update({self.BLOCK + name + ".weight": [rows, columns], self.BLOCK + name + ".bias": [rows]})
        return shapes

    def test_run_and_verify(self):
        draw = random.Random(1)
        weights = {name: (shape, [draw.gauss(0.0, 0.5) for _ in range(math.prod(shape))])
                   for name, shape in self.shapes().items()}
        with tempfile.TemporaryDirectory() as folder:
            write_safetensors(os.path.join(folder, "model.safetensors"), weights)
            with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
                json.dump(self.CONFIG, file)
            source, target = os.path.join(folder, "in"), os.path.join(folder, "out")
            for size, options in ((12, ()), (18, ("--image-size", "18"))):
                write_safetensors(source, {"input": ([1, 3, size, size], sines(3 * size * size))})
                result = swin("run", folder, "--input", source, "--output", target, *options)
                self.assertEqual(result.returncode, 0, result.stderr)
                outputs = read_safetensors(target)
                self.assertEqual(outputs.keys(), {"pooled", "stages.0"})
                self.assertEqual(outputs["stages.0"][0], [1, size // 3, size // 3, 8])
                write_safetensors(source, {**read_safetensors(source), **outputs})
                result = swin("verify", folder, source, *options)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertIn("none", swin("info", folder).stdout)
            self.assertEqual(json.loads(swin("info", folder, "--json").stdout)["num_classes"], 0)


if __name__ == "__main__":
    unittest.main()
