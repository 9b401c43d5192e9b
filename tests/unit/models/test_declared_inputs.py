"""Inputs that are made as an ONNX file declares them."""

from __future__ import annotations

import pytest

onnx = pytest.importorskip("onnx")

import numpy as np  # noqa: E402 - after the skip
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from inferometer.core.errors import ModelReferenceError, WorkloadError  # noqa: E402
from inferometer.core.format import Format  # noqa: E402
from inferometer.models import load  # noqa: E402


@pytest.fixture
def saved(tmp_path):
    """Save a model of given inputs, name → (type, axes); gives its reference."""

    def save(weights=(), **inputs):
        declared = [
            helper.make_tensor_value_info(name, kind, axes) for name, (kind, axes) in inputs.items()
        ]
        first = next(iter(inputs))
        graph = helper.make_graph(
            [helper.make_node("Identity", [first], ["out"])],
            "g",
            declared,
            [helper.make_tensor_value_info("out", declared[0].type.tensor_type.elem_type, None)],
            list(weights),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, tmp_path / "m.onnx")
        return str(tmp_path / "m.onnx")

    return save


def made(reference, *, batch_size=1, input_size=None, seed=0):
    inputs = load(reference, seed=0).inputs
    return inputs.make(batch_size=batch_size, input_size=input_size, seed=seed)


def test_what_the_source_says_of_it(saved):
    reference = saved(x=(TensorProto.FLOAT, [2, 3, 8, 8]))
    model = load(reference, seed=0)
    assert (model.network, model.format, model.source) == (None, Format.ONNX, "file")
    assert (model.weights, model.files, model.notes) == ("file m.onnx", (reference,), ())
    assert model.inputs.batch_size == 2


def test_names_types_and_open_axes(saved):
    reference = saved(
        input_ids=(TensorProto.INT64, ["batch", "sequence"]),
        mask=(TensorProto.BOOL, ["batch", "sequence"]),
        image=(TensorProto.FLOAT16, ["batch", 3, 4, 4]),
        scale=(TensorProto.DOUBLE, []),
    )
    found = made(reference, batch_size=10, input_size=7)
    assert found.args == ()
    assert {name: (one.dtype.name, one.shape) for name, one in found.kwargs.items()} == {
        "input_ids": ("int64", (10, 7)),
        "mask": ("bool", (10, 7)),
        "image": ("float16", (10, 3, 4, 4)),
        "scale": ("float64", ()),
    }
    assert all(isinstance(one, np.ndarray) for one in found.kwargs.values())
    assert set(np.unique(found.kwargs["input_ids"])) == {0, 1}
    assert found.shape == "input_ids=10x7, mask=10x7, image=10x3x4x4, scale=scalar"
    assert "whole numbers among its inputs are 0 and 1" in load(reference, seed=0).notes[0]


def test_the_same_for_the_same_seed(saved):
    reference = saved(x=(TensorProto.FLOAT, ["n", 3]))
    first, same, other = (made(reference, seed=seed).kwargs["x"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_weights_among_the_inputs_are_none(saved):
    weight = numpy_helper.from_array(np.zeros(3, "float32"), "w")
    reference = saved([weight], x=(TensorProto.FLOAT, [1, 3]), w=(TensorProto.FLOAT, [3]))
    assert list(made(reference).kwargs) == ["x"]


@pytest.mark.parametrize(
    ("axes", "asked", "problem"),
    [
        ([2, 3], {"batch_size": 4}, "was made for batch 2"),
        (["n", 3, "h", "w"], {}, "is open along h; give a size"),
        (["n", 3, 8, 8], {"input_size": 9}, "input size 9: the file was made for 8x8"),
    ],
)
def test_shapes_that_it_was_not_made_for(saved, axes, asked, problem):
    reference = saved(x=(TensorProto.FLOAT, axes))
    with pytest.raises(WorkloadError, match=problem) as caught:
        made(reference, **asked)
    assert caught.value.kind == "unsupported"


def test_elements_that_are_no_numbers(saved):
    with pytest.raises(WorkloadError, match="input x is not a tensor of numbers") as caught:
        load(saved(x=(TensorProto.STRING, [1])), seed=0)
    assert caught.value.kind == "unsupported"


class TestAShapeOfTheUsers:
    def test_fills_open_axes_where_no_size_is_asked_for(self, saved):
        reference = saved(x=(TensorProto.FLOAT, ["n", 3, "h", "w"]))
        assert made(f"{reference}?input=3x6x5", batch_size=2).shape == "x=2x3x6x5"
        assert made(f"{reference}?input=3x6x5", input_size=4).shape == "x=1x3x4x4"

    @pytest.mark.parametrize("shape", ["4x6x6", "3x6"])
    def test_has_to_go_with_the_file(self, saved, shape):
        reference = saved(x=(TensorProto.FLOAT, ["n", 3, "h", "w"]))
        with pytest.raises(ModelReferenceError, match=f"takes no input of {shape}"):
            load(f"{reference}?input={shape}", seed=0)

    def test_goes_with_one_input(self, saved):
        reference = saved(x=(TensorProto.FLOAT, [1, 3]), y=(TensorProto.FLOAT, [1, 3]))
        with pytest.raises(ModelReferenceError, match="has 2 inputs; input= goes with one"):
            load(f"{reference}?input=3", seed=0)


def test_weights_outside_of_its_folder_are_refused(saved, tmp_path):
    """The runtime that gets the file might read them."""
    (tmp_path / "secret").write_bytes(bytes(4000))
    folder = tmp_path / "models"
    folder.mkdir()
    model = onnx.load(saved(x=(TensorProto.FLOAT, [1, 3])))
    tensor = TensorProto(name="w", dims=[1000], data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../secret"
    model.graph.initializer.append(tensor)
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(WorkloadError, match="outside of its folder"):
        load(str(folder / "m.onnx"), seed=0)
    (folder / "secret").write_bytes(bytes(4000))
    entry.value = "secret"
    model.graph.initializer[0].CopyFrom(tensor)
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    found = load(str(folder / "m.onnx"), seed=0)
    assert found.files == (str(folder / "m.onnx"), str(folder / "secret"))


def graph_of(tmp_path, nodes, inputs, *, weights=None):
    """Save a model; weights are arrays by name."""
    declared = [helper.make_tensor_value_info(name, *of) for name, of in inputs.items()]
    stored = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", declared, [out], stored)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "g.onnx")
    return str(tmp_path / "g.onnx")


class TestWholeNumbers:
    """What the graph shows of the numbers that make sense."""

    node = staticmethod(helper.make_node)

    def spec(self, tmp_path, nodes, kind=TensorProto.INT64, axes=("n", "length"), **weights):
        reference = graph_of(tmp_path, nodes, {"ids": (kind, axes)}, weights=weights)
        model = load(reference, seed=0)
        (found,) = model.inputs.tensors
        return found, model.notes

    def test_token_ids_are_below_the_rows_of_their_table(self, tmp_path):
        nodes = [
            self.node("Cast", ["ids"], ["wide"], to=TensorProto.INT64),
            self.node("Unsqueeze", ["wide", "axes"], ["deep"]),
            self.node("Gather", ["table", "deep"], ["out"]),
        ]
        table = np.zeros((30, 4), "float32")
        found, notes = self.spec(tmp_path, nodes, TensorProto.INT32, table=table, axes_=table)
        assert (found.low, found.high, found.dtype) == (0, 29, "int32")
        assert notes == ("whole numbers: ids 0 to 29",)
        model = load(str(tmp_path / "g.onnx"), seed=0)
        made = model.inputs.make(batch_size=8, input_size=512, seed=0).kwargs["ids"]
        assert (made.min(), made.max(), made.dtype) == (0, 29, "int32")

    def test_of_two_tables_the_shorter_one_counts(self, tmp_path):
        nodes = [
            self.node("DequantizeLinear", ["long", "scale"], ["floats"]),
            self.node("Gather", ["floats", "ids"], ["a"]),
            self.node("Gather", ["short", "ids"], ["b"], axis=1),
            self.node("Concat", ["a", "b"], ["out"], axis=-1),
        ]
        weights = {
            "long": np.zeros((300, 4), "int8"),
            "scale": np.float32(1),
            "short": np.zeros((4, 20), "float32"),
        }
        assert self.spec(tmp_path, nodes, **weights)[0].high == 19

    def test_one_hot_codes_of_an_operator_and_by_hand(self, tmp_path):
        nodes = [self.node("OneHot", ["ids", "depth", "values"], ["out"])]
        found, _ = self.spec(tmp_path, nodes, depth=np.int64(7), values=np.zeros(2, "float32"))
        assert found.high == 6
        nodes = [
            self.node("Reshape", ["ids", "shape"], ["deep"]),
            self.node("Equal", ["deep", "codes"], ["same"]),
            self.node("Cast", ["same"], ["out"], to=TensorProto.FLOAT),
        ]
        codes = np.arange(257).reshape(1, 1, 257)
        found, _ = self.spec(tmp_path, nodes, shape=np.array([-1, 4, 1]), codes=codes)
        assert found.high == 256

    def test_a_number_that_branches_compare_with(self, tmp_path):
        nodes = [self.node("Equal", ["ids", "rate"], ["is"]),
                 self.node("Cast", ["is"], ["out"], to=TensorProto.FLOAT)]  # fmt: skip
        found, notes = self.spec(tmp_path, nodes, axes=(), rate=np.int64(16000))
        assert (found.low, found.high, found.shape) == (16000, 16000, ())
        assert notes == ("whole numbers: ids 16000",)

    @pytest.mark.parametrize("name", ["attention_mask", "ids"])
    def test_masks_are_ones(self, tmp_path, name):
        """By name, or as one less it."""
        nodes = [self.node("Cast", [name], ["m"], to=TensorProto.FLOAT),
                 self.node("Identity" if name != "ids" else "Sub",
                           ["m"] if name != "ids" else ["one", "m"], ["out"])]  # fmt: skip
        inputs = {name: (TensorProto.INT64, ["n", "length"])}
        reference = graph_of(tmp_path, nodes, inputs, weights={"one": np.float32(1)})
        (found,) = load(reference, seed=0).inputs.tensors
        assert (found.low, found.high) == (1, 1)

    def test_pixels(self, tmp_path):
        nodes = [self.node("Cast", ["ids"], ["out"], to=TensorProto.FLOAT)]
        found, _ = self.spec(tmp_path, nodes, TensorProto.UINT8, ("n", 3, 8, 8))
        assert (found.low, found.high) == (0, 255)

    def test_what_nothing_tells(self, tmp_path):
        nodes = [self.node("Cast", ["ids"], ["out"], to=TensorProto.FLOAT)]
        found, notes = self.spec(tmp_path, nodes)
        assert (found.low, found.high) == (0, 1)
        assert notes[0].endswith("what they mean: ids; input=NAME=LOW..HIGH tells others")
        model = load(f"{tmp_path / 'g.onnx'}?input=ids=5..9", seed=0)
        assert model.notes == ("whole numbers: ids 5 to 9",)
        made = model.inputs.make(batch_size=2, input_size=64, seed=0).kwargs["ids"]
        assert (made.min(), made.max()) == (5, 9)


class TestAxes:
    def test_a_state_of_layers_without_names(self, saved):
        """As in silero-vad: the batch is the second axis of the state."""
        reference = saved(
            x=(TensorProto.FLOAT, [None, None]),
            state=(TensorProto.FLOAT, [2, None, 4]),
            sr=(TensorProto.INT64, []),
        )
        found = made(reference, batch_size=3, input_size=7)
        assert found.shape == "x=3x7, state=2x3x4, sr=scalar"
        assert not found.kwargs["state"].any()
        assert "states are zeros: state" in load(reference, seed=0).notes

    def test_lengths_that_are_sums(self, saved):
        reference = saved(
            x=(TensorProto.INT64, ["batch", "length"]),
            past_0=(TensorProto.FLOAT, ["batch", 2, "past", 4]),
            mask=(TensorProto.INT64, ["batch", "past + length"]),
            flat=(TensorProto.FLOAT, ["batch*length", 3]),
        )
        found = made(reference, batch_size=2, input_size=5)
        assert found.shape == "x=2x5, past_0=2x2x0x4, mask=2x5, flat=10x3"
        notes = load(reference, seed=0).notes
        assert "open axes that no size sets: past = 0; input=AXIS=LENGTH tells others" in notes
        kept = made(f"{reference}?input=past=6", batch_size=20, input_size=5)
        assert kept.shape == "x=20x5, past_0=20x2x6x4, mask=20x11, flat=100x3"

    def test_a_sequence_first_is_no_batch(self, saved):
        reference = saved(x=(TensorProto.FLOAT, ["sequence_length", 8]))
        assert made(reference, input_size=5).shape == "x=5x8"
        with pytest.raises(WorkloadError, match="batch size 2: no input has an axis for a batch"):
            made(reference, batch_size=2, input_size=5)

    def test_what_beside_pictures_is_open_stays_small(self, saved):
        reference = saved(
            x=(TensorProto.FLOAT, ["n", 3, "h", "w"]), boxes=(TensorProto.FLOAT, ["n", "count", 4])
        )  # fmt: skip
        assert made(reference, input_size=8).shape == "x=1x3x8x8, boxes=1x1x4"
        assert made(f"{reference}?input=count=9", input_size=8).shape == "x=1x3x8x8, boxes=1x9x4"

    def test_a_fixed_shape_that_is_no_picture_stays_as_it_is(self, saved):
        found = made(saved(x=(TensorProto.FLOAT, ["n", 512])), batch_size=2, input_size=224)
        assert (found.shape, found.size_applied) == ("x=2x512", False)

    def test_an_input_of_any_shape_has_to_be_said(self, saved):
        reference = saved(x=(TensorProto.FLOAT, None))
        with pytest.raises(ModelReferenceError, match="does not say what shape its input x has"):
            load(reference, seed=0)
        assert made(f"{reference}?input=x:5", batch_size=2).shape == "x=2x5"


class TestWhatTheUserSays:
    @pytest.fixture
    def reference(self, saved):
        return saved(
            x=(TensorProto.FLOAT, ["n", 1, "samples"]),
            state=(TensorProto.FLOAT, [2, "n", 4]),
            sr=(TensorProto.INT64, []),
        )

    def test_of_several_inputs(self, reference):
        found = made(f"{reference}?input=x:1x512,sr=16000", batch_size=2)
        assert found.shape == "x=2x1x512, state=2x2x4, sr=scalar"
        assert found.kwargs["sr"] == 16000
        assert found.kwargs["sr"].dtype == "int64"
        assert made(f"{reference}?input=x:1x512", input_size=64).shape.startswith("x=1x1x64,")

    def test_whole_shapes_of_a_batch_of_one_and_words(self, reference):
        found = made(f"{reference}?input=x:1x1x512,state:2xbatchx4", batch_size=3)
        assert found.shape == "x=3x1x512, state=2x3x4, sr=scalar"

    @pytest.mark.parametrize(
        ("said", "problem"),
        [
            ("y:3", "has no input 'y'; its inputs: sr, state, x"),
            ("stat:2x4", "has no input 'stat' .did you mean 'state'"),
            ("sr=1.5", "input sr is of int64, which does not hold 1.5"),
            ("sr:int32=1", "input sr is of int64, not int32"),
            ("state:3xbatchx4", "takes no input of 3xbatchx4; .*state is 2xnx4"),
            ("state:2x8x4", "takes no input of 2x8x4"),
            ("512", "has 3 inputs; input= goes with one, or names each"),
        ],
    )
    def test_that_does_not_go_with_the_file(self, reference, said, problem):
        with pytest.raises(ModelReferenceError, match=problem):
            load(f"{reference}?input={said}", seed=0)

    def test_axes_that_follow_the_size_and_one_that_does_not(self, saved):
        """As in text recognition: the height is fixed, whatever the file says."""
        reference = saved(x=(TensorProto.FLOAT, ["n", 3, "?", "?"]))
        assert made(f"{reference}?input=3x48xsize", input_size=96).shape == "x=1x3x48x96"


def test_silero_vad_as_it_comes():
    """Of which names, types, batch, state and sampling rate follow from the file."""
    from importlib.util import find_spec

    runtime, found = pytest.importorskip("onnxruntime"), find_spec("silero_vad")
    if found is None or not found.submodule_search_locations:
        pytest.skip("silero-vad is not installed")
    path = f"{found.submodule_search_locations[0]}/data/silero_vad.onnx"
    inputs = made(path, batch_size=2, input_size=512).kwargs
    output, state = runtime.InferenceSession(path).run(None, dict(inputs))
    assert (output.shape, state.shape, int(inputs["sr"])) == ((2, 1), (2, 2, 128), 16000)
