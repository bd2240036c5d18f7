#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Has a network compute something on this machine in fp32, and writes input and outputs into one file for `swin
verify`. How far off fp16 may be elsewhere goes into a file beside it, OUT.fp16.

Usage: references.py PROGRAM MODEL OUT
"""

import array
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile


def read(path):
    """The header and the bytes of a .safetensors file."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    return {name: (row["dtype"], row["shape"], data[8 + length :][slice(*row["data_offsets"])])
            for name, row in header.items()}  # fmt: skip


def write(path, tensors):
    header, offset = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(row[2] for row in tensors.values()))


def picture(size):
    """Normalised pixels: smooth, with noise, as photographs are."""
    numbers = random.Random(1)
    values = array.array("f")
    for channel in range(3):
        for y in range(size):
            for x in range(size):
                values.append((x * (channel + 1) // 32 + y // 16) % 5 / 2 - 1 + numbers.gauss(0, 0.3))
    if sys.byteorder == "big":
        values.byteswap()
    return ("F32", [1, 3, size, size], values.tobytes())


# How far networks amplify what fp16 rounds differs by more than tenfold between them (those of V2 with random weights
# most of all), so the bound is what it comes to here, times this: elsewhere other sums are rounded to other neighbours.
MARGIN = 3


def half_precision_error(program, model, reference):
    """The largest difference of any tensor in fp16, in standard deviations."""
    command = [program, "verify", model, reference, "--precision", "fp16", "--tolerance", "1e9", "--json"]
    # 1 where another class comes first, which random weights may do in fp16.
    result = subprocess.run(command, stdout=subprocess.PIPE)
    if result.returncode not in (0, 1) or not result.stdout:
        sys.exit(f"references.py: {' '.join(map(str, command))} ended with {result.returncode}.")
    report = json.loads(result.stdout)
    errors = [row["relative"] for row in report["tensors"]]
    if None in errors:
        sys.exit(f"references.py: {model} in fp16 gives what is no number on this machine.")
    return max(errors)


def main():
    program, model, output = sys.argv[1:]
    size = 256 if "_v2_" in model else 224
    with tempfile.TemporaryDirectory() as folder:
        before, after = f"{folder}/input.safetensors", f"{folder}/output.safetensors"
        pixels = {"input": picture(size)}
        write(before, pixels)
        subprocess.run(
            [program, "run", model, "--input", before, "--output", after, "--precision", "fp32"], check=True
        )
        reference = f"{output}.safetensors"
        write(reference, {**pixels, **read(after)})
    error = half_precision_error(program, model, reference)
    pathlib.Path(f"{output}.fp16").write_text(f"{MARGIN * error:.3g}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
