"""Inferometer's own command line: its median, from its export.

The target is out of reach on purpose, so that it uses the whole of its budget as the others do.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

from common import SIZE, THREADS, answer, left_s

TARGET = "0.01%"


def main() -> None:
    command = [sys.executable, "-m", "inferometer", "run", "--models", "resnet18"]
    command += ["--batch", "1", "--size", str(SIZE), "--threads", str(THREADS), "--json", "-"]
    command += ["--target", TARGET, "--no-energy", "--budget", f"{left_s():.0f}s"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, stderr=sys.stderr, cwd=folder
        )
    (row,) = json.loads(done.stdout)
    if row["latency_median_s"] is None:
        raise SystemExit(f"no figure: {row['failure_message']}")
    answer(row["latency_median_s"], f"median of {row['latency_processes']} processes")


if __name__ == "__main__":
    main()
