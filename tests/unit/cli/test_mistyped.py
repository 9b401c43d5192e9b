"""Names that are nearly right get the nearest, before anything runs; shells complete the others."""

from __future__ import annotations

import pytest

from inferometer.cli.main import COMMANDS, COMPLETING, main
from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Study, Sweep
from inferometer.store import open_store


def invoke(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    out, err = capsys.readouterr()
    return ended.value.code, out, " ".join(err.split())


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["rum"], "no command is called 'rum' (did you mean 'run'?)"),
        (["backends", "instal"], "Did you mean 'install'?"),
        (["run", "--modles", "resnet18"], "'--models'"),
        (["run", "--models", "resnt18"], "did you mean 'resnet18'?"),
        (["run", "--models", "resnet18", "--backends", "onnxruntme"], "mean 'onnxruntime'?"),
        (["run", "--models", "resnet18", "--precisions", "fp23"], "did you mean 'fp32'?"),
        (["datasets", "digit"], "did you mean 'digits'?"),
    ],
)
def test_the_nearest_name_is_suggested(args, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status, out, err = invoke(capsys, *args)
    assert (status, out) == (2, "")
    assert says in err
    assert list(tmp_path.iterdir()) == []


def test_a_run_and_a_store_that_are_not_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    study = Study(name="s", sweep=Sweep(models=("a",)), procedure=Procedure())
    with open_store("mine.db") as store:
        store.create_run(study, planned=1, device={"name": "d"}, software={})
    assert "did you mean 'latest'?" in invoke(capsys, "show", "latst", "--store", "mine.db")[2]
    err = invoke(capsys, "show")[2]
    assert "no such results database (the folder has mine.db)" in err
    assert "inferometer run taste" in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell, capsys):
    status, out, _ = invoke(capsys, "completion", shell)
    assert (status, f"{COMPLETING}={shell}_complete" in out) == (0, True)


def test_commands_are_completed(monkeypatch, capsys):
    monkeypatch.setenv("COMP_WORDS", "inferometer ru")
    monkeypatch.setenv("COMP_CWORD", "1")
    monkeypatch.setenv(COMPLETING, "bash_complete")
    status, out, _ = invoke(capsys)
    assert status == 0
    assert out.split() == [f"plain,{name}" for name in COMMANDS if name.startswith("ru")]


@pytest.mark.parametrize("group", [[], ["energy"], ["fleet"]])
def test_a_group_without_a_command_shows_its_help(group, capsys):
    with pytest.raises(SystemExit) as caught:
        main(group)
    told = capsys.readouterr()
    assert caught.value.code == 2
    assert (told.out + told.err).startswith("Usage: ")
    assert "\nCommands:\n" in told.out + told.err or (not group and "\nMeasure:\n" in told.err)
    assert "Error" not in told.err
