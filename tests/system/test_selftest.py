"""The self-test through real workers. What a busy machine can spoil is not asked for here."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from inferometer.core.procedure import Procedure
from inferometer.runner.selftest import run as selftest

QUICK = Procedure(
    target=0.5, processes=1, min_calls=20, min_rounds=3, span_s=0.0, round_s=0.03, max_time_s=1.0
)


@pytest.mark.quiet
def test_the_model_counts_as_many_calls_as_the_instrument_reports(tmp_path):
    checks = selftest.latency_checks(tmp_path, QUICK)
    counts = [check for check in checks if check.name == "calls"]
    assert len(counts) == len(selftest.DURATIONS_S)
    assert [check.state for check in counts] == ["ok"] * len(counts), counts
    biases = [check.value for check in checks if check.name == "bias"]
    assert len(biases) == len(selftest.DURATIONS_S)
    assert all(-0.01 < bias < 0.5 for bias in biases)


def test_peak_memory_rises_by_what_a_call_takes(tmp_path):
    states = [check.state for check in selftest.memory_checks(tmp_path)]
    assert set(states) <= {"ok", "not observable"}
    assert len(states) == 2 * len(selftest.MEMORIES_MIB)  # the peak, and its layer


def test_a_known_network_has_its_parameters(tmp_path):
    checks = selftest.network_checks(tmp_path)
    assert checks[0].state == ("ok" if find_spec("torch") else "not observable")
