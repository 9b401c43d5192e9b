"""What somebody types who is new: one sentence, the next step, exit status 2, and nothing written."""

from __future__ import annotations

import io
import re

import pytest

from inferometer.cli import screen
from inferometer.cli.main import main

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """Types a command in an empty folder; gives what is said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INFEROMETER_STORE", raising=False)

    def type_(line: str, **files: bytes) -> str:
        for name, content in files.items():
            (tmp_path / name.replace("_", ".")).write_bytes(content)
        before = sorted(tmp_path.iterdir())
        with pytest.raises(SystemExit) as ended:
            main(line.split())
        out, err = capsys.readouterr()
        assert (ended.value.code, out, sorted(tmp_path.iterdir())) == (2, "", before), err
        assert "Traceback" not in err
        return " ".join(err.split())

    return type_


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("help", "no command is called 'help' (did you mean '--help'?)"),
        ("version", "(did you mean '--version'?)"),
        ("--models resnet18 run", "stand after its name, as in: inferometer run --models resnet18"),
        ("run --model resnet18", "no option is called '--model' (did you mean '--models'?)"),
        ("cost", "Missing argument 'MODEL'; for example: inferometer cost resnet18"),
        ("report", "'-o' / '--output'; for example: inferometer report -o report --open"),
        ("completion", "for example: inferometer completion bash >> ~/.bashrc"),
        ("compare latest --by modl", "'device_name' (did you mean 'model'?)"),
        ("run --preset quik", "(did you mean 'quick'?)"),
        ("run taste --root .", "holds neither proc/ nor sys/"),
        ("run taste extra", "put a value with blanks in quotes"),
        ("run --budget 5 min", "'min' is not a study; write a time without a blank, such as 10m"),
        ("run --models resnet18 --device gpu", "runs on the device 'gpu' (did you mean 'cuda'?)"),
        ("run taste --device npu", "no chosen backend runs on the device 'npu'"),
        ("run taste --meter shely://1.2.3.4", "(did you mean 'shelly'?)"),
        ("run taste --meter shelly", "write shelly://HOST"),
        ("run taste --meter estimate://1:2", "add --allow-estimate"),
        ("run --models resnet50", "(did you mean 'torchvision:resnet50'?)"),
        ("backends install nope", "no backend is called 'nope'"),
        ("fleet check", "devices.yaml: there is no such file; it lists the boards"),
        ("fleet run taste", "devices.yaml: there is no such file; it lists the boards"),
    ],
)
def test_the_next_step_is_named(line, says, typed):
    assert says in typed(line)


@pytest.mark.parametrize(
    "line", ["import table.cvs", "energy read table.cvs", "run table.cvs", "cost ./table.cvs"]
)
def test_a_file_of_nearly_the_name_is_suggested(line, typed):
    assert "(did you mean 'table.csv'?)" in typed(line, table_csv=b"a")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("import p.png", "p.png: not a table of text: a picture"),
        ("energy read p.png", "p.png: it holds what is not text, and is not a log"),
        ("run --models p.png", "p.png is not a model file"),
        ("run p.png", "p.png:1: not UTF-8 text"),
        ("show --store p.png", "p.png: not a results database"),
    ],
)
def test_a_picture_is_none_of_what_is_read(line, says, typed):
    assert says in typed(line, p_png=PNG)


def test_a_tab_in_a_study_is_called_so(typed):
    said = typed("run s.yaml", s_yaml=b"name: s\n\tmodels: x\n")
    assert "s.yaml:2: not valid YAML at column 1: a tab stands here; indent with blanks" in said


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [40, 80])
def test_a_message_on_a_terminal_breaks_between_words(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal = Terminal()
    text = "Error: mobilenet_v3_small is a model, not a study, and this sentence is a long one\n"
    screen.Screen(terminal, required=False).write(text)
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines)) <= columns
    assert " ".join(lines) == text.strip()


def test_a_command_in_a_message_stays_on_a_line():
    text = "it is a model and not a study; measure it with: inferometer run --models resnet18"
    assert screen.wrapped(text, 50).splitlines()[-1] == "inferometer run --models resnet18"
    text = "Error: measure first, such as with `inferometer run taste`"
    assert "`inferometer run taste`" in screen.wrapped(text, 50).splitlines()


def test_elsewhere_a_message_is_one_line(typed):
    assert typed("show").startswith("Error: inferometer.db: no such results database")


def test_what_is_done_now_stands_on_one_line(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", screen.Screen(terminal, required=False))
    screen.show_doing("measuring a\nb")
    screen.show_doing("")
    assert re.fullmatch(r"\rmeasuring a\\nb {15}\r\r {29}\r", terminal.getvalue())
