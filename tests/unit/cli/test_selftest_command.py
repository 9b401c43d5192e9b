"""`inferometer selftest`, with what it measured made up."""

from __future__ import annotations

import json

import pytest

from inferometer.cli.main import main
from inferometer.runner.selftest import run as selftest
from inferometer.runner.selftest.check import Check
from inferometer.runner.selftest.run import SelfTest

GOOD = Check(subject="call of 1 ms", name="bias", value=0.0002, bound=0.001, state="ok")
BAD = Check(subject="call of 1 ms", name="calls", value=2.0, bound=0.0, state="off")


@pytest.fixture
def run(monkeypatch):
    def call(checks, *args):
        found = SelfTest(checks=tuple(checks), wall_s=1.0)
        monkeypatch.setattr(selftest, "selftest", lambda say: (say("measuring"), found)[1])
        with pytest.raises(SystemExit) as caught:
            main(["selftest", *args])
        return caught.value.code

    return call


@pytest.mark.parametrize(("checks", "status"), [([GOOD], 0), ([GOOD, BAD], 1)])
def test_the_status_says_whether_something_is_off(run, capsys, checks, status):
    assert run(checks) == status
    captured = capsys.readouterr()
    assert "call of 1 ms" in captured.out
    assert "measuring" in captured.err


def test_json_alone_on_standard_output(run, capsys):
    assert run([GOOD, BAD], "--json", "-") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert [check["state"] for check in found["checks"]] == ["ok", "off"]
    assert found["checks"][0]["value"] == 0.0002


def test_json_in_a_file_beside_the_lines(run, capsys, tmp_path):
    assert run([GOOD], "--json", str(tmp_path / "x.json")) == 0
    assert json.loads((tmp_path / "x.json").read_text())["ok"] is True
    assert "ok (1 s)" in capsys.readouterr().out
