"""Lengths of axes: open ones, those of 0, those that are sums of others; and the batch."""

from __future__ import annotations

import pytest

onnx = pytest.importorskip("onnx")

from hypothesis import given  # noqa: E402 - after the skip
from hypothesis import strategies as some  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from inferometer.core.errors import WorkloadError  # noqa: E402
from inferometer.models.inputs.expressions import expression  # noqa: E402

FLOAT = TensorProto.FLOAT


def tensor(name, *shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, None if shape == (None,) else shape)


def node(operator, inputs, *outputs, **attributes):
    return helper.make_node(operator, inputs.split(), outputs or ["y"], **attributes)


def matrix(*shape):
    import numpy as np

    return numpy_helper.from_array(np.ones(shape, np.float32), "w")


def attention(past):
    """Scores over what was kept of earlier calls and what is new."""
    nodes = [
        node("Concat", "past new", "k", axis=2),
        node("Transpose", "k", "kt", perm=[0, 1, 3, 2]),
        node("MatMul", "q kt"),
    ]
    return nodes, [tensor("q", 1, 2, 4, 8), tensor("new", 1, 2, 4, 8), past]


class TestLengthsOfZero:
    def test_nothing_is_kept_of_earlier_calls(self, counted):
        found = counted(*attention(tensor("past", 1, 2, 0, 8)))
        assert found.cost.macs == 2 * 4 * 4 * 8
        assert found.input_shape == "q=1x2x4x8, new=1x2x4x8, past=1x2x0x8"
        assert found.notes == ()

    def test_they_are_no_length_to_ask_for(self, counted):
        with pytest.raises(WorkloadError, match="made for one input size, not for 9"):
            counted(*attention(tensor("past", 1, 2, 0, 8)), size=9)

    @pytest.mark.parametrize("operator", ["Relu", "Softmax", "Exp"])
    def test_of_nothing_there_is_nothing_to_do(self, counted, operator):
        found = counted([node(operator, "x")], [tensor("x", 1, 0, 8)])
        assert (found.cost.elementwise_flops, found.cost.output_bytes) == (0, 0)
        assert found.cost.unknown_operators == []

    def test_a_product_over_nothing(self, counted):
        found = counted([node("MatMul", "x z")], [tensor("x", 1, 3, 0), tensor("z", 1, 0, 5)])
        assert (found.cost.macs, found.cost.output_bytes) == (0, 4 * 3 * 5)
        assert found.cost.unknown_operators == []

    def test_a_negative_length_is_none(self, counted):
        found = counted(*attention(tensor("past", 1, 2, -1, 8)), size=3)
        assert found.cost.macs == 2 * 4 * (3 + 4) * 8
        assert found.notes == ("open axes: past[2] = 3",)


class TestSums:
    @pytest.mark.parametrize(
        ("name", "length"),
        [
            ("past + sequence", 10),
            ("past+sequence", 10),
            ("sequence + 1", 6),
            ("2*sequence", 10),
            ("batch*sequence", 15),
            ("batch * (sequence - 1)", 12),
            ("sequence // 2", 2),
            ("Max(1, sequence)", 5),
            ("floor(sequence/2) + 1", 3),
            ("sequence - 5", 0),
            ("sequence-past", 0),
        ],
    )
    def test_they_follow_from_their_parts(self, counted, name, length):
        inputs = [
            tensor("x", "batch", "sequence"), tensor("p", "batch", "past"), tensor("m", 1, name),
        ]  # fmt: skip
        found = counted([node("Relu", "m")], inputs, batch=3, size=5)
        assert found.cost.elementwise_flops == length
        assert f"{name} = {length}" in found.notes[0]

    def test_one_whose_parts_are_no_axes_of_their_own(self, counted):
        found = counted([node("Relu", "x")], [tensor("x", 1, "past_length + 1")], size=5)
        assert found.cost.elementwise_flops == 6

    def test_heads_in_the_first_axis(self, counted):
        """Of a batch alone, the size gives what else there is."""
        inputs = [tensor("x", "batch*heads", 7)]
        assert counted([node("Relu", "x")], inputs, batch=3, size=4).input_shape == "12x7"
        with pytest.raises(WorkloadError, match=r"open along batch\*heads; give a size"):
            counted([node("Relu", "x")], inputs, batch=3)

    def test_a_first_axis_that_is_no_batch(self, counted):
        found = counted([node("Relu", "x")], [tensor("x", "height*width", 7)], batch=None, size=3)
        assert (found.batch_size, found.input_shape) == (1, "9x7")

    @pytest.mark.parametrize("name", ["2*N", "N + 1", "2*count"])
    def test_the_batch_is_in_a_sum(self, counted, name):
        found = counted([node("Relu", "x")], [tensor("x", name, 7)], batch=3)
        assert found.input_shape == ("4x7" if name == "N + 1" else "6x7")

    def test_what_a_file_tells_by_a_sum(self, counted):
        """Of the result of an operator that nobody knows."""
        nodes = [node("Twist", "x", domain="mine")]
        outputs = [tensor("y", "N", "2*length + 1")]
        found = counted(nodes, [tensor("x", "N", "length")], (), outputs, batch=2, size=3,
                        more=(helper.make_opsetid("mine", 1),))  # fmt: skip
        assert found.cost.output_bytes == 4 * 2 * 7

    @pytest.mark.parametrize("name", ["sequence - 6", "sequence / 2", "sequence // 0"])
    def test_one_that_is_no_length(self, counted, name):
        inputs = [tensor("x", "batch", "sequence"), tensor("m", 1, name)]
        with pytest.raises(
            WorkloadError, match=r"no length along .+ where sequence = 5$"
        ) as caught:
            counted([node("Relu", "m")], inputs, size=5)
        assert caught.value.kind == "unsupported"

    @pytest.mark.parametrize(
        "name",
        ["batch-size", "seq-len", "sequence length", "x.shape[0]", "unk__7", "lambda", "1", "a/",
         "open('x')", "None", "2**9**9", "(" * 150, "p2o.DynamicDimension.0", "a if b else c"],
    )  # fmt: skip
    def test_what_is_only_a_name(self, counted, name):
        assert expression(name) is None or expression(name).is_hyphenated
        found = counted([node("Relu", "x")], [tensor("x", 1, "length", name)], batch=1, size=5)
        assert found.cost.elementwise_flops == (5 if "batch" in name else 25)

    @given(
        some.recursive(
            some.sampled_from(["a", "b", "c", "2", "3"]),
            lambda inner: (
                some.tuples(inner, some.sampled_from([" + ", " * ", " - ", "//"]), inner)
                .map("".join)
                .map("({})".format)
            ),
            max_leaves=6,
        )
    )
    def test_as_python_computes_them(self, text):
        lengths = {"a": 1, "b": 2, "c": 5}
        found = expression(text)
        if found is None:
            return
        try:
            value = eval(text, {}, lengths)
        except ZeroDivisionError:
            value = None
        assert found.value(lengths) == value


class TestBatch:
    """Where none is asked for, it is the file's own."""

    def count(self, counted, *inputs, batch=None, size=None):
        found = counted([node("MatMul", "x w")], [tensor("x", *inputs)], [matrix(4, 8)],
                        batch=batch, size=size)  # fmt: skip
        return found.batch_size, found.cost.macs

    def test_a_file_for_two(self, counted):
        assert self.count(counted, 2, 4) == (2, 2 * 4 * 8)
        assert self.count(counted, 2, 4, batch=2) == (2, 2 * 4 * 8)

    @pytest.mark.parametrize("batch", [1, 4])
    def test_a_file_for_two_and_another_is_asked_for(self, counted, batch):
        problem = rf"made for batch 2 \(first axis of x\), not {batch}$"
        with pytest.raises(WorkloadError, match=problem) as caught:
            self.count(counted, 2, 4, batch=batch)
        assert caught.value.kind == "unsupported"

    @pytest.mark.parametrize("name", ["N", "batch_size", "?", None])
    def test_a_file_for_any(self, counted, name):
        assert self.count(counted, name, 4) == (1, 4 * 8)
        assert self.count(counted, name, 4, batch=3) == (3, 3 * 4 * 8)

    def test_a_file_for_two_of_any_length(self, counted):
        assert self.count(counted, 2, "length", 4, size=5) == (2, 2 * 5 * 4 * 8)

    def test_an_empty_past_does_not_tell(self, counted):
        nodes = [node("Concat", "past x", "c", axis=0), node("MatMul", "c w")]
        inputs = [tensor("past", 0, 4), tensor("x", 3, 4)]
        found = counted(nodes, inputs, [matrix(4, 8)], batch=None)
        assert (found.batch_size, found.cost.macs) == (3, 3 * 4 * 8)

    def test_a_file_without_an_axis_for_it(self, counted):
        assert self.count(counted, 4) == (1, 4 * 8)
