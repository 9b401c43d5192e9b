"""The harness finds every harm that is planted, and gives the same input for the same seed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from contextlib import suppress

import pytest
from tests.fuzz.guard import Guard
from tests.fuzz.kinds.commands import _may_write
from tests.fuzz.kinds.models import _changed_json

pytestmark = pytest.mark.timeout(900)  # of many inputs, on a machine that does other things

HARMS = {
    "raise": "KeyError", "hang": "computed for more than", "wait": "waited for more than",
    "die": "the process died", "eat": "GiB", "write-outside": "outside of its folder",
    "make": "made though it may not be", "change": "changed though it may not be",
    "leave": "left behind", "run-code": "code of the input ran",
    "start": "tried to start a program", "connect": "tried to use the network",
    "escape": "raw characters on the standard output",
    "turn": "raw characters on the standard error", "two-sentences": "2 sentences instead of one",
    "broken-sentence": "a sentence of several lines",
    "status": "exit status 7", "warn": "a warning of Python",
    "quiet": "0 sentences instead of one",
}  # fmt: skip


@pytest.fixture(scope="module")
def found(tried):
    return tried(*(f"planted-{name}" for name in HARMS), count=1)


@pytest.mark.parametrize("name", HARMS)
def test_a_planted_harm_is_found(found, name):
    (result,) = found[f"planted-{name}"]
    assert any(HARMS[name] in fault for fault in result["faults"]), result


@pytest.mark.parametrize("content", [b"7", b'"text"', b"null", b"{", b"[]", b'{"a": [1]}'])
def test_any_member_can_be_changed(content):
    for seed in range(20):
        assert isinstance(_changed_json(random.Random(seed), content, "exploit"), bytes)


@pytest.mark.parametrize(
    ("what", "place", "is_found"),
    [
        ("write", "/proc/none-of-its-own", False),
        ("os.remove", "/proc/none-of-its-own", False),
        ("os.mkdir", "/proc", False),
        ("write", "/proc/self/comm", True),
        ("os.mkdir", "/none-of-its-own", True),
    ],
)
def test_trying_what_does_nothing_is_no_harm(tmp_path, what, place, is_found):
    guard = Guard()
    guard.reset(tmp_path)
    with suppress(OSError):
        guard._check_place(what, place)
    assert bool(guard.seen) is is_found


def test_a_report_may_go_into_the_current_folder():
    assert "report.html" in _may_write(["report", "latest", "-o", "."])
    assert "report.html" not in _may_write(["report", "latest", "-o", "out"])


def test_an_input_can_be_had_again(campaign, tmp_path):
    lines = []
    for name in ("a", "b"):
        command = [
            sys.executable,
            str(campaign),
            "--replay",
            "table",
            "7",
            "--keep",
            str(tmp_path / name),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines.append(
            json.loads(done.stdout[done.stdout.index("{\n") :])
            | {"seconds": 0, "wall_s": 0, "grown_bytes": 0}
        )
    assert lines[0] == lines[1]
    first, second = (
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in "ab"
    )
    assert first == second
    assert "args.json" in first
