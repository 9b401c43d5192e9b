from __future__ import annotations

from collections import OrderedDict, UserDict, deque, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferometer.core.errors import WorkloadError
from inferometer.core.nested import leaves
from inferometer.models.inputs import batch_size_of, example_inputs, images


def identity(value):
    return value


def make(spec, *, batch_size=1, input_size=None):
    return spec.make(batch_size=batch_size, input_size=input_size, seed=0)


@given(rows=st.integers(1, 5), batch=st.integers(1, 12))
def test_rows_repeat_in_turn_or_are_cut(rows, batch):
    example = np.arange(rows * 2).reshape(rows, 2)
    inputs = make(example_inputs(identity, example), batch_size=batch)
    np.testing.assert_array_equal(inputs.args[0], example[np.arange(batch) % rows])
    assert inputs.shape == f"{batch}x2"
    assert inputs.size_applied


def test_tuples_and_lists_are_positional():
    example = [np.zeros((2, 3)), (np.zeros((2, 4)), "text", np.float32(1.0)), 5]
    inputs = make(example_inputs(lambda *_: None, example), batch_size=4)
    first, (second, text, scalar), number = inputs.args
    assert (first.shape, second.shape) == ((4, 3), (4, 4))
    assert (text, scalar, number) == ("text", np.float32(1.0), 5)
    assert inputs.shape.startswith("4x3, 4x4")


def test_named_tuples_stay_what_they_are():
    pair = namedtuple("Pair", "left right")  # noqa: PYI024 - as users write them
    inputs = make(example_inputs(identity, (pair(np.zeros((1, 2)), None),)), batch_size=3)
    assert type(inputs.args[0]) is pair
    assert inputs.args[0].left.shape == (3, 2)


def test_a_mapping_is_keywords_where_the_callable_takes_them():
    def forward(*, ids, mask=None):
        return ids, mask

    inputs = make(example_inputs(forward, {"ids": np.zeros((1, 4), int)}), batch_size=2)
    assert inputs.args == ()
    assert set(inputs.kwargs) == {"ids"}
    assert inputs.shape == "ids=2x4"


@pytest.mark.parametrize("names", [("left", "right"), (0, 1)])
def test_a_mapping_is_one_argument_where_it_is_not_keywords(names):
    example = {name: np.zeros((1, 4)) for name in names}
    inputs = make(example_inputs(identity, example), batch_size=2)
    assert inputs.kwargs == {}
    assert {name: part.shape for name, part in inputs.args[0].items()} == dict.fromkeys(
        names, (2, 4)
    )


def test_scalars_pass_unchanged():
    example = (np.array(3.0), np.zeros((1, 2)))
    inputs = make(example_inputs(lambda *_: None, example), batch_size=2)
    assert inputs.args[0].shape == ()
    assert inputs.shape == "scalar, 2x2"


def test_no_arrays_at_all():
    inputs = make(example_inputs(identity, ("text",)), input_size=7)
    assert inputs.args == ("text",)
    assert inputs.shape == "none"
    assert not inputs.size_applied
    assert inputs.batch_applied
    assert not make(example_inputs(identity, ("text",)), batch_size=2).batch_applied


def test_an_input_spec_is_taken_as_it_is():
    spec = images(size=8)
    assert example_inputs(identity, spec) is spec


def test_an_empty_batch_is_refused():
    with pytest.raises(WorkloadError, match=r"input\.x has no rows") as caught:
        example_inputs(identity, {"x": np.zeros((0, 3))})
    assert caught.value.kind == "bad_model"


def test_numpy_images_are_resized_linearly():
    ramp = np.broadcast_to(np.arange(4, dtype=np.float32), (1, 2, 4, 4))
    inputs = make(example_inputs(identity, ramp), batch_size=1, input_size=8)
    assert inputs.args[0].shape == (1, 2, 8, 8)
    assert inputs.args[0].dtype == np.float32
    np.testing.assert_allclose(inputs.args[0][0, 0, 0], [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3])


def test_token_sequences_and_their_masks_are_repeated_or_cut():
    example = {
        "input_ids": np.array([[1, 2, 3]]),
        "mask": np.array([[1.0, 1.0, 0.0]], dtype=np.float32),
        "features": np.zeros((1, 5), dtype=np.float32),
    }
    inputs = make(example_inputs(lambda **_: None, example), batch_size=2, input_size=7)
    np.testing.assert_array_equal(inputs.kwargs["input_ids"], [[1, 2, 3, 1, 2, 3, 1]] * 2)
    assert inputs.kwargs["mask"].shape == (2, 7)
    assert inputs.kwargs["features"].shape == (2, 5)
    assert inputs.size_applied
    shorter = make(example_inputs(lambda **_: None, example), batch_size=1, input_size=2)
    np.testing.assert_array_equal(shorter.kwargs["input_ids"], [[1, 2]])


def test_what_cannot_be_resized_keeps_its_shape():
    inputs = make(example_inputs(identity, np.zeros((1, 5), np.float32)), input_size=9)
    assert inputs.shape == "1x5"
    assert not inputs.size_applied


def test_the_batch_of_an_example():
    assert batch_size_of((1.0, np.array(2), {"x": np.zeros((6, 2))})) == 6
    assert batch_size_of("text") == 1


class TestTorch:
    @pytest.fixture(autouse=True)
    def _torch(self):
        self.torch = pytest.importorskip("torch")

    @settings(max_examples=15, deadline=None)
    @given(batch=st.integers(1, 5), size=st.integers(1, 9))
    def test_images_are_resized_as_torch_does(self, batch, size):
        torch = pytest.importorskip("torch")
        example = torch.linspace(0, 1, 2 * 3 * 4 * 4).reshape(2, 3, 4, 4)
        inputs = make(example_inputs(identity, example), batch_size=batch, input_size=size)
        assert tuple(inputs.args[0].shape) == (batch, 3, size, size)
        same = make(example_inputs(identity, example.numpy()), batch_size=batch, input_size=size)
        np.testing.assert_allclose(inputs.args[0].numpy(), same.args[0], atol=1e-6)

    def test_whole_number_images_keep_their_size(self):
        example = self.torch.zeros(1, 3, 4, 4, dtype=self.torch.uint8)
        inputs = make(example_inputs(identity, example), input_size=8)
        assert inputs.shape == "1x3x4x4"
        assert not inputs.size_applied

    def test_half_precision_tokens_and_booleans(self):
        example = (
            self.torch.zeros(1, 3, 4, 4, dtype=self.torch.bfloat16),
            self.torch.ones(1, 3, dtype=self.torch.bool),
        )
        inputs = make(example_inputs(lambda *_: None, example), batch_size=2, input_size=6)
        assert inputs.shape == "2x3x6x6, 2x6"
        assert [part.dtype for part in inputs.args] == [self.torch.bfloat16, self.torch.bool]

    def test_arrays_become_tensors_for_a_module(self):
        inputs = make(example_inputs(self.torch.nn.ReLU(), np.ones((2, 3), np.float32)))
        assert isinstance(inputs.args[0], self.torch.Tensor)

    def test_a_modules_forward_decides_about_keywords(self):
        torch = self.torch

        class Takes(torch.nn.Module):
            def forward(self, input_ids, attention_mask=None):
                return input_ids

        example = {"input_ids": torch.ones(1, 4, dtype=torch.long)}
        assert set(make(example_inputs(Takes(), example)).kwargs) == {"input_ids"}
        assert make(example_inputs(torch.nn.Identity(), example)).kwargs == {}

    def test_an_example_that_needs_gradients_does_not_keep_a_graph(self):
        example = self.torch.zeros(1, 3, 4, 4, requires_grad=True)
        inputs = make(example_inputs(identity, example), input_size=6)
        assert inputs.args[0].grad_fn is None


def test_objects_without_a_signature_get_one_argument():
    inputs = make(example_inputs(SimpleNamespace(), {"x": np.zeros((1, 2))}), batch_size=2)
    assert inputs.args[0]["x"].shape == (2, 2)


@dataclass(frozen=True)
class Graph:
    nodes: object
    edges: object = None


class Holder:
    """An object of a user's own, which holds itself too."""

    def __init__(self, x):
        self.x = x
        self.again = [x]
        self.me = self


class Slotted:
    __slots__ = ("x",)

    def __init__(self, x):
        self.x = x


Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - as users write them


@pytest.mark.parametrize(
    "wrapped",
    [
        Graph,
        Slotted,
        lambda x: UserDict(x=x),
        lambda x: OrderedDict(x=[x, None, "text", 3]),
        lambda x: {"deep": [(Graph({"x": x}),)]},
        lambda x: deque([x]),
        lambda x: Pair(x, None),
        lambda x: SimpleNamespace(x=x),
    ],
)
def test_the_batch_reaches_every_array_however_nested(wrapped):
    example = wrapped(np.ones((1, 2)))
    inputs = make(example_inputs(identity, (example,)), batch_size=3)
    found = [leaf for _, leaf in leaves(inputs.args) if isinstance(leaf, np.ndarray)]
    assert [leaf.shape for leaf in found] == [(3, 2)]
    assert type(inputs.args[0]) is type(example)
    (own,) = [leaf for _, leaf in leaves(example) if isinstance(leaf, np.ndarray)]
    assert own.shape == (1, 2)


def test_what_is_shared_in_an_example_stays_shared():
    example = Holder(np.ones((1, 2)))
    (made,) = make(example_inputs(identity, (example,)), batch_size=2).args
    assert made.me is made
    assert made.again[0] is made.x
    assert made.x.shape == (2, 2)
    assert example.x.shape == (1, 2)


@pytest.mark.parametrize("batch", [1, 4])
def test_nobody_else_holds_what_is_made(batch):
    example = np.ones((1, 2))
    made = make(example_inputs(identity, example), batch_size=batch)
    made.args[0][:] = 7
    assert (example == 1).all()


def test_where_it_cannot_be_told_how_an_example_grows_it_is_refused():
    graph = Graph(np.ones((10, 4)), edges=np.zeros((2, 30), int))
    spec = example_inputs(identity, graph)
    assert spec.batch_size == 10
    assert make(spec, batch_size=10).args[0].edges.shape == (2, 30)
    with pytest.raises(WorkloadError, match=r"input\[0\].edges has 2 rows .* batch_size") as caught:
        make(spec, batch_size=20)
    assert caught.value.kind == "unsupported"


def test_one_row_for_all_samples_stays_one():
    example = (np.ones((4, 2)), np.ones((1, 2)))
    inputs = make(example_inputs(lambda *_: None, example), batch_size=8)
    assert inputs.shape == "8x2, 1x2"


def test_what_cannot_be_looked_into_is_refused_at_another_batch():
    compiled = iter(())
    spec = example_inputs(lambda *_: None, (np.ones((1, 2)), compiled))
    assert make(spec).args[1] is compiled
    with pytest.raises(WorkloadError, match="which cannot be looked into"):
        make(spec, batch_size=2)


def test_a_list_is_one_argument_where_the_network_takes_one():
    example = [np.ones((1, 2)), np.ones((1, 3))]
    assert len(make(example_inputs(lambda parts: parts, example)).args) == 1
    assert len(make(example_inputs(lambda left, right: left, example)).args) == 2
    assert len(make(example_inputs(lambda left, right: left, Pair(*example))).args) == 2
    assert type(make(example_inputs(lambda pair: pair, Pair(*example))).args[0]) is Pair


def test_packed_sequences_grow_by_sequences():
    torch = pytest.importorskip("torch")
    rnn = torch.nn.utils.rnn
    packed = rnn.pack_sequence([torch.arange(3.0)[:, None], torch.arange(2.0)[:, None] + 10])
    spec = example_inputs(identity, packed)
    assert spec.batch_size == 2
    (made,) = make(spec, batch_size=3).args
    padded, lengths = rnn.pad_packed_sequence(made, batch_first=True)
    assert lengths.tolist() == [3, 2, 3]
    assert padded[:, :, 0].tolist() == [[0, 1, 2], [10, 11, 0], [0, 1, 2]]


def test_what_cannot_be_read_of_an_object_is_left_alone():
    @dataclass
    class Lazy:
        x: object
        broken: object = None

        def __getattribute__(self, name):
            if name == "broken":
                raise RuntimeError("not yet")
            return super().__getattribute__(name)

    (made,) = make(example_inputs(identity, (Lazy(np.ones((1, 2))),)), batch_size=2).args
    assert made.x.shape == (2, 2)
