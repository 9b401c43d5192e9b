"""Operators that differ, and what leaving some in fp32 gives back, as printed."""

import io
import math

import pytest

from inferometer.core.fidelity import OperatorError, Recovery
from inferometer.core.sections import Fidelity
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.report.terminal.fidelity import print_fidelity
from inferometer.report.terminal.output import Output
from inferometer.runner.fidelity import Compared


def step(count, recovered, low, high):
    return Recovery(
        operators=tuple(f"conv{number}" for number in range(count)),
        relative_error=0.1 * (1 - recovered),
        recovered=recovered,
        latency_ratio=math.sqrt(low * high),
        ratio_low=low,
        ratio_high=high,
    )


def printed(*steps, operators=()):
    variant = Variant(model="m", backend="onnxruntime", precision="int8")
    compared = Compared(
        workload=Workload(
            variant=variant, shape=Shape(batch_size=1, input_size=None), target=Target()
        ),
        fidelity=Fidelity(fidelity_verdict="close", fidelity_reference="torch fp32"),
        operators=operators or (OperatorError(name="conv0", kind="Conv", relative_error=0.1),),
        recover=steps,
    )
    out = io.StringIO()
    print_fidelity([compared], Output(file=out, width=80, highlight=False))
    assert max(map(len, out.getvalue().splitlines())) <= 80
    return out.getvalue()


def test_operators_are_listed_up_to_ten_whatever_their_names():
    operators = tuple(
        OperatorError(
            name=f"a very long [name] of an operator, such as exporters make {number}" * 2,
            kind="BatchNormalization",
            relative_error=math.inf if number == 0 else 0.5,
            accumulated_error=None if number == 0 else 0.25,
            change="left out",
        )
        for number in range(12)
    )
    out = printed(operators=operators)
    assert "no number" in out
    assert "0.25" in out
    assert "and 2 more (--json has all)" in out


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (
            (step(1, 0.2, 1.0, 1.1), step(3, 0.98, 1.03, 1.05), step(5, 0.99, 1.2, 1.3)),
            "Leaving 3 operators in fp32 recovers 98% of the error and costs 4% of the",
        ),
        ((step(1, 0.6, 0.5, 2.0),), "Leaving 1 operator in fp32 recovers 60% of the error and"),
        ((step(1, 0.6, 0.5, 2.0),), "costs no time that shows here"),
        ((step(2, 0.3, 0.8, 0.9),), "saves 15% of the time"),
        ((step(1, -0.1, 1.0, 1.1),), "gives nothing back"),
    ],
)
def test_the_first_step_that_gives_half_back_is_told_in_words(steps, words):
    assert " ".join(words.split()) in " ".join(printed(*steps).split())
