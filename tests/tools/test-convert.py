#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`swin convert`: what it writes, and how it refuses."""
import json
import os
import struct
import sys
import tempfile
import unittest

from program import swin

GOLDEN = sys.argv.pop(1)
FOLDER = tempfile.TemporaryDirectory()


def path_of(name):
    return os.path.join(FOLDER.name, name)


def golden(name):
    return os.path.join(GOLDEN, name)


def convert(*arguments):
    return swin("convert", *arguments)


def read_json(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return json.load(file)


def read_header(folder):
    return read_weights(folder)[0]


def read_weights(folder):
    """The header and the data."""
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        return json.loads(file.read(struct.unpack("<Q", file.read(8))[0])), file.read()


class Convert(unittest.TestCase):
    def test_other_names(self):
        out = path_of("made/on/the/way")
        result = convert(golden("regular/torchvision"), out)
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        self.assertEqual(sorted(os.listdir(out)), ["config.json", "model.safetensors", "preprocessor_config.json"])
        header, right = read_header(out), read_header(golden("regular/hf"))
        self.assertEqual(header.pop("__metadata__"), {"format": "pt"})
        self.assertEqual({name: (entry["dtype"], entry["shape"]) for name, entry in header.items()},
                         {name: (entry["dtype"], entry["shape"]) for name, entry in right.items()
                          if name != "__metadata__"})

    def test_buffers(self):
        out = path_of("buffers")
        self.assertEqual(convert(golden("regular/timm"), out).returncode, 0)
        (header, data), (right_header, right_data) = read_weights(out), read_weights(golden("regular/hf"))
        names = [name for name in right_header if name.endswith("relative_position_index")]
        self.assertEqual(len(names), 4)
        for name in names:
            begin, end = header[name]["data_offsets"]
            self.assertEqual(begin % 8, 0)
            self.assertEqual(data[begin:end], right_data[slice(*right_header[name]["data_offsets"])])

    def test_config(self):
        out = path_of("config")
        self.assertEqual(convert(golden("regular/hf"), out).returncode, 0)
        config, right = read_json(out, "config.json"), read_json(golden("regular/hf"), "config.json")
        for field in ("patch_size", "embed_dim", "depths", "num_heads", "mlp_ratio", "qkv_bias"):
            self.assertEqual(config[field], right[field], field)
        self.assertEqual(config["architectures"], ["SwinForImageClassification"])
        self.assertEqual(config["model_type"], "swin")
        self.assertEqual(config["torch_dtype"], "float32")
        self.assertEqual(config["problem_type"], "single_label_classification")
        self.assertEqual(config["id2label"], right["id2label"])
        self.assertEqual(config["label2id"], {label: int(index) for index, label in right["id2label"].items()})
        pixels = read_json(out, "preprocessor_config.json")
        self.assertIn("ImageProcessor", pixels["image_processor_type"])
        self.assertTrue(pixels["do_resize"] and pixels["do_rescale"] and pixels["do_normalize"])

    def test_half(self):
        whole, half = path_of("whole"), path_of("half")
        self.assertEqual(convert(golden("regular/hf"), whole, "--dtype", "f32").returncode, 0)
        self.assertEqual(convert(golden("regular/hf"), half, "--dtype", "f16").returncode, 0)
        dtypes = {entry["dtype"] for name, entry in read_header(half).items()
                  if name != "__metadata__" and not name.endswith("relative_position_index")}
        self.assertEqual(dtypes, {"F16"})
        self.assertEqual(read_json(half, "config.json")["torch_dtype"], "float16")
        sizes = [os.path.getsize(os.path.join(folder, "model.safetensors")) for folder in (whole, half)]
        self.assertLess(sizes[1], 0.6 * sizes[0])
        # What has been rounded once is read and written again as it is.
        self.assertEqual(convert(half, half, "--dtype", "f16").returncode, 0)
        self.assertEqual(convert(half, path_of("again"), "--dtype", "f16").returncode, 0)
        with open(os.path.join(half, "model.safetensors"), "rb") as one, \
                open(os.path.join(path_of("again"), "model.safetensors"), "rb") as other:
            self.assertEqual(one.read(), other.read())

    def test_another_size(self):
        out = path_of("size")
        result = convert(golden("regular/hf"), out, "--image-size", "64x48", "--window-size", "8")
        self.assertEqual(result.returncode, 0, result.stderr)
        config = read_json(out, "config.json")
        self.assertEqual((config["image_size"], config["window_size"]), ([48, 64], 8))
        tables = {tuple(entry["shape"]) for name, entry in read_header(out).items() if "bias_table" in name}
        self.assertEqual(tables, {(15 * 15, heads) for heads in config["num_heads"]})

    def test_refusals(self):
        cases = (
            (1, "transformers", golden("odd-torchvision/torchvision"), path_of("odd")),
            (1, "/no/such/model", "/no/such/model", path_of("none")),
            (1, "/dev/null/folder", golden("regular/hf"), "/dev/null/folder"),
            (2, "f64", golden("regular/hf"), path_of("f64"), "--dtype", "f64"),
            (2, "usage", golden("regular/hf")),
        )
        for code, part, *arguments in cases:
            result = convert(*arguments)
            self.assertEqual((result.returncode, result.stdout), (code, ""), arguments)
            self.assertIn(part, result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertFalse(os.path.exists(path_of("odd")))


if __name__ == "__main__":
    unittest.main()
