"""Commands on the pages of the documentation: they exist, and print what is shown."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import click
import pytest

from inferometer.cli.main import cli

ROOT = Path(__file__).parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "outputs.py"))
QUICK = {"quick-start.md"}
"""Pages whose recorded outputs are checked here; `tools/outputs.py --check` checks them all."""
PAGES = TOOL["PAGES"]
COMMANDS = [
    page for page in PAGES if re.search(r"^\$ inferometer ", page.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_becomes_of_it(page):
    text = page.read_text(encoding="utf-8")
    assert not TOOL["unsaid"](text)
    tests = re.findall(r"^<!-- tested: (.+) -->$", text, re.MULTILINE)
    assert not [name for name in tests if not (ROOT / name).is_file()]


@pytest.mark.parametrize("page", COMMANDS, ids=lambda page: page.name)
def test_every_command_and_option_on_a_page_exists(page):
    lines = re.findall(r"^\$ inferometer (.+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert not [unknown for line in lines for unknown in unknown_in(line)]


class TestFilling:
    HEAD = "text\n<!-- recorded: 2 lines -->\n```console\n"

    def filled(self, text, printed="a\nb  \nc\n"):
        asked = []

        def run(command, found):
            asked.append((command, found["kind"], found["status"]))
            return printed

        return TOOL["filled"](text, run), asked

    def test_a_block_is_filled_and_cut(self):
        text, asked = self.filled(f"{self.HEAD}$ inferometer x  # why\nold\n```\n")
        assert text == f"{self.HEAD}$ inferometer x  # why\na\nb\n…\n```\n"
        assert asked == [("inferometer x  # why", "recorded", None)]

    def test_filled_again_it_is_the_same(self):
        once, _ = self.filled(f"{self.HEAD}$ inferometer x\n$ inferometer y\n```\n")
        assert self.filled(once)[0] == once
        assert TOOL["filled"](once, lambda *_: None) == once

    def test_a_command_of_two_lines_stays_two_lines(self):
        text, asked = self.filled(f"{self.HEAD}$ inferometer x \\\n    --y\n```\n")
        assert asked[0][0] == "inferometer x \\\n    --y"
        assert "$ inferometer x \\\n    --y\na\n" in text

    def test_it_begins_where_the_page_says(self):
        head = '<!-- measured: 1 line from "b", status 1 -->\n```console\n'
        text, asked = self.filled(f"{head}$ x\n```\n")
        assert text == f"{head}$ x\n…\nb\n…\n```\n"
        assert asked[0][1:] == ("measured", "1")
        with pytest.raises(TOOL["FailedError"], match="holds 'b'"):
            self.filled(text, printed="nothing")

    def test_no_lines_are_none(self):
        text, _ = self.filled("<!-- measured: 0 lines -->\n```console\n$ x\n```\n")
        assert text == "<!-- measured: 0 lines -->\n```console\n$ x\n```\n"

    def test_blocks_that_say_nothing_are_found(self):
        said = "<!-- not run: needs a board -->\n```console\n$ x\n```\n"
        assert TOOL["unsaid"](f"{said}\n```console\n$ y\n```\n```text\nz\n```\n") == ["$ y"]


class TestRunning:
    def test_files_set_up_and_programs(self, tmp_path):
        text = (
            "<!-- file: lib/a.py -->\n```python\nA = 3\n```\n"
            "<!-- setup: echo there > b.txt -->\n"
            "<!-- recorded: 3 lines -->\n```console\n$ cat b.txt lib/a.py\n```\n"
            "<!-- measured: 0 lines -->\n```python\nopen('c.txt', 'w').write('c')\n```\n"
            "<!-- measured: 1 line, status 1 -->\n```console\n$ cat c.txt nothing\n```\n"
        )
        folders = TOOL["Folders"](tmp_path)
        folders.lay(text)
        found = TOOL["filled"](text, folders.run)
        assert "$ cat b.txt lib/a.py\nthere\nA = 3\n```" in found
        assert "$ cat c.txt nothing\nccat: nothing" in found

    def test_what_is_exported_holds_for_what_comes_after(self, tmp_path):
        text = (
            "<!-- setup: export ONE=first -->\n"
            "<!-- recorded: 1 line -->\n"
            '```console\n$ export TWO=second\n$ echo "$ONE $TWO $PWD"\n```\n'
        )
        folders = TOOL["Folders"](tmp_path, only=True)
        folders.lay(text)
        assert f"\nfirst second {tmp_path}/recorded\n" in TOOL["filled"](text, folders.run)

    def test_recorded_blocks_alone(self, tmp_path):
        text = "<!-- measured: 1 line -->\n```console\n$ false\n```\n"
        assert TOOL["filled"](text, TOOL["Folders"](tmp_path, only=True).run) == text

    @pytest.mark.parametrize("line", ["$ false", "$ exit 3"])
    def test_a_command_that_fails_is_named(self, tmp_path, line):
        text = f"<!-- recorded: 1 line -->\n```console\n{line}\n```\n"
        with pytest.raises(TOOL["FailedError"], match=f"{line[2:]}: status"):
            TOOL["filled"](text, TOOL["Folders"](tmp_path, only=True).run)


@pytest.mark.parametrize("page", [one for one in PAGES if one.name in QUICK], ids=lambda p: p.name)
def test_shown_outputs_are_what_commands_print(page):
    text = page.read_text(encoding="utf-8")
    assert TOOL["recorded"](text)
    assert TOOL["page_filled"](page, only=True) == text, "run python tools/outputs.py"


def unknown_in(line):
    """Names of commands and options in a line that there are not."""
    for part in re.split(r"[;|]\s*inferometer ", line):
        words = shlex.split(part.partition(" | ")[0].removesuffix("\\"), comments=True)
        command, context = cli, click.Context(cli)
        while isinstance(command, click.Group) and words:
            name = words.pop(0)
            command = command.get_command(context, name)
            if command is None:
                yield name
                return
        known = {opt for one in command.params for opt in (*one.opts, *one.secondary_opts)}
        yield from (w for w in words if re.match(r"--\w|-\w$", w) and w.split("=")[0] not in known)
