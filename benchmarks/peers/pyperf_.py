"""pyperf: processes of its own, its mean of them.

Each of its processes imports torch again, a few seconds each: within the budget there is room for
three. The number of loops is given, which saves it the process that calibrates.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from common import answer, call, left_s

PROCESSES = 3
START_S = 5.0
LOOPS = 2
VALUE_S = 0.1
INNER = "PEER_INNER"


def inner() -> None:
    """What pyperf starts again and again."""
    import pyperf  # type: ignore[import-not-found]

    is_worker = "--worker" in sys.argv  # the process above them calls nothing
    pyperf.Runner().bench_func("resnet18", call() if is_worker else print)


def main() -> None:
    import pyperf

    for_values_s = left_s() / PROCESSES - START_S
    values = max(3, round(for_values_s / VALUE_S))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        command = [sys.executable, __file__, "--quiet", "-o", str(out)]
        command += ["--processes", str(PROCESSES), "--values", str(values), "--warmups", "1"]
        command += ["--loops", str(LOOPS), "--inherit-environ", INNER]
        subprocess.run(command, check=True, env={**os.environ, INNER: "1"}, stdout=sys.stderr)
        suite = pyperf.BenchmarkSuite.load(str(out))
        answer(suite.get_benchmarks()[0].mean(), "mean of processes")


if __name__ == "__main__":
    if INNER in os.environ:
        inner()
    else:
        main()
