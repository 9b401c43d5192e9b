"""What may have run, by the rounds of a run."""

from __future__ import annotations

from inferometer.core.record import Round
from inferometer.runner.phases.energy.views import views
from inferometer.runner.phases.energy.windows import MARGIN_S


def done(index, phase, start_s, end_s):
    return Round(
        index=index, process=0, phase=phase, started_at=start_s, calls_per_value=1, settle=0,
        starts_s=(0.0,), values_s=(end_s - start_s,),
    )  # fmt: skip


ROUNDS = [
    done(0, "warmup", 0.0, 1.0),
    done(1, "idle", 3.0, 30.0),
    done(2, "warmup", 30.1, 40.0),
    done(3, "energy", 40.5, 60.0),
    done(4, "energy", 61.0, 80.0),
    done(5, "idle", 80.0, 100.0),
]


def test_the_first_view_is_what_the_rounds_tell():
    first = views(ROUNDS)[0]
    assert first.loads == [(0.0, 1.0), (30.1, 40.0), (40.5, 60.0), (61.0, 80.0)]
    pauses = [(30.0, 30.1), (40.0, 40.5), (60.0, 61.0)]
    assert first.idles == sorted([(3.0, 30.0), (80.0, 100.0), *pauses])


def test_before_the_first_idling_nobody_knows():
    """A model was loaded there, which is work."""
    assert not any(start_s < 3.0 for start_s, _ in views(ROUNDS)[0].idles)


def test_pauses_may_have_been_work():
    assert views(ROUNDS)[1].loads == [(0.0, 1.0), (30.1, 80.0)]


def test_margins_may_be_left_out_as_in_the_file_of_marks():
    marked = views(ROUNDS)[2]
    assert marked.loads[1:3] == [(30.1, 40.0), (40.5 + MARGIN_S, 60.0 - MARGIN_S)]
    assert (40.5, 40.5 + MARGIN_S) in marked.idles
    through = views(ROUNDS)[3]
    assert through.loads[1] == (30.1, 80.0 - MARGIN_S)


def test_what_another_workload_did_between_is_not_idling():
    others = [one for one in ROUNDS if one.index != 4]
    assert (60.0, 80.0) not in views(others)[0].idles
