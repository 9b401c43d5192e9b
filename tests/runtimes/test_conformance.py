"""What every backend promises of real models, on the way that a run takes: prepared in a process of
its own, kept, loaded by a worker, in the backend's own environment where it has one.

    pytest tests/runtimes -m runtimes [-k "openvino and int8"] [-s] [--table FILE]

Everybody runs a tiny model on what CI installs. The models of the lab, on all that is installed here,
have the marker: two hours on two busy cores. A cell that a backend refuses (`unsupported`, with
its reason) is skipped; fp32 is refused by none.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

from inferometer.backends import BACKENDS, backend
from inferometer.core.procedure import Procedure
from inferometer.core.statement import statements
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.figures.fidelity import fidelity_of
from inferometer.host.artifacts import MANIFEST
from inferometer.runner.preparation import Preparer, how_prepared
from inferometer.runner.workers.messages import RoundPlan
from inferometer.runner.workers.outputs import load_outputs
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.runner.workers.pool import WorkerPool, clock_of
from inferometer.runner.workers.prepared import read_folder

TINY = f"{Path(__file__).with_name('tiny.py')}:model"
LAB = tuple(
    f"{name}?weights=calibrated"
    for name in ("squeezenet1_0", "mobilenet_v3_small", "resnet18", "unet")
)
"""Random weights, through which batch norm lets signals pass where there is any."""
SIZES = {TINY: (32, 24)}
USUAL_SIZES = (224, 160)
EVERYWHERE = ("torch", "onnxruntime", "openvino")
SAMPLES = 4
PATIENCE_S = 900.0
CPU_S = 0.5
"""The busiest thread computes for so long at the least before threads are compared."""
ONE_THREAD = 1.2
"""CPU time of a call over that of its busiest thread, at the most, where one thread was asked for;
unlike CPU time over wall time, a busy machine does not lower it."""
TWO_THREADS = 1.4
"""And at the least where two were."""
INT8_COSINE = 0.95
"""Int8 costs some models more than users put up with, in some runtimes, and is `different`: but not so
far from the reference as an error in it would be."""
UNCHECKED = {"ncnn"}
"""Runtimes whose layers do not look at shapes: what does not fit ends the worker."""
INPUTS = {"ncnn": "?input=in0:3x32x32"}
"""What must be said of the inputs of a file that does not tell."""
HEAD = (
    *("model", "backend", "precision", "fidelity", "relative error", "cosine"),
    *("threads", "busy", "prepared, s", "median, ms", "note"),
)
PROCEDURE = Procedure(timeout_s=PATIENCE_S)


def installed():
    return [
        name
        for name in BACKENDS.names()
        if name != "python" and not BACKENDS.missing(name, BACKENDS.find(name))
    ]


def marks(*, quick):
    return [] if quick else [pytest.mark.runtimes, pytest.mark.timeout(2 * PATIENCE_S)]


def named(model):
    return "tiny" if model == TINY else model.partition("?")[0]


def cells():
    for name in installed():
        for model in (TINY, *LAB):
            for precision in backend(name).precisions:
                quick = name in EVERYWHERE and model == TINY and precision in ("fp32", "int8")
                yield pytest.param(
                    Variant(model=model, backend=name, precision=precision),
                    marks=marks(quick=quick),
                    id=f"{named(model)}-{name}-{precision}",
                )


each_backend = pytest.mark.parametrize(
    "name", [pytest.param(one, marks=marks(quick=one == EVERYWHERE[1])) for one in installed()]
)


def workload(variant, shape=None, *, threads=1):
    size = SIZES.get(variant.model, USUAL_SIZES)[0]
    shape = shape or Shape(batch_size=1, input_size=size)
    return Workload(variant=variant, target=Target(threads=threads), shape=shape)


def shapes(model):
    sizes = SIZES.get(model, USUAL_SIZES)
    return [Shape(batch_size=batch, input_size=size) for size in sizes for batch in (1, 2)]


class Bench:
    """Workers over a cache of their own, and what the reference gave for each shape."""

    def __init__(self, folder):
        self.folder, self.rows, self._references = folder, [], {}

    def pool(self):
        preparer = Preparer(PROCEDURE, cache=self.folder / "artifacts")
        return WorkerPool(PROCEDURE, clock_of(PROCEDURE, 0.0), preparer=preparer)

    def references(self, model):
        """Path of samples, and what fp32 eager gives for them, by shape."""
        if model not in self._references:
            pool = self.pool()
            self._references[model] = {
                one: self._reference(pool, model, one) for one in shapes(model)
            }
            pool.end_all()
        return self._references[model]

    def _reference(self, pool, model, shape):
        one = workload(Variant(model=model, backend="torch", precision="fp32"), shape)
        inputs = self.folder / f"{named(model)}-{shape.batch_size}-{shape.input_size}.npz"
        pool.make_samples(one, SAMPLES // shape.batch_size, None, inputs)
        return inputs, outputs(pool, one, inputs)

    def table(self):
        lines = [HEAD, ["---"] * len(HEAD), *self.rows]
        return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def outputs(pool, one, inputs):
    into = inputs.with_name("outputs.npz")
    pool.give_outputs(one, inputs, into, seconds=PATIENCE_S)
    return load_outputs(into, one.batch_size)


@pytest.fixture(scope="session")
def bench(tmp_path_factory, pytestconfig):
    folder = tmp_path_factory.mktemp("conformance")
    made = Bench(folder)
    yield made
    if made.rows:
        print("\n" + made.table())  # noqa: T201 - shown with -s
        if target := pytestconfig.getoption("--table", None):
            Path(target).write_text(made.table())
    shutil.rmtree(folder)  # gigabytes, of which pytest would keep three


@pytest.fixture(scope="session")
def kept(bench):
    made = bench.pool()
    yield made
    made.end_all()


@pytest.fixture
def pool(kept):
    """One that knows what was prepared for earlier tests, without a worker."""
    yield kept
    for variant in list(kept._workers):
        kept.end(variant)


@dataclass
class Seen:
    """What one cell showed."""

    shape_fidelity: dict = field(default_factory=dict)
    threads: int | None = None
    busy: float = 0.0
    median_s: float = 0.0
    facts: dict = field(default_factory=dict)
    survivors: list = field(default_factory=list)

    @cached_property
    def worst(self):
        return max(
            self.shape_fidelity.values(),
            key=lambda one: (one.fidelity_verdict == "different", one.fidelity_relative_error or 0),
        )

    def complaints(self, variant):
        """What a backend must not do, in sentences."""
        least = INT8_COSINE if variant.precision == "int8" else math.inf
        found = [
            f"{shape.label}: {one.fidelity_verdict} ({one.fidelity_reason or ''} error "
            f"{one.fidelity_relative_error}, cosine {one.fidelity_cosine})"
            for shape, one in self.shape_fidelity.items()
            if one.fidelity_verdict == "different" and (one.fidelity_cosine or 0.0) < least
        ]
        if self.threads not in (None, 1):
            found.append(f"the worker says that {self.threads} threads hold")
        if self.busy > ONE_THREAD:
            found.append(f"{self.busy:.2f} threads were busy")
        return found + [f"{one} outlived the worker" for one in self.survivors]

    def row(self, variant):
        worst = self.worst
        notes = ["", *map(str, statements(self.facts.get("notes")))]
        return [
            *(named(variant.model), variant.backend, variant.precision, worst.fidelity_verdict),
            *(_number(worst.fidelity_relative_error, ".1e"), _number(worst.fidelity_cosine, ".4f")),
            *(self.threads, f"{self.busy:.2f}", _number(self.facts.get("prepare_s"), ".1f")),
            *(f"{1e3 * self.median_s:.2f}", notes[-1][:120]),
        ]


def _number(value, form):
    return "" if value is None else format(value, form)


def examine(bench, pool, variant):
    """Let a variant compute all shapes, look at its threads, and end it."""
    seen, first = Seen(), workload(variant)
    for shape, (inputs, wanted) in bench.references(variant.model).items():
        got = outputs(pool, workload(variant, shape), inputs)
        seen.shape_fidelity[shape] = fidelity_of(wanted, got, variant.precision, against="torch")
    seen.threads = pool.warm_up(first, call_s=None).held.threads
    seen.busy, seen.median_s = threads_at_work(pool, first)
    seen.facts = pool.facts[variant]
    seen.survivors = end(pool, variant)
    return seen


def threads_at_work(pool, one):
    """CPU time of calls over that of their busiest thread; and the median of their latencies."""
    process = pool._workers[one.variant]._watched
    spent, before, latency = [0.0], cpu_times(process), 0.0
    while max(spent) < CPU_S:
        latency = pool.measure(one, RoundPlan(values=3, seconds=CPU_S), expected_s=CPU_S).median_s
        after = cpu_times(process)
        spent = [after[thread] - before.get(thread, 0.0) for thread in after]
    return sum(spent) / max(spent), latency


def cpu_times(process):
    return {one.id: one.user_time + one.system_time for one in process.threads()}


def end(pool, variant):
    """End a worker; gives what is still there of its processes and shared memory."""
    process = pool._workers[variant]._watched
    family = [process, *process.children(recursive=True)]
    pool.end(variant)
    return [str(one) for one in family if one.is_running() and one.status() != "zombie"]


@pytest.mark.skipif(sys.platform != "linux", reason="threads are told apart by /proc")
@pytest.mark.parametrize("variant", list(cells()))
def test_a_cell(variant, bench, pool):
    """It loads, gives outputs of the reference's shapes and values at every shape, obeys threads,
    and leaves nothing behind."""
    try:
        seen = examine(bench, pool, variant)
    except WorkerFailed as failed:
        if failed.failure.kind != "unsupported" or variant.precision == "fp32":
            raise
        reason = failed.failure.message
        blank = [""] * 6
        bench.rows.append([named(variant.model), variant.backend, variant.precision,
                           "unsupported", *blank, reason])  # fmt: skip
        pytest.skip(reason)
    bench.rows.append(seen.row(variant))
    assert seen.complaints(variant) == []


@each_backend
@pytest.mark.runtimes
@pytest.mark.skipif(os.cpu_count() == 1, reason="there is one core")
def test_two_threads_are_two(name, bench, pool):
    one = workload(Variant(model=LAB[2], backend=name, precision="fp32"), threads=2)
    assert pool.warm_up(one, call_s=None).held.threads in (None, 2)
    assert threads_at_work(pool, one)[0] > TWO_THREADS


@each_backend
def test_a_precision_that_it_lacks_is_unsupported(name, pool):
    one = workload(Variant(model=TINY, backend=name, precision="int3"))
    failure = failure_of(lambda: pool.load(one))
    assert failure.kind == "unsupported"
    assert "int3" in failure.message


@each_backend
def test_an_impossible_shape_is_told_in_a_sentence_and_harms_nothing(name, pool):
    variant = Variant(model=TINY, backend=name, precision="fp32")
    odd = Shape(batch_size=1, input_size=33)
    failure = failure_of(lambda: pool.warm_up(workload(variant, odd), call_s=None))
    assert failure.kind in ("bad_model", "unsupported", *(["crash"] if name in UNCHECKED else []))
    pool.warm_up(workload(variant), call_s=None)


def failure_of(does):
    with pytest.raises(WorkerFailed) as caught:
        does()
    failure = caught.value.failure
    assert len(failure.message.splitlines()) == 1
    assert "Traceback" not in failure.message
    return failure


def prepared_variant(name):
    """One of a backend that makes files."""
    for precision in backend(name).precisions:
        variant = Variant(model=TINY, backend=name, precision=precision)
        if how_prepared(variant) is not None:
            return variant
    pytest.skip("it loads models itself")


@pytest.fixture
def artifact(name, bench, pool):
    """A prepared variant, and the folder of its file."""
    variant = prepared_variant(name)
    pool.warm_up(workload(variant), call_s=None)
    return variant, Path(pool._prepared[variant][0].folder)


def largest(folder):
    names = json.loads((folder / MANIFEST).read_text())["files"]
    return max((folder / one for one in names), key=lambda path: path.stat().st_size)


@each_backend
def test_a_damaged_artifact_is_found_and_made_anew(name, artifact, bench, pool):
    variant, folder = artifact
    pool.end(variant)
    whole = largest(folder).read_bytes()
    largest(folder).write_bytes(
        whole[: len(whole) // 2] + bytes(64) + whole[len(whole) // 2 + 64 :]
    )
    assert "changed" in failure_of(lambda: pool.load(workload(variant))).message
    other = bench.pool()
    try:
        other.warm_up(workload(variant), call_s=None)
    finally:
        other.end_all()
    assert largest(folder).stat().st_size == len(whole)


@each_backend
def test_half_a_file_is_a_bad_model(name, artifact, pool, tmp_path):
    """Given by the user, so that no digest speaks before the runtime does; whole, it loads."""
    _, folder = artifact
    copy = Path(shutil.copytree(folder, tmp_path / "given"))
    first = read_folder(folder).files[0]
    given = Variant(model=f"{copy / first}{INPUTS.get(name, '')}", backend=name, precision="fp32")
    own = workload(given, Shape(batch_size=1, input_size=None))
    pool.load(own)
    pool.end(given)
    damaged = largest(copy)
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    assert failure_of(lambda: pool.warm_up(own, call_s=None)).kind == "bad_model"
