"""What `run` says and asks before it begins: studies, models, how long, what is resumed."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import click
import pytest

from inferometer.cli import starting
from inferometer.cli.main import main
from inferometer.cli.run import study_of_flags
from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Study, Sweep
from inferometer.store import open_store
from inferometer.study import load_study


def invoke(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    return ended.value.code, " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("resnet18", "is a model, not a study; measure it with: inferometer run --models resnet18"),
        ("nets.py:old", "inferometer run --models nets.py:old"),
        ("torchvision:resnet50", "inferometer run --models torchvision:resnet50"),
        ("resnt18", "did you mean: inferometer run --models resnet18"),
        ("labb", "did you mean 'lab'?"),
        ("nothing-like-it", "built-in studies: lab, taste"),
        ("mine.yaml", "there is no such file"),
    ],
)
def test_a_model_in_the_place_of_a_study_gets_the_command(
    given, says, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    status, err = invoke(capsys, "run", given)
    assert (status, says in err) == (2, True), err
    assert list(tmp_path.iterdir()) == []


def test_what_takes_long_is_estimated_from_the_procedure():
    lab, taste = load_study("lab"), load_study("taste")
    assert 15 * 60 < starting.estimated_s(lab) < 40 * 60
    assert starting.estimated_s(taste) < 60
    short = replace(lab, procedure=replace(lab.procedure, budget_s=90.0))
    assert starting.estimated_s(short) == 90.0


@pytest.fixture
def terminal(monkeypatch):
    """Someone at a terminal, whose answer is given."""
    asked = []

    def answer(reply):
        tty = SimpleNamespace(isatty=lambda: True)
        monkeypatch.setattr(starting, "sys", SimpleNamespace(stdin=tty, stderr=tty))
        monkeypatch.setattr(click, "confirm", lambda text, **_: asked.append(text) or reply)
        return asked

    return answer


def test_a_long_run_is_asked_for_on_a_terminal(terminal, capsys):
    asked = terminal(reply=False)
    with pytest.raises(click.exceptions.Exit) as ended:
        starting.announce(load_study("lab"), begins=False)
    assert (ended.value.exit_code, len(asked)) == (130, 1)
    err = capsys.readouterr().err
    assert "44 workloads; about 23 min" in err
    assert "Nothing was measured." in err


@pytest.mark.parametrize(("name", "begins"), [("lab", True), ("taste", False)])
def test_nothing_is_asked_where_it_is_short_or_was_said(terminal, name, begins):
    asked = terminal(reply=False)
    starting.announce(load_study(name), begins=begins)
    assert asked == []


def test_nothing_is_asked_where_nobody_sits(monkeypatch):
    monkeypatch.setattr(click, "confirm", lambda *_, **__: pytest.fail("asked"))
    starting.announce(load_study("lab"), begins=False)
    assert not sys.stdin.isatty()


@pytest.mark.parametrize(
    ("models", "sizes"), [(["nets.py:a", "resnet18"], {None}), (["resnet18"], {224, 448})]
)
def test_what_a_file_makes_is_measured_at_its_own_size(models, sizes):
    study = study_of_flags(None, {"models": models})
    assert {one.input_size for one in study.workloads()} == sizes
    asked = study_of_flags(None, {"models": models, "sizes": [96]})
    assert {one.input_size for one in asked.workloads()} == {96}


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "x.db"
    study = Study(name="mine", sweep=Sweep(models=("resnet18",), threads=1), procedure=Procedure())
    with open_store(path) as opened:
        opened.create_run(study, planned=1, device={"name": "d"}, software={})
    return path


def test_resuming_nothing_is_said_and_begins_nothing(store, capsys):
    status, err = invoke(capsys, "run", "--resume", "--target", "3%", "--store", store)
    assert (status, "no run of the study lab with these flags" in err) == (2, True)
    with open_store(store, create=False) as opened:
        assert len(opened.runs()) == 1


def test_resuming_nothing_makes_no_store(tmp_path, capsys):
    status, err = invoke(capsys, "run", "--resume", "--store", tmp_path / "x.db")
    assert (status, "inferometer run taste" in err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_study_that_was_named_begins_where_there_is_nothing_to_resume(store, capsys):
    with open_store(store, create=False) as opened:
        starting.check_resumable(load_study("taste"), opened, begins=True)
    assert "a new one begins" in capsys.readouterr().err


def test_resume_alone_goes_on_with_the_latest_unfinished_run(store):
    from inferometer.cli.run import _to_resume

    with open_store(store, create=False) as opened:
        (unfinished,) = opened.runs()
        study = Study.from_json(unfinished.document)
        later = opened.create_run(study, planned=1, device={"name": "d"}, software={})
        opened.finish_run(later.id, 1.0)
        assert _to_resume(opened, "").id == unfinished.id
        opened.finish_run(unfinished.id, 1.0)
        assert _to_resume(opened, "").id == later.id
