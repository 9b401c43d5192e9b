"""What scripts rely on: what goes where, and the exit status."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from inferometer.core.record import FIELDS

QUICK = ("--backends", "python", "--batch", "1", "--size", "own", "--preset", "quick")


def test_help_imports_no_runtime_no_plotting_and_no_numbers():
    code = (
        "import sys\nfrom inferometer.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'numpy', 'scipy', 'matplotlib', 'rich', 'sqlalchemy', 'jsonschema'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_lists_the_commands_and_keeps_its_examples_on_their_lines(cli):
    out, _ = cli.process("--help")
    lines = [line.strip() for line in out.splitlines()]
    assert "inferometer run --models resnet18 --batch 1 --size 224" in lines
    commands = {line.split()[0] for line in lines if line}
    assert {"run", "runs", "show", "report", "export", "import", "models", "doctor"} <= commands
    assert max(map(len, out.splitlines())) <= 80


def test_it_can_be_started_as_a_module():
    command = [sys.executable, "-m", "inferometer", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("inferometer, version ")


def test_the_parent_never_imports_a_runtime(tmp_path, fault):
    code = (
        "import sys\nfrom inferometer.cli.main import main\n"
        f"try:\n    main(['run', '--models', {fault('good')!r}, '--backends', 'python', '--batch',"
        "'1', '--size', 'own', '--preset', 'quick'])\nexcept SystemExit as end:\n"
        "    print('status', end.code)\n"
        "print(sorted({'torch', 'torchvision', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-2:] == ["status 0", "[]"]


def test_json_on_standard_output_is_one_array_of_records_and_nothing_else(cli, fault):
    out, _ = cli.process("run", "--models", fault("good"), *QUICK, "--json", "-")
    (row,) = json.loads(out)
    assert list(row) == list(FIELDS)
    assert row["status"] == "ok"
    assert row["latency_min_s"] == pytest.approx(0.002, rel=0.5)
    assert row["latency_min_s"] <= row["latency_mean_s"]


def test_the_table_goes_to_standard_output_and_progress_to_standard_error(cli, fault):
    out, err = cli.process("run", "--models", fault("good"), *QUICK)
    assert "ms" in out
    assert "\x1b" not in out + err
    assert max(map(len, out.splitlines())) <= 80
    assert err


def test_runs_show_report_and_export_of_what_was_run(cli, fault, tmp_path):
    cli("run", "--models", fault("good"), *QUICK)
    assert "lab" in cli("runs")[0]
    assert "good" in cli.process("show", "latest")[0]
    cli("report", "latest", "-o", "report")
    assert (tmp_path / "report" / "report.md").read_text().startswith("#")
    assert len((tmp_path / "report" / "results.csv").read_text().splitlines()) == 2
    cli("export", "latest", "--format", "csv", "-o", "x.csv")
    cli("import", "x.csv", "--store", "other.db")
    assert "good" in cli("show", "latest", "--store", "other.db")[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "no-such-study"], "no-such-study"),
        (["run", "--models", "resnet81"], "resnet18"),
        (["run", "--backends", "onnxruntimes"], "backend"),
        (["run", "--precisions", "fp23"], "fp23"),
        (["run", "--batch", "0"], "0"),
        (["run", "--batch", "1,x"], "x"),
        (["run", "--target", "fast"], "fast"),
        (["run", "--retry-failed"], "--resume"),
        (["run", "--resume", "abcdef12"], "inferometer.db"),
        (["show", "latest"], "inferometer.db"),
        (["report", "latest", "-o", "x"], "inferometer.db"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_bad_usage_is_one_sentence_and_status_two(cli, tmp_path, arguments, words):
    out, err = cli(*arguments, status=2)
    assert words in err
    assert out == ""
    assert not (tmp_path / "inferometer.db").exists()


@pytest.mark.parametrize("arguments", [["--debug", "run"], ["run", "--debug"]])
def test_debug_shows_the_traceback(cli, arguments):
    process = cli.start(*arguments, "no-such-study")
    _, err = process.communicate()
    assert "Traceback" in err


def test_a_store_that_is_not_ours_is_left_alone(cli, fault, tmp_path):
    (tmp_path / "notes.txt").write_text("not a database")
    _, err = cli("run", "--models", fault("good"), *QUICK, "--store", "notes.txt", status=2)
    assert "notes.txt" in err
    assert (tmp_path / "notes.txt").read_text() == "not a database"
