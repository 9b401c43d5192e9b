"""What signals and latencies say about a figure."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round
from inferometer.core.sections import Latency
from inferometer.figures.verdict import ORDER, judge

PROCEDURE = Procedure(target=0.05)
QUIET = {
    "canary_loop_s": 6e-4,
    "canary_compute_s": 4e-4,
    "wall_s": 0.25,
    "own_cpu_s": 0.25,
    "other_cpu_s": 0.005,
    "all_cpu_s": 0.5,
    "run_delay_s": 0.001,
    "involuntary_switches": 1.0,
    "major_faults": 0.0,
    "swap_in_pages": 0.0,
    "swap_out_pages": 0.0,
    "pressure_cpu_s": 0.001,
    "pressure_memory_s": 0.0,
    "pressure_io_s": 0.0,
    "steal_s": 0.0,
    "frequency_min_hz": 3e9,
    "frequency_max_hz": 3e9,
    "throttle_events": 0.0,
    "temperature_c": 60.0,
}


def rounds(signals=(), *, n=20, quiet=QUIET, level=lambda index: 0.01, processes=1):
    """Twenty rounds of 20 calls; `signals` change the first of them."""
    noise = np.random.default_rng(3)
    changed = [{**quiet, **change} for change in signals]
    changed += [quiet] * (n - len(changed))
    return [
        Round(
            index=i, process=i * processes // n, phase="measure", started_at=1000.0 + i,
            calls_per_value=1, settle=0, starts_s=tuple(0.01 * k for k in range(20)),
            values_s=tuple((level(i) * np.exp(noise.normal(0, 0.01, 20))).tolist()), signals=shown,
        )
        for i, shown in enumerate(changed)
    ]  # fmt: skip


def verdict_of(done, *, procedure=PROCEDURE, steady=True, **figures):
    return judge(done, procedure=procedure, latency=Latency(**figures), steady=steady)


def codes(verdict):
    return [cause.code for cause in verdict.causes]


def test_quiet_rounds_are_trusted():
    found = verdict_of(rounds())
    assert (found.verdict, found.causes) == ("trusted", ())


@pytest.mark.parametrize(
    ("change", "share", "verdict", "words"),
    [
        ({"swap_in_pages": 3.0}, 1, "swapped", "3 pages went to swap"),
        ({"swap_out_pages": 1.0}, 1, "swapped", "1 page went to swap"),
        ({"major_faults": 30.0}, 1, "swapped", "30 pages had to be read from a disk"),
        ({"throttle_events": 2.0}, 1, "throttled", "lowered its clock 2 times"),
        ({"throttled_bits": 4.0}, 1, "throttled", "(bits 0x4)"),
        ({"gpu_clock_event_bits": 0x41}, 1, "throttled", "(bits 0x40)"),
        ({"gpu_clock_event_bits": 0x4}, 1, "throttled", "power limit"),
        ({"other_cpu_s": 0.155}, 20, "contended", "other programs used 62% of a core"),
        ({"run_delay_s": 0.025}, 20, "contended", "waited for a processor 10.0% of the time"),
        ({"pressure_cpu_s": 0.05}, 20, "contended", "waited for a processor 20.0%"),
        ({"pressure_memory_s": 0.01}, 20, "contended", "waited for memory 4.0%"),
        ({"pressure_io_s": 0.01}, 20, "contended", "waited for a disk 4.0%"),
        ({"steal_s": 0.02}, 20, "contended", "gave 4.0% of the processor time"),
        ({"involuntary_switches": 40.0}, 20, "contended", "give up a processor 800 times"),
        ({"wall_s": 0.45}, 1, "contended", "stood still for 0.20 s in 1 of 20 rounds"),
    ],
)
def test_each_signal_gives_its_cause(change, share, verdict, words):
    found = verdict_of(rounds([change] * share))
    assert found.verdict == verdict
    assert any(words in str(cause) for cause in found.causes), found.causes


@pytest.mark.parametrize(
    ("change", "share"),
    [
        ({"major_faults": 5.0}, 2),  # code that is used for the first time
        ({"other_cpu_s": -0.01}, 10),  # the grain of the counters
        ({"other_cpu_s": 0.2}, 1),
        ({"gpu_clock_event_bits": 0x1}, 20),  # an idle GPU
        ({"throttled_bits": 0.0}, 20),
        ({"other_cpu_s": 0.5, "all_cpu_s": 16.0}, 20),  # 2 of 64 CPUs
        ({"involuntary_switches": 2.0}, 20),
    ],
)
def test_a_little_of_it_is_no_cause(change, share):
    assert verdict_of(rounds([change] * share)).verdict == "trusted"


def test_waiting_is_shared_among_the_busy_threads():
    busy = {**QUIET, "own_cpu_s": 1.0, "run_delay_s": 0.015}
    assert verdict_of(rounds(quiet=busy)).verdict == "trusted"


class TestReferenceKernel:
    @pytest.mark.parametrize("name", ["canary_loop_s", "canary_compute_s"])
    def test_slow_with_slow_calls(self, name):
        done = rounds([{name: 9e-4}] * 4, level=lambda index: 0.0107 if index % 3 else 0.01)
        found = verdict_of(done)
        assert found.verdict == "contended"
        assert "in 4 of 20 rounds, and the latency rose by as much in 13" in str(found.causes[0])

    def test_slow_while_the_calls_stay_as_they_are(self):
        assert verdict_of(rounds([{"canary_loop_s": 9e-4}] * 10)).verdict == "trusted"

    @pytest.mark.parametrize("share", [1, 2])
    def test_slow_by_chance(self, share):
        done = rounds([{"canary_loop_s": 9e-4}] * share, level=lambda index: 0.01 + index % 3 / 1e3)
        assert "kernel_slow" not in codes(verdict_of(done))

    def test_processes_with_levels_of_their_own(self):
        done = rounds(
            [{"canary_loop_s": 9e-4}] * 10,
            n=30, processes=3, level=lambda index: 0.01 * (1 + index // 10 / 5),
        )  # fmt: skip
        assert verdict_of(done).verdict == "trusted"


def test_a_process_that_always_sleeps_a_part_does_not_stand_still():
    waiting = {**QUIET, "own_cpu_s": 0.02}
    assert verdict_of(rounds(quiet=waiting)).verdict == "trusted"


def test_a_process_that_mostly_sleeps_is_not_said_to_stand_still():
    waiting = {**QUIET, "own_cpu_s": 0.02}
    assert verdict_of(rounds([{"own_cpu_s": 0.01}] * 5, quiet=waiting)).verdict == "trusted"


def test_a_busy_neighbour_in_a_third_of_the_run_is_named_with_what_the_quiet_rounds_took():
    busy = {"canary_loop_s": 9e-4, "canary_compute_s": 7e-4}
    found = verdict_of(rounds([busy] * 7, level=lambda index: 0.015 if index < 7 else 0.01))
    assert found.verdict == "contended"
    assert "in 7 of 20 rounds" in str(found.causes[0])
    assert "(in the other 13 a call took 10.0 ms)" in str(found.causes[0])


SLOW = {"frequency_min_hz": 2.4e9}


class TestClock:
    def test_a_lower_clock_with_slower_calls(self):
        done = rounds([SLOW] * 5, level=lambda index: 0.0125 if index < 5 else 0.01)
        found = verdict_of(done)
        assert found.verdict == "throttled"
        assert "fell from 3.00 to 2.40 GHz; in 5 of 20 rounds" in str(found.causes[0])
        assert "25% slower" in str(found.causes[0])

    def test_a_lower_clock_that_slows_nothing_is_none_of_the_workloads_business(self):
        assert verdict_of(rounds([SLOW] * 5)).verdict == "trusted"

    def test_always_the_same_low_clock(self):
        assert verdict_of(rounds(quiet={**QUIET, **SLOW})).verdict == "trusted"


def test_no_steady_state():
    found = verdict_of(rounds(), steady=False)
    assert (found.verdict, len(found.causes)) == ("drifting", 1)


def test_a_drift_beyond_the_target():
    drifting = rounds(level=lambda index: 0.01 * 1.005**index)
    found = verdict_of(drifting)
    assert found.verdict == "drifting"
    assert "from beginning to end" in str(found.causes[0])
    assert verdict_of(drifting, procedure=Procedure(target=0.2)).verdict == "trusted"


def test_levels_of_processes_are_no_drift_and_no_modes():
    done = rounds(n=30, processes=3, level=lambda index: 0.01 * (1 + index // 10 / 5))
    assert verdict_of(done).verdict == "trusted"


def test_long_spells():
    found = verdict_of(rounds(), latency_tau_calls=120.0)
    assert (found.verdict, "120 calls" in str(found.causes[0])) == ("unstable", True)


def test_two_levels():
    found = verdict_of(rounds(level=lambda index: 0.015 if index % 2 else 0.01), steady=None)
    assert found.verdict == "unstable"
    assert "about 10.0 ms or about 15.0 ms" in str(found.causes[0])


def test_a_missed_target_with_the_interval_reached():
    found = verdict_of(
        rounds(),
        latency_target_met=False,
        latency_median_s=0.01,
        latency_ci_low_s=0.009,
        latency_ci_high_s=0.011,
    )
    assert found.verdict == "noisy"
    assert list(map(str, found.causes)) == ["the interval is ± 10.0%, the target ± 5.0%"]


def test_a_missed_target_without_an_interval():
    found = verdict_of(rounds(), latency_target_met=False)
    assert codes(found) == ["no_interval"]


def test_the_worst_cause_names_the_verdict_and_all_are_told():
    changes = {
        "swapped": {"swap_in_pages": 1.0},
        "throttled": {"throttle_events": 1.0},
        "contended": {"other_cpu_s": 5.0},
    }
    for better, worse in pairwise(reversed(list(changes))):
        done = rounds([changes[better], changes[worse]])
        found = verdict_of(done, latency_target_met=False, latency_tau_calls=99.0)
        assert found.verdict == worse
        assert len(found.causes) == 4
    assert list(ORDER[:3]) == list(changes)


class TestNotObservable:
    def test_what_could_not_be_read_is_named_in_one_line(self):
        hidden = ("frequency_min_hz", "frequency_max_hz", "throttle_events", "temperature_c")
        quiet = {name: value for name, value in QUIET.items() if name not in hidden}
        found = verdict_of(rounds(quiet=quiet), latency_processes=1)
        assert found.verdict == "trusted"
        assert list(map(str, found.causes)) == [
            "not observable: clock frequency, throttling, temperature",
            "one process: how much a fresh process differs was not observed",
        ]

    @pytest.mark.parametrize(
        "hidden",
        [
            ("canary_loop_s", "canary_compute_s"),
            ("run_delay_s",),
            ("swap_in_pages", "swap_out_pages"),
        ],
    )
    def test_nothing_is_trusted_without_the_three_that_matter(self, hidden):
        quiet = {name: value for name, value in QUIET.items() if name not in hidden}
        assert verdict_of(rounds(quiet=quiet)).verdict == "unknown"

    def test_no_signals_at_all(self):
        found = verdict_of(rounds(quiet={}))
        assert (found.verdict, codes(found)) == ("unknown", ["not_observed"])

    def test_a_cause_stands_without_signals(self):
        found = verdict_of(rounds(quiet={}), latency_target_met=False)
        assert found.verdict == "noisy"
        assert "not_observed" in codes(found)

    def test_no_rounds_at_all(self):
        assert verdict_of([]).verdict == "unknown"
