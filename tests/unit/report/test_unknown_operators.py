"""Where operations are missing from a sum, it is a lower bound, and nothing rests on it."""

from __future__ import annotations

import pytest

from inferometer.analysis.explain import why
from inferometer.analysis.grid import build
from inferometer.analysis.parts import flops_per_s
from inferometer.report.document import explanation, operations

ODD = ["aten.odd (2)"]
FIGURES = {"macs": 10**9, "flops": 2 * 10**9, "operator_bytes": 10**8, "compulsory_bytes": 10**7}


@pytest.fixture
def records(record):
    """A model that is known, one of whose operators is not, and another that is known."""
    return [
        record("known", latency_s=0.04, half_s=0.0001, **FIGURES),
        record("odd", latency_s=0.4, half_s=0.0001, **FIGURES, unknown_operators=ODD),
        record("slow", latency_s=4.0, half_s=0.0001, **FIGURES | {"flops": 3 * 10**9}),
    ]


def test_sums_are_marked_and_shares_are_left_out(records):
    table = operations.operations(build(records))
    shown = {row[0]: dict(zip(table.heads, row, strict=True)) for row in table.rows}
    assert shown["known"]["MACs"] == "1.00 GMACs"
    assert shown["odd"]["MACs"] == "≥ 1.00 GMACs"
    assert shown["odd"]["FLOPs"] == "≥ 2.00 GFLOPs"
    for head in ("per byte moved at least", "FLOPs per byte"):
        assert any(character.isdigit() for character in shown["known"][head])
        assert not any(character.isdigit() for character in shown["odd"][head])
    assert "Its sums are lower bounds" in " ".join(operations.operation_notes(build(records)))


def test_no_rate_is_told(records):
    known, odd, _ = records
    assert flops_per_s(known) > 0
    assert flops_per_s(odd) is None
    lines = " ".join(explanation.order_lines(build(records), {}))
    assert "The FLOPs of odd are without those of aten.odd (2)" in lines


def test_nothing_is_explained_by_operations_that_are_not_all_known(records):
    grid = build(records)
    found = why(grid, *grid.columns[:2], grid.shapes[0])
    assert found[0].kind == "incomplete"
    assert not {one.kind for one in found} & {"work", "rate", "difference"}
