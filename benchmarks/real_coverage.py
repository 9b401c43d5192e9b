"""How often a reported interval holds what later fresh launches of a real model give.

    python benchmarks/real_coverage.py [--runs N] [--budget S] [--append FILE]

The same study of two networks is run again and again, each time with three fresh processes. The
interval of a run is about the median of the typical process. So it is held against the geometric
mean of the medians of the next twelve launches, those of the four runs that follow it: runs that
have no four after them only serve others. An interval of three processes cannot be right more often
than these twelve allow, which have an error of their own. The share of single later launches
within it is shown beside it; nothing is promised about that. Runs whose budget left no time for
three processes are left out, and counted. `--append` keeps what was measured,
so that parts of the work add up over several calls.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import geometric_mean, median, stdev

from scipy.stats import binomtest

import inferometer as im
from inferometer.core.record import Record
from inferometer.figures.summary import by_process, settled_rounds

MODELS = ("mobilenet_v3_small", f"{Path(__file__).with_name('networks.py')}:small_cnn")
PROCESSES = 3
THREADS = 1  # two of two cores: another program that uses one makes calls a hundred times longer
LATER_RUNS = 4
GOAL = 0.9


@dataclass(frozen=True, kw_only=True)
class Launches:
    """What one run said of one network.

    Attributes:
        model: which.
        low: lower end of the reported interval, seconds.
        high: upper end.
        value: the reported median.
        medians: of its processes, seconds.
        verdict: of the record.
        target_met: whether the interval was as narrow as asked.
    """

    model: str
    low: float
    high: float
    value: float
    medians: list[float]
    verdict: str
    target_met: bool


def one_run(budget_s: float) -> list[Launches]:
    """Measure both networks in fresh processes."""
    study = im.Study(
        name="real coverage",
        sweep=im.Sweep(models=MODELS, threads=THREADS),
        procedure=im.Procedure(processes=PROCESSES, budget_s=budget_s),
    )
    with tempfile.TemporaryDirectory() as folder, im.open_store(Path(folder) / "runs.db") as store:
        done = im.run_study(study, store=store)
        records = store.records(done.run.id, with_rounds=True)
        return [found for record in records if (found := launches(record, study.procedure))]


def launches(record: Record, procedure: im.Procedure) -> Launches | None:
    """The interval of a record, and the median of each of its processes; None where it failed."""
    low, high = record.number("latency_ci_low_s"), record.number("latency_ci_high_s")
    value = record.number("latency_median_s")
    if low is None or high is None or value is None:
        return None
    _, counting = settled_rounds(record.rounds, procedure)
    return Launches(
        model=Path(record.workload.variant.model).name,
        low=low,
        high=high,
        value=value,
        medians=[
            median(call for done in mine for call in done.settled_s)
            for mine in by_process(counting)
        ],
        verdict=str(record["verdict"]),
        target_met=bool(record["latency_target_met"]),
    )


def report(every_run: list[Launches], name: str) -> tuple[int, int]:
    """Print how one network fared; intervals that held, of how many."""
    runs = [one for one in every_run if len(one.medians) >= PROCESSES]
    if len(runs) < len(every_run):
        print(f"{name}: {len(every_run) - len(runs)} runs cut short are left out")
    if not runs:
        return 0, 0
    held = tried = within = single = 0
    for index, one in enumerate(runs[: len(runs) - LATER_RUNS]):
        later = [m for other in runs[index + 1 : index + 1 + LATER_RUNS] for m in other.medians]
        tried += 1
        held += one.low <= geometric_mean(later) <= one.high
        within += sum(one.low <= value <= one.high for value in later)
        single += len(later)
    every = [value for one in runs for value in one.medians]
    widths = [(one.high - one.low) / 2 / one.value for one in runs]
    verdicts = [one.verdict for one in runs]
    print(
        f"{name}: {len(runs)} runs, {len(every)} launches, {1e3 * geometric_mean(every):.3g} ms, "
        f"between launches {stdev(every) / geometric_mean(every):.1%}, "
        f"median half-width {median(widths):.1%} (from {min(widths):.1%} to {max(widths):.1%})"
    )
    print(f"  target met {sum(one.target_met for one in runs)} of {len(runs)}; verdicts:", end=" ")
    print(", ".join(f"{verdicts.count(kind)} {kind}" for kind in sorted(set(verdicts))))
    if tried:
        print(f"  held the mean of later launches: {rate(held, tried)}")
        print(f"  held single later launches: {rate(within, single)}")
    return held, tried


def rate(hits: int, n: int) -> str:
    """A share with its 95 % binomial interval, which takes the trials for independent."""
    ci = binomtest(hits, n).proportion_ci()
    return f"{hits} of {n}, {hits / n:.0%} [{ci.low:.0%}, {ci.high:.0%}]"


def main() -> None:
    """Run, keep, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=16)
    parser.add_argument("--budget", type=float, default=45.0, help="seconds of a run, at the most")
    parser.add_argument("--append", type=Path, help="where runs are kept, and added to")
    given = parser.parse_args()
    kept: list[Launches] = []
    if given.append and given.append.is_file():
        kept = [Launches(**entry) for entry in json.loads(given.append.read_text())]
    for _ in range(given.runs):
        kept += one_run(given.budget)
        if given.append:
            given.append.write_text(json.dumps([asdict(entry) for entry in kept], indent=1))
    held = tried = 0
    for name in sorted({entry.model for entry in kept}):
        of_one = report([entry for entry in kept if entry.model == name], name)
        held, tried = held + of_one[0], tried + of_one[1]
    if tried:
        print(f"all: {rate(held, tried)}, goal {GOAL:.0%}")


if __name__ == "__main__":
    main()
