"""How often a paired run finds a difference where there is none, and where there is one of 2 %.

    python benchmarks/pairs.py same|quiet|busy [--runs N] [--append FILE]

`same`: one small network under two names, at twelve batch sizes, in three pairs of fresh processes.
An interval of the ratio that does not hold 1 is a false positive; they should be as many as the
nominal 5 %. Comparisons of one run share its processes, so that they are fewer than they look.
`quiet` and `busy`: 100 blocks are hashed against 102, in 10 s, and in 60 s while another process
computes on one of the cores. Found means that the verdict is `slower`. `--append` keeps what was
found, so that parts of the work add up over several calls.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from scipy.stats import binomtest

import inferometer as im
from inferometer.analysis.compare import compare
from inferometer.analysis.matching import match_within

ROUND_S = 0.02  # blocks of a pair are short anyway, and the budget sets apart what rounds may take
NETWORKS = Path(__file__).with_name("networks.py")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one kind of run does.

    Attributes:
        models: factories in the copies of `networks.py`, baseline and contender.
        backend: that runs them.
        batches: batch sizes, each of which is a comparison.
        budget_s: seconds of a run, start-up included.
        span_s: over which the rounds of its three processes spread at the least.
        busy: whether another process computes meanwhile.
    """

    models: tuple[str, str]
    backend: str
    batches: tuple[int, ...]
    budget_s: float
    span_s: float
    busy: bool = False


LESS_AND_MORE = ("hashing?blocks=100", "hashing?blocks=102")
PLANS = {
    "same": Plan(
        models=("small_cnn", "small_cnn"),
        backend="torch",
        batches=tuple(range(1, 13)),
        budget_s=35.0,
        span_s=15.0,
    ),
    "quiet": Plan(models=LESS_AND_MORE, backend="python", batches=(1,), budget_s=10.0, span_s=6.0),
    "busy": Plan(
        models=LESS_AND_MORE,
        backend="python",
        batches=(1,),
        budget_s=60.0,
        span_s=40.0,
        busy=True,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """One comparison: contender over baseline, its interval, its verdict, and the run it is of."""

    ratio: float
    low: float
    high: float
    verdict: str
    pairs: int
    run: int


def one_run(plan: Plan, number: int) -> list[Found]:
    """Measure a pair once; what was found at each batch size."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("first.py", "second.py")]
        for file in files:
            shutil.copy(NETWORKS, file)
        study = im.Study(
            name="pair",
            sweep=im.Sweep(
                models=tuple(f"{f}:{m}" for f, m in zip(files, plan.models, strict=True)),
                backends=(plan.backend,),
                blocks=(im.Block(batches=plan.batches),),
                threads=1,
            ),
            procedure=im.Procedure(
                pair=True,
                budget_s=plan.budget_s,
                span_s=plan.span_s,
                round_s=ROUND_S,
                seed=number,
            ),
        )
        with im.open_store(Path(folder) / "pair.db") as store:
            done = im.run_study(study, store=store)
            records = store.records(done.run.id, with_rounds=True)
    for record in records:
        if record.failure is not None:
            print(f"{record.workload.label}: {record.failure.message}", file=sys.stderr)
    rows = []
    for one in compare(match_within(records, "model")):
        interval = one.difference.interval(one.confidence)
        if interval is not None:
            rows.append(
                Found(
                    ratio=one.difference.ratio,
                    low=interval.low,
                    high=interval.high,
                    verdict=one.verdict,
                    pairs=one.difference.units,
                    run=number,
                )
            )
    return rows


@contextmanager
def stressed(*, wanted: bool) -> Iterator[None]:
    """Another process that computes without end, if it is wanted."""
    if not wanted:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        try:
            yield
        finally:
            other.kill()


def rate(hits: int, n: int) -> str:
    """A share with its 95 % binomial interval, which takes the trials for independent."""
    ci = binomtest(hits, n).proportion_ci()
    return f"{hits} of {n}, {hits / n:.1%} [{ci.low:.1%}, {ci.high:.1%}]"


def report(kind: str, found: list[Found]) -> None:
    """Print the share of findings."""
    if not found:
        print(f"{kind}: nothing was compared")
        return
    runs = {one.run for one in found}
    widths = [(one.high / one.low) ** 0.5 - 1 for one in found]
    verdicts = [one.verdict for one in found]
    print(
        f"{kind}: {len(found)} comparisons in {len(runs)} runs of {PLANS[kind].budget_s:g} s, "
        f"{min(one.pairs for one in found)} to {max(one.pairs for one in found)} process pairs, "
        f"median ratio {median(one.ratio for one in found):.4f}, "
        f"median half-width {median(widths):.2%}"
    )
    print("  verdicts:", ", ".join(f"{verdicts.count(v)} {v}" for v in sorted(set(verdicts))))
    if kind == "same":
        outside = [one for one in found if not one.low <= 1 <= one.high]
        print(f"  interval without 1: {rate(len(outside), len(found))}, asked 3 to 7 %")
        wrong = {one.run for one in found if one.verdict in ("faster", "slower")}
        print(f"  runs with any such verdict (Holm): {rate(len(wrong), len(runs))}")
    else:
        right = [one for one in found if one.verdict == "slower"]
        held = [one for one in found if one.low <= 1.02 <= one.high]
        print(f"  found: {rate(len(right), len(found))}, asked at least 90 %")
        print(f"  interval holds 1.02: {rate(len(held), len(found))}")


def main() -> None:
    """Run, keep, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("kind", choices=PLANS)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--append", type=Path, help="where findings are kept, and added to")
    given = parser.parse_args()
    found: list[Found] = []
    if given.append and given.append.is_file():
        found = [Found(**entry) for entry in json.loads(given.append.read_text())]
    first = max((one.run for one in found), default=-1) + 1
    with stressed(wanted=PLANS[given.kind].busy):
        for number in range(first, first + given.runs):
            found += one_run(PLANS[given.kind], number)
            if given.append:
                given.append.write_text(json.dumps([asdict(one) for one in found], indent=1))
    report(given.kind, found)


if __name__ == "__main__":
    main()
