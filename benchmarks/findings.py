"""How often true hypotheses are refuted, planted anomalies found, and false ones named.

    python benchmarks/findings.py [STUDIES]

Studies made up from a known truth (tests/unit/analysis/studies.py): four models, eleven shapes,
three processes whose medians differ by 3 or 8 %, eight rounds each. 200 take about three minutes.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from inferometer.analysis.anomalies import find_anomalies
from inferometer.analysis.grid import build
from inferometer.analysis.hypotheses import examine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/unit/analysis"))
studies = import_module("studies")  # the made-up studies of the tests

TRUE = (
    "latency increases with parameters",
    "latency increases with batch_size",
    "latency increases with input_size",
    "tiny is faster than small",
    "tiny is at least twice as fast as middle",
    "latency per input decreases with batch_size",
)
FALSE = (
    "latency decreases with batch_size",
    "large is faster than small",
    "throughput decreases with batch_size",
)
SHAPES = studies.SHAPES


def planted(kind: str, rng: np.random.Generator) -> dict[str, Any]:
    """What a study of a kind has planted into it, somewhere."""
    model = str(rng.choice(list(studies.MODELS)))
    inner = (model, 224, int(rng.choice([2, 4, 8, 16])))
    jump, after = float(rng.uniform(3, 20)), float(rng.uniform(0.25, 0.75))
    kinds: dict[str, dict[str, Any]] = {
        "repeated_figure": {"copied": ((inner, (model, 448, 4)),)},
        "faster_with_more_work": {"factor": {inner: float(rng.uniform(0.2, 0.35))}},
        "jump": {"factor": {(model, 448, batch): jump for batch in (4, 8, 16)}},
        "off_fit": {"factor": {inner: float(rng.uniform(1.7, 1.95))}},
        "first_call_in_mean": {"first_call": (inner,)},
        "device_changed": {"slower_after": after, "slower_by": float(rng.uniform(1.15, 1.6))},
        "order_effect": {"after": model, "after_by": float(rng.uniform(1.2, 1.8))},
    }
    return kinds[kind]


KINDS = (
    "repeated_figure",
    "faster_with_more_work",
    "jump",
    "off_fit",
    "first_call_in_mean",
    "device_changed",
    "order_effect",
)


def hypotheses(count: int, between: float) -> None:
    """Outcomes of true and of false hypotheses."""
    outcomes: dict[str, Counter[str]] = {text: Counter() for text in (*TRUE, *FALSE)}
    for seed in range(count):
        grid = build(studies.MadeUp(seed=seed, between=between).records())
        for one in examine(grid, list(outcomes)):
            outcomes[one.text][one.outcome] += 1
    for what, texts in (("true", TRUE), ("false", FALSE)):
        for text in texts:
            print(f"  {what:5}  {text:46} {dict(outcomes[text])}")


def close(count: int, between: float) -> None:
    """Outcomes of a hypothesis that holds by a twentieth from model to model."""
    outcomes: Counter[str] = Counter()
    for seed in range(count):
        made = studies.MadeUp(seed=40_000 + seed, models=studies.ALIKE, between=between)
        outcomes.update(one.outcome for one in examine(build(made.records()), TRUE[:1]))
    print(f"  true   {TRUE[0]}, by 5 % from model to model {dict(outcomes)}")


def clean(count: int, between: float) -> None:
    """False anomalies of studies that have none."""
    kinds: Counter[str] = Counter()
    for seed in range(count):
        grid = build(studies.MadeUp(seed=10_000 + seed, between=between).records())
        kinds.update(one.kind for one in find_anomalies(grid))
    rate = sum(kinds.values()) / count
    print(f"  clean studies: {rate:.3f} false anomalies each {dict(kinds)}")


def recall(count: int, between: float) -> None:
    """How often what was planted is named."""
    for kind in KINDS:
        rng = np.random.default_rng(17)
        found = 0
        for seed in range(count):
            made = studies.MadeUp(seed=20_000 + seed, between=between, **planted(kind, rng))
            found += kind in {one.kind for one in find_anomalies(build(made.records()))}
        print(f"  {kind:24} found in {found} of {count}")


def main() -> None:
    """Print the figures of docs/method/hypotheses.md and docs/method/anomalies.md."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for between in (0.03, 0.08):
        print(f"processes differ by {between:.0%}, {count} studies")
        hypotheses(count, between)
        close(count, between)
        clean(count, between)
        recall(count, between)


if __name__ == "__main__":
    main()
