"""What a record is made of."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.runner.phases.latency.outcomes import Outcomes
from inferometer.runner.scheduling.foresight import Outlook
from inferometer.runner.scheduling.replicates import Prepared

MIB = 1 << 20
VARIANT = Variant(model="a", backend="torch", precision="fp32")
WORKLOAD = Workload(
    variant=VARIANT,
    target=Target(device="cpu", threads=1),
    shape=Shape(batch_size=1, input_size=224),
)


@pytest.fixture
def outcomes():
    facts = {"load_s": 1.0, "notes": ["of the model"]}
    outlook = Outlook(figures={"macs": 7}, notes=["foreseen"])
    return Outcomes(
        Procedure(),
        SimpleNamespace(facts={VARIANT: facts}),
        SimpleNamespace(known=lambda _: outlook),
        constants={"energy_reason": "none"},
        rooflines=(),
    )


def test_a_record_holds_what_everybody_knows_and_notes_in_the_order_of_time(outcomes):
    own = {"first_call_s": 0.5, "peak_memory_bytes": 400 * MIB, "notes": ["of the warm-up"]}
    prepared = Prepared(figures=own, rounds=[], task=None, peaks=[400 * MIB, 500 * MIB])
    measured = {"latency_median_s": 0.1, "notes": ["of the roof"]}
    record = outcomes.record(WORKLOAD, "ok", None, prepared=prepared, measured=measured)
    expected = {"load_s": 1.0, "macs": 7, **own, **measured}
    assert {name: record.figures[name] for name in expected if name != "notes"} == {
        name: value for name, value in expected.items() if name != "notes"
    }
    assert record["energy_reason"] == "none"
    *notes, peaks = record["notes"]
    assert notes == ["of the model", "foreseen", "of the warm-up", "of the roof"]
    assert "first of 2 processes" in peaks


def test_what_never_ran_has_what_was_foreseen_of_it(outcomes):
    failure = Failure(stage="warmup", kind="out_of_memory", message="it would not fit")
    record = outcomes.record(WORKLOAD, "skipped", failure, prepared=None, measured={})
    assert record.failure == failure
    assert record.figures["macs"] == 7
    assert record["notes"] == ["of the model", "foreseen"]
