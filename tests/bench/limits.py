# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Limits by the best ceilings that were seen. Each `swin bench` measures the device's ceilings; what somebody else
did in that second must not lower what the device can do.
"""

import math


def best_ceilings(results):
    """As `swin bench` has them, each the highest of @results."""
    best = {"bandwidth": {}}
    for ceilings in (result["ceilings"] for result in results):
        if ceilings.get("matrix_gflops", 0) > best.get("matrix_gflops", 0):
            best["matrix_shape"] = ceilings["matrix_shape"]
        for name in (name for name in ceilings if name.endswith("_gflops")):
            best[name] = max(ceilings[name], best.get(name, 0))
        for entry in ceilings["bandwidth"]:
            best["bandwidth"][entry["bytes"]] = max(entry["gb_per_second"], best["bandwidth"].get(entry["bytes"], 0))
    best["bandwidth"] = [{"bytes": size, "gb_per_second": speed} for size, speed in sorted(best["bandwidth"].items())]
    return best


def fit_row(row, arithmetic, bandwidth):
    """@arithmetic, @bandwidth: milliseconds that the row takes at the ceilings"""
    taken = row["gpu_ms"] or math.inf  # shorter than a tick of the device's clock
    row["arithmetic_share"], row["bandwidth_share"] = arithmetic / taken, bandwidth / taken
    row["gap_ms"] = row["gpu_ms"] - row["limit_ms"]


def apply(result, ceilings):
    """Replaces the limits, shares and gaps of @result, which has its operations, by those at @ceilings."""
    names = [name for name in ceilings if name.endswith("_gflops")]
    peak = ceilings["fp32_gflops"] if result["precision"] == "fp32" else max(ceilings[name] for name in names)
    sums = {}
    for row in result["operations"]:
        speed = max(entry["gb_per_second"] for entry in ceilings["bandwidth"]
                    if entry["bytes"] >= row["bytes"] or entry is ceilings["bandwidth"][-1])  # fmt: skip
        times = row["flops"] * 1e-6 / peak, row["bytes"] * 1e-6 / speed
        row["limit_ms"] = max(times)
        fit_row(row, *times)
        sums[row["kind"]] = [a + b for a, b in zip(sums.get(row["kind"], (0, 0, 0)), (*times, max(times)))]
    for row in result["kinds"]:
        arithmetic, bandwidth, row["limit_ms"] = sums[row["name"]]
        fit_row(row, arithmetic, bandwidth)
    for rows in (result["operations"], result["kinds"]):
        rows.sort(key=lambda row: -row["gap_ms"])
    result["limit_ms"] = sum(row["limit_ms"] for row in result["kinds"])
    result["ceilings"] = ceilings
