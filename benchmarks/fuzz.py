"""Whether any input does harm: mutated inputs of every kind, for seconds or for hours.

    python benchmarks/fuzz.py                           every kind, 2,000 inputs or so
    python benchmarks/fuzz.py --inputs 100000 --jobs 2  an hour or less on two cores
    python benchmarks/fuzz.py --seconds 36000 --seed 7  ten hours, of seeds that nobody has seen
    python benchmarks/fuzz.py --kind study --kind onnx --inputs 5000
    python benchmarks/fuzz.py --replay onnx 1234        one input again, and what came of it
    python benchmarks/fuzz.py --replay onnx 1234 --keep x   … and its files stay in the folder x

The generators and the rules are those of the tests (tests/fuzz). Each input is a command line, run
in a process of its own kind, in a folder of its own. For each of them it holds that

- the command ends by itself with status 0, 1, 2 or 130, and no exception leaves it;
- where it is refused (2), standard error holds one sentence, and nothing was made or changed;
- it takes at most 5 s of the processor and 1 GiB of memory beyond what the program held before;
- nothing is written but what it was told to write, and nothing temporary stays;
- no code that the input holds runs, no program is started, and nothing goes to the network;
- no character that moves a cursor or turns the direction of reading is printed raw.

An input that would begin to measure is ended where its first worker process would start: measuring
is not tried here. An input is known by its kind and its seed; the same seed gives the same input.
The exit status is 1 where an input did harm.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CHUNK, CHUNK_OF_TIME = 2000, 400
"""Inputs of a kind that one process tries before the kinds take turns; less where time ends it."""
SHOWN = 40


@dataclass(kw_only=True)
class Tally:
    """What came of the inputs of a kind."""

    verdicts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest_s: float = 0.0
    most_bytes: int = 0
    faults: list[dict[str, Any]] = field(default_factory=list)

    def add(self, result: dict[str, Any]) -> None:
        """Count a result."""
        self.verdicts[result["verdict"]] += 1
        self.seconds += result["seconds"]
        self.slowest_s = max(self.slowest_s, result["seconds"])
        self.most_bytes = max(self.most_bytes, result["grown_bytes"])
        if result["faults"]:
            self.faults.append(result)

    @property
    def inputs(self) -> int:
        """How many there were."""
        return self.verdicts.total()


def main() -> int:
    options = _options()
    sys.path.insert(0, str(ROOT))
    os.environ.update({"OMP_NUM_THREADS": "1", "COLUMNS": "100", "NO_COLOR": "1"})
    os.environ.pop("INFEROMETER_STORE", None)
    registry = import_module("tests.fuzz.registry")
    if options.worker:
        return _work(registry, options.worker)
    if options.replay:
        return _replay(registry, options)
    kinds = [registry.KINDS[name] for name in options.kind or registry.KINDS]
    tallies = {kind.name: Tally() for kind in kinds}
    for name, result in _campaign(kinds, options):
        tallies[name].add(result)
        if result["faults"] and options.verbose:
            print(f"{name} {result['seed']}: {result['faults'][0]}", flush=True)
    if options.json:
        print(json.dumps({name: tally.__dict__ for name, tally in tallies.items()}))
    else:
        _show(tallies)
    return 1 if any(tally.faults for tally in tallies.values()) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--inputs", type=int, default=2000, help="of all kinds together")
    parser.add_argument("--seconds", type=float, help="go on for so long instead")
    parser.add_argument("--kind", action="append", help="only this one; repeatable")
    parser.add_argument("--seed", type=int, default=0, help="of the first input")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument("--replay", nargs=2, metavar=("KIND", "SEED"))
    parser.add_argument("--keep", type=Path, help="with --replay: a folder for its files")
    parser.add_argument("--json", action="store_true", help="instead of a table")
    parser.add_argument("--verbose", action="store_true", help="print each fault at once")
    parser.add_argument(
        "--worker",
        action="append",
        nargs=3,
        metavar=("KIND", "FIRST", "COUNT"),
        help="only print what came of these inputs, a line of JSON each; repeatable",
    )
    return parser.parse_args()


def _work(registry: Any, chunks: list[tuple[str, str, str]]) -> int:  # noqa: ANN401 - a module
    """Run some inputs of some kinds in this process, and print a line for each."""
    for name, first, count in chunks:
        kind = registry.KINDS.get(name) or registry.PLANTED[name]
        for result in registry.results(kind, range(int(first), int(first) + int(count))):
            print(json.dumps({"kind": name, **result.__dict__}), flush=True)
    return 0


def _replay(registry: Any, options: argparse.Namespace) -> int:  # noqa: ANN401 - a module
    kind, seed = registry.KINDS[options.replay[0]], int(options.replay[1])
    if options.keep:
        args = registry.replay_folder(kind, seed, options.keep)
        print(f"cd {options.keep} && inferometer {' '.join(map(ascii, args))}")
    (result,) = registry.results(kind, [seed])
    print(json.dumps(result.__dict__, indent=2))
    return 1 if result.faults else 0


def _campaign(
    kinds: list[Any], options: argparse.Namespace
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Results, from as many processes as are asked for."""
    end = time.monotonic() + (options.seconds or 1e9)
    waiting = _chunks(kinds, options)
    running: set[Future[list[dict[str, Any]]]] = set()
    with ThreadPoolExecutor(options.jobs) as pool:
        while True:
            while len(running) < options.jobs and time.monotonic() < end:
                chunk = next(waiting, None)
                if chunk is None:
                    break
                running.add(pool.submit(_tried, *chunk))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                yield from ((result["kind"], result) for result in one.result())


def _chunks(kinds: list[Any], options: argparse.Namespace) -> Iterator[tuple[str, int, int]]:
    """Kind, first seed and number of inputs: turn by turn, as their shares are."""
    whole = sum(kind.share for kind in kinds)
    first = {kind.name: options.seed for kind in kinds}
    ends = {
        kind.name: options.seed + max(round(options.inputs * kind.share / whole), 1)
        for kind in kinds
    }
    while True:
        left = False
        for kind in kinds:
            chunk = CHUNK if options.seconds is None else CHUNK_OF_TIME
            count = max(round(chunk * kind.share), 1)
            if options.seconds is None:
                count = min(count, ends[kind.name] - first[kind.name])
            if count > 0:
                left = True
                yield kind.name, first[kind.name], count
                first[kind.name] += count
        if not left:
            return


def _tried(name: str, first: int, count: int) -> list[dict[str, Any]]:
    command = [sys.executable, __file__, "--worker", name, str(first), str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"the inputs of {name} could not be tried: status {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def _show(tallies: dict[str, Tally]) -> None:
    heads = (
        "kind",
        "inputs",
        "refused",
        "accepted",
        "stopped",
        "faults",
        "slowest",
        "most memory",
        "per s",
    )
    print(("{:<14}" + "{:>9}" * 5 + "{:>10}{:>13}{:>8}").format(*heads))
    for name, tally in tallies.items():
        counts = [tally.verdicts[verdict] for verdict in ("refused", "accepted", "stopped")]
        print(
            f"{name:<14}{tally.inputs:>9}" + "".join(f"{count:>9}" for count in counts)
            + f"{len(tally.faults):>9}{tally.slowest_s:>8.2f} s{tally.most_bytes / 2**20:>9.0f} MiB"
            + f"{tally.inputs / max(tally.seconds, 1e-9):>8.0f}"
        )  # fmt: skip
    print(f"{'all':<14}{sum(tally.inputs for tally in tallies.values()):>9}")
    for name, tally in tallies.items():
        _show_faults(name, tally)


def _show_faults(name: str, tally: Tally) -> None:
    """Each kind of fault once, with how often it came and a seed that shows it."""
    alike: dict[str, list[dict[str, Any]]] = {}
    for result in tally.faults:
        alike.setdefault(_signature(result["faults"][0]), []).append(result)
    for found in sorted(alike.values(), key=len, reverse=True)[:SHOWN]:
        first = found[0]
        print(f"\n{name} {first['seed']} ({len(found)} alike): {'; '.join(first['faults'])[:700]}")
        print(f"  {' '.join(first['args'])[:300]}")


def _signature(fault: str) -> str:
    place = fault.rpartition(" at ")[2]
    return place if fault.startswith("an exception left") else fault[:40]


if __name__ == "__main__":
    raise SystemExit(main())
