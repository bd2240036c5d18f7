#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `swin bench` says about a network: that its figures fit together, whatever they are."""
import json
import unittest

from program import swin

QUICK = ("--runs", "2", "--warm-up", "1")


def bench(*arguments):
    result = swin("bench", *arguments, *QUICK, "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


class Bench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.testcard = bench("testcard", "--operations")

    def check_figures(self, figures):
        self.assertGreater(figures["calls"], 0)
        self.assertGreaterEqual(figures["dispatches"], figures["calls"])
        self.assertGreater(figures["bytes"], 0)
        self.assertGreater(figures["gpu_ms"], 0)
        self.assertGreater(figures["limit_ms"], 0)
        self.assertAlmostEqual(figures["gap_ms"], figures["gpu_ms"] - figures["limit_ms"], places=9)
        self.assertAlmostEqual(figures["gflops"], figures["flops"] * 1e-6 / figures["gpu_ms"])
        self.assertAlmostEqual(figures["gb_per_second"], figures["bytes"] * 1e-6 / figures["gpu_ms"])

    def test_network(self):
        result = self.testcard
        self.assertEqual((result["model"], result["batch"], result["image_width"]), ("testcard", 1, 96))
        self.assertIn(result["precision"], ("fp32", "fp16"))
        latency = result["latency_ms"]
        self.assertLessEqual(latency["min"], latency["median"])
        self.assertLessEqual(latency["median"], latency["p95"])
        self.assertAlmostEqual(result["images_per_second"], 1e3 / latency["median"])
        self.assertAlmostEqual(result["gflops"], result["gflop_per_image"] * result["images_per_second"])
        self.assertGreater(result["weights_bytes"], 0)
        self.assertGreater(result["activations_bytes"], 96 * 96 * 3 * 4)
        # A barrier at the start and one at the end, and none without a dispatch behind it.
        self.assertLessEqual(result["barriers"], result["dispatches"] + 1)

    def test_operations(self):
        result = self.testcard
        operations, kinds = result["operations"], result["kinds"]
        for figures in (*operations, *kinds):
            self.check_figures(figures)
        for rows in (operations, kinds):
            gaps = [row["gap_ms"] for row in rows]
            self.assertEqual(gaps, sorted(gaps, reverse=True))
            self.assertAlmostEqual(sum(row["share"] for row in rows), 1, places=6)
            self.assertEqual(sum(row["dispatches"] for row in rows), result["dispatches"])
            self.assertAlmostEqual(sum(row["limit_ms"] for row in rows), result["limit_ms"])
            self.assertAlmostEqual(sum(row["gpu_ms"] for row in rows), result["operations_ms"])
        self.assertAlmostEqual(sum(row["flops"] for row in operations) * 1e-9, result["gflop_per_image"])
        self.assertLessEqual({"linear", "attention", "mean_pool"}, {row["kind"] for row in operations})
        self.assertEqual({row["name"] for row in kinds}, {row["kind"] for row in operations})

    def test_ceilings(self):
        result = self.testcard
        ceilings = result["ceilings"]
        arithmetic = max(value for name, value in ceilings.items() if name.endswith("_gflops"))
        if result["precision"] == "fp32":
            arithmetic = ceilings["fp32_gflops"]
        sizes = [entry["bytes"] for entry in ceilings["bandwidth"]]
        self.assertEqual(sizes, sorted(sizes))
        self.assertGreaterEqual(sizes[-1], 100 << 20)
        for row in result["operations"]:
            speeds = [entry["gb_per_second"] for entry in ceilings["bandwidth"] if entry["bytes"] >= row["bytes"]]
            self.assertAlmostEqual(row["arithmetic_share"], row["gflops"] / arithmetic)
            self.assertAlmostEqual(row["bandwidth_share"], row["gb_per_second"] / max(speeds))
            self.assertAlmostEqual(row["limit_ms"], row["gpu_ms"] * max(row["arithmetic_share"], row["bandwidth_share"]))

    def test_batches(self):
        one, three = bench("testcard", "--batch", "1,3")
        self.assertEqual((one["batch"], three["batch"]), (1, 3))
        self.assertNotIn("operations", one)
        self.assertAlmostEqual(one["gflop_per_image"], three["gflop_per_image"])
        self.assertEqual(one["weights_bytes"], three["weights_bytes"])
        self.assertGreater(three["activations_bytes"], 2 * one["activations_bytes"])
        self.assertEqual(one["ceilings"], three["ceilings"])

    def test_sizes(self):
        plain, wide = bench("vit_tiny", "--image-size", "64"), bench("vit_tiny", "--image-size", "128x64")
        self.assertEqual((wide["image_width"], wide["image_height"]), (128, 64))
        self.assertGreater(wide["gflop_per_image"], 1.8 * plain["gflop_per_image"])
        # A window as large as the map: all tokens attend to all.
        windowed, whole = bench("swin_t", "--image-size", "64"), bench("swin_t", "--image-size", "64", "--window-size", "16")
        attention = [next(row for row in result["kinds"] if row["name"] == "attention") for result in (windowed, whole)]
        self.assertGreater(attention[1]["flops"], 2 * attention[0]["flops"])
        self.assertEqual(attention[1]["calls"], attention[0]["calls"])

    def test_precision(self):
        self.assertEqual(bench("testcard", "--precision", "fp32")["precision"], "fp32")
        half = swin("bench", "testcard", "--precision", "fp16", *QUICK, "--json")
        if half.returncode == 0:
            half, single = json.loads(half.stdout), bench("testcard", "--precision", "fp32")
            self.assertEqual(half["precision"], "fp16")
            self.assertLess(half["activations_bytes"], 0.75 * single["activations_bytes"])
            self.assertLess(half["weights_bytes"], 0.75 * single["weights_bytes"])
        else:
            self.assertIn("fp16", half.stderr)

    def test_text(self):
        result = swin("bench", "testcard", "--batch", "1,2", "--operations", *QUICK)
        self.assertEqual(result.returncode, 0)
        for word in ("device", "ceilings", "latency", "dispatches", "barriers", "limit", "linear", "gap ms"):
            self.assertIn(word, result.stdout)
        self.assertEqual(result.stdout.count("\nlatency "), 2)

    def test_mistakes(self):
        for arguments in (("--batch", "0"), ("--batch", "1,"), ("--batch", "65536"), ("--batch", "two"),
                          ("--batch", ",".join(["1"] * 17)), ("--runs", "0"), ("--warm-up", "-1"),
                          ("--precision", "fp8"), ("--image-size", "big"), ("--streams", "65"),
                          ("--streams", "2", "--batch", "1,2"), ("--streams", "2", "--loading"),
                          ("--loading", "--image-size", "96")):
            self.assertEqual(swin("bench", "testcard", *arguments).returncode, 2, arguments)
        for arguments in (("swin_t", "--image-size", "2"), ("vit_tiny", "--window-size", "7"), ("no-such-model",)):
            self.assertEqual(swin("bench", *arguments).returncode, 1, arguments)


if __name__ == "__main__":
    unittest.main()
