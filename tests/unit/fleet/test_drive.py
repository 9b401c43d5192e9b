"""One job on one board, with a clock that only moves when somebody waits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferometer.core.sweep import Block, Study, Sweep
from inferometer.fleet.engine.drive import (
    Drive,
    FailedError,
    LostError,
    Pace,
    StoppedError,
    checked,
)
from inferometer.fleet.jobs import job_of
from inferometer.fleet.types import AnswerError, Device, JobStatus, LineError
from inferometer.host.lease import LeaseHeldError

from .simulated_board import Faults, SimulatedBoard

STUDY = Study(
    name="s", sweep=Sweep(models=("a", "b"), blocks=(Block(sizes=(224,), batches=(1, 2, 4)),))
)
DEVICE = Device(name="pi", host="pi")
PACE = Pace(poll_s=5, retry_s=5, patience_s=120)


class Clock:
    """Time, and somebody who may stop it all."""

    def __init__(self, stop_at=float("inf")):
        self.now = 0.0
        self.stop_at = stop_at

    def __call__(self):
        return self.now

    def wait(self, timeout):
        self.now += timeout
        return self.now >= self.stop_at


def drive(faults=None, *, waits=True, stop_at=float("inf"), length_s=10.0, board=None):
    clock = Clock(stop_at)
    board = board or SimulatedBoard(
        device=DEVICE, length_s=lambda _: length_s, faults=faults or Faults(), clock=clock
    )
    said, notes = [], []
    found = Drive(
        board=board,
        job=job_of(STUDY, DEVICE),
        pace=PACE,
        stop=clock,
        tell=said.append,
        note=notes.append,
        waits=waits,
        now=clock,
    )
    return found, said, notes, clock


def test_a_job_is_started_watched_and_collected():
    found, said, notes, clock = drive()
    bundle = found.run()
    assert len(bundle.records) == 6
    assert [one.done for one in said] == sorted(one.done for one in said)
    assert said[-1].state == "done"
    assert notes == []
    assert clock.now == pytest.approx(60, abs=5)


def test_a_line_that_drops_for_a_minute_is_outlasted():
    found, _, notes, clock = drive(Faults(away=[(20, 80)]))
    assert len(found.run().records) == 6
    assert clock.now == pytest.approx(85, abs=5)  # the board went on meanwhile
    assert len(notes) == 1


def test_a_board_that_is_silent_for_too_long_is_lost():
    found, *_, clock = drive(Faults(away=[(20, 1000)]))
    with pytest.raises(LostError, match="cannot be reached"):
        found.run()
    assert 120 <= clock.now <= 150


def test_a_board_that_joins_late_is_waited_for_or_not():
    found, *_ = drive(Faults(away=[(0, 60)]))
    assert len(found.run().records) == 6
    found, *_ = drive(Faults(away=[(0, 60)]), waits=False)
    with pytest.raises(LineError):
        found.run()


def test_a_held_board_is_waited_for_or_not_and_its_holder_told():
    found, _, notes, _ = drive(Faults(held=(0, 60)))
    assert len(found.run().records) == 6
    assert "ana" in notes[0]
    found, *_ = drive(Faults(held=(0, 1000)))
    with pytest.raises(LeaseHeldError):
        found.run()


def test_a_job_whose_process_is_killed_is_started_again_and_goes_on():
    found, said, notes, clock = drive(Faults(dies_at=25))
    assert len(found.run().records) == 6
    assert "gone" in [one.state for one in said]
    assert clock.now == pytest.approx(70, abs=10)
    assert len(notes) == 1


class Failing(SimulatedBoard):
    """Its job ends at once, always."""

    def status(self, job):
        return JobStatus(job=job, state="failed", planned=6, message="no torch here")


def test_a_job_that_ends_again_and_again_is_given_up_in_its_own_words():
    found, *_ = drive(board=Failing(device=DEVICE, clock=Clock()))
    with pytest.raises(FailedError, match="no torch here"):
        found.run()


def test_what_the_user_ends_goes_on_at_the_board():
    found, _, _, clock = drive(stop_at=20)
    with pytest.raises(StoppedError):
        found.run()
    assert found.board.status(found.job.id).state == "running"
    clock.now = 100
    assert found.board.status(found.job.id).state == "done"


@pytest.mark.parametrize("lie", ["other run", "other workloads", "too few", "script"])
def test_lies_are_refused(lie):
    found, *_ = drive(Faults(lie=lie))
    with pytest.raises(AnswerError, match="nothing of it was kept") as error:
        found.run()
    assert "<script>" not in str(error.value)


def test_another_study_and_noise_are_refused():
    found, *_ = drive()
    job = found.job
    found.board.start(job)
    found.stop.wait(1000)
    content = found.board.collect(job.id)
    assert len(checked(content, job).records) == 6
    other = replace(STUDY, procedure=replace(STUDY.procedure, target=0.5)).to_json()
    with pytest.raises(AnswerError, match="another study"):
        checked(content, replace(job, study=other))
    for noise in (b"", b"\x00\xff", content[: len(content) // 2], b'{"a":1}\n'):
        with pytest.raises(AnswerError):
            checked(noise, job)


def test_threads_that_were_asked_for_are_those_that_come():
    found, *_ = drive()
    sweep = replace(STUDY.sweep, threads=2)
    job = job_of(replace(STUDY, sweep=sweep), DEVICE)
    found.job = job
    assert len(found.run().records) == 6
    content = found.board.collect(job.id)
    four = job_of(replace(STUDY, sweep=replace(sweep, threads=4)), DEVICE, job_id=job.id)
    with pytest.raises(AnswerError, match="other workloads"):
        checked(content, four)


def test_with_no_patience_a_device_that_is_away_is_told_at_once():
    found, *_, clock = drive(Faults(away=[(0, 60)]))
    found.pace = replace(PACE, patience_s=0)
    with pytest.raises(LostError):
        found.run()
    assert clock.now == 0
