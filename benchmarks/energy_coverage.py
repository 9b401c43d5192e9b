"""How often the interval of the energy holds the truth, for each sensor, and what faults do.

    python benchmarks/energy_coverage.py [SEEDS]

Virtual time: 1000 seeds of every kind take about a minute. `2u` is what twice the standard
uncertainty would have held; `95 %` is what is reported.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/unit/meters/energy"))
virtual = import_module("virtual")  # the device of the tests


def coverage(name: str, kind: Any, seeds: int) -> None:  # noqa: ANN401 - of a module of the tests
    gross: list[Any] = []
    net: list[Any] = []
    reasons = Counter[str]()
    for seed in range(seeds):
        _, found = virtual.run(kind, seed)
        for estimate, hits, truth in (
            (found.gross_j, gross, kind.device.gross_j),
            (found.net_j, net, kind.device.net_j),
        ):
            if estimate is not None:
                hits.append(virtual.judge(estimate, truth))
        if found.net_reason:
            reasons[found.net_reason[:60]] += 1
    for what, hits in (("gross", gross), ("net", net)):
        shares = {key: np.mean([hit.share.get(key, 0.0) for hit in hits]) for key in hits[0].share}
        most = sorted(shares, key=lambda key: -shares[key])[:2]
        print(
            f"| {name} | {what} | {len(hits)} | {np.mean([hit.held for hit in hits]):.1%}"
            f" | {np.mean([hit.held_by_2u for hit in hits]):.1%}"
            f" | {np.median([hit.half for hit in hits]):.2%}"
            f" | {', '.join(f'{key} {shares[key]:.0%}' for key in most)} |"
        )
    for reason, count in reasons.items():
        print(f"  withheld {count}: {reason}")


def faults(name: str, kind: Any, seeds: int) -> None:  # noqa: ANN401 - of a module of the tests
    for fault in virtual.FAULTS:
        if kind.wraps_at_j is None and fault in ("reset", "wrap missed"):
            continue
        given, worst = 0, 0.0
        beyond = 0
        for seed in range(seeds):
            simulation = virtual.Simulation(kind, seed)
            found = virtual.with_fault(simulation, fault, np.random.default_rng(seed))
            for estimate, truth in (
                (found.gross_j, kind.device.gross_j),
                (found.net_j, kind.device.net_j),
            ):
                if estimate is not None:
                    given += 1
                    worst = max(worst, abs(estimate.value / truth - 1))
                    beyond += abs(estimate.value - truth) > 1.5 * estimate.half
        print(f"| {name} | {fault} | {seeds} | {given} of {2 * seeds} | {worst:.1%} | {beyond} |")


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("| sensor | figure | given | held, 95 % | held, 2u | half width | most of u² |")
    print("|---|---|---|---|---|---|---|")
    for name, kind in virtual.KINDS.items():
        coverage(name, kind, seeds)
        coverage(f"{name}, statistical", virtual.only_statistical(kind), seeds)
    print()
    print("| sensor | fault | seeds | figures given | worst error | beyond 1.5 ± |")
    print("|---|---|---|---|---|---|")
    for name, kind in virtual.KINDS.items():
        faults(name, kind, seeds)


if __name__ == "__main__":
    main()
