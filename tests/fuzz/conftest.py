from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

CAMPAIGN = Path(__file__).parents[2] / "benchmarks/fuzz.py"
INPUTS = {
    "study": 150, "hypothesis": 120, "arguments": 250, "reference": 150, "writing": 80,
    "stream": 40, "table": 250, "power-log": 60, "tree": 60, "damaged-store": 120, "names": 60,
    "page": 3, "round-trip": 40, "onnx": 200, "model-file": 80,
}  # fmt: skip
"""Inputs of each kind; about a minute of one processor together."""


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
