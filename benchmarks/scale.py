"""What the commands that read take on a store of a million records over a thousand devices.

The store is made first: a run of a thousand workloads on each of a thousand devices. The last two
were measured, each workload in twenty simulated rounds of four processes; of the others there are
the records alone, as of imported runs. Rows are made by the store's own code and written in bulk, a
run at a time. Then each command is timed as a whole process, in alternation with the others: the
median of five, and the most memory that it held. Repeat with: python benchmarks/scale.py

Aims: `runs`, `show` and `compare` within 2 s, `report` within 4 s and 500 MB.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from inferometer.core.record import Record, Round, Value
from inferometer.core.run import Run
from inferometer.core.statement import Statement
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.core.workload import Workload
from inferometer.figures.joint import joined
from inferometer.figures.summary import summarise
from inferometer.store import Store, open_store, rows, schema

STUDY = Study(
    name="shelf",
    sweep=Sweep(
        models=tuple(f"timm:model_{number}" for number in range(10)),
        backends=("torch", "onnxruntime"),
        precisions=("fp32", "int8"),
        blocks=(Block(sizes=(160, 192, 224, 320, 448), batches=(1, 2, 4, 8, 16)),),
        threads=2,
    ),
)
WORKLOADS = STUDY.workloads()
MEASURED = 2
PROCESSES, ROUNDS, VALUES = 4, 5, 8
DISTINCT = 10
"""So many runs differ in every figure; the others have those of one of them."""
COMMANDS = {
    "runs": ["runs"],
    "show": ["show", "latest"],
    "compare": ["compare", "{earlier}", "latest"],
    "report": ["report", "latest", "-o", "{folder}"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--store", help="a file that is kept, or a PostgreSQL address")
    parser.add_argument("--commands", nargs="+", default=list(COMMANDS), choices=list(COMMANDS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = given.store or str(Path(folder) / "scale.db")
        with open_store(place) as store:
            if not store.runs():
                fill(store, given.devices)
            earlier = store.runs()[1].id
        if os.path.isfile(place):  # noqa: PTH113 - it may be an address
            size = os.stat(place).st_size / given.devices / len(WORKLOADS)  # noqa: PTH116
            print(f"bytes a record: {size:.0f}")
        named = {"earlier": earlier, "folder": f"{folder}/report"}
        commands = {
            name: [part.format(**named) for part in COMMANDS[name]] for name in given.commands
        }
        print_table(timed(commands, place, given.repeats))


@dataclass(frozen=True, kw_only=True)
class Used:
    """What a process took."""

    wall_s: float
    cpu_s: float
    peak_bytes: float


def timed(commands: dict[str, list[str]], place: str, repeats: int) -> dict[str, list[Used]]:
    """What each command took, each time."""
    found: dict[str, list[Used]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            found[name].append(run([*command, "--store", place]))
    return found


def run(command: Sequence[str]) -> Used:
    """What one process took."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "inferometer", *command], stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed")
    return Used(
        wall_s=time.perf_counter() - begin,
        cpu_s=used.ru_utime + used.ru_stime,
        peak_bytes=used.ru_maxrss * 1024.0,
    )


def print_table(found: dict[str, list[Used]]) -> None:
    print(f"{'command':<10} {'median s':>9} {'least s':>8} {'median cpu s':>13} {'peak MB':>8}")
    for name, measured in found.items():
        wall, cpu = [one.wall_s for one in measured], [one.cpu_s for one in measured]
        peak = max(one.peak_bytes for one in measured) / 1e6
        print(
            f"{name:<10} {median(wall):>9.2f} {min(wall):>8.2f} {median(cpu):>13.2f} {peak:>8.0f}"
        )


def fill(store: Store, devices: int) -> None:
    """A run on each device, the last ones with their rounds."""
    begin = time.perf_counter()
    chance = random.Random(1)
    records = list(made(chance))
    print(f"summarised after {time.perf_counter() - begin:.0f} s", flush=True)
    contents = [
        [row_of(varied(record, chance)) for record in records]
        for _ in range(min(DISTINCT, devices - MEASURED))
    ]
    for number in range(devices - MEASURED):
        created = create(store, number)
        add(store, created, contents[number % len(contents)])
    print(f"records of {devices - MEASURED} runs after {time.perf_counter() - begin:.0f} s")
    for number in range(MEASURED):
        created = create(store, devices - MEASURED + number)
        records = joined(created, records) if number == 0 else records
        for record in records:
            told = record if number == 0 else varied(record, chance)
            store.put_record(created.id, told, record.rounds)
        store.finish_run(created.id, time.time())
    print(f"made after {time.perf_counter() - begin:.0f} s", flush=True)


def varied(record: Record, chance: random.Random) -> Record:
    """The record with other figures: times and energies are longer or shorter by one factor."""
    factor = chance.lognormvariate(0, 0.02)
    figures = {
        name: value * factor if isinstance(value, float) and name.endswith(("_s", "_j")) else value
        for name, value in record.figures.items()
    }
    return replace(record, figures=figures, rounds=())


def create(store: Store, number: int) -> Run:
    device = {
        "name": f"board-{number:04}",
        "cpu": {"model": "Cortex-A76", "cores": 4, "features": ["asimddp", "fphp", "crc32"] * 8},
        "memory_bytes": 8 << 30,
        "os": {"kernel": "6.6.31+rpt-rpi-2712", "distribution": "Debian GNU/Linux 12 (bookworm)"},
        "before_the_run": {f"signal_{index}": index / 7 for index in range(40)},
    }
    software = {"inferometer": "0.1.0", "python": "3.11.2", "torch": "2.13.0", "numpy": "2.3"}
    return store.create_run(STUDY, planned=len(WORKLOADS), device=device, software=software)


def add(store: Store, created: Run, contents: Sequence[dict[str, Any]]) -> None:
    """Records of a run, in one transaction."""
    added = [{"run_id": created.id, **row} for row in contents]
    with store._database.writing() as connection:  # noqa: SLF001 - in bulk, for this alone
        connection.execute(schema.records.insert(), added)


def row_of(record: Record) -> dict[str, Any]:
    return {"workload": record.workload.key, **rows.record_row(record)}


def made(chance: random.Random) -> Iterator[Record]:
    """A record of each workload, with its rounds."""
    for number, workload in enumerate(WORKLOADS):
        found = rounds_of(number, workload, chance)
        figures = {**facts(chance), **summarise(workload, found, STUDY.procedure)}
        yield Record(workload=workload, status="ok", figures=figures, rounds=found)


def rounds_of(number: int, workload: Workload, chance: random.Random) -> tuple[Round, ...]:
    """Rounds in which a process differs from others, and a call from others."""
    model = int(workload.variant.model.rpartition("_")[2])
    size = workload.input_size or 224
    latency_s = 2e-3 * (1 + model) * workload.batch_size * (size / 224) ** 2
    found = []
    for process in range(PROCESSES):
        own = latency_s * chance.lognormvariate(0, 0.01)
        for place in range(ROUNDS):
            index = (process * ROUNDS + place) * len(WORKLOADS) + number
            values = tuple(own * chance.lognormvariate(0, 0.005) for _ in range(VALUES))
            found.append(
                Round(
                    index=index,
                    process=process,
                    phase="measure",
                    started_at=1.79e9 + index * 0.2,
                    calls_per_value=1,
                    settle=1,
                    starts_s=tuple(own * place for place in range(VALUES)),
                    values_s=values,
                    signals={"canary_s": chance.gauss(1e-4, 1e-6), "run_delay_s": chance.random()},
                )
            )
    return tuple(found)


def facts(chance: random.Random) -> dict[str, Value]:
    """What a record holds beside its latencies."""
    energy_j = chance.uniform(0.1, 2.0)
    return {
        "source": "timm",
        "parameters": chance.randrange(10**7),
        "parameters_with_duplicates": 11689512,
        "trainable_parameters": 11689512,
        "parameter_bytes": chance.randrange(10**8),
        "buffer_bytes": 38560,
        "macs": chance.randrange(10**10),
        "flops": chance.randrange(10**10),
        "elementwise_flops": chance.randrange(10**8),
        "activation_bytes": chance.randrange(10**8),
        "compulsory_bytes": chance.randrange(10**8),
        "operator_calls": 60,
        "operations_method": "counted by operator",
        "peak_memory_bytes": chance.randrange(10**9),
        "memory_counter": "peak of the resident set",
        "memory_baseline_bytes": chance.randrange(10**9),
        "first_call_s": chance.uniform(0.01, 1),
        "load_s": chance.uniform(0.1, 2),
        "cold_start_s": chance.uniform(0.1, 3),
        "arithmetic_intensity": chance.uniform(1, 100),
        "roof_latency_s": chance.uniform(1e-4, 1e-2),
        "roof_share": chance.random(),
        "roof_limit": "compute",
        "energy_per_inference_j": energy_j,
        "energy_net_per_inference_j": energy_j * 0.6,
        "energy_uncertainty_j": energy_j * 0.03,
        "power_mean_w": chance.uniform(3, 8),
        "power_idle_w": chance.uniform(2, 3),
        "energy_source": "ina3221",
        "energy_scope": "board",
        "energy_method": "windows of work and idle windows, alternating",
        "energy_windows": 6,
        "accuracy": None,
        "accuracy_metric": None,
        "gradient_mode": "inference_mode",
        "weights": "random",
        "started_at": "2026-11-30T12:00:00Z",
        "verdict": "trusted",
        "usable_for": "comparison",
        "causes": [Statement("run_delay", {"share": chance.random() / 100})],
        "notes": [],
    }


if __name__ == "__main__":
    main()
