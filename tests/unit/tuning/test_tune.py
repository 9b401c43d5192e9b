"""The search with worker processes that a test makes up."""

from __future__ import annotations

import json
import math
from itertools import count
from types import SimpleNamespace

import pytest

from inferometer.core.errors import InputError
from inferometer.core.record import Failure, Round
from inferometer.core.sections import Fidelity
from inferometer.core.statement import text
from inferometer.core.sweep import Block, Sweep
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.report.document.tuning import confirmed_lines, headline, to_json
from inferometer.report.terminal.tune import print_tuned
from inferometer.runner.phases.energy.choice import EnergyDecision
from inferometer.runner.tuning import arena, energy, judging, tune
from inferometer.runner.tuning.candidates import command_of, counts_of_threads
from inferometer.runner.tuning.energy import Joules
from inferometer.runner.tuning.found import TuneRequest
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.runner.workers.settings import Held

CALLS_S = {"torch": 0.040, "onnxruntime": 0.020, "openvino": 0.02002, "mnn": 0.5}
PEAKS = {"torch": 400e6, "onnxruntime": 200e6, "openvino": 203e6, "mnn": 100e6}
PRECISIONS = {"fp32": 1.0, "int8": 0.4}


class Device:
    """Stands in for worker processes: what each backend takes, and how often it was started."""

    def __init__(self, monkeypatch):
        self.now_s, self.loads, self.fails, self.cosines = 0.0, [], {}, {}
        self.wobble = count()
        monkeypatch.setattr(arena, "WorkerPool", lambda *_, **__: Pool(self))
        monkeypatch.setattr(tune, "check", lambda _: None)
        monkeypatch.setattr(tune, "Preparer", lambda _: Preparer(self))
        monkeypatch.setattr(tune, "reference_of", reference)
        monkeypatch.setattr(judging, "reference_of", reference)
        monkeypatch.setattr(judging, "Comparer", lambda *_, **__: Comparer(self))

    def call_s(self, workload):
        batch, threads = workload.batch_size, workload.threads
        variant = workload.variant
        alone = (
            CALLS_S[variant.backend] * PRECISIONS[variant.precision] * (1.8 if threads == 1 else 1)
        )
        return alone * (0.4 + 0.6 * batch) * (1 + 0.004 * math.sin(next(self.wobble)))


def reference(variant):
    return Variant(model=variant.model, backend="torch", precision="fp32")


class Preparer:
    def __init__(self, device):
        self.device = device

    def prepared(self, workload, due, on_wait):
        failure = self.device.fails.get(("prepare", workload.variant.backend))
        if failure:
            raise WorkerFailed(failure)
        return ()

    def close(self): ...


class Pool:
    def __init__(self, device):
        self.device = device

    def has_room(self):
        return True

    def end_all(self): ...

    def warm_up(self, workload, *, call_s):
        backend = workload.variant.backend
        if ("warmup", backend) in self.device.fails:
            raise WorkerFailed(self.device.fails["warmup", backend])
        self.device.loads.append(workload)
        seen = {"peak_memory_bytes": PEAKS[backend] * workload.batch_size**0.1}
        return SimpleNamespace(round=self.round(workload), seen=seen, held=Held())

    def measure(self, workload, plan, *, expected_s):
        return self.round(workload)

    def round(self, workload):
        self.device.now_s += 0.2
        call_s = self.device.call_s(workload)
        return Round(
            index=0,
            process=0,
            phase="measure",
            started_at=self.device.now_s,
            calls_per_value=1,
            settle=0,
            starts_s=(0.0, call_s, 2 * call_s),
            values_s=(call_s,) * 3,
        )


class Comparer:
    def __init__(self, device):
        self.device = device

    def reference(self, variant, like):
        return None

    def against(self, reference, variant, device):
        cosine = self.device.cosines.get(variant.precision, 0.9999)
        verdict = "unknown" if cosine is None else "close"
        reason = "the outputs carry no signal" if cosine is None else None
        return Fidelity(fidelity_cosine=cosine, fidelity_verdict=verdict, fidelity_reason=reason)


@pytest.fixture
def device(monkeypatch):
    return Device(monkeypatch)


def request(backends=tuple(CALLS_S), precisions=("fp32",), batches=(1,), threads=(2,), **said):
    sweep = Sweep(
        models=("resnet18",),
        backends=backends,
        precisions=precisions,
        blocks=(Block(sizes=(224,), batches=batches),),
    )
    return TuneRequest(sweep=sweep, threads=threads, **said)


def search(*arguments, **said):
    asked = request(*arguments, **said)
    return asked, tune.tune(asked)


def states(found):
    return {one.workload.variant.backend: one.state for one in found.outcomes}


def test_the_best_wins_is_confirmed_and_near_ones_are_tied(device, capsys):
    asked, found = search()
    assert found.winner.workload.variant.backend == "onnxruntime"
    assert states(found) == {
        "onnxruntime": "winner",
        "openvino": "tied",
        "torch": "slower",
        "mnn": "slower",
    }
    confirmed = found.confirmed
    assert confirmed.holds
    assert confirmed.processes == tune.CONFIRMING_HEATS
    assert confirmed.baseline.variant.backend == "torch"
    assert confirmed.rivals[confirmed.baseline].low > 1.9
    said = json.loads(json.dumps(to_json(asked, found)))
    assert said["winner"]["backend"] == "onnxruntime"
    assert [one["backend"] for one in said["tied"]] == ["openvino"]
    assert said["command"].startswith("inferometer run --models resnet18 --backends onnxruntime")
    assert said["confirmed"]["holds"] is True
    assert "1 other is tied" in headline(asked, found)
    print_tuned(asked, found)
    told = capsys.readouterr().out
    assert "onnxruntime fp32, 2" in told
    assert max(map(len, told.splitlines())) <= 80


def test_threads_precisions_and_batches_are_searched_together(device):
    _, found = search(("torch", "onnxruntime"), ("fp32", "int8"), (1, 8), (1, 2), goal="throughput")
    best = found.winner.workload
    assert (best.variant.precision, best.threads, best.batch_size) == ("int8", 2, 8)
    assert len(found.outcomes) == 16


def test_limits(device):
    _, found = search(batches=(1, 8), goal="throughput", max_latency_s=0.030)
    assert found.winner.workload.batch_size == 1
    over = [one for one in found.outcomes if one.state == "over_limit"]
    assert {one.workload.batch_size for one in over} == {1, 8}
    assert all("a call takes more than 30.0 ms" in one.why for one in over)
    _, found = search(max_memory_bytes=150e6)
    assert found.winner.workload.variant.backend == "mnn"


def test_memory(device):
    _, found = search(goal="memory")
    assert states(found)["mnn"] == "winner"
    _, found = search(("torch", "onnxruntime", "openvino"), goal="memory")
    assert states(found) == {"onnxruntime": "winner", "openvino": "tied", "torch": "slower"}
    assert found.confirmed is None


def test_energy(device, monkeypatch):
    monkeypatch.setattr(tune, "check_source", lambda _: None)
    joules = {
        "torch": Joules(0.9, 0.05),
        "onnxruntime": Joules(0.5, 0.03),
        "openvino": Joules(0.52, 0.03),
    }

    def measured(request, *, budget_s):
        return {
            one: joules[one.variant.backend]
            for one in tune.candidates(request)
            if one.variant.backend in joules
        }

    monkeypatch.setattr(tune, "energies_of", measured)
    asked, found = search(goal="energy")
    assert states(found) == {
        "onnxruntime": "winner",
        "openvino": "tied",
        "torch": "slower",
        "mnn": "not_reached",
    }
    assert to_json(asked, found)["winner"]["energy_per_inference_j"] == 0.5


def test_energy_without_a_source_is_refused(monkeypatch):
    monkeypatch.setattr(tune, "check", lambda _: None)
    monkeypatch.setattr(energy, "decide", lambda *_: EnergyDecision(reason=text("no sensor here")))
    with pytest.raises(InputError, match="--goal energy needs a power source: no sensor here"):
        tune.tune(request(goal="energy"))


def test_fidelity(device):
    device.cosines["int8"] = 0.90
    _, found = search(("onnxruntime",), ("fp32", "int8"), min_fidelity=0.98)
    assert found.winner.workload.variant.precision == "fp32"
    [left] = [one for one in found.outcomes if one.state == "unfaithful"]
    assert "0.9000, not 0.98" in left.why
    device.cosines["int8"] = None
    _, found = search(("onnxruntime",), ("fp32", "int8"), min_fidelity=0.98)
    [left] = [one for one in found.outcomes if one.state == "unfaithful"]
    assert left.why == "the outputs carry no signal"


def test_what_could_not_be_judged_in_time_is_not_called_unfaithful(device, monkeypatch):
    def against(*_):
        raise WorkerFailed(Failure(stage="load", kind="budget", message="late"))

    monkeypatch.setattr(Comparer, "against", against)
    _, found = search(("onnxruntime",), ("fp32", "int8"), min_fidelity=0.98)
    assert "unfaithful" not in {one.state for one in found.outcomes}
    assert {one.fidelity for one in found.outcomes} == {None}


def test_failures_are_outcomes(device):
    unsupported = Failure(stage="prepare", kind="unsupported", message="no Einsum")
    device.fails["prepare", "mnn"] = unsupported
    device.fails["warmup", "openvino"] = Failure(stage="warmup", kind="crash", message="SIGSEGV")
    _, found = search()
    why = {one.workload.variant.backend: one.why for one in found.outcomes if one.state == "failed"}
    assert why == {"mnn": "unsupported: no Einsum", "openvino": "crash: SIGSEGV"}
    assert found.winner is not None


def test_nothing_within_the_limits(device, capsys):
    asked, found = search(max_latency_s=0.001)
    assert found.winner is None
    assert found.confirmed is None
    assert to_json(asked, found)["winner"] is None
    print_tuned(asked, found)
    assert "no candidate is within all limits" in capsys.readouterr().out


def test_each_candidate_keeps_its_name_in_eighty_columns(device, capsys):
    device.fails["warmup", "mnn"] = Failure(stage="warmup", kind="crash", message="it broke " * 20)
    asked, found = search()
    print_tuned(asked, found)
    table = capsys.readouterr().out.split("outcome", maxsplit=1)[1]
    assert all(one.workload.variant.backend in table for one in found.outcomes)
    assert "\nmnn fp32, 2 threads, batch 1: crash: it broke it broke" in table


def test_a_budget_that_is_over_says_so(device):
    _, found = search(budget_s=0.5)
    assert found.winner is None
    assert {one.state for one in found.outcomes} == {"not_reached"}
    assert confirmed_lines(found) == []


def test_the_command_that_measures_a_candidate():
    variant = Variant(
        model="net.py:build", backend="torch", precision="bf16", options=(("memory_format", "x"),)
    )
    workload = Workload(
        variant=variant,
        target=Target(threads=2, device="cuda"),
        shape=Shape(batch_size=4, input_size=None),
    )
    assert command_of(workload) == (
        "inferometer run --models net.py:build --backends torch --precisions bf16 --batch 4 "
        "--size own --threads 2 --options torch.memory_format=x --device cuda"
    )


def test_counts_of_threads():
    assert counts_of_threads(1) == [1]
    assert counts_of_threads(2) == [1, 2]
    assert counts_of_threads(6) == [1, 2, 4, 6]
    assert counts_of_threads(8) == [1, 2, 4, 8]


def test_a_model_that_is_wrong_is_refused():
    sweep = Sweep(models=("resnet99",), blocks=(Block(),))
    with pytest.raises(InputError, match="resnet99"):
        tune.tune(TuneRequest(sweep=sweep, threads=(1,)))
