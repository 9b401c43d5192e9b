"""Random schedules of faults on boards behind real wires: nothing lost, doubled or made up.

    python benchmarks/fleet_boards.py [--schedules 50] [--first 0]

Four boards, each an sshd with its own keys (as root in a network namespace of its own), through the
system's ssh; their jobs take a known time in place of measuring. In each schedule one board stays
good; to each of the others happens something: its job is killed, its cable is pulled for a while or
for good, it is slow, it joins late, somebody else holds it, or it lies about what it measured. The
study is spread over the class, or measured whole on each. What the store then has is compared with
what the boards' own stores have.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "system"))

from boards import Shelf, SshBoard, why_not  # type: ignore[import-not-found]

from inferometer.core.errors import FleetError
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.core.workload import Workload
from inferometer.fleet.engine.drive import Pace
from inferometer.fleet.engine.merge import without_threads
from inferometer.fleet.engine.run import Plan, Result, run_fleet
from inferometer.fleet.link.remote import RemoteBoard
from inferometer.fleet.types import Board
from inferometer.host.lease import Holder, take
from inferometer.store import Store, open_store
from inferometer.store.bundle import bundle_of

STUB = Path(__file__).parents[1] / "tests" / "system" / "stub_board.py"
STUDY = Study(
    name="faults",
    sweep=Sweep(
        models=tuple(f"m{number}" for number in range(6)),
        backends=("python",),
        blocks=(Block(batches=(1, 2, 4, 8)),),
    ),
)
PACE = Pace(poll_s=0.3, retry_s=0.3, patience_s=15.0, probe_s=0.5)
KINDS = ("killed", "cut", "gone", "slow", "late", "held", "lies", "cut and killed")
LIES = ("garbage", "other run", "script", "endless", "bomb")


@dataclass(frozen=True)
class Fault:
    """What happens to a board, and when, in seconds from the start."""

    kind: str
    at_s: float
    for_s: float
    lie: str

    @classmethod
    def drawn(cls, rng: random.Random) -> Fault:
        """One at random."""
        kind = rng.choice(KINDS)
        return cls(kind, rng.uniform(0.3, 3.0), rng.uniform(1.0, 6.0), rng.choice(LIES))


@contextmanager
def happening(fault: Fault, board: SshBoard) -> Iterator[None]:
    """A fault, in a thread of its own, from now on."""
    over = threading.Event()
    if fault.kind == "slow":
        (board.folder / "slow").write_text("4")
    if fault.kind == "lies":
        (board.folder / "lie").write_text(fault.lie)
    if fault.kind == "late":
        board.stop()
    thread = threading.Thread(target=_happen, args=(fault, board, over))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for name in ("slow", "lie"):
            (board.folder / name).unlink(missing_ok=True)
        if board.server is None:
            board.start()


def _happen(fault: Fault, board: SshBoard, over: threading.Event) -> None:
    kind = fault.kind
    if kind == "held":
        with suppress(FleetError):  # our own job was quicker
            lease = take(Holder(user="ben", host="lab"), board.lease)
            over.wait(fault.for_s)
            os.close(lease)
        return
    over.wait(fault.at_s)
    if "cut" in kind or kind == "gone":
        board.cut()
        over.wait(fault.for_s if kind != "gone" else 1e6)
        if "killed" in kind:
            board.kill_job()
        board.mend()
    if kind == "killed":
        end = time.monotonic() + 10
        while not board.kill_job() and time.monotonic() < end and not over.wait(0.1):
            pass
    if kind == "late":
        board.start()


def problems(store: Store, result: Result, boards: list[SshBoard], liars: set[str]) -> list[str]:
    """What is wrong with what the store has."""
    found = []
    for run_id in result.runs:
        run = store.run(run_id)
        records = store.records(run_id, with_rounds=True)
        if Counter(map(_plain, (one.workload for one in records))) != Counter(STUDY.workloads()):
            found.append(f"{run.device_name}: not every workload once")
        jobs = [str(one["job"]) for one in run.device.get("parts", ())] or [run_id]
        ours = Counter(
            (one.workload.key, done.started_at, done.values_s)
            for one in records
            for done in one.rounds
        )
        if ours != Counter(part for job in jobs for part in _on_boards(job, boards)):
            found.append(f"{run.device_name}: other rounds than on the boards")
        who = {run.device_name, *(str(one["device"]) for one in run.device.get("parts", ()))}
        if who & liars:
            found.append(f"a liar is believed: {who & liars}")
        if run.finished_at is None:
            found.append(f"{run.device_name}: unfinished")
    return found


def _plain(workload: Workload) -> Workload:
    return without_threads(workload)


def _on_boards(job: str, boards: list[SshBoard]) -> list[tuple[str, float, tuple[float, ...]]]:
    """Rounds of a job, as the board has them that measured it."""
    for board in boards:
        path = board.spool / "jobs" / job / "run.db"
        if path.exists():
            with open_store(path, create=False) as store:
                rounds = bundle_of(store, job).rounds
            return [
                (key, one.started_at, one.values_s) for key, mine in rounds.items() for one in mine
            ]
    return []


def one_schedule(seed: int, shelf: Shelf) -> list[str]:
    """What went wrong in a schedule."""
    rng = random.Random(seed)
    spread = "board" if seed % 2 else ""
    happens = [(Fault.drawn(rng), board) for board in rng.sample(shelf.boards, 3)]
    liars = {board.name for fault, board in happens if fault.kind == "lies"}
    gone = {board.name for fault, board in happens if fault.kind == "gone"}
    for board in shelf.boards:
        shutil.rmtree(board.folder / "cache", ignore_errors=True)
    driven: list[Board] = [RemoteBoard(board.device(kind="board")) for board in shelf.boards]
    plan = Plan(study=STUDY, boards=driven, spread=spread, energy=False, pace=PACE)
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "r.db") as store:
        managers = [happening(fault, board) for fault, board in happens]
        with managers[0], managers[1], managers[2]:
            result = run_fleet(plan, store)
        found = problems(store, result, shelf.boards, liars)
    there = {board.name for board in shelf.boards} - liars - gone
    if spread and len(result.runs) != 1:
        found.append(f"{len(result.runs)} runs")
    if not spread and len(result.runs) < len(there):
        found.append(f"{len(result.runs)} runs of {len(there)} boards: {result.failures}")
    for board in shelf.boards:
        board.kill_job()
    if found:
        print(seed, spread or "each", found, [(b.name, f) for f, b in happens], flush=True)
    return found


def main() -> int:
    """Print a line for each schedule that went wrong, and how many did."""
    options = argparse.ArgumentParser()
    options.add_argument("--schedules", type=int, default=50)
    options.add_argument("--first", type=int, default=0)
    given = options.parse_args()
    if reason := why_not():
        print(reason)
        return 2
    wrong, begin = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        stub = Path(folder) / "python"
        stub.write_text(f'#!/bin/sh\nexec {sys.executable} {STUB} "$@"\n')
        stub.chmod(0o755)
        shelf = Shelf(Path(folder), 4)
        try:
            for board in shelf.boards:
                board.python = str(stub)
            for seed in range(given.first, given.first + given.schedules):
                wrong += bool(one_schedule(seed, shelf))
        finally:
            shelf.close()
    wires = "network namespaces" if shelf.network else "ports of the loopback interface"
    print(f"{given.schedules} schedules on {wires}: {wrong} went wrong, ", end="")
    print(f"{time.monotonic() - begin:.0f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
