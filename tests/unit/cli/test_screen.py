"""What reaches a terminal, and what happens where nothing can."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from inferometer.cli import main as entry
from inferometer.cli.main import main
from inferometer.cli.options import write_json
from inferometer.cli.screen import OutputError, ReaderGoneError, Screen, guarded, put_bytes
from inferometer.report.terminal.output import Output

HOSTILE = "\x1b[2J\r\b\x9b1m\u202e\u2066\udcff"
ESCAPED = r"\x1b[2J\r\x08\x9b1m\u202e\u2066\udcff"


class Stream(io.TextIOWrapper):
    """A stream that answers writing with an error, where there is one."""

    def __init__(self, error: OSError | None = None, encoding: str = "utf-8") -> None:
        self.content = io.BytesIO()
        super().__init__(self.content, encoding=encoding, newline="")
        self.error = error

    def flush(self) -> None:
        if self.error is not None and not self.closed:
            raise self.error
        super().flush()

    def isatty(self) -> bool:
        return True

    def said(self) -> str:
        super().flush()
        return self.content.getvalue().decode(self.encoding)


FULL = OSError(28, "No space left on device")


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a command that does what a function does; gives exit status, output and errors."""

    def call(act, *flags):
        import click

        monkeypatch.setattr(entry.cli, "get_command", lambda *_: click.command()(act))
        with pytest.raises(SystemExit) as caught:
            main([*flags, "act"])
        return caught.value.code, *capsys.readouterr()

    return call


def test_printed_text_moves_no_cursor_and_lines_end_as_they_do(run):
    def act():
        sys.stdout.write(HOSTILE + "\ncaf\xe9\n")
        sys.stderr.write(HOSTILE + "\n")

    status, out, err = run(act)
    assert (status, out, err) == (0, ESCAPED + "\ncaf\xe9\n", ESCAPED + "\n")


def test_so_does_what_rich_prints_beside_its_own_styles():
    stream = Stream()
    screen = Screen(stream, required=True)
    console = Output(file=screen.rich_proxied_file, force_terminal=True, color_system="standard")
    console.print(HOSTILE.replace("\r\b", ""), style="red", markup=False)
    said = stream.said()
    assert "\x1b[31m" in said
    assert ESCAPED.replace(r"\r\x08", "") in said


def test_json_for_a_terminal_is_the_same_data(monkeypatch):
    stream = Stream()
    monkeypatch.setattr(sys, "stdout", stream)
    data = {"name": HOSTILE[:-1] + "\xad\ue000 caf\xe9"}
    with guarded():
        write_json(data, "-")
    assert stream.said().replace("\n", "").isprintable()
    assert json.loads(stream.said()) == data


def test_json_for_another_encoding_is_the_same_data(monkeypatch):
    stream = Stream(encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", stream)
    with guarded():
        write_json(["\u2026\xe9"], "-")
    assert json.loads(stream.said()) == ["\u2026\xe9"]


@pytest.mark.parametrize("is_terminal", [False, True])
def test_text_of_a_file_is_exact_but_on_a_terminal(monkeypatch, is_terminal):
    stream = Stream()
    monkeypatch.setattr(stream, "isatty", lambda: is_terminal)
    monkeypatch.setattr(sys, "stdout", stream)
    with guarded():
        put_bytes(b"\x1b[2J\r\n", is_text=True)
    assert stream.said() == (r"\x1b[2J\r" + "\n" if is_terminal else "\x1b[2J\r\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_what_an_encoding_lacks_is_replaced(encoding):
    stream = Stream(encoding=encoding)
    screen = Screen(stream, required=True)
    screen.write("1 \u2212 2 \u2026 \u4e2d")
    assert stream.said().startswith("1 - 2 ")
    assert stream.said().endswith("?")


def test_full_output_is_an_error_each_time_and_full_errors_are_remembered():
    screen = Screen(Stream(FULL), required=True)
    screen.write("x")
    for _ in range(2):
        with pytest.raises(OutputError, match="cannot be written: no space left on device"):
            screen.flush()
    errors = Screen(Stream(FULL), required=False)
    errors.write("x")
    errors.flush()
    assert errors.failed


def test_a_reader_that_goes_is_no_error():
    screen = Screen(Stream(BrokenPipeError(32, "Broken pipe")), required=True)
    with pytest.raises(ReaderGoneError):
        screen.flush()
    assert not screen.failed


def test_closed_streams():
    with pytest.raises(OutputError, match="it is closed"):
        Screen(None, required=True).write("x")
    errors = Screen(None, required=False)
    errors.write("x")
    assert not errors.failed


def test_nothing_goes_past_it():
    assert not hasattr(Screen(Stream(), required=True), "buffer")


def test_a_fault_of_ours_is_called_one_and_debug_shows_where(run):
    def act():
        raise KeyError("gone\x1b[2J")

    status, out, err = run(act)
    assert (status, out) == (2, "")
    assert err.startswith("Error: this is a fault of inferometer: KeyError: ")
    assert err.count("\n") == 1
    assert "\x1b" not in err
    status, _, err = run(act, "--debug")
    assert status == 2
    assert "Traceback" in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory"),
        (RecursionError("too deep"), "fault of inferometer: RecursionError: too deep"),
        (PermissionError(13, "Permission denied", "x\x1b.db"), r"x\x1b.db: permission denied"),
    ],
)
def test_other_errors_are_a_sentence(run, error, words):
    def act():
        raise error

    status, _, err = run(act)
    assert status == 2
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["show", "import", "export", "frobnicate"])
@pytest.mark.parametrize("argument", ["\udcff", "a\0b"])
def test_an_argument_that_is_no_text_is_refused(capsys, command, argument):
    with pytest.raises(SystemExit) as caught:
        main([command, argument])
    assert caught.value.code == 2
    assert "is not text in the encoding of this terminal" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["import"], ["x"], ["doctor", "--root"], ["show", "--json"], ["runs", "--store"]]
)
def test_a_long_argument_is_shown_shortened(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "n" * 5000])
    assert caught.value.code == 2
    assert len(capsys.readouterr().err) < 1500


def shell(command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHON": sys.executable}
    return subprocess.run(
        ["/bin/sh", "-c", command.replace("inferometer", '"$PYTHON" -m inferometer')],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


@pytest.mark.parametrize("args", [("runs", "o\ndd"), ("export", "latest"), ("o\ndd",)])
def test_bad_use_is_one_sentence_whatever_the_arguments_hold(capsys, args):
    with pytest.raises(SystemExit):
        main(list(args))
    err = capsys.readouterr().err
    assert err.startswith("Usage: ")
    assert err.splitlines()[-1].startswith("Error: ")
    assert "\\t" not in err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
@pytest.mark.parametrize("arguments", ["--help", "backends --json -"])
@pytest.mark.parametrize("where", ["> /dev/full", ">&-"])
def test_a_process_without_output_says_so_once(arguments, where):
    done = shell(f"inferometer {arguments} {where}")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: standard output cannot be written: ")
    assert done.stderr.count("\n") == 1


def test_a_process_whose_reader_goes_is_quiet():
    done = shell("{ inferometer --help; echo $? >&2; } | true")
    assert done.stderr == "0\n"


def test_a_process_with_nothing_open_ends_as_it_should():
    assert shell("inferometer frobnicate <&- >&- 2>&-").returncode == 2
