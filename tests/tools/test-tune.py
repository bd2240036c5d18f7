#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`swin tune` and what `swin devices` says of kernels: from outside, in a cache folder of its own."""
import glob
import json
import os
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

from program import swin

folder = tempfile.TemporaryDirectory(prefix="swin-tune-")
# Mesa's own cache of shaders stays where it is.
os.environ.setdefault("MESA_SHADER_CACHE_DIR", os.path.expanduser("~/.cache"))
os.environ["XDG_CACHE_HOME"] = folder.name
os.environ.pop("SWIN_DISABLE", None)


class Devices(unittest.TestCase):
    def test_says_what_they_compute_in(self):
        text = swin("devices").stdout
        for device in json.loads(swin("devices", "--json").stdout):
            if not device["usable"]:
                continue
            self.assertEqual(device["precisions"][0], "fp32")
            self.assertIn(device["precision_auto"], device["precisions"])
            self.assertGreaterEqual(device["subgroup_size"], 1)
            for shape in device["matrix_shapes"]:
                self.assertEqual(len(shape), 3)
                self.assertIn("fp16", device["precisions"])
                self.assertIn("x".join(map(str, shape)), text)


class Tune(unittest.TestCase):
    def setUp(self):
        shutil.rmtree(os.path.join(folder.name, "gst-swin"), ignore_errors=True)

    def files(self):
        return glob.glob(os.path.join(folder.name, "gst-swin", "tuning", "*"))

    def test_mistakes(self):
        for arguments in (("tune",), ("tune", "testcard", "--batch", "0"), ("tune", "testcard", "--runs", "0"),
                          ("tune", "testcard", "--seconds", "0"), ("tune", "testcard", "--precision", "fp8")):
            self.assertEqual(swin(*arguments).returncode, 2, arguments)
        self.assertEqual(swin("tune", "no-such-model").returncode, 1)
        self.assertEqual(self.files(), [])

    def test_one_kernel_is_no_choice(self):
        os.environ["SWIN_KERNELS"] = "cpu"
        result = swin("tune", "testcard", "--runs", "1")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("Nothing is kept", result.stdout)
        self.assertEqual(self.files(), [])

    def test_keeps_the_fastest(self):
        os.environ["SWIN_KERNELS"] = "gpu"
        result = swin("tune", "testcard", "--json", "--runs", "1", "--seconds", "20")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        measured = 0
        for product in report["products"]:
            chosen = [kernel for kernel in product["kernels"] if kernel["chosen"]]
            default = [kernel for kernel in product["kernels"] if kernel["default"]]
            self.assertEqual((len(chosen), len(default)), (1, 1))
            if default[0]["ms"] is None:
                self.assertEqual(chosen, default)
                continue
            measured += 1
            times = [kernel["ms"] for kernel in product["kernels"] if kernel["ms"] is not None]
            self.assertLessEqual(chosen[0]["ms"], default[0]["ms"])
            self.assertLessEqual(0.98 * chosen[0]["ms"], min(times) * 1.0001)
        self.assertGreater(measured, 0)
        self.assertEqual(self.files(), [report["file"]])


if __name__ == "__main__":
    try:
        unittest.main()
    finally:
        folder.cleanup()
