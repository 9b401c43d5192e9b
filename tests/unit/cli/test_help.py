"""What `--help` says: the same option in the same words, a line for each, examples that parse."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict

import click
import pytest

from inferometer.cli.main import COMMANDS, NAME, cli

WIDTH = 80
MEANS_ELSE = {
    "cost": ("--batch", "--by", "--depth", "--precision", "--run"),
    "energy attach": ("--power-log", "--interval"),
    "energy read": ("--interval",),
    "history": (
        *("--backend", "--batch", "--control", "--device-name", "--plot", "--precision", "--size"),
    ),
    "import": ("--device",),
    "power": ("--interval",),
    "profile": ("--by", "--depth", "--output"),
    "recommend": ("--batch", "--size", "--min-accuracy"),
    "report": ("--output",),
    "roofline": ("--threads", "--backend", "--precisions"),
    "run": ("--batch", "--seed", "--size"),
    "agent": ("--batch", "--output", "--seed", "--size"),
    "backends use": ("--python",),
    "fleet run": ("--batch", "--on", "--resume", "--seed", "--size"),
    "show": ("--plot",),
    "tune": ("--backends", "--batch", "--budget", "--precisions", "--options", "--threads"),
}
"""Command → its options that are called as others, and mean something else there."""


def commands():
    """Each command by its words after `inferometer`, with its context."""
    root = click.Context(cli, info_name=NAME, terminal_width=WIDTH, **cli.context_settings)
    found = {"": (cli, root)}
    for name in COMMANDS:
        command = cli.get_command(root, name)
        context = click.Context(command, info_name=name, parent=root)
        found[name] = (command, context)
        for sub, inner in getattr(command, "commands", {}).items():
            found[f"{name} {sub}"] = (inner, click.Context(inner, info_name=sub, parent=context))
    return found


FOUND = commands()


@pytest.mark.parametrize("name", FOUND)
def test_it_fits_and_says_what_each_option_does(name):
    command, context = FOUND[name]
    text = command.get_help(context)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "Example" in text
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help.endswith((".", "]")), option.opts
            assert option.opts[-1] in text
            assert {*option.help.split()} <= {*text.split()}, "a word is broken"


def test_an_option_has_the_same_words_in_every_command():
    said = defaultdict(lambda: defaultdict(list))
    for name, (command, _) in FOUND.items():
        for option in command.params:
            if isinstance(option, click.Option) and option.opts[-1] not in MEANS_ELSE.get(name, ()):
                said[option.opts[-1]][option.help].append(name)
    assert {flag: dict(words) for flag, words in said.items() if len(words) > 1} == {}


@pytest.mark.parametrize("name", FOUND)
def test_examples_use_options_that_are_there(name):
    command, context = FOUND[name]
    examples = re.findall(rf"^ +{NAME} (.+)$", command.get_help(context), re.MULTILINE)
    assert examples
    for line in examples:
        arguments = shlex.split(line.partition("   ")[0].partition(" >")[0])
        words = " ".join(arguments[:2]) if " ".join(arguments[:2]) in FOUND else arguments[0]
        used, inner = FOUND[words]
        rest = arguments[len(words.split()) :]
        used.make_parser(inner).parse_args([one for one in rest if one != "--help"])


def test_common_options_come_first_in_the_longest_help():
    command, context = FOUND["run"]
    titles = re.findall(r"^(\w[\w ]+):$", command.get_help(context), re.MULTILINE)
    assert titles[:2] == ["What to measure", "How thoroughly"]
    assert titles[-1] == "Other options"
