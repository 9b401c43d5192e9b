from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.hypothesis import THE_LABS
from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.report.document.sources import RunRecords, repeat_command, study_file
from inferometer.study import load_study, parse_study

names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)
blocks = st.builds(
    Block,
    sizes=st.lists(st.none() | st.integers(1, 512), min_size=1, max_size=3, unique=True).map(tuple),
    batches=st.lists(st.integers(1, 64), min_size=1, max_size=3, unique=True).map(tuple),
)


sweeps = st.builds(
    Sweep,
    models=st.lists(names, min_size=1, max_size=3, unique=True).map(tuple),
    blocks=st.lists(blocks, min_size=1, max_size=2).map(tuple),
    threads=st.none() | st.integers(1, 64),
)
procedures = st.builds(
    Procedure,
    target=st.sampled_from([0.01, 0.05, 0.25]),
    seed=st.integers(0, 99),
    budget_s=st.none() | st.sampled_from([30.0, 600.0]),
    memory_limit_bytes=st.none() | st.just(2**31),
    energy=st.booleans(),
    energy_window_s=st.none() | st.just(45.0),
    roofline=st.booleans(),
    find_cliff=st.none() | st.just("batch"),
)


@given(
    st.builds(
        Study,
        name=st.just("mine"),
        sweep=sweeps,
        procedure=procedures,
        description=st.just("") | names,
        hypotheses=st.just(THE_LABS) | st.just(("a is faster than b",)),
    )
)
def test_the_study_file_of_a_report_reads_back_as_the_study(study):
    assert parse_study(study_file(study), name_of_file="study.yaml") == study


def test_a_built_in_study_is_repeated_by_its_name():
    lab = load_study("lab")
    with_threads = replace(lab, sweep=replace(lab.sweep, threads=3))
    assert repeat_command(with_threads) == "inferometer run lab --threads 3"
    in_time = replace(lab, procedure=replace(lab.procedure, budget_s=720.0))
    assert repeat_command(in_time) == "inferometer run lab --budget 12m"


@pytest.mark.parametrize("change", [{"seed": 7}, {"target": 0.01}])
def test_a_changed_study_is_repeated_from_its_file(change):
    lab = load_study("lab")
    changed = replace(lab, procedure=replace(lab.procedure, **change))
    assert repeat_command(changed) == "inferometer run study.yaml"


def test_a_built_in_study_with_other_hypotheses_is_repeated_from_its_file():
    other = replace(load_study("lab"), hypotheses=("unet is faster than resnet18",))
    assert repeat_command(other) == "inferometer run study.yaml"


def test_a_budget_that_no_flag_takes_away_is_repeated_from_the_file():
    taste = load_study("taste")
    endless = replace(taste, procedure=replace(taste.procedure, budget_s=None))
    assert repeat_command(endless) == "inferometer run study.yaml"
    assert repeat_command(taste) == "inferometer run taste"


def test_an_imported_run_has_no_study(run, lab2_run):
    assert RunRecords(run=run, records=()).study is not None
    assert RunRecords(run=lab2_run, records=()).study is None
