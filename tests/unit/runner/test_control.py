"""The control: fixed work beside the models of a run."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.core.errors import InputError, ModelReferenceError
from inferometer.core.format import Format
from inferometer.core.procedure import Procedure
from inferometer.core.record import Record
from inferometer.core.sweep import Study, Sweep
from inferometer.core.workload import CONTROL, control_at
from inferometer.models import check as check_model
from inferometer.models import load
from inferometer.runner.phases.cliffs import next_workloads
from inferometer.runner.run import check


def study(*, device="cpu", models=("m",), **procedure):
    sweep = Sweep(models=models, backends=("python",), threads=2, device=device)
    return Study(name="s", sweep=sweep, procedure=Procedure(**procedure))


def test_it_is_always_the_same():
    first, again = (load(CONTROL, seed=seed) for seed in (0, 1))
    assert first.format is Format.CALLABLE
    assert first.inputs.make(batch_size=1, input_size=None, seed=0).args == ()
    output = first.network()
    assert np.array_equal(output, again.network())
    assert np.array_equal(output, first.network())
    assert np.isfinite(output).all()
    assert output.std() > 0.1


@pytest.mark.parametrize("reference", ["builtin:control-v2", f"{CONTROL}?seed=1"])
def test_there_is_no_other(reference):
    with pytest.raises(ModelReferenceError, match=r"known: control-v1|takes no options"):
        check_model(reference)


def test_a_study_measures_it_once_after_its_own_workloads():
    *own, last = study(control=True).workloads()
    assert own == study().workloads()
    assert last == control_at(2)
    assert last.is_control
    assert not own[0].is_control
    named = study(control=True, models=(CONTROL,))
    assert named.workloads() == [control_at(2)]


def test_studies_without_it_keep_their_signature():
    kept = study()
    old = kept.to_json()
    del old["procedure"]["control"]
    assert Study.from_json(old).signature == kept.signature
    assert study(control=True).signature != kept.signature


@pytest.mark.parametrize("way", [{"pair": True}, {"sustain_s": 5.0}])
def test_it_goes_with_interleaved_rounds_alone(way):
    with pytest.raises(ValueError, match="control does not go with"):
        Procedure(control=True, **way)


def test_it_says_nothing_of_another_device():
    with pytest.raises(InputError, match="work of the processor, and says nothing of cuda"):
        check(study(device="cuda", models=(CONTROL,), control=True))


def test_no_cliff_is_looked_for_in_it():
    done = Record(workload=control_at(2), status="ok", figures={"latency_median_s": 0.01})
    assert next_workloads(study(control=True, find_cliff="batch"), [done]) == []
