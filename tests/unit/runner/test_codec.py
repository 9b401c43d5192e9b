"""Messages as lines of JSON: they come back as they were, and what does not fit says where."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.cost import Cost, OperatorCost
from inferometer.core.profile import Node
from inferometer.core.record import Round
from inferometer.core.workload import Shape, Variant
from inferometer.runner.workers.codec import MisfitError, decode, encode
from inferometer.runner.workers.memory_layers import Start
from inferometer.runner.workers.messages import (
    REQUESTS,
    CostFile,
    CostModel,
    CostsCounted,
    CountCosts,
    Failed,
    Load,
    Loaded,
    MeasureRound,
    ProfileCalls,
    RoundDone,
    RoundPlan,
    WarmedUp,
    WarmUp,
)
from inferometer.runner.workers.settings import Held

SHAPE = Shape(batch_size=8, input_size=None)
VARIANT = Variant(model="m", backend="torch", precision="fp32", options=(("a", "b"), ("c", "d")))
ROUND = Round(
    index=3, process=1, phase="measure", started_at=1e9, calls_per_value=2, settle=1,
    starts_s=(0.0, 0.5), values_s=(0.25, 0.125), signals={"cpu_mhz": 1.5},
)  # fmt: skip
COST = Cost(
    operators=(OperatorCost(
        operator="aten.mm", kind="matrix product", module="", calls=1, macs=1 << 70,
        elementwise_flops=0, bytes_read=1, bytes_written=1,
    ),),
    input_bytes=1, output_bytes=1, weight_bytes=1, activation_bytes=1, activation_peak_bytes=1,
    method="known",
)  # fmt: skip


@pytest.mark.parametrize(
    "request_",
    [
        Load(variant=VARIANT, device="cpu", threads=2, seed=1, root="/", started_at=3.5),
        WarmUp(shape=SHAPE),
        MeasureRound(shape=SHAPE, plan=RoundPlan(values=7, seconds=0.5)),
        CountCosts(shapes=(SHAPE, Shape(batch_size=1, input_size=224))),
        CostModel(shape=SHAPE, may_run=True),
        CostFile(model="m", file="f", shape=SHAPE, precision=None, memory_limit_bytes=9),
        ProfileCalls(shape=SHAPE, seconds=5, trace=None),
    ],
    ids=lambda one: type(one).__name__,
)
def test_requests_arrive_as_they_were(request_):
    assert decode(encode(request_), *REQUESTS) == request_


@pytest.mark.parametrize(
    "answer",
    [
        Failed(kind="bad_model", message="two\nlines \udcff"),
        Loaded(
            facts={"notes": ["a"], "load_s": 1.0, "parameters": 7, "steady": True, "weights": None},
            start=Start(resident=None, modules=("json",)),
        ),
        WarmedUp(first_call_s=0.5, round=ROUND, input_shape="1", held=Held(changes=["x"])),
        RoundDone(round=ROUND, held=Held(threads=2)),
        CostsCounted(costs=(COST, None, Failed(kind="crash", message="it died"))),
    ],
    ids=lambda one: type(one).__name__,
)
def test_answers_arrive_as_they_were(answer):
    line = encode(answer)
    assert b"\n" not in line
    assert decode(line, type(answer), Failed) == answer


@given(st.lists(st.floats(allow_nan=False) | st.just(math.inf), max_size=20))
def test_values_arrive_exactly(values):
    done = Round(
        index=0, process=0, phase="idle", started_at=0.0, calls_per_value=1, settle=0,
        starts_s=(), values_s=tuple(values),
    )  # fmt: skip
    assert decode(encode(done), Round).values_s == done.values_s


def test_what_is_no_number_arrives_as_such():
    warm = WarmedUp(first_call_s=math.nan, round=ROUND, input_shape="1")
    assert math.isnan(decode(encode(warm), WarmedUp).first_call_s)


@pytest.mark.parametrize(
    ("line", "where"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[1]", r"\[1\] is none of Shape, Failed"),
        (b'{"WarmUp":{}}', "none of Shape, Failed"),
        (b'{"Shape":{},"Failed":{}}', "none of Shape, Failed"),
        (b'{"Shape":1}', "Shape: 1 is no Shape"),
        (b'{"Shape":{"batch_size":1}}', "Shape: .*missing.*input_size"),
        (b'{"Shape":{"batch_size":true,"input_size":null}}', "Shape: batch_size: True is no .*int"),
        (b'{"Shape":{"batch_size":1.5,"input_size":null}}', "Shape: batch_size: 1.5 is no"),
        (b'{"Shape":{"batch_size":1,"input_size":"x"}}', "Shape: input_size: 'x' is no int"),
        (b'{"Shape":{"batch_size":1,"input_size":1,"more":1}}', "Shape has no 'more'"),
        (b'{"Failed":{"kind":"tired","message":""}}', "kind: 'tired' is no out_of_memory or"),
    ],
)  # fmt: skip
def test_what_does_not_fit_says_where(line, where):
    with pytest.raises(MisfitError, match=where):
        decode(line, Shape, Failed)


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ((b"[0.25,0.125]", b"0.25"), "round: values_s: 0.25 is no list"),
        ((b"[0.25,0.125]", b"[null]"), "round: values_s: None is no"),
        ((b'{"cpu_mhz":1.5}', b"[]"), r"round: signals: \[\] is no object"),
        ((b'{"cpu_mhz":1.5}', b'{"cpu_mhz":"x"}'), "round: signals: cpu_mhz: 'x' is no"),
        ((b'"changes":[]', b'"changes":[1]'), "held: changes: 1 is no"),
    ],
)
def test_what_does_not_fit_far_inside_says_where(changed, where):
    line = encode(RoundDone(round=ROUND, held=Held()))
    assert changed[0] in line
    with pytest.raises(MisfitError, match=where):
        decode(line.replace(*changed), RoundDone)


def test_a_tree_that_is_nested_too_deeply_does_not_fit():
    node = (
        '{"name":"","kind":"module","type":"","calls":1,"self_s":0,"total_s":0,"low_s":0,"high_s":0'
    )
    deep = f'{node},"children":[' * 400 + node + "}" + "]}" * 400
    with pytest.raises(MisfitError, match="nested too deeply"):
        decode(f'{{"Node":{deep}}}'.encode(), Node)


def test_options_that_are_out_of_order_do_not_fit():
    line = encode(VARIANT).replace(b'"a"', b'"z"')
    with pytest.raises(MisfitError, match="options are not sorted"):
        decode(line, Variant)


def test_what_is_no_data_is_not_sent():
    with pytest.raises(TypeError, match="a object is in a message"):
        encode(Loaded(facts={"source": object()}, start=Start(resident=None, modules=())))
