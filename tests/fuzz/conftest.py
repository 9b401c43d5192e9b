from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

CAMPAIGN = Path(__file__).parents[2] / "benchmarks/fuzz.py"
INPUTS = {
    "study": 80, "hypothesis": 60, "arguments": 120, "reference": 80, "writing": 40, "stream": 20,
    "table": 120, "published": 100, "bundle": 50, "power-log": 40, "log-file": 100, "tree": 30,
    "damaged-store": 60, "names": 30, "page": 3, "round-trip": 20, "onnx": 100, "model-file": 50,
}  # fmt: skip
"""Inputs of each kind, few for every change; a campaign of `benchmarks/fuzz.py` tries many."""


@pytest.fixture(scope="session")
def campaign():
    return CAMPAIGN


@pytest.fixture(scope="session")
def tried():
    """Try inputs of some kinds in one process of their own; gives what came of them, by kind.

    This process may have threads, which a fork would leave half way.
    """

    def run(*names, count=None):
        chunks = [
            part for name in names for part in ("--worker", name, "0", str(count or INPUTS[name]))
        ]
        done = subprocess.run(
            [sys.executable, str(CAMPAIGN), *chunks], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found = defaultdict(list)
        for line in done.stdout.splitlines():
            result = json.loads(line)
            found[result["kind"]].append(result)
        for name in names:
            assert len(found[name]) == (count or INPUTS[name])
        return found

    return run
