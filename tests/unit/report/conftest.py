"""Runs and records made by hand."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from inferometer.analysis.findings import Findings
from inferometer.analysis.grid import build
from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, FailureKind, Record, Value
from inferometer.core.roofline import Attained, Roofline
from inferometer.core.run import Run
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.report.document.material import Material
from inferometer.report.document.sources import RunRecords

LAB2 = Path(__file__).parents[2] / "data" / "lab2_jetson_nano_2gb.csv"

PARAMETERS = {
    "unet": 7_763_041,
    "squeezenet1_0": 1_248_424,
    "mobilenet_v3_small": 2_542_856,
    "resnet18": 11_689_512,
}
AT_224 = {"unet": 0.155, "squeezenet1_0": 0.0271, "mobilenet_v3_small": 0.0102, "resnet18": 0.0382}
BLOCKS = (
    Block(sizes=(224,), batches=(1, 2, 4, 8, 16, 32)),
    Block(sizes=(448,), batches=(1, 2, 4, 8, 16)),
)


def make_run(**changes: object) -> Run:
    study = Study(
        name="lab",
        sweep=Sweep(models=tuple(PARAMETERS), blocks=BLOCKS),
        procedure=Procedure(processes=6, min_calls=12, min_rounds=12, round_s=0.1),
        description="The grid of the lab.",
    )
    known: dict[str, object] = {
        "id": "3fa91c02",
        "study": study.name,
        "signature": study.signature,
        "document": study.to_json(),
        "device": {
            "name": "AMD EPYC 9R14, 2 cores",
            "cpu_model": "AMD EPYC 9R14 96-Core Processor",
            "cores_physical": 2,
            "cores_logical": 2,
            "memory_bytes": 24 * 2**30,
            "os": "Debian GNU/Linux 12",
            "kernel": "6.1.0",
            "governor": None,
            "hypervisor": "KVM",
            "architecture": "x86_64",
            "simd": ["avx2", "avx512f"],
        },
        "software": {"inferometer": "0.1.0", "python": "3.11.7", "torch": "2.13.0"},
        "planned": 44,
        "created_at": 1_795_446_120.0,
        "finished_at": 1_795_447_000.0,
    }
    return Run(**{**known, **changes})


def make_record(
    model: str = "resnet18",
    *,
    batch: int = 1,
    size: int | None = 224,
    latency_s: float | None = 0.04,
    half_s: float | None = None,
    failure: FailureKind | None = None,
    skipped: bool = False,
    message: str = "It went wrong.",
    run: Run | None = None,
    backend: str = "torch",
    precision: str = "fp32",
    device: str = "cpu",
    threads: int | None = 2,
    **figures: Value,
) -> Record:
    known: dict[str, Value] = {}
    if failure is None and latency_s is not None:
        known["latency_mean_s"] = latency_s
        if half_s is not None:
            known |= {
                "latency_ci_low_s": latency_s - half_s,
                "latency_ci_high_s": latency_s + half_s,
                "latency_confidence": 0.95,
                "latency_ci_method": "t of round means",
                "latency_calls": 40,
                "latency_std_s": half_s * 2,
            }
    return Record(
        workload=Workload(
            variant=Variant(model=model, backend=backend, precision=precision),
            target=Target(device=device, threads=threads),
            shape=Shape(batch_size=batch, input_size=size),
        ),
        status="skipped" if skipped else "failed" if failure else "ok",
        failure=Failure(stage="measure", kind=failure, message=message) if failure else None,
        figures=known | figures,
        run=(run or make_run()).row_part(),
    )


def make_lab(run: Run | None = None, *, speed: float = 1.0, failures: bool = True) -> list[Record]:
    """44 records: realistic latencies, and a failure of each kind unless told otherwise."""
    records = []
    for position, (model, parameters) in enumerate(PARAMETERS.items()):
        for block in BLOCKS:
            for size in block.sizes:
                for batch in block.batches:
                    latency = AT_224[model] * (size / 224) ** 2.05 * batch**0.97 * speed
                    kind = bad(model, size, batch) if failures else None
                    half = 0.01 + 0.013 * ((batch + position) % 5)
                    records.append(
                        make_record(
                            model,
                            batch=batch,
                            size=size,
                            latency_s=latency,
                            half_s=latency * half,
                            failure=kind,
                            skipped=kind == "budget" or (kind, batch) == ("out_of_memory", 16),
                            message=MESSAGES.get(kind, ""),
                            run=run,
                            **common(model, parameters, latency, half, ok=kind is None),
                        )
                    )
    return records


MESSAGES: dict[str | None, str] = {
    "out_of_memory": "The worker was ended at 1.9 GiB; what the machine can give is 1.8 GiB.",
    "timeout": "The worker said nothing for 180 s in a round.",
    "budget": "The budget of 10 min was spent.",
}


def bad(model: str, size: int | None, batch: int) -> FailureKind | None:
    table: dict[tuple[str, int | None, int], FailureKind] = {
        ("unet", 448, 8): "out_of_memory",
        ("unet", 448, 16): "out_of_memory",
        ("unet", 224, 32): "timeout",
        ("resnet18", 448, 16): "budget",
    }
    return table.get((model, size, batch))


def common(
    model: str, parameters: int, latency: float, half: float, *, ok: bool
) -> dict[str, Value]:
    figures: dict[str, Value] = {
        "source": "catalogue",
        "weights": "random, seed 0",
        "parameters": parameters,
        "parameters_with_duplicates": parameters,
        "trainable_parameters": parameters,
        "parameter_bytes": 4 * parameters,
        "buffer_bytes": 40_000,
        "notes": ["The weights are random."],
        "energy_reason": "No power sensor was found.",
    }
    if ok:
        figures |= {
            "latency_median_s": latency,
            "latency_min_s": latency * 0.95,
            "latency_max_s": latency * 1.2,
            "latency_p90_s": latency * 1.05,
            "latency_rounds": 7,
            "latency_processes": 1,
            "latency_target_met": half <= 0.05,
            "warmup_calls": 6,
            "first_call_s": latency * 4,
            "load_s": 0.4,
            "steady": True,
            "causes": ["one process: how much a fresh process differs was not observed"],
            "peak_memory_bytes": 300 * 2**20,
            "memory_counter": "peak resident set of the worker",
        }
    return figures


def make_lab2(run: Run) -> list[Record]:
    with LAB2.open(encoding="utf-8") as file:
        return [
            make_record(
                row["model"],
                batch=int(row["batch_size"]),
                size=int(row["input_size"]),
                latency_s=float(row["latency_s"]),
                run=run,
                backend="unknown",
                precision="unknown",
                device="unknown",
                threads=None,
                parameters=int(row["parameters"]),
                notes=["imported from lab2.csv; no observations"],
                verdict="unknown",
            )
            for row in csv.DictReader(file)
        ]


def make_lab2_run() -> Run:
    return make_run(
        id="00c0ffee",
        study="lab2",
        document={},
        device={"name": "jetson-nano-2gb"},
        software={},
        origin="imported",
    )


@pytest.fixture
def run() -> Run:
    return make_run()


@pytest.fixture
def lab(run: Run) -> list[Record]:
    return make_lab(run)


@pytest.fixture
def clean_lab(run: Run) -> list[Record]:
    return make_lab(run, failures=False)


@pytest.fixture
def lab2_run() -> Run:
    return make_lab2_run()


@pytest.fixture
def lab2(lab2_run: Run) -> list[Record]:
    return make_lab2(lab2_run)


@pytest.fixture
def material() -> Callable[..., Material]:
    """What a report is made from: runs with their records, and findings where there are any."""

    def make(runs: Sequence[RunRecords], findings: Findings | None = None) -> Material:
        grid = build([record for one in runs for record in one.records])
        return Material(runs=tuple(runs), grid=grid, findings=findings)

    return make


@pytest.fixture
def record() -> Callable[..., Record]:
    return make_record


@pytest.fixture
def another_run() -> Callable[..., Run]:
    return make_run


@pytest.fixture
def lab_of() -> Callable[..., list[Record]]:
    return make_lab


@pytest.fixture
def lab2_of() -> Callable[[], tuple[Run, list[Record]]]:
    def make() -> tuple[Run, list[Record]]:
        run = make_lab2_run()
        return run, make_lab2(run)

    return make


MIB = 1 << 20
ROOFLINE = Roofline(
    device="cpu",
    precision="fp32",
    threads=2,
    flops=Attained(best=2e11, median=1.9e11, repeats=10, what="matrix product 2048x2048"),
    memory=Attained(best=2e10, median=1.8e10, repeats=10, what="triad of 128 MiB"),
    cache=Attained(best=1.2e11, median=1.1e11, repeats=10, what="triad of 4 MiB"),
    dispatch_s=5e-6,
    at=1_795_446_120.0,
    cache_bytes=32 * MIB,
)

MACS = {
    "unet": 9_242_000_000,
    "squeezenet1_0": 818_900_000,
    "mobilenet_v3_small": 56_500_000,
    "resnet18": 1_814_100_000,
}
CALLS = {"unet": 90, "squeezenet1_0": 66, "mobilenet_v3_small": 180, "resnet18": 60}


def make_costed(records: Sequence[Record], roofline: Roofline | None = ROOFLINE) -> list[Record]:
    """The same records with costs at each shape and, with a roofline, what follows from it: planted."""
    return [cost_of(record, roofline) for record in records]


def make_probed(run: Run, *rooflines: Roofline) -> Run:
    """The run, its device probed."""
    return replace(run, device={**run.device, "roofs": [one.to_json() for one in rooflines]})


def cost_of(record: Record, roofline: Roofline | None) -> Record:
    model = record.workload.variant.model
    inputs = record.workload.batch_size * ((record.workload.input_size or 224) / 224) ** 2
    macs = int(MACS[model] * inputs)
    weights = int(record.number("parameter_bytes") or 0)
    alive = int(12 * MIB * inputs)
    figures: dict[str, Value] = {
        "macs": macs,
        "flops": 2 * macs,
        "elementwise_flops": macs // 50,
        "activation_bytes": 6 * alive,
        "activation_peak_bytes": alive,
        "compulsory_bytes": weights + alive // 12,
        "operator_bytes": weights + 12 * alive,
        "operator_calls": CALLS[model],
        "operations_method": "on torch's meta device",
        "artifact_bytes": weights + 4096,
    }
    if record.status == "ok":
        figures |= measured_costs(record, figures, roofline)
    return replace(record, figures={**record.figures, **figures})


def measured_costs(
    record: Record, cost: dict[str, Value], roofline: Roofline | None
) -> dict[str, Value]:
    weights, alive = (
        record.number("parameter_bytes") or 0,
        float(str(cost["activation_peak_bytes"])),
    )
    peak = 200 * MIB + weights + 1.1 * alive
    figures: dict[str, Value] = {
        "memory_baseline_bytes": 200 * MIB,
        "memory_weights_bytes": int(weights),
        "memory_activation_bytes": int(1.1 * alive),
        "memory_instrument_bytes": 20 * MIB,
        "memory_forecast_bytes": int(peak * 1.03),
        "peak_memory_bytes": int(peak),
        "memory_counter": "VmHWM",
        "cold_start_s": 3.1,
    }
    latency = record.latency
    if roofline is None or latency is None:
        return figures
    flops, moved = float(str(cost["flops"])), float(str(cost["compulsory_bytes"]))
    least = max(flops / roofline.flops.best, moved / roofline.memory.best)
    moving_s = float(str(cost["operator_bytes"])) / 1.2e11
    work = flops / roofline.flops.best + moving_s
    return figures | {
        "arithmetic_intensity": flops / float(str(cost["operator_bytes"])),
        "roof_latency_s": least,
        "roof_share": least / latency.value,
        "roof_limit": "compute" if flops / roofline.flops.best == least else "memory",
        "operator_roof_latency_s": work,
        "memory_bound_share": moving_s / work,
        "dispatch_latency_s": int(str(cost["operator_calls"])) * roofline.dispatch_s,
    }


@pytest.fixture
def roofline() -> Roofline:
    return ROOFLINE


@pytest.fixture
def costed() -> Callable[..., list[Record]]:
    return make_costed


@pytest.fixture
def probed() -> Callable[..., Run]:
    return make_probed


@pytest.fixture
def known(run: Run) -> RunRecords:
    """The lab with costs, on a device whose rooflines were probed."""
    probed_run = make_probed(run, ROOFLINE)
    return RunRecords(run=probed_run, records=tuple(make_costed(make_lab(probed_run))))
