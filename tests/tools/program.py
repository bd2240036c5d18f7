# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the program `swin` share. The path of the program is the first argument."""
import json
import math
import struct
import subprocess
import sys

SWIN = sys.argv.pop(1)


def swin(*arguments):
    return subprocess.run([SWIN, *arguments], capture_output=True, text=True, check=False)


def read_safetensors(path):
    """{name: (shape, values)} of a file of float32 tensors."""
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: (entry["shape"],
                   struct.unpack(f"<{math.prod(entry['shape'])}f", data[slice(*entry["data_offsets"])]))
            for name, entry in header.items()}


def write_safetensors(path, tensors):
    """Writes {name: (shape, values)} as float32."""
    header, data = {}, b""
    for name, (shape, values) in tensors.items():
        blob = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + len(blob)]}
        data += blob
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
