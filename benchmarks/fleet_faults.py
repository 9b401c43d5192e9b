"""Random schedules of faults: every workload measured as asked, nothing doubled, nothing lost.

    python benchmarks/fleet_faults.py [--schedules 50] [--first 0] [--kills 0]

Four simulated boards of one class and work of known length. In each schedule any of them is cut
off, killed, slow, late, held by somebody else, gone for good, or lies; one of them stays good. The
study is spread over them, and then measured whole on each. What the store has afterwards is
compared, workload by workload and round by round, with what the boards say that they measured.
With `--kills 2` the coordinator is killed twice, after a random number of events, and goes on with
the store as it was on the disk then.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "fleet"))

from simulated_board import Faults, SimulatedBoard  # type: ignore[import-not-found]

from inferometer.core.sweep import Block, Study, Sweep
from inferometer.fleet.engine.blocks import common_of
from inferometer.fleet.engine.drive import Pace
from inferometer.fleet.engine.merge import without_threads
from inferometer.fleet.engine.resuming import Earlier, find
from inferometer.fleet.engine.run import Plan, Result, run_fleet
from inferometer.fleet.engine.session import Event
from inferometer.fleet.types import Device
from inferometer.host.lease import this_person
from inferometer.store import Store, open_store

STUDY = Study(
    name="faults",
    sweep=Sweep(
        models=tuple(f"m{number}" for number in range(5)),
        blocks=(Block(sizes=(224,), batches=(1, 2, 4, 8)),),
    ),
)
PACE = Pace(poll_s=0.01, retry_s=0.01, patience_s=0.5, probe_s=0.03)
LIES = ("garbage", "other run", "other workloads", "too few", "script")


def faults(rng: random.Random) -> Faults:
    """What happens to one board."""
    kind = rng.choice(["cut off", "killed", "slow", "late", "held", "gone", "lies", "two cuts"])
    at, length = rng.uniform(0, 0.3), rng.uniform(0.05, 0.3)
    return {
        "cut off": Faults(away=[(at, at + length)]),
        "killed": Faults(dies_at=at),
        "slow": Faults(slowness=rng.uniform(2, 6)),
        "late": Faults(away=[(0, length)]),
        "held": Faults(held=(at / 3, at / 3 + length)),
        "gone": Faults(away=[(at, 1e9)]),
        "lies": Faults(lie=rng.choice(LIES)),
        "two cuts": Faults(away=[(at, at + 0.05), (at + 0.1, at + 0.1 + length)], dies_at=at),
    }[kind]


def boards_of(seed: int) -> list[SimulatedBoard]:
    """Four boards, of which one is good."""
    rng = random.Random(seed)
    happens = [faults(rng) for _ in range(3)] + [Faults()]
    rng.shuffle(happens)
    return [
        SimulatedBoard(
            device=Device(name=f"board{number}", host="x", kind="pi"),
            length_s=lambda _: 0.01,
            faults=one,
        )
        for number, one in enumerate(happens)
    ]


def problems_of_any(store: Store, result: Result, boards: list[SimulatedBoard]) -> list[str]:
    """What is wrong with a run that was spread."""
    if len(result.runs) != 1:
        return [f"{len(result.runs)} runs: {result.failures}"]
    run = store.run(result.runs[0])
    records = store.records(run.id, with_rounds=True)
    found = Counter(without_threads(one.workload) for one in records)
    problems = [] if found == Counter(STUDY.workloads()) else ["not every workload once"]
    numbers = [done.index for one in records for done in one.rounds]
    if len(numbers) != len(set(numbers)):
        problems.append("a round number twice")
    parts = run.device["parts"]
    if len({one["job"] for one in parts}) != len(parts):
        problems.append("a part twice")
    sent = {(job, one.key) for board in boards for job, one in board.measured}
    by_part = {one["first_process"]: one["job"] for one in parts}
    for record in records:
        for done in record.rounds:
            job = by_part[max(first for first in by_part if first <= done.process)]
            if (job, record.workload.key) not in sent:
                problems.append(f"rounds of {record.workload.label} that nobody sent")
    jobs = {one["job"] for one in parts}
    wanted = sum(6 for job, _ in {one for board in boards for one in board.measured} if job in jobs)
    if len(numbers) != wanted:
        problems.append(f"{len(numbers)} rounds of {wanted}")
    if run.finished_at is None:
        problems.append("unfinished")
    return problems


def problems_of_each(store: Store, result: Result, boards: list[SimulatedBoard]) -> list[str]:
    """What is wrong with runs of each board."""
    problems = []
    for one in result.runs:
        records = store.records(one)
        if Counter(without_threads(r.workload) for r in records) != Counter(STUDY.workloads()):
            problems.append(f"{store.run(one).device_name}: not every workload once")
    if len(result.runs) + len(result.failures) != len(boards):
        problems.append("a device is missing")
    liars = {board.device.name for board in boards if board.faults.lie}
    if liars & {store.run(one).device_name for one in result.runs}:
        problems.append("a liar is believed")
    return problems


def problems_after_kills(store: Store, result: Result, boards: list[SimulatedBoard]) -> list[str]:
    """What is wrong with runs whose coordinator was killed: blocks may be other ones each time."""
    problems, common = [], common_of(STUDY.workloads())
    for run in map(store.run, result.runs):
        parts = len(run.device.get("parts", (1,)))
        records = store.records(run.id, with_rounds=True)
        rounds = {without_threads(one.workload): len(one.rounds) for one in records}
        wanted = dict.fromkeys(STUDY.workloads(), 6)
        if len(records) != len(wanted) or run.finished_at is None:
            problems.append(f"{run.device_name}: {len(records)} records of {len(wanted)}")
        if rounds | {common: 0} != wanted | {common: 0} or rounds[common] > 6 * parts:
            problems.append(f"{run.device_name}: rounds missing or doubled")
    names = [store.run(one).device_name for one in result.runs]
    if len(set(names)) < len(names) or len(names) + len(result.failures) < (
        len(boards) if names != ["pi"] else 1
    ):
        problems.append(f"runs of {names}, {result.failures}")
    return problems


def resumed(plan: Plan, folder: Path, kills: int, rng: random.Random) -> tuple[Result, Path]:
    """A run that is killed so often, and then gone on with; its store at the end."""
    for number in range(kills):
        place, after = folder / str(number), folder / str(number + 1)
        left = rng.randint(1, 60)

        def listen(_: Event, place: Path = place, after: Path = after) -> None:
            nonlocal left
            left -= 1
            if not left:
                shutil.copytree(place, after)
                raise KeyboardInterrupt

        place.mkdir(exist_ok=True)
        with suppress(KeyboardInterrupt), open_store(place / "r.db") as store:
            run_fleet(replace(plan, earlier=_earlier(plan, store)), store, listener=listen)
        if not after.exists():
            shutil.copytree(place, after)
    with open_store(folder / str(kills) / "r.db") as store:
        return run_fleet(replace(plan, earlier=_earlier(plan, store)), store), folder / str(kills)


def _earlier(plan: Plan, store: Store) -> Earlier:
    return find(plan.study, plan.boards, plan.spread, store, this_person())


def main() -> int:
    """Print a line for each schedule that went wrong, and how many did not."""
    options = argparse.ArgumentParser()
    options.add_argument("--schedules", type=int, default=50)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--kills", type=int, default=0)
    given = options.parse_args()
    wrong, begin = 0, time.monotonic()
    for seed in range(given.first, given.first + given.schedules):
        for spread, judge in (("pi", problems_of_any), ("", problems_of_each)):
            boards = boards_of(seed)
            plan = Plan(study=STUDY, boards=boards, spread=spread, pace=PACE)
            with tempfile.TemporaryDirectory() as name:
                if given.kills:
                    random_ = random.Random(seed)
                    result, folder = resumed(plan, Path(name), given.kills, random_)
                    wanted = problems_after_kills
                else:
                    with open_store(Path(name) / "r.db") as store:
                        result, folder, wanted = run_fleet(plan, store), Path(name), judge
                with open_store(folder / "r.db") as store:
                    problems = wanted(store, result, boards)
            if problems:
                wrong += 1
                print(seed, spread or "each", problems, [one.faults for one in boards], flush=True)
    print(f"{given.schedules} schedules, each spread and whole: {wrong} went wrong, ", end="")
    print(f"{time.monotonic() - begin:.0f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
