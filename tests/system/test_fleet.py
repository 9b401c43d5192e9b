"""A shelf of boards: an sshd each, through the system's ssh."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from inferometer.cli.main import main
from inferometer.fleet.jobs import files_of, job_of
from inferometer.fleet.link.remote import RemoteBoard
from inferometer.fleet.types import AnswerError, LineError, LoginError
from inferometer.host.lease import Holder, LeaseHeldError, take
from inferometer.store import open_store
from inferometer.study import load_study

PLACE = Path(__file__).with_name("boards.py")
_SPEC = importlib.util.spec_from_file_location("fleet_boards", PLACE)
boards = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = boards
_SPEC.loader.exec_module(boards)

pytestmark = pytest.mark.skipif(bool(boards.why_not()), reason=boards.why_not() or "there is")

MODEL = "def {name}():\n    return (lambda x: [sum(x)]), {{'x': [1.0] * {size}}}\n"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Four boards."""
    made = boards.Shelf(tmp_path_factory.mktemp("shelf"), 4)
    yield made
    made.close()


@pytest.fixture
def fleet(capsys):
    """`inferometer fleet …`: its status and what it printed."""

    def fleet(*args):
        with pytest.raises(SystemExit) as end:
            main(["fleet", *map(str, args)])
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return fleet


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A study of three models of a file of this folder, a second of work each."""
    monkeypatch.chdir(tmp_path)
    models = "".join(MODEL.format(name=f"net{n}", size=1000 * (n + 1)) for n in range(3))
    Path("nets.py").write_text(models)
    Path("small.yaml").write_text(
        "name: small\nbackends: [python]\n"
        "models: ['nets.py:net0', 'nets.py:net1', 'nets.py:net2']\n"
        "procedure: {processes: 1, min_rounds: 2, span: 0, round: 20ms, target: 50%,"
        " timeout: 60s, max_time: 1s, roofline: false}\n"
    )
    return load_study("small.yaml")


def until(is_so, seconds=60.0):
    end = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)
    return found


def noted(board, job):
    """What a board's job has noted, read on its disk."""
    try:
        return json.loads((board.spool / "jobs" / job / "state.json").read_text())["state"]
    except (OSError, ValueError):
        return None


def test_all_boards_are_asked(shelf, fleet):
    status, out, _ = fleet("check", "--devices", shelf.devices_file())
    assert status == 0
    assert [line.partition(":")[0] for line in out.splitlines() if "ready" in line] == [
        board.name for board in shelf.boards
    ]


def test_one_that_is_away_is_told(shelf, fleet):
    shelf.boards[2].stop()
    try:
        status, out, _ = fleet("status", "--devices", shelf.devices_file(), "--on", "board-2")
    finally:
        shelf.boards[2].start()
    assert status == 1
    assert "board-2: it cannot be reached" in out


def test_a_board_whose_key_is_not_known_is_not_talked_to(shelf):
    stranger = shelf.boards[0].device(
        ssh_options=(f"IdentityFile={shelf.key}", "UserKnownHostsFile=/dev/null")
    )
    with pytest.raises(LoginError, match=r"its host key is not known yet\. Connect once by hand"):
        RemoteBoard(stranger).check()


def test_a_board_that_takes_no_key_of_ours(shelf):
    options = tuple(
        one for one in shelf.boards[0].device().ssh_options if "IdentityFile" not in one
    )
    nobody = shelf.boards[0].device(ssh_options=(*options, "IdentityFile=/dev/null"))
    with pytest.raises(LoginError, match="it takes none of your keys"):
        RemoteBoard(nobody).check()


def test_a_shell_that_prints_at_its_start(shelf):
    """An answer is not searched for in what else is printed."""
    board = shelf.boards[3]
    (board.folder / ".bashrc").write_text("echo Welcome to the lab!\n")
    try:
        with pytest.raises(AnswerError, match=r"Welcome to the lab!.*start-up file of its shell"):
            RemoteBoard(board.device()).jobs()
    finally:
        (board.folder / ".bashrc").unlink()


def test_the_second_person_is_told_who_measures(shelf, small):
    board = shelf.boards[1]
    lease = take(Holder(user="ben", host="lab", job="22222222"), board.lease)
    try:
        with pytest.raises(LeaseHeldError, match="board-1: ben from lab measures here since"):
            RemoteBoard(board.device()).start(job_of(small, board.device()))
    finally:
        os.close(lease)


def test_a_job_outlives_its_line_goes_on_after_its_death_and_is_collected_once(shelf, small, fleet):
    board = shelf.boards[0]
    link = RemoteBoard(board.device())
    job = job_of(
        small, board.device(), files=files_of(small), workloads=small.workloads()[:2], energy=False
    )
    link.start(job)
    until(board.measuring)
    assert board.kill_job()
    status = link.status(job.id)
    assert status.state == "gone"
    assert "its process died" in status.message

    link.start(job)
    board.cut()
    try:
        with pytest.raises(LineError):
            link.status(job.id)
        until(lambda: noted(board, job.id) == "done")
    finally:
        board.mend()
    status = link.status(job.id)
    assert (status.state, status.done, status.failed, status.planned) == ("done", 2, 0, 2)
    link.start(job)
    assert link.status(job.id).state == "done"

    devices = ("--devices", shelf.devices_file(), "--on", "board-0")
    said = f"{job.id}: small on board-0:"
    assert f"{said} 2 records" in fleet("collect", *devices)[1]
    assert f"{said} nothing new" in fleet("collect", *devices)[1]
    with open_store("inferometer.db", create=False) as store:
        rows = [record.row() for record in store.records(job.id)]
    assert [row["model"] for row in rows] == ["nets.py:net0", "nets.py:net1"]
    assert {(row["device_name"], row["status"]) for row in rows} == {("board-0", "ok")}
    assert f"{job.id}  done  2 of 2" in fleet("status", *devices)[1]


def test_a_board_without_inferometer_says_what_to_do(shelf, tmp_path):
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\necho "$0: No module named inferometer" >&2; exit 1\n')
    fake.chmod(0o755)
    device = replace(shelf.boards[3].device(), python=str(fake))
    with pytest.raises(LoginError, match="has no inferometer with fleets: install it"):
        RemoteBoard(device).check()
    with pytest.raises(LoginError, match="there is no /nowhere/python on the board"):
        RemoteBoard(replace(device, python="/nowhere/python")).check()


def test_a_coordinator_that_is_killed_is_gone_on_with(shelf, small, fleet):
    board = shelf.boards[2]
    asked = ("run", "small.yaml", "--devices", str(shelf.devices_file()), "--on", "board-2")
    command = [sys.executable, "-m", "inferometer", "fleet", *asked, "--no-energy"]
    coordinator = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(board.measuring)
    coordinator.kill()
    coordinator.wait()

    status, out, err = fleet(*asked, "--no-energy", "--resume", "--json", "-")
    (job,) = [path.name for path in (board.spool / "jobs").iterdir()]
    rows = json.loads(out)
    assert (status, err.count("begins")) == (0, 0)
    assert [row["model"] for row in rows] == ["nets.py:net0", "nets.py:net1", "nets.py:net2"]
    assert {(row["run_id"], row["status"]) for row in rows} == {(job, "ok")}
