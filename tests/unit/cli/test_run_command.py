"""`inferometer run`: what becomes of its flags."""

from __future__ import annotations

from inferometer.cli.run import AXES, LIMITS, _with_flags, run
from inferometer.study import load_study

ELSEWHERE = {"study", "resume", "retry_failed", "root", "store_path", "json_path"}
METERS = {"no_energy", "meters", "power_log", "allow_estimate", "mark"}


def test_no_flag_is_dropped():
    """A flag that is neither an axis nor a limit would be accepted and ignored."""
    flags = {str(parameter.name) for parameter in run.params} - ELSEWHERE - {"debug"}
    assert flags == {*AXES, *LIMITS, *METERS}


def test_sustain_reaches_the_procedure():
    study = _with_flags(load_study("taste"), {"sustain_s": 600.0})
    assert study.procedure.sustain_s == 600
