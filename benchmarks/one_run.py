"""What a run says of its workloads against each other, in reality and against another version.

    git worktree add /tmp/before 880f183
    python benchmarks/one_run.py run /tmp/before/src --to FILE [--repeats 6] [--budget 90s]
    python benchmarks/one_run.py table FILE

A run measures ten models of `networks.py` at two batch sizes: four networks under two names each
(the truth of their ratio is 1), and a hash of 100 blocks against one of 105 (the truth is 1.05).
A repeat is two runs of this version and one of the other, in an order by chance, with the same
budget. Two further runs of this version have a program beside them that computes through the
middle third; in two others a model is 30 % slower from the middle on. `table` prints: how often
intervals of true ratios of 1 exclude it, with and without Holm's correction; how often the 5 % are
found; how often an interval holds the pooled ratio of all other runs; half-widths of both
versions; and what became of the disturbed runs. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from statistics import mean, median
from typing import Any

from scipy.special import stdtr, stdtrit
from scipy.stats import binomtest

from inferometer.stats.comparison import holm
from inferometer.study.units import parse_duration

HERE = Path(__file__).parents[1] / "src"
NETWORKS = Path(__file__).with_name("networks.py")
SAME = ("cnn?depth=4", "cnn?depth=8", "cnn?width=32", "cnn?width=48")
"""Each is measured under two names."""
LESS, MORE = "hashing_module?blocks=100", "hashing_module?blocks=105"
SLOWED = "slowed.py:model"
SLOWED_BY = 0.30
SLOW_MODEL = """
import hashlib, os, time
import torch

BLOCK = bytes(1 << 14)


class Slowed(torch.nn.Module):
    def forward(self, batch):
        is_slow = time.time() > float(os.environ["SLOW_FROM"])
        for _ in range((130 if is_slow else 100) * len(batch)):
            hashlib.sha256(BLOCK).digest()
        return batch


def model():
    return Slowed(), torch.zeros(1, 1)
"""
Rows = list[dict[str, Any]]


def run(source: Path, budget: str, *, slow_from: float | None = None) -> Rows:
    """The records of one run of a version."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("a.py", "b.py"):
            (Path(folder) / name).write_text(NETWORKS.read_text())
        (Path(folder) / "slowed.py").write_text(SLOW_MODEL)
        models = [f"{file}:{name}" for name in SAME for file in ("a.py", "b.py")]
        models += [f"a.py:{LESS}", f"a.py:{MORE}"]
        if slow_from is not None:
            models[0] = SLOWED
        command = [
            *(sys.executable, "-m", "inferometer", "run", "--models", ",".join(models)),
            *("--size", "own", "--batch", "1,4", "--threads", "1", "--budget", budget),
            *("--no-roofline", "--no-energy", "--store", f"{folder}/x.db", "--json", "-"),
        ]
        environment = {**os.environ, "PYTHONPATH": str(source), "SLOW_FROM": str(slow_from or 0)}
        done = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, check=False, text=True
        )
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    rows: Rows = json.loads(done.stdout)
    return [{k: v for k, v in row.items() if _is_kept(k)} for row in rows]


def _is_kept(name: str) -> bool:
    return name.startswith(("latency_", "cause", "verdict")) or name in (
        *("model", "batch_size", "status", "usable_for"),
    )


@contextmanager
def computing(begin_s: float, seconds_long: float) -> Iterator[None]:
    """Another program computes for a while, from so many seconds on."""
    code = (
        f"import time; time.sleep({begin_s!r}); end = time.time() + {seconds_long!r}\n"
        "while time.time() < end: sum(range(9999))"
    )
    beside = subprocess.Popen([sys.executable, "-c", code])
    try:
        yield
    finally:
        beside.kill()
        beside.wait()


def measure(other: Path, target: Path, repeats: int, budget: str) -> None:
    """Make all runs, and write each down as soon as it is there."""
    length_s = parse_duration(budget)
    plan = []
    for _ in range(repeats):
        part = ["this", "this", "other"]
        random.shuffle(part)
        plan += part
    plan += ["busy", "slowed"] * 2
    for number, kind in enumerate(plan):
        slow_from = time.time() + length_s * 0.55 if kind == "slowed" else None
        if kind == "busy":
            with computing(length_s / 3, length_s / 3):
                rows = run(HERE, budget)
        else:
            rows = run(other if kind == "other" else HERE, budget, slow_from=slow_from)
        with target.open("a") as file:
            file.write(json.dumps({"kind": kind, "rows": rows}) + "\n")
        print(f"{number + 1} of {len(plan)}: {kind}", file=sys.stderr)


Side = tuple[float, float, float]
"""Logarithm of the median, half of its relative interval, degrees of freedom."""


def sides(rows: Rows) -> dict[str, Side]:
    """Workloads that have a relative interval."""
    found = {}
    for row in rows:
        low, high = row.get("latency_relative_ci_low_s"), row.get("latency_relative_ci_high_s")
        if row["status"] == "ok" and low and high:
            half = math.log(high / low) / 2
            freedom = row["latency_relative_freedom"]
            name = f"{row['model']}/{row['batch_size']}"
            found[name] = math.log(row["latency_median_s"]), half, freedom
    return found


def contrast(one: Side, other: Side) -> tuple[float, float]:
    """Difference of logarithms, and half of its interval of 95 %."""
    return other[0] - one[0], math.hypot(one[1], other[1])


def p_of(one: Side, other: Side, truth: float = 0.0) -> float:
    """Two-sided p of a true difference, by a normal with the interval's own width."""
    difference, half = contrast(one, other)
    freedom = min(one[2], other[2])
    t = abs(difference - truth) / half * float(stdtrit(freedom, 0.975))
    return 2 * float(stdtr(freedom, -t))


def pairs_of_same(found: dict[str, Side]) -> list[tuple[str, str]]:
    """Names of workloads that are the same under two names."""
    names = [(f"a.py:{m}/{b}", f"b.py:{m}/{b}") for m in SAME for b in (1, 4)]
    return [(a, b) for a, b in names if a in found and b in found]


def table(runs: Sequence[dict[str, Any]]) -> None:
    """Print what the runs showed."""
    this = [sides(one["rows"]) for one in runs if one["kind"] == "this"]
    _print_same(this)
    _print_power(this)
    _print_coverage(this, this, "this version's runs")
    for kind in ("busy", "slowed"):
        these = [one for one in runs if one["kind"] == kind]
        _print_coverage([sides(one["rows"]) for one in these], this, f"{kind} runs", skip=SLOWED)
        for one in these:
            named = [
                f"{row['model']}/{row['batch_size']}"
                for row in one["rows"]
                if "moved_alone" in row["cause_codes"]
            ]
            print(f"{kind}: named as having moved alone: {named or 'none'}")
    _print_widths(runs)


def _print_same(this: Sequence[dict[str, Side]]) -> None:
    tests = [[p_of(one[a], one[b]) for a, b in pairs_of_same(one)] for one in this]
    flat = [p for each in tests for p in each]
    false = sum(p < 0.05 for p in flat)
    family = sum(any(p < 0.05 for p in holm(each)) for each in tests if each)
    print(
        f"A/A: {_share(false, len(flat))} different; by Holm in {_share(family, len(tests))} runs"
    )


def _print_power(this: Sequence[dict[str, Side]]) -> None:
    found, held, halves = [], [], []
    for one in this:
        for batch in (1, 4):
            a, b = f"a.py:{LESS}/{batch}", f"a.py:{MORE}/{batch}"
            if a in one and b in one:
                found.append(p_of(one[a], one[b]) < 0.05 and one[b][0] > one[a][0])
                difference, half = contrast(one[a], one[b])
                held.append(abs(difference - math.log(1.05)) <= half)
                halves.append(half)
    print(
        f"5 %: found {_share(sum(found), len(found))}, held {_share(sum(held), len(held))}, "
        f"half-width {median(halves):.1%}"
    )


def _print_coverage(
    judged: Sequence[dict[str, Side]],
    all_runs: Sequence[dict[str, Side]],
    what: str,
    skip: str = "",
) -> None:
    held = []
    for one in judged:
        others = [other for other in all_runs if other is not one]
        for a, b in combinations(sorted(one), 2):
            if skip and skip in a + b:
                continue
            pooled = [contrast(o[a], o[b])[0] for o in others if a in o and b in o]
            if len(pooled) >= 5:
                difference, half = contrast(one[a], one[b])
                held.append(abs(difference - mean(pooled)) <= half)
    if held:
        print(f"{what}: {_share(sum(held), len(held))} intervals hold the pooled ratio of others")


def _print_widths(runs: Sequence[dict[str, Any]]) -> None:
    widths = {
        kind: [w for one in runs if one["kind"] == kind for w in _widths(one["rows"], names)]
        for kind, names in (("this", ABSOLUTE), ("other", ABSOLUTE))
    }
    relative = [w for one in runs if one["kind"] == "this" for w in _widths(one["rows"], RELATIVE)]
    cells = {k: [len(one["rows"]) for one in runs if one["kind"] == k] for k in ("this", "other")}
    for kind, found in widths.items():
        print(
            f"{kind}: absolute half-width {median(found):.1%} in the median, {max(found):.0%} at "
            f"worst, {len(found)} of {sum(cells[kind])} cells"
        )
    print(f"this: relative {median(relative):.1%} in the median, {max(relative):.0%} at worst")
    print(
        f"absolute {median(widths['this']) / median(widths['other']):.2f} of the other's, relative "
        f"{median(relative) / median(widths['other']):.2f}"
    )


ABSOLUTE = ("latency_ci_low_s", "latency_ci_high_s")
RELATIVE = ("latency_relative_ci_low_s", "latency_relative_ci_high_s")


def _widths(rows: Rows, names: tuple[str, str]) -> list[float]:
    return [
        (row[names[1]] - row[names[0]]) / 2 / row["latency_median_s"]
        for row in rows
        if row.get(names[0]) is not None and row.get(names[1]) is not None
    ]


def _share(count: int, total: int) -> str:
    if not total:
        return "0 of 0"
    ends = binomtest(count, total).proportion_ci()
    return f"{count} of {total} ({count / total:.1%} [{ends.low:.1%}, {ends.high:.1%}])"


def main() -> None:
    """Measure, or print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("run")
    measuring.add_argument("other", type=Path, help="the folder src of the other version")
    measuring.add_argument("--to", type=Path, required=True)
    measuring.add_argument("--repeats", type=int, default=6)
    measuring.add_argument("--budget", default="90s")
    commands.add_parser("table").add_argument("file", type=Path)
    given = parser.parse_args()
    if given.command == "run":
        measure(given.other.resolve(), given.to.resolve(), given.repeats, given.budget)
    else:
        table([json.loads(line) for line in given.file.read_text().splitlines()])


if __name__ == "__main__":
    main()
