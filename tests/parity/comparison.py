# SPDX-License-Identifier: LGPL-2.1-or-later
"""`swin run` held against the code that a checkpoint comes from."""

import contextlib
import dataclasses
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import cases
import checkpoints
import networks
import reference
import rounding

# In standard deviations of the tensor. F16 weights: of the logits alone, against those of float32 weights.
TOLERANCE = 1e-4
HALF_TOLERANCE = 1e-2
# In half precision: what PyTorch is off by when it rounds at the same places (rounding.py), times this. Both
# are the largest of many differences that only chance makes; and a product that is rounded before its norm
# is applied, or a score before it meets V, is rounded at another place.
ROUNDING_FACTOR = 3
IMAGES = 2


@dataclasses.dataclass
class Row:
    """One network in one dialect."""

    case: str
    library: str
    differences: dict  # tensor: largest difference over the standard deviation
    rounding: dict  # the same of PyTorch in half precision; None where swin computes in float32
    same_class: int  # images whose largest logit is of the same class; of all of them in IMAGES
    half: float = None  # difference of the logits with F16 weights, where that was measured
    half_same_class: int = None
    identical: bool = None  # the same bits as the first dialect; None where they need not be

    def logits(self):
        return self.differences.get("logits")

    def worst(self):
        """(name, difference) of the tensor that is farthest off, without the logits."""
        inner = {name: value for name, value in self.differences.items() if name != "logits"}
        return max(inner.items(), key=lambda item: (math.isnan(item[1]), item[1]))

    def bound(self, name):
        return TOLERANCE if self.rounding is None else ROUNDING_FACTOR * self.rounding[name]

    def problems(self):
        what = f"{self.case}, {self.library}: "
        for name, difference in self.differences.items():
            if not difference <= self.bound(name):  # true for NaN
                yield f"{what}{name} is off by {difference:.1e}, more than {self.bound(name):.1e}"
        if self.same_class < IMAGES:
            yield f"{what}another class comes first in {IMAGES - self.same_class} of {IMAGES}"
        if self.half is not None and not self.half <= HALF_TOLERANCE:
            yield f"{what}with F16 weights the logits are off by {self.half:.1e}"
        if self.half_same_class is not None and self.half_same_class < IMAGES:
            yield f"{what}with F16 weights another class comes first"
        if self.identical is False:
            yield f"{what}not the same bits as the other dialects"


class Failure(Exception):
    """`swin` could not do something."""


LIBRARIES = pathlib.Path("usr/lib/x86_64-linux-gnu")


def of_another_system(root, folder):
    """(command, environment) to run programs of the system in @root as it would, with its lavapipe."""
    loader = root / "lib64" / "ld-linux-x86-64.so.2"
    driver = {"library_path": str(root / LIBRARIES / "libvulkan_lvp.so"), "api_version": "1.3.0"}
    manifest = pathlib.Path(folder) / "lavapipe.json"
    manifest.write_text(json.dumps({"file_format_version": "1.0.1", "ICD": driver}))
    return [loader, "--library-path", root / LIBRARIES], {"VK_DRIVER_FILES": str(manifest)}


class Program:
    """The program `swin`.

    @device and @precision are its options; @half_precision whether it computes in fp16, @root
    (nullable) the root of the system it was built for, @device_name what it last said it ran on.
    """

    def __init__(self, path, device=None, precision="fp32", root=None):
        self.options = ["--precision", precision] + (["--device", device] if device else [])
        self.half_precision = precision == "fp16"
        self.device_name = "an unknown device"
        self.command = [path]
        self.environment = dict(os.environ)
        if root:
            self.folder = tempfile.TemporaryDirectory(prefix="swin-parity-")
            loader, environment = of_another_system(pathlib.Path(root), self.folder.name)
            self.command = loader + self.command
            self.environment.update(environment)

    def call(self, *arguments):
        command = [str(part) for part in (*self.command, *arguments, *self.options)]
        result = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise Failure(f"{' '.join(command)}: {result.stderr.strip() or result.stdout.strip()}")
        return result

    def run(self, model, source, target, options=()):
        """The outputs of @model for the input in @source."""
        result = self.call("run", model, "--input", source, "--output", target, *options)
        for line in result.stderr.splitlines():
            if line.startswith("Running on "):
                self.device_name = line[len("Running on ") :].rstrip(".")
        return checkpoints.read(target)


def relative(ours, theirs):
    """max |ours - theirs| over the standard deviation of theirs."""
    return ((ours.double() - theirs.double()).abs().max() / theirs.double().std()).item()


def differences(ours, theirs):
    """Infinite for what is missing, superfluous or of another shape."""
    result = {}
    for name in sorted(theirs.keys() | (ours.keys() - {"pooled"})):
        fits = name in ours and name in theirs and ours[name].shape == theirs[name].shape
        result[name] = relative(ours[name], theirs[name]) if fits else math.inf
    return result


def same_class(ours, theirs):
    if "logits" not in theirs:
        return IMAGES
    return (ours["logits"].argmax(1) == theirs["logits"].argmax(1)).sum().item()


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def make_pixels(case):
    pictures = reference.synthetic_pictures(IMAGES, *case["image"], seed=1)
    return reference.normalise(pictures, reference.IMAGENET_MEAN, reference.IMAGENET_STD)


@contextlib.contextmanager
def input_folder(case):
    """A temporary folder with the pixels of @case in `input.safetensors`: (folder, pixels)."""
    with tempfile.TemporaryDirectory(prefix="swin-parity-") as name:
        folder = pathlib.Path(name)
        pixels = make_pixels(case)
        checkpoints.write_input(pixels, folder / "input.safetensors")
        yield folder, pixels


def describe(row):
    worst, difference = row.worst()
    logits = "none" if row.logits() is None else f"{row.logits():.1e}"
    same = {None: "", True: ", the same bits", False: ", OTHER BITS"}[row.identical]
    bound = "" if row.rounding is None else f" (PyTorch in half precision: {row.rounding[worst]:.1e})"
    return f"{row.case}, {row.library}: logits {logits}, {worst} {difference:.1e}{bound}{same}"


def compute(program, model, pixels):
    """What @model makes of @pixels, and how far off that is in half precision where @program computes so:
    (outputs, differences)."""
    theirs = reference.compute(model, pixels)
    return theirs, differences(rounding.compute(model, pixels), theirs) if program.half_precision else None


def compare(program, name, dialect, folder, computed, options=()):
    """Runs the checkpoint in @folder / @dialect on @folder / input.safetensors, of which its library @computed
    what compute() says: (row, outputs)."""
    source, target = folder / "input.safetensors", folder / "output.safetensors"
    theirs, rounded = computed
    ours = program.run(folder / dialect, source, target, options)
    row = Row(name, dialect, differences(ours, theirs), rounded, same_class(ours, theirs))
    return row, ours


def dialects_of(case):
    """The libraries that compute it, and the names for which another library's code computes."""
    return case["libraries"] + tuple(dialect for dialect in case["identical"] if dialect in checkpoints.CODE)


def compare_published(program, name):
    """One network with the weights of one draw, saved by every library."""
    case = cases.find(name)
    source = networks.make(case, "timm")
    networks.draw(source, seed=1)
    rows = []
    first = None
    computed = {}  # by the library whose code computes
    with input_folder(case) as (folder, pixels):
        for dialect in dialects_of(case):
            model = checkpoints.translate(source, case, dialect)
            checkpoints.save(model, case, dialect, folder / dialect)
            library = checkpoints.CODE.get(dialect, dialect)
            if library not in computed:
                computed[library] = compute(program, model, pixels)
            row, ours = compare(program, name, dialect, folder, computed[library])
            if dialect in case["identical"]:
                row.identical = None if first is None else checkpoints.same_bits(ours, first)
                first = first or ours
            rows.append(row)
            say(describe(row))
        if program.half_precision:
            return rows
        checkpoints.save_half(source, case, "timm", folder / "half")
        half, _ = compare(program, name, "half", folder, computed["timm"])
        rows[0].half = half.logits()
        rows[0].half_same_class = half.same_class
        say(f"{name}, timm, F16 weights: logits {half.logits():.1e}")
    return rows


def compare_edge(program, name):
    """One config in each library that computes it, with weights of its own."""
    case = cases.find(name)
    trained = {**case, **(case["trained"] or {})}
    options = []
    if case["image"] != trained["image"]:
        options += ["--image-size", f"{case['image'][1]}x{case['image'][0]}"]
    if case.get("window") != trained.get("window"):
        options += ["--window-size", str(case["window"])]
    rows = []
    with input_folder(case) as (folder, pixels):
        for library in case["libraries"]:
            model = networks.make(trained, library)
            networks.draw(model, seed=1)
            checkpoints.save(model, trained, library, folder / library)
            if case["trained"]:
                model = networks.resize(model, case, library)
            row, _ = compare(program, name, library, folder, compute(program, model, pixels), options)
            rows.append(row)
            say(describe(row))
    return rows


def compare_all(program, names):
    """(rows, problems): a row for each network and dialect, a sentence for each that is wrong."""
    rows, problems = [], []
    for name in names:
        try:
            one = compare_edge if cases.find(name)["small"] else compare_published
            found = one(program, name)
        except Failure as failure:
            problems.append(f"{name}: {failure}")
            continue
        rows += found
        problems += [problem for row in found for problem in row.problems()]
    return rows, problems


# ---- tools/reference.py and `swin verify` ---------------------------------------------------------


def verify_one(program, script, folder, model, options=()):
    """Makes a reference for @model as a user does and verifies it: a sentence, or None."""
    output = folder / "reference.safetensors"
    given = options[0] if options else model
    command = [sys.executable, script, given, output, "--count", "1", *options[1:]]
    made = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"tools/reference.py {given}: {made.stderr.strip()}"
    try:
        program.call("verify", model, output)
    except Failure as failure:
        return str(failure)
    return None


def verify_checkpoints(program, name):
    """A sentence for each dialect of a network that all have published that tools/reference.py and `swin verify`
    do not find in agreement."""
    case = cases.find(name)
    script = pathlib.Path(reference.__file__)
    source = networks.make(case, "timm")
    networks.draw(source, seed=2)
    problems = []
    with tempfile.TemporaryDirectory(prefix="swin-parity-") as temporary:
        folder = pathlib.Path(temporary)
        for dialect in ("timm", "transformers", "torchvision", "microsoft"):
            model = checkpoints.translate(source, case, dialect)
            checkpoints.save(model, case, dialect, folder / dialect)
            weights = ("--weights", folder / dialect / "model.safetensors")
            options = {
                "torchvision": (f"torchvision:{case['torchvision']}", *weights),
                "microsoft": (f"timm:{case['timm']}", *weights),
            }.get(dialect, ())
            problem = verify_one(program, script, folder, folder / dialect, options)
            say(f"{name}, {dialect}: tools/reference.py and swin verify {'fail' if problem else 'agree'}")
            if problem:
                problems.append(problem)
    return problems


def verify_built_in(program, models):
    """The same for the built-in models, which are folders in @models."""
    script = pathlib.Path(reference.__file__)
    problems = []
    with tempfile.TemporaryDirectory(prefix="swin-parity-") as temporary:
        for weights in sorted(models.glob("*/model.safetensors")):
            problem = verify_one(program, script, pathlib.Path(temporary), weights.parent)
            say(f"{weights.parent.name}: tools/reference.py and swin verify {'fail' if problem else 'agree'}")
            if problem:
                problems.append(problem)
    return problems
