# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A peer in a process of its own, so that one that hangs, crashes or is not installed spoils nothing, and so that
several take turns: it is set up once, then asked for a few samples at a time.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
import time


class Unavailable(Exception):
    """Why a peer cannot be measured; a sentence."""


# ---- In the peer's process -----------------------------------------------------------------------


def sample_calls(call):
    """A sampler: milliseconds of single calls, for about so many seconds."""

    def sample(seconds):
        times, end = [], time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            start = time.perf_counter()
            call()
            times.append((time.perf_counter() - start) * 1e3)
        return times

    return sample


def serve(make):
    """
    Answers requests until there are no more.

    @make: returns a sampler, and a dictionary that says what is measured
    """
    # What libraries print does not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    try:
        sample, about = make()
        answer(about)
        for line in sys.stdin:
            answer(sample(float(line)))
    except Unavailable as reason:
        answer({"unavailable": str(reason)})
    except ImportError as reason:
        answer({"unavailable": f"{reason}."})
    except Exception as reason:  # whatever a library raises is the reason why there are no figures
        text = str(reason).strip().splitlines()
        answer({"unavailable": f"{type(reason).__name__}: {text[0] if text else ''}"})


# ---- In the process that measures ----------------------------------------------------------------


class Worker:
    """Starts a peer and waits until it is ready; raises Unavailable."""

    def __init__(self, command, patience):
        self.patience = patience
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, bufsize=1
        )
        try:
            self.about = self.read(patience)
        except Unavailable:
            self.stop()
            raise

    def read(self, seconds):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        if not ready:
            raise Unavailable(f"it was not done after {seconds:.0f} s.")
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            last = (self.errors.read().strip().splitlines() or ["it ended without a word."])[-1]
            raise Unavailable(last)
        answer = json.loads(line)
        if isinstance(answer, dict) and "unavailable" in answer:
            raise Unavailable(answer["unavailable"])
        return answer

    def sample(self, seconds):
        """Milliseconds of each sample."""
        try:
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # read() knows why
        return self.read(self.patience + seconds)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()
