"""Whole results databases, which inputs start from: small, and like those of real runs."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import cache
from pathlib import Path
from typing import Any

from inferometer.cli.main import main
from inferometer.core.procedure import Procedure
from inferometer.core.record import FIELDS, Failure, Record, Round
from inferometer.core.run import Run
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.store import Store, open_store

WORK_S, CALL_S = 13.0, 0.1
DEVICE: Mapping[str, Any] = {
    "name": "AMD EPYC, 2 cores", "cpu_model": "AMD EPYC", "cores_physical": 2, "cores_logical": 2,
    "memory_bytes": 24 << 30, "os": "Debian GNU/Linux 12", "kernel": "6.1.0", "governor": None,
    "architecture": "x86_64", "simd": ["avx2"],
}  # fmt: skip
SOFTWARE = {"inferometer": "0.1.0", "python": "3.11.7", "torch": "2.13.0"}
_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def put(folder: Path, name: str = "x.db", *, of: str = "lab") -> str:
    """A copy of a database in a folder; gives its name."""
    shutil.copyfile(_path(of), folder / name)
    return name


def warm(*lines: str) -> None:
    """Make the databases that `put` copies, and run commands, so that all that they import is there.

    Args:
        lines: commands about the database `x.db`, such as `show latest`.
    """
    for of in ("lab", "energy"):
        _path(of)
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as sink:  # noqa: PTH123
        os.chdir(folder)
        put(Path(folder))
        for line in lines:
            with suppress(SystemExit), redirect_stdout(sink), redirect_stderr(sink):
                main([*line.split(), "--store", "x.db"])
        os.chdir(before)


def meter_log(start: float = -2.5) -> str:
    """What a meter wrote while the run of the database `energy` was measured."""
    load = list(_windows())
    lines = ["timestamp,watts"]
    for step in range(1700):
        at = 990 + 0.1 * step
        busy = any(begin <= at < begin + WORK_S for begin in load)
        lines.append(f"{at + start:.2f},{14.0 if busy else 4.0 + step % 2 / 50}")
    return "\n".join(lines) + "\n"


def a_record(name: str, batch: int = 1, size: int | None = 224, **changes: Any) -> Record:
    """A record with figures that go together."""
    latency = 0.01 * batch * (1.0 if size is None else size / 224)
    figures: dict[str, Any] = {
        "source": "catalogue", "weights": "random, seed 0", "input_shape": "1x3x224x224",
        "parameters": 1_000_000, "parameter_bytes": 4_000_000, "macs": 5_000_000 * batch,
        "latency_mean_s": latency, "latency_median_s": latency, "latency_std_s": latency / 20,
        "latency_ci_low_s": latency * 0.97, "latency_ci_high_s": latency * 1.03,
        "latency_confidence": 0.95, "latency_ci_method": "t of round means", "latency_calls": 40,
        "latency_rounds": 6, "latency_processes": 3, "latency_target_met": True,
        "throughput_per_s": batch / latency, "peak_memory_bytes": 300 << 20, "verdict": "trusted",
        "causes": [], "notes": ["The weights are random."],
    }  # fmt: skip
    return Record(workload=workload(name, batch, size), status="ok", figures={**figures, **changes})


def failed(name: str, message: str, batch: int = 8) -> Record:
    """A record of a failure."""
    failure = Failure(stage="measure", kind="out_of_memory", message=message)
    return Record(workload=workload(name, batch), status="failed", failure=failure)


def workload(name: str, batch: int = 1, size: int | None = 224) -> Workload:
    """A workload on two threads of the processor."""
    variant = Variant(model=name, backend="torch", precision="fp32")
    return Workload(
        variant=variant,
        target=Target(device="cpu", threads=2),
        shape=Shape(batch_size=batch, input_size=size),
    )


def rounds_of(first: int, value_s: float, count: int = 6) -> list[Round]:
    """Rounds in three processes."""
    rng = random.Random(first)
    return [
        Round(
            index=first + place, process=place * 3 // count, phase="measure",
            started_at=1.795e9 + first + place, calls_per_value=2, settle=1,
            starts_s=tuple(0.1 * n for n in range(5)),
            values_s=tuple(value_s * rng.uniform(0.97, 1.03) for _ in range(5)),
            signals={"cpu_mhz": 3000.0, "temperature_c": 50.0},
        )
        for place in range(count)
    ]  # fmt: skip


def run_of(store: Store, *, name: str = "lab", models: tuple[str, ...] = ("resnet18",)) -> Run:
    """A new run in a store."""
    study = Study(
        name=name,
        sweep=Sweep(models=models, blocks=(Block(sizes=(224,), batches=(1, 2, 8)),), threads=2),
        procedure=Procedure(min_calls=12, min_rounds=12),
    )
    return store.create_run(study, planned=6, device=DEVICE, software=SOFTWARE)


@cache
def _path(of: str) -> Path:
    kept = tempfile.TemporaryDirectory(prefix="inferometer-fuzz-")
    _KEPT.append(kept)
    path = Path(kept.name) / f"{of}.db"
    with open_store(path) as store:
        (_lab if of == "lab" else _energy)(store)
    return path


def _lab(store: Store) -> None:
    for number in range(2):
        run = run_of(store, models=("resnet18", "unet"))
        index = 0
        for name in ("resnet18", "unet"):
            for batch in (1, 2):
                record = a_record(name, batch)
                value = float(str(record["latency_mean_s"])) * (1 + number / 10)
                store.put_record(run.id, record, rounds_of(index, value))
                index += 6
            store.put_record(run.id, failed(name, "The worker was ended at 1.9 GiB."))
        store.finish_run(run.id, 1.7955e9)


def _windows() -> Iterator[float]:
    at = 1030.0
    for gap in (0.0, 0.3, 0.9, 0.2, 0.7, 0.5):
        at += gap
        yield at
        at += WORK_S


def _energy(store: Store) -> None:
    def done(index: int, phase: Any, start_s: float, values: int, value_s: float) -> Round:
        return Round(
            index=index, process=3, phase=phase, started_at=start_s, calls_per_value=1, settle=0,
            starts_s=tuple(i * value_s for i in range(values)), values_s=(value_s,) * values,
        )  # fmt: skip

    load = list(_windows())
    rounds = [done(0, "idle", 1000.0, 1, 30.0)]
    rounds += [
        done(1 + place, "energy" if place else "warmup", at, 130, CALL_S)
        for place, at in enumerate(load)
    ]
    rounds.append(done(9, "idle", load[-1] + WORK_S, 1, 30.0))
    run = run_of(store)
    figures = {"latency_median_s": CALL_S, "latency_mean_s": CALL_S}
    store.put_record(
        run.id, Record(workload=workload("resnet18", 2), status="ok", figures=figures), rounds
    )
    store.finish_run(run.id, 1.7955e9)


def a_value(rng: random.Random, field: str) -> Any:
    """A value that a numeric field of a record may hold, large or small."""
    if FIELDS[field] is int:
        return rng.choice((0, 1, 2**31, 2**53, rng.getrandbits(40)))
    return rng.choice((0.0, 1e-12, 1e12, 0.1, 1 / 3, rng.lognormvariate(0, 5)))
