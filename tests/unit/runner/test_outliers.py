"""Calls that stand out from their neighbours, and what came with them."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.core.record import Round
from inferometer.figures.outliers import outlier_remark

QUIET = {"run_delay_s": 0.001, "involuntary_switches": 1.0, "major_faults": 0.0}


def rounds(*, spiked=(), signals=None, n=20, values=20, processes=1, k=1):
    """Rounds of 10 ms calls; the third call of the spiked ones takes 40 ms."""
    noise = np.random.default_rng(5)
    made = []
    for index in range(n):
        calls = 0.01 * (1 + noise.uniform(-0.01, 0.01, values))
        calls[2] *= 4 if index in spiked else 1
        process = index * processes // n
        made.append(
            Round(
                index=index, process=process, phase="measure", started_at=float(index),
                calls_per_value=k, settle=0, starts_s=tuple(0.01 * i for i in range(values)),
                values_s=tuple((calls * (1 + process)).tolist()),
                signals={**QUIET, **(signals or {}).get(index, {})},
            )
        )  # fmt: skip
    return made


def test_calls_that_are_alike_give_no_sentence():
    assert outlier_remark(rounds()) is None
    assert outlier_remark([]) is None


def test_processes_of_different_levels_do_not_stand_out():
    assert outlier_remark(rounds(processes=4)) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"run_delay_s": 0.05}, "its threads waited for a processor more than usual (run_delay_s)"),
        ({"involuntary_switches": 9.0}, "it had to give up a processor more than usual"),
        ({"major_faults": 1.0}, "memory was read from a disk more than usual (major_faults)"),
    ],
)
def test_the_signal_of_their_rounds_is_named(change, words):
    found = outlier_remark(rounds(spiked=(4, 9, 15), signals=dict.fromkeys((4, 9), change)))
    assert str(found) == (
        f"3 of 400 calls were outliers among their neighbours, 2 of them in rounds in which {words}"
        + " (involuntary_switches)" * ("give up" in words)
    )


def test_a_signal_that_is_in_most_rounds_explains_nothing():
    always = {index: {"run_delay_s": 0.05 + index / 100} for index in range(20)}
    found = outlier_remark(rounds(spiked=(4, 9), signals=always))
    assert (
        str(found)
        == "2 of 400 calls were outliers among their neighbours, with no signal to explain them"
    )


def test_means_of_several_calls_are_called_that():
    found = outlier_remark(rounds(spiked=(4, 9), k=5))
    assert "2 of 400 values, means of several calls, were outliers" in str(found)


def test_a_long_run_is_labelled_in_blocks():
    found = outlier_remark(rounds(spiked=range(0, 400, 40), n=400, values=100))
    assert str(found).startswith("10 of 40000 calls were outliers")
