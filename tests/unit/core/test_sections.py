"""Sections: their fields are those of the exported record, of the same types."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import get_args, get_origin, get_type_hints

import pytest

from inferometer.core.record import FIELDS, STATED, Record
from inferometer.core.sections import (
    Accuracy,
    Bounds,
    Energy,
    Fidelity,
    Joint,
    Latency,
    OperatorTimes,
    Section,
    Verdict,
)
from inferometer.core.statement import Statement
from inferometer.core.workload import Shape, Target, Variant, Workload

WORKLOAD = Workload(
    variant=Variant(model="a", backend="torch", precision="fp32"),
    target=Target(device="cpu", threads=1),
    shape=Shape(batch_size=1, input_size=None),
)
SECTIONS = Section.__subclasses__()
BEGINNINGS = {
    Energy: ("energy_", "power_"),
    Bounds: ("roof_", "operator_roof_", "memory_bound_"),
    Fidelity: ("fidelity_",),
    OperatorTimes: ("operator_times",),
}


def exported(hint):
    """The type that a field has in the exported record."""
    if get_origin(hint) is tuple:
        return list
    kind = next((one for one in get_args(hint) if one is not type(None)), hint)
    return str if kind is Statement else kind


@pytest.mark.parametrize("section", SECTIONS)
def test_every_field_of_a_section_is_exported_with_its_type(section):
    hints = get_type_hints(section)
    for field in fields(section):
        assert exported(hints[field.name]) is FIELDS[field.name], field.name


def test_no_figure_is_in_two_sections():
    told = Counter(field.name for section in SECTIONS for field in fields(section))
    assert [name for name, times in told.items() if times > 1] == []


@pytest.mark.parametrize("section", BEGINNINGS)
def test_a_section_has_all_of_its_producers_fields(section):
    own = {field.name for field in fields(section)}
    assert {name for name in FIELDS if name.startswith(BEGINNINGS[section])} <= own


def test_the_latency_has_all_fields_of_the_rounds():
    elsewhere = {"latency_timer_overhead_s"}  # known of a process before it has rounds
    latencies = {name for name in FIELDS if name.startswith("latency_")} - elsewhere
    assert (
        latencies == {field.name for one in (Latency, Joint) for field in fields(one)} & latencies
    )


def test_a_record_takes_a_section_as_it_is():
    reason = Statement("energy_off")
    sections = (
        Latency(latency_median_s=0.5),
        Verdict(verdict="noisy", causes=(Statement("no_interval"),)),
        Energy(energy_reason=reason),
        Accuracy(),
        Fidelity(),
        OperatorTimes(),
    )
    figures = {name: value for one in sections for name, value in one.figures().items()}
    record = Record(workload=WORKLOAD, status="ok", figures=figures)
    assert record.number("latency_median_s") == 0.5
    assert record["energy_reason"] == str(reason)
    assert record["cause_codes"] == ["no_interval"]
    assert record["energy_others"] == []
    assert set(STATED) - {"notes"} <= figures.keys()
