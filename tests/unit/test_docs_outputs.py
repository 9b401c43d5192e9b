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
QUICK = {"import"}
"""Commands whose outputs are checked; those of others take a fit of all rounds."""
PAGES = [ROOT / "README.md", ROOT / "docs" / "tutorial.md", *TOOL["PAGES"]]


@pytest.mark.parametrize("page", TOOL["PAGES"], ids=lambda page: page.name)
def test_shown_outputs_are_what_quick_commands_print(page, tmp_path):
    text, ran = page.read_text(encoding="utf-8"), []

    def run(command):
        if command.split()[1] not in QUICK:
            return None
        ran.append(command)
        return TOOL["run_in"](tmp_path, command)

    TOOL["prepare"](tmp_path)
    assert TOOL["filled"](text, run) == text, "run python tools/outputs.py"
    assert ran


def test_a_block_is_filled_and_cut():
    text = "<!-- recorded: 2 lines -->\n```console\n$ inferometer x\nold\n```\n"
    found = TOOL["filled"](text, lambda _: "a\nb  \nc\n")
    assert found == "<!-- recorded: 2 lines -->\n```console\n$ inferometer x\na\nb\n…\n```\n"
    assert TOOL["filled"](found, lambda _: None) == found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_on_a_page_exists(page):
    text = page.read_text(encoding="utf-8")
    lines = re.findall(r"^\$ inferometer (.+)", text, re.MULTILINE)
    found = [unknown for line in lines for unknown in unknown_in(line)]
    assert lines
    assert not found


def unknown_in(line):
    """Names of commands and options in a line that there are not."""
    for part in re.split(r";\s*inferometer ", line):
        words = shlex.split(part, comments=True)
        command, context = cli, click.Context(cli)
        while isinstance(command, click.Group) and words:
            name = words.pop(0)
            command = command.get_command(context, name)
            if command is None:
                yield name
                return
        known = {opt for one in command.params for opt in (*one.opts, *one.secondary_opts)}
        yield from (w for w in words if re.match(r"--\w|-\w$", w) and w.split("=")[0] not in known)
