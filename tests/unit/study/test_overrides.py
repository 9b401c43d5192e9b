"""Flags over a study."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inferometer.core.errors import StudyError
from inferometer.core.options import PRESETS
from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.study import load_study, override


@pytest.fixture
def lab() -> Study:
    return load_study("lab")


def test_nothing_given_changes_nothing(lab):
    assert override(lab) == lab


def test_axes_are_replaced(lab):
    changed = override(
        lab, models=["m"], backends=["python"], precisions=["bf16"], threads=3, device="cuda"
    )
    assert changed.sweep == Sweep(
        models=("m",),
        backends=("python",),
        precisions=("bf16",),
        threads=3,
        device="cuda",
        blocks=lab.sweep.blocks,
    )
    assert (changed.name, changed.procedure) == (lab.name, lab.procedure)


def test_batches_replace_those_of_every_block(lab):
    assert override(lab, batches=[3, 5]).sweep.shapes() == [(224, 3), (224, 5), (448, 3), (448, 5)]


def test_a_size_of_the_study_keeps_its_batches(lab):
    assert override(lab, sizes=[448]).sweep.shapes() == [(448, b) for b in (1, 2, 4, 8, 16)]


def test_a_new_size_gets_the_batches_of_the_first_block(lab):
    shapes = override(lab, sizes=[320, None]).sweep.shapes()
    assert shapes == [(size, b) for size in (320, None) for b in (1, 2, 4, 8, 16, 32)]


def test_a_size_of_several_blocks_keeps_the_batches_of_all():
    blocks = (Block(sizes=(8, 9), batches=(1,)), Block(sizes=(8,), batches=(2,)))
    study = Study(name="s", sweep=Sweep(models=("m",), blocks=blocks))
    assert override(study, sizes=[8]).sweep.shapes() == [(8, 1), (8, 2)]


def test_sizes_and_batches_together_are_a_grid(lab):
    assert override(lab, sizes=[224, 64], batches=[1]).sweep.shapes() == [(224, 1), (64, 1)]


def test_procedure_values_replace_the_studys(lab):
    changed = override(lab, procedure={"target": 0.01, "budget_s": 60.0, "seed": None})
    assert changed.procedure == replace(lab.procedure, target=0.01, budget_s=60.0)


@pytest.mark.parametrize("before", PRESETS)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_leaves_nothing_of_another_one(lab, before, preset):
    study = replace(lab, procedure=Procedure(**PRESETS[before], seed=7))
    assert override(study, preset=preset).procedure == Procedure(**PRESETS[preset], seed=7)


def test_explicit_values_win_over_a_preset(lab):
    assert override(lab, preset="quick", procedure={"target": 0.03}).procedure == Procedure(
        **{**PRESETS["quick"], "target": 0.03}
    )


def test_a_study_that_was_made_in_python_is_checked_too():
    beyond = Study(name="s", sweep=Sweep(models=("m",), blocks=(Block(batches=(0,)),)))
    with pytest.raises(StudyError, match="a batch size must be"):
        override(beyond)


def test_numbers_become_plain_ones(lab):
    changed = override(lab, batches=[np.int64(3)], threads=np.int32(2))
    assert type(changed.sweep.threads) is type(changed.sweep.shapes()[0][1]) is int


def test_values_that_stand_many_times_are_no_work(lab):
    changed = override(lab, sizes=[448, 224] * 50_000, batches=[1] * 100_000)
    assert changed.sweep.shapes() == [(448, 1), (224, 1)]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"models": []}, "models must be a list with at least one value"),
        ({"models": "resnet18"}, "models must be a list"),
        ({"batches": []}, "batches must be a list"),
        ({"sizes": ()}, "sizes must be a list"),
        ({"batches": [1, 0]}, "a batch size must be a whole number from 1 to 1000000, not 0"),
        ({"sizes": [-1]}, "a size must be a whole number from 1 to 1000000, not -1"),
        ({"threads": 0}, "threads must be a whole number from 1 to 4096, not 0"),
        ({"threads": True}, "threads must be a whole number from 1 to 4096, not True"),
        ({"batches": [2**63 - 1]}, "from 1 to 1000000, not 9223372036854775807"),
        ({"batches": ["8"]}, "a batch size must be a whole number from 1 to 1000000, not '8'"),
        ({"batches": [[8]]}, "batches must be a list of plain values"),
        ({"sizes": [float("nan")]}, "a size must be a whole number from 1 to 1000000, not nan"),
        ({"batches": range(1, 20000)}, "batches has 19,999 values; a run holds 10,000"),
        ({"batches": range(1, 3000), "sizes": range(1, 3000)}, "35,976,004 workloads are asked"),
        ({"models": ["a", ""]}, "models must be a list of texts, none of them blank"),
        ({"models": [5]}, "models must be a list of texts"),
        ({"device": "cpu; rm"}, "device must be one such as cpu, cuda or cuda:1, not 'cpu; rm'"),
        ({"procedure": {"timeout_s": float("inf")}}, "timeout_s must be a duration of more than 0"),
        ({"procedure": {"processes": 101}}, "processes must be a whole number from 1 to 100"),
        ({"preset": "fast"}, "no preset is called 'fast'; known: quick, standard, publish"),
        ({"procedure": {"rounds": 3}}, "procedure has no rounds; it has target"),
        (
            {"procedure": {"target": 2.0}},
            "target must be a share of more than 0% and less than 100%, not 2.0",
        ),
        ({"procedure": {"max_calls": 20}, "preset": "publish"}, "max_calls must not be less"),
    ],
)
def test_bad_values_are_explained(lab, flags, message):
    with pytest.raises(StudyError, match=message):
        override(lab, **flags)
