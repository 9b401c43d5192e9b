"""How far apart the runs of one tool are, beside other tools, at an equal wall budget.

Each tool measures ResNet-18 (eager fp32, two threads, one image of 224 by 224) again and again,
each time in a fresh process that gets the same number of seconds, start-up included; the tools take
turns in a random order. The coefficient of variation (standard deviation over mean) of what a tool
reports is how well it repeats; the goal is at most 0.6 of the best peer's. The interval is a
bootstrap over runs (percentile). OpenVINO's benchmark_app runs another runtime, so that only its
spread compares.

First: python benchmarks/peers/setup.py. Repeat with: python benchmarks/reproducibility.py
(eight runs of seven tools of 20 s each: about 20 minutes; nothing else may run meanwhile). With
`--json FILE` a file that is there is added to, so that the runs can be made in several parts.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
OURS = "inferometer"
GOAL = 0.6
SCRIPTS = {
    OURS: "inferometer_.py",
    "torch_timer": "torch_timer.py",
    "pyperf": "pyperf_.py",
    "pytorch_benchmark": "pytorch_benchmark_.py",
    "optimum_benchmark": "optimum_benchmark_.py",
    "loadgen": "loadgen.py",
    "openvino": "openvino_.py",
}
PATIENCE = 4
RESAMPLES = 10_000
SEED = 0


def python_of(tool: str) -> Path:
    """Interpreter that a tool runs in: ours, or that of its own environment."""
    return Path(sys.executable) if tool == OURS else HERE / ".envs" / tool / "bin" / "python"


def run_once(tool: str, budget_s: float) -> tuple[float, float] | None:
    """What one run reports, and the seconds that it took; None where it failed."""
    command = [str(python_of(tool)), str(HERE / "peers" / SCRIPTS[tool]), f"{budget_s:g}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE * budget_s + 60, check=True
        )
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        said = getattr(error, "stderr", None) or str(error)
        print(f"  {tool} failed: {str(said).strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return float(answer["value_s"]), float(answer["spent_s"])


def variation(values: Sequence[float]) -> float:
    """Coefficient of variation: standard deviation (n - 1) over mean."""
    return float(np.std(values, ddof=1) / np.mean(values))


def variation_interval(values: Sequence[float]) -> tuple[float, float]:
    """Percentile bootstrap of the coefficient of variation, 95 %."""
    draws = np.random.default_rng(SEED).choice(np.asarray(values), (RESAMPLES, len(values)))
    low, high = np.quantile(draws.std(axis=1, ddof=1) / draws.mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def report(values: dict[str, list[float]], spent: dict[str, list[float]]) -> None:
    """Print the spread of each tool, and ours beside the best of the others."""
    spread = {tool: variation(found) for tool, found in values.items() if len(found) > 1}
    print(f"{'tool':<18} {'runs':>4} {'mean ms':>8} {'CV %':>6}  {'95 %':<15} {'wall s':>6}")
    for tool, cv in sorted(spread.items(), key=lambda pair: pair[1]):
        low, high = variation_interval(values[tool])
        print(
            f"{tool:<18} {len(values[tool]):>4} {1e3 * np.mean(values[tool]):>8.2f} "
            f"{100 * cv:>6.2f}  {f'{100 * low:.2f} to {100 * high:.2f}':<15} "
            f"{np.mean(spent[tool]):>6.1f}"
        )
    peers = {tool: cv for tool, cv in spread.items() if tool != OURS}
    if OURS in spread and peers:
        best = min(peers, key=lambda tool: peers[tool])
        ratio = spread[OURS] / peers[best]
        print(f"{OURS} over the best peer ({best}): {ratio:.2f}, goal {GOAL}")


def kept(file: Path | None, tools: Sequence[str]) -> tuple[dict[str, list[float]], ...]:
    """What earlier parts found: values and seconds spent, by tool."""
    found = json.loads(file.read_text()) if file and file.is_file() else {}
    return tuple(
        {tool: found.get(name, {}).get(tool, []) for tool in tools}
        for name in ("value_s", "spent_s")
    )


def main() -> None:
    """Run the tools in turns, and print the spread of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--budget", type=float, default=20.0, help="seconds of each run")
    parser.add_argument("--tools", nargs="*", choices=SCRIPTS, default=list(SCRIPTS))
    parser.add_argument("--json", type=Path, help="where to keep what was reported")
    given = parser.parse_args()
    tools = [tool for tool in given.tools if python_of(tool).is_file()]
    print("not there:", ", ".join(set(given.tools) - set(tools)) or "none", file=sys.stderr)
    values, spent = kept(given.json, tools)
    done = min(map(len, values.values()))
    for turn in range(done, done + given.runs):
        order = random.Random(f"{SEED} {turn}")
        for tool in order.sample(tools, len(tools)):
            found = run_once(tool, given.budget) if len(values[tool]) <= turn else None
            if found is None:
                continue
            values[tool].append(found[0])
            spent[tool].append(found[1])
            print(f"  {turn + 1} {tool}: {1e3 * found[0]:.2f} ms", file=sys.stderr, flush=True)
            if given.json:
                given.json.write_text(json.dumps({"value_s": values, "spent_s": spent}, indent=1))
    report(values, spent)


if __name__ == "__main__":
    main()
