"""Inputs of every kind but model files: none does harm. `benchmarks/fuzz.py` tries many more."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.timeout(900)  # of many inputs, on a machine that does other things

NAMES = (
    "study", "hypothesis", "arguments", "reference", "writing", "stream", "table", "published",
    "bundle", "power-log", "log-file", "tree", "damaged-store", "names", "page", "round-trip",
)  # fmt: skip


@pytest.fixture(scope="module")
def found(tried):
    return tried(*NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_input_does_harm(found, name):
    faults = [
        f"{name} {one['seed']}: {one['faults']} {one['args']}"
        for one in found[name]
        if one["faults"]
    ]
    assert not faults, "\n".join(faults[:5])


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("stream", "writing")])
def test_the_inputs_are_neither_all_refused_nor_all_sound(found, name):
    verdicts = {one["verdict"] for one in found[name]}
    assert verdicts & {"accepted", "stopped"}
    assert "refused" in verdicts or name in ("tree", "names", "page", "round-trip")
