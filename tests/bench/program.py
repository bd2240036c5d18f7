# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program `swin bench`, as the benchmarks run it."""

import json
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Failed(Exception):
    """The program said why."""


def find_program():
    """The one that a bundle has beside the scripts, or that of the checkout's build folder."""
    beside = [ROOT / "bin" / "swin", ROOT / "build" / "tools" / "swin"]
    return os.environ.get("SWIN") or next((path for path in beside if path.is_file()), beside[-1])


def add_options(parser):
    parser.add_argument(
        "--swin", default=find_program(), metavar="PROGRAM", help="the program to measure (default: %(default)s)"
    )
    parser.add_argument("--device", help="handed to swin: index, UUID or part of a name")


class Program:
    def __init__(self, path, device=None):
        self.path, self.device = str(path), device

    def bench(self, model, batch=1, image_size=None, window_size=None, precision=None, warm_up=1, runs=3, operations=False):
        """What `swin bench --json` says of one batch size."""
        command = [self.path, "bench", model, "--json", f"--batch={batch}", f"--warm-up={warm_up}", f"--runs={runs}"]
        for name, value in (("image-size", image_size), ("window-size", window_size), ("precision", precision),
                            ("device", self.device)):  # fmt: skip
            if value:
                command.append(f"--{name}={value}")
        if operations:
            command.append("--operations")
        try:
            result = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise Failed(f"{self.path}: {error.strerror}; build it first, or name it with --swin") from error
        if result.returncode != 0:
            last = (result.stderr.strip().splitlines() or [f"it ended with {result.returncode}"])[-1]
            raise Failed(f"{' '.join(command)}: {last}")
        return json.loads(result.stdout)


def kind(result, name):
    """The figures of a kind of operation, or None."""
    return next((row for row in result["kinds"] if row["name"] == name), None)


def slug(result):
    """A name for a folder: of a GPU its own, of a processor that of the driver, which decides."""
    text = result["driver"] if result["device_kind"] == "cpu" else result["device"]
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")
