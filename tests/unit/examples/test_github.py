"""The workflow for GitHub Actions: what it calls exists, and what failed is kept."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from inferometer.cli.main import cli

ROOT = Path(__file__).parents[3]
FILE = ROOT / "examples/github-nightly.yml"
STEPS = yaml.safe_load(FILE.read_text(encoding="utf-8"))["jobs"]["nightly"]["steps"]
COMMANDS = [step["run"] for step in STEPS if step.get("run", "").startswith("inferometer ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_and_their_flags_exist(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, name, *arguments = shlex.split(line)
    command = cli.get_command(None, name)
    with command.make_context(name, arguments) as context:
        assert context.params


def test_a_night_that_fails_is_kept():
    measured = [number for number, step in enumerate(STEPS) if step.get("run") in COMMANDS]
    later = STEPS[measured[-1] + 1 :]
    assert len(measured) == 2
    assert all(step["if"] == "always()" for step in later)
    fetched, kept = (
        next(step for step in STEPS if step.get("uses", "").startswith(f"actions/cache/{what}@"))
        for what in ("restore", "save")
    )
    assert fetched["with"]["path"] == kept["with"]["path"]
    assert kept["with"]["key"].startswith(fetched["with"]["restore-keys"])


def test_the_how_to_shows_steps_of_it():
    page = (ROOT / "docs/how-to/ci.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert [step for step in yaml.safe_load(shown) if step not in STEPS] == []
