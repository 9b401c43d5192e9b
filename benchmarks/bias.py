"""How far reported latencies are from the truth, for calls that spin until a deadline.

They are measured as a user would have them measured, in worker processes; the truth is what each
call wrote down of itself by the same clock. The goals are 0.5 % at 100 µs and 0.1 % from 1 ms.
Repeat with: python benchmarks/bias.py
"""

from __future__ import annotations

import platform
import sys
import tempfile
from pathlib import Path

from inferometer.report.terminal.selftest import check_lines
from inferometer.runner.selftest.run import canary_check, latency_checks

TURNS = 3


def main() -> None:
    """Print the bias of each duration, some times over; status 1 where one is off."""
    print(f"machine: {platform.machine()}, Python {platform.python_version()}, {TURNS} turns")
    off = False
    for turn in range(TURNS):
        with tempfile.TemporaryDirectory() as folder:
            checks = [canary_check(), *latency_checks(Path(folder))]
        print(f"turn {turn + 1}")
        for line in check_lines(checks):
            print(f"  {line}")
        off |= any(check.state == "off" for check in checks)
    sys.exit(int(off))


if __name__ == "__main__":
    main()
