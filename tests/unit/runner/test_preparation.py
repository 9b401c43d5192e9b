"""Each variant is prepared once in a run, from a model that is exported once."""

from __future__ import annotations

import pytest

from inferometer.core.artifact import Preparation
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner import preparation
from inferometer.runner.preparation import SAMPLES, Preparer
from inferometer.runner.workers.messages import (
    CostsCounted,
    CountCosts,
    Exported,
    ExportModel,
    Failed,
    PreparedAt,
    PrepareVariant,
    VariantPrepared,
)
from inferometer.runner.workers.parent import WorkerFailed


class Runtime:
    """A backend that prepares as a test says."""

    accepts = frozenset({Format.MNN})
    precisions = ("fp32", "int8")
    devices = ("cpu",)

    def __init__(self, how):
        self.how = how

    def start(self, *, threads): ...

    def load(self, model, variant, *, device): ...

    def preparation(self, form, variant):
        if isinstance(self.how, WorkloadError):
            raise self.how
        return self.how

    def prepare(self, model, variant, *, samples, into): ...


class Processes:
    """Stands in for worker processes, and keeps what they were asked."""

    def __init__(self):
        self.asked, self.living, self.fails, self.shapes_go = [], [], {}, False

    def __call__(self, variant, **_):
        process = Process(self, variant)
        self.living.append(process)
        return process


class Process:
    def __init__(self, all_of_them, variant):
        self.them, self.variant, self.alive = all_of_them, variant, True

    def load(self, deadline):
        self.them.asked.append(("load", self.variant))

    def ask(self, request, wanted, *, stage, deadline):
        self.them.asked.append((type(request).__name__, request))
        failure = self.them.fails.get(type(request))
        if failure is not None and not (self.them.shapes_go and getattr(request, "shape", None)):
            raise WorkerFailed(failure)
        if isinstance(request, ExportModel):
            return Exported(folder=f"model-{request.model}", made=True, samples="samples.npz")
        if isinstance(request, PrepareVariant):
            number = sum(one is PrepareVariant for one in map(type, self.requests()))
            return VariantPrepared(folder=f"{request.source} {number}", made=True)
        assert isinstance(request, CountCosts)
        return CostsCounted(
            costs=tuple(Failed(kind="unsupported", message="no") for _ in request.shapes)
        )

    def requests(self):
        return [request for _, request in self.them.asked]

    def kill(self):
        self.alive = False
        self.them.living.remove(self)


@pytest.fixture
def processes(monkeypatch):
    made = Processes()
    monkeypatch.setattr(preparation, "WorkerProcess", made)
    return made


@pytest.fixture
def preparer(tmp_path):
    return Preparer(Procedure(seed=3), cache=tmp_path)


def backends(monkeypatch, how):
    monkeypatch.setattr("inferometer.backends.backend", lambda name: Runtime(how))


def cell(model="resnet18", precision="fp32", batch=1):
    return Workload(
        variant=Variant(model=model, backend="mnn", precision=precision),
        target=Target(threads=2),
        shape=Shape(batch_size=batch, input_size=224),
    )


def due():
    return None


def prepared(preparer, workload):
    return preparer.prepared(workload, due, lambda: None)


def test_what_a_backend_loads_itself_is_not_prepared(preparer, processes, monkeypatch):
    backends(monkeypatch, None)
    assert prepared(preparer, cell()) == ()
    assert processes.asked == []


def test_it_is_exported_and_prepared_once_for_all_shapes(preparer, processes, monkeypatch):
    backends(monkeypatch, Preparation(wants=Format.ONNX, calibrates=True))
    first = prepared(preparer, cell(precision="int8"))
    assert first == (PreparedAt(folder="model-resnet18 1"),)
    assert prepared(preparer, cell(precision="int8", batch=8)) == first
    names = [name for name, _ in processes.asked]
    assert names == ["load", "ExportModel", "PrepareVariant"]
    [(_, source), (_, export), (_, prepare)] = processes.asked
    assert (source.backend, source.precision) == ("torch", "fp32")
    assert (export.wanted, export.shape, export.samples, export.seed) == ("ONNX", None, SAMPLES, 3)
    assert (prepare.variant.precision, prepare.samples) == ("int8", "samples.npz")


def test_a_file_that_stays_is_not_prepared_again(preparer, processes, monkeypatch):
    backends(monkeypatch, Preparation(wants=Format.ONNX, stays=True))
    assert prepared(preparer, cell()) == (PreparedAt(folder="model-resnet18"),)
    assert [name for name, _ in processes.asked] == ["load", "ExportModel"]


def test_what_serves_one_shape_is_prepared_for_each(preparer, processes, monkeypatch):
    backends(monkeypatch, Preparation(wants=Format.EXPORTED_PROGRAM, each_shape=True))
    assert len(prepared(preparer, cell())) == 1
    both = prepared(preparer, cell(batch=8))
    assert [one.shape.batch_size for one in both] == [1, 8]
    assert prepared(preparer, cell()) == both


def test_a_model_is_loaded_once_for_all_its_exports(preparer, processes, monkeypatch):
    backends(monkeypatch, Preparation(wants=Format.ONNX, stays=True))
    prepared(preparer, cell())
    prepared(preparer, cell(precision="int8"))
    prepared(preparer, cell(model="unet"))
    names = [name for name, _ in processes.asked]
    assert names == ["load", "ExportModel", "ExportModel", "load", "ExportModel"]
    assert len(processes.living) == 1
    preparer.close()
    assert processes.living == []


@pytest.mark.parametrize("at", [ExportModel, PrepareVariant])
def test_a_failure_is_remembered(preparer, processes, monkeypatch, at):
    backends(monkeypatch, Preparation(wants=Format.ONNX))
    processes.fails[at] = Failure(stage="load", kind="unsupported", message="no Foo")
    for _ in range(2):
        with pytest.raises(WorkerFailed, match="no Foo") as caught:
            prepared(preparer, cell())
        assert caught.value.failure.stage == "prepare"
    once = 1 if at is PrepareVariant else 2  # with open axes, and for the shape alone
    assert [name for name, _ in processes.asked].count(at.__name__) == once
    preparer.close()
    assert processes.living == []


def test_a_model_whose_axes_do_not_open_is_exported_for_each_shape(
    preparer, processes, monkeypatch
):
    backends(monkeypatch, Preparation(wants=Format.ONNX, stays=True))
    closed = Failure(stage="load", kind="unsupported", message="its code fixes the batch")
    processes.fails[ExportModel], processes.shapes_go = closed, True
    [first] = prepared(preparer, cell())
    assert first.shape == Shape(batch_size=1, input_size=224)
    both = prepared(preparer, cell(batch=8))
    assert [one.shape.batch_size for one in both] == [1, 8]
    shapes = [asked.shape for name, asked in processes.asked if name == "ExportModel"]
    assert shapes == [None, first.shape, both[1].shape]


def test_what_the_budget_cut_is_tried_again(preparer, processes, monkeypatch):
    backends(monkeypatch, Preparation(wants=Format.ONNX, stays=True))
    processes.fails[ExportModel] = Failure(stage="load", kind="budget", message="over")
    with pytest.raises(WorkerFailed, match="over"):
        prepared(preparer, cell())
    del processes.fails[ExportModel]
    assert prepared(preparer, cell())


def test_a_backend_that_refuses_is_a_failure_at_the_stage(preparer, processes, monkeypatch):
    backends(monkeypatch, WorkloadError("unsupported", "no int8 here"))
    with pytest.raises(WorkerFailed, match="no int8 here") as caught:
        prepared(preparer, cell(precision="int8"))
    assert (caught.value.failure.stage, caught.value.failure.kind) == ("prepare", "unsupported")
    assert processes.asked == []


def test_costs_are_those_of_the_model_and_counted_once(preparer, processes, monkeypatch):
    backends(monkeypatch, Preparation(wants=Format.ONNX, stays=True))
    cells = [cell(), cell(batch=8)]
    first = preparer.costs(cells, due, lambda: None)
    again = preparer.costs([cell(precision="int8")], due, lambda: None)
    assert [one.message for one in (*first, *again)] == ["no"] * 3
    assert [name for name, _ in processes.asked] == ["load", "CountCosts"]
