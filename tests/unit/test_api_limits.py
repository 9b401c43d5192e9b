"""The Python API keeps to the limits of figures."""

from __future__ import annotations

import math

import pytest

import inferometer as im
from inferometer.core.errors import InputError
from inferometer.core.sweep import Block, Study, Sweep


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ({"target": 2.0}, "target must be a share of more than 0% and less than 100%, not 2.0"),
        ({"target": math.nan}, "target must be a share"),
        ({"target": "5%"}, "target must be a share"),
        ({"max_time_s": math.inf}, "max_time_s must be a duration of more than 0"),
        ({"timeout_s": -1}, "timeout_s must be a duration"),
        ({"min_calls": 10**5000}, "min_calls must be a whole number from 10 to 1000000000"),
        ({"seed": 2**32}, "seed must be a whole number from 0 to 4294967295"),
        ({"max_calls": True}, "max_calls must be a whole number"),
    ],
)
def test_measure_refuses_what_is_beyond(rules, problem):
    with pytest.raises(ValueError, match=problem):
        im.measure(lambda _: None, 1, **rules)


@pytest.mark.parametrize(
    "figures", [{"batch": 2**63 - 1}, {"batch": 0}, {"size": -1}, {"size": 1.5}, {"seed": -1}]
)
def test_cost_refuses_what_is_beyond(figures):
    [name] = figures
    with pytest.raises(InputError, match=f"{name} must be a whole number from"):
        im.cost("resnet18", **figures)


def test_compare_refuses_a_zone_that_is_none(tmp_path):
    with pytest.raises(InputError, match="zone must be a share from 0% to 100%, not nan"):
        im.compare("a", "b", zone=math.nan, store=tmp_path / "s.db")


def test_a_study_is_refused_before_a_store_is_made(tmp_path):
    blocks = (Block(batches=(2**63 - 1,)),)
    study = Study(name="s", sweep=Sweep(models=("resnet18",), blocks=blocks))
    store = tmp_path / "s.db"
    with pytest.raises(InputError, match="a batch size must be a whole number from 1 to 1000000"):
        im.run_study(study, store=store)
    with pytest.raises(InputError, match="25,000,000 workloads are asked for"):
        im.run_study(
            "taste", store=store, models=["unet"], batches=range(1, 5001), sizes=range(1, 5001)
        )
    assert not store.exists()
