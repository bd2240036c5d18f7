# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Python environment in which `tools/setup oracles` puts what results are held against."""

import importlib
import os
import pathlib
import sys
import warnings

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
PYTHON = CACHE / "gst-swin" / "oracles" / "bin" / "python"


def need(*modules):
    """Imports @modules; where one is missing the program starts again in that environment, or ends with 77 (skipped)."""
    # Nothing is looked up on the hub, and the libraries' own progress is of no interest.
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", PYTHONWARNINGS="ignore")
    warnings.filterwarnings("ignore")
    try:
        for module in modules:
            importlib.import_module(module)
    except ImportError as missing:
        if PYTHON.is_file() and not os.environ.get("SWIN_ORACLES_TRIED"):
            os.environ["SWIN_ORACLES_TRIED"] = "1"
            os.execv(PYTHON, [str(PYTHON), *sys.argv])
        print(f"skipped: {missing}; `tools/setup torch oracles` installs what is needed", file=sys.stderr)
        sys.exit(1 if "parity" in os.environ.get("SWIN_TEST_REQUIRE", "").split() else 77)
