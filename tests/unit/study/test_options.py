"""An option means the same in a study file, on the command line and in Python."""

from __future__ import annotations

import inspect
import json

import pytest

from inferometer.cli.main import cli
from inferometer.cli.run import run, with_flags
from inferometer.core.errors import StudyError
from inferometer.core.options import AXES, PROCEDURE
from inferometer.study import override, parse_study

SAID = {
    # key: as a file says it, as the command line says it, as Python says it
    "models": (["a", "unet"], "a,unet", ("a", "unet")),
    "backends": (["python"], "python", ("python",)),
    "precisions": (["bf16", "fp16"], "bf16,fp16", ("bf16", "fp16")),
    "options": (["torch.a=b", "x.y=1"], "torch.a=b,x.y=1", ("torch.a=b", "x.y=1")),
    "batch": ([3, 5], "3,5", (3, 5)),
    "size": (["own", 64], "own,64", (None, 64)),
    "threads": (3, "3", 3),
    "device": ("cuda:1", "cuda:1", "cuda:1"),
    "preset": ("publish", "publish", "publish"),
    "target": ("2%", "2%", 0.02),
    "processes": (7, "7", 7),
    "pair": (True, None, True),
    "sustain": ("10m", "10m", 600.0),
    "budget": ("1h30m", "1h30m", 5400.0),
    "timeout": ("500ms", "500ms", 0.5),
    "memory_limit": ("2GiB", "2GiB", 2 * 1024**3),
    "skip_larger": (False, None, False),
    "control": (True, None, True),
    "find_cliff": ("batch", "batch", "batch"),
    "seed": (9, "9", 9),
    "roofline": (False, None, False),
    "energy_window": ("30s", "30s", 30.0),
    "data": ("digits?limit=5", "digits?limit=5", "digits?limit=5"),
    "metric": ("f1", "f1", "f1"),
}
FLAGS = [option for option in (*AXES, *PROCEDURE) if option.help]


def from_file(option, value):
    data = {"name": "s", "models": ["unet"]}
    data |= {"procedure": {option.key: value}} if option in PROCEDURE else {option.key: value}
    return parse_study(json.dumps(data), name_of_file="s.yaml")


BASE = from_file(AXES[0], ["unet"])


@pytest.mark.parametrize("option", FLAGS, ids=lambda option: option.key)
def test_it_means_the_same_wherever_it_is_said(option):
    file, flag, python = SAID[option.key]
    study = from_file(option, file)
    [name] = [one.opts[0] for one in run.params if one.name == option.field]
    arguments = [name, *([] if flag is None else [flag])]
    with run.make_context("run", arguments, **cli.context_settings) as context:
        given = {name: value for name, value in context.params.items() if name == option.field}
        others = with_flags(BASE, {option.field: None} | given)
    changes = {option.field: python}
    assert study != BASE
    here = override(BASE, **({"procedure": changes} if option in PROCEDURE else changes))
    for other in (others, here):
        assert (other.workloads(), other.procedure) == (study.workloads(), study.procedure)


def test_python_names_every_axis():
    named = list(inspect.signature(override).parameters)
    assert {"study", "procedure", *(option.field for option in AXES)} == set(named)


@pytest.mark.parametrize(
    "option",
    [option for option in PROCEDURE if not isinstance(option.takes, str)],
    ids=lambda option: option.key,
)
def test_what_is_beyond_is_refused_with_the_same_words(option):
    beyond = "tomorrow" if isinstance(option.takes, tuple) else 10**16
    with pytest.raises(StudyError) as in_file:
        from_file(option, beyond)
    with pytest.raises(StudyError) as in_python:
        override(BASE, procedure={option.field: beyond})
    for message in (str(in_file.value), str(in_python.value)):
        assert option.words in message
        assert option.key in message
