"""What is timed: the model's work, with inputs that are what they were."""

from __future__ import annotations

from array import array
from collections.abc import Callable

import numpy as np
import pytest

from inferometer.backends.python.session import PythonSession
from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, PlacedInputs
from inferometer.models.inputs import ExampleInputs
from inferometer.runner.workers.calls import Calls, Manner, Marks, copied
from inferometer.runner.workers.first_calls import FirstCalls


def placed(*args, **kwargs):
    return PlacedInputs(args=args, kwargs=kwargs, shape="")


def adds_in_place(x):
    x += 1
    return float(x.sum())


def pops(x):
    x["more"].pop()
    return 1.0


def replaces(x):
    x["y"] = x.pop("x")
    return 1.0


def replaces_in_list(x):
    x[0] = 2.0
    return 1.0


CHANGING: list[tuple[Callable, Callable]] = [
    (adds_in_place, lambda: np.ones(3)),
    (pops, lambda: {"more": [np.ones(1), np.ones(1)]}),
    (replaces, lambda: {"x": 1.0}),
    (replaces_in_list, lambda: [1.0]),
    (lambda x: x.extend(b"more"), lambda: bytearray(b"some")),
]


def first_calls(function, make):
    manner = Manner()

    def again():
        return copied(placed(make()))

    first = FirstCalls(PythonSession(function), again(), manner, again)
    first.make()
    return first, manner


@pytest.mark.parametrize(("function", "make"), CHANGING)
def test_inputs_that_a_model_changes_are_found(function, make):
    first, manner = first_calls(function, make)
    assert manner.fresh
    assert [note.code for note in first.notes] == ["changes_inputs"]


@pytest.mark.parametrize(("_", "make"), CHANGING)
def test_inputs_that_stay_are_bound_once(_, make):
    first, manner = first_calls(lambda x: 1.0, make)
    assert not manner.fresh
    assert first.notes == []


def test_each_call_gets_inputs_of_its_own_where_the_model_changes_them():
    seen = []

    def model(x):
        seen.append(x.copy())
        x *= 2

    first, _ = first_calls(model, lambda: np.ones(2))
    seen.clear()
    starts, ends = array("q", bytes(8 * 5)), array("q", bytes(8 * 5))
    first.calls.time(starts, ends, 3)
    assert np.array_equal(seen, np.ones((15, 2)))
    assert all(end > start > 0 for start, end in zip(starts, ends, strict=True))


def test_what_a_torch_model_writes_past_the_counter_is_found():
    torch = pytest.importorskip("torch")

    def through_numpy(x):
        x.numpy()[:] = 3

    def data(x):
        x.data.mul_(2)

    for function in (through_numpy, data, lambda x: x.add_(1)):
        assert first_calls(lambda x, f=function: (f(x), None)[1], lambda: torch.ones(2))[1].fresh


def test_a_change_in_a_later_call_is_found_by_the_counter():
    torch = pytest.importorskip("torch")
    tensor = torch.ones(2)
    marks = Marks(placed({"deep": [tensor]}), summed=False)
    assert not marks.changed()
    tensor.add_(1)
    assert marks.changed()


def test_promises_are_kept_within_each_call():
    done = []

    def model(x):
        done.append("begun")
        yield x
        done.append("ended")

    first, manner = first_calls(model, lambda: 1.0)
    assert manner.finish is not None
    assert "late_promise" in [note.code for note in first.notes]
    done.clear()
    first.calls.one()()
    assert done == ["begun", "ended"]


def test_nan_and_minus_infinity_in_the_first_output():
    with pytest.raises(WorkloadError) as caught:
        first_calls(lambda _: {"a": [float("nan")]}, lambda: 1.0)
    assert caught.value.kind == "non_finite_output"
    first, _ = first_calls(lambda _: {"a": [-np.inf, 1.0]}, lambda: 1.0)
    assert list(map(str, first.notes)) == ["output.a[0]: 1 of 1 values are minus infinity"]


def test_copies_share_what_their_originals_share():
    one = np.ones(2)
    made = copied(placed(one, one, k=[one]))
    assert made.args[0] is made.args[1] is made.kwargs["k"][0]
    assert made.args[0] is not one


def test_calls_of_plain_inputs_bind_what_was_placed():
    inputs = placed(1.0)
    session = PythonSession(lambda x: x)
    assert Calls(session, inputs, Manner()).one()() == 1.0


class TestTorch:
    @pytest.fixture(autouse=True)
    def _torch(self):
        self.torch = pytest.importorskip("torch")

    def session(self, dtype):
        from inferometer.backends.torch.session import TorchSession

        return TorchSession(self.torch.nn.Identity(), device="cpu", dtype=dtype)

    def test_the_precision_reaches_every_tensor(self):
        torch = self.torch
        packed = torch.nn.utils.rnn.pack_sequence([torch.ones(2, 1), torch.ones(1, 1)])
        example = ({"deep": (torch.ones(1), torch.ones(1, dtype=torch.long), None, "text")}, packed)
        made = self.session(torch.bfloat16).place(Inputs(args=example, shape=""))
        deep, again = made.args[0]["deep"], made.args[1]
        assert [part.dtype for part in deep[:2]] == [torch.bfloat16, torch.int64]
        assert deep[2:] == (None, "text")
        assert again.data.dtype == torch.bfloat16
        assert again.batch_sizes.dtype == torch.int64

    def test_an_object_that_cannot_be_looked_into_is_refused_in_another_precision(self):
        torch = self.torch
        example = Inputs(args=(iter([torch.ones(1)]),), shape="")
        assert self.session(torch.float32).place(example).args[0] is example.args[0]
        with pytest.raises(WorkloadError, match="cannot be looked into") as caught:
            self.session(torch.bfloat16).place(example)
        assert caught.value.kind == "unsupported"

    def test_inputs_of_a_callers_own_stay_as_they_are(self):
        torch = self.torch
        mine = torch.ones(1, 2)
        made = ExampleInputs(args=(mine,)).make(batch_size=1, input_size=None, seed=0)
        self.session(torch.float32).place(made).args[0].add_(1)
        assert mine.tolist() == [[1, 1]]
