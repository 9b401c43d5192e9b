"""Inputs of files of other runtimes, read without those."""

from __future__ import annotations

import pytest

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.models import check, load
from inferometer.models.files.openvino import inputs_of

flatbuffers = pytest.importorskip("flatbuffers")


def built(signature, fields):
    """A flatbuffer of tables: fields by number, each a number with its kind, a text, or a list."""
    builder = flatbuffers.Builder()
    root = table(builder, fields)
    builder.Finish(root, signature or None)
    return bytes(builder.Output())


def table(builder, fields):
    """A number is an int of four bytes; `("b", 3)` is one of one byte."""
    offsets = {slot: part(builder, one) for slot, one in fields.items() if not is_number(one)}
    builder.StartObject(max(fields, default=0) + 1)
    for slot, one in fields.items():
        if slot in offsets:
            builder.PrependUOffsetTRelativeSlot(slot, offsets[slot], 0)
        elif isinstance(one, tuple):
            builder.PrependInt8Slot(slot, one[1], 0)
        else:
            builder.PrependInt32Slot(slot, one, -77)
    return builder.EndObject()


def is_number(one):
    return isinstance(one, (int, tuple))


def part(builder, one):
    if isinstance(one, str):
        return builder.CreateString(one)
    if isinstance(one, dict):
        return table(builder, one)
    if one and isinstance(one[0], int):
        builder.StartVector(4, len(one), 4)
        for number in reversed(one):
            builder.PrependInt32(number)
        return builder.EndVector()
    places = [part(builder, each) for each in one]
    builder.StartVector(4, len(places), 4)
    for place in reversed(places):
        builder.PrependUOffsetTRelative(place)
    return builder.EndVector()


@pytest.fixture
def specs(tmp_path):
    """Save a file, and read its inputs: name → (type, shape, batch axis, size axes, numbers)."""

    def read(name, content, query=""):
        (tmp_path / name).write_bytes(content)
        check(f"{tmp_path / name}{query}")
        model = load(f"{tmp_path / name}{query}", seed=0)
        return {
            one.name: (one.dtype, one.shape, one.batch_axis, one.size_axes, (one.low, one.high))
            for one in model.inputs.tensors
        }

    return read


class TestTFLite:
    FLOAT, INT32, UINT8 = 0, 2, 3
    GATHER, CAST = 36, 53

    def content(self, *, signed=True):
        tensors = [
            {0: [1, 8, 8, 3], 3: "serving:0", 7: [-1, -1, -1, 3]},
            {0: [1, 5], 1: ("b", self.INT32), 3: "ids:0"},
            {0: [1, 4], 1: ("b", self.UINT8), 3: "scaled", 4: {2: [1056964608]}},
            {0: [9, 2], 2: 1, 3: "table"},
            {0: [1, 5], 1: ("b", self.INT32), 3: "cast"},
            {0: [1, 5, 2], 3: "out"},
        ]
        graph = {
            0: tensors,
            1: [0, 1, 2],
            2: [5],
            3: [{0: 0, 1: [1], 2: [4]}, {0: 1, 1: [3, 4], 2: [5]}],
        }
        signature = {0: [{0: "image", 1: 0}, {0: "ids", 1: 1}]}
        model = {
            1: [{3: self.CAST}, {0: ("b", self.GATHER)}],
            2: [graph],
            4: [{}, {0: [1, 2]}],
        } | ({7: [signature]} if signed else {})
        return built(b"TFL3", model)

    def test_names_types_open_axes_scales_and_tables(self, specs):
        assert specs("m.tflite", self.content()) == {
            "image": ("float32", (1, 1, 3), 0, (0, 1), (0, 0)),
            "ids": ("int32", (1, 5), None, (), (0, 8)),
            "scaled": ("float32", (1, 4), None, (), (0, 0)),
        }

    def test_without_a_signature_tensors_have_the_names(self, specs):
        found = specs("m.tflite", self.content(signed=False))
        assert list(found) == ["serving:0", "ids:0", "scaled"]


class TestExecuTorch:
    def content(self, kind=5):
        values = [
            {0: ("b", kind), 1: {0: ("b", 6), 2: [1, 3, 8, 8]}},
            {0: ("b", 5), 1: {0: ("b", 4), 2: [1, 7]}},
        ]
        return built(b"ET12", {1: [{0: "forward", 2: values, 3: [0, 1]}]})

    def test_types_and_fixed_shapes(self, specs):
        assert specs("m.pte", self.content()) == {
            "input0": ("float32", (3, 8, 8), 0, (1, 2), (0, 0)),
            "input1": ("int64", (7,), 0, (), (0, 1)),
        }

    def test_what_it_was_made_for_is_explained(self, specs, tmp_path):
        specs("m.pte", self.content())
        inputs = load(str(tmp_path / "m.pte"), seed=0).inputs
        for asked, problem in (
            ({"batch_size": 2, "input_size": 8}, "made for batch 1 .first axis of input0"),
            ({"batch_size": 1, "input_size": 9}, "input size 9: the file was made for 8x8"),
        ):
            with pytest.raises(WorkloadError, match=problem):
                inputs.make(seed=0, **asked)

    def test_what_is_no_tensor(self, specs):
        with pytest.raises(WorkloadError, match="takes an input that is not a tensor: input0"):
            specs("m.pte", self.content(kind=2))


def test_mnn(specs):
    inputs = [
        {2: {0: [1, 3, -1, -1], 1: 1}, 3: "pic", 4: [1], 5: 34},
        {2: {0: [1, 6], 1: 3}, 3: "ids", 4: [0], 5: 34},
        {3: "relu", 4: [2], 5: 78},
    ]
    assert specs("m.mnn", built(b"", {3: inputs, 7: ["ids", "pic", "out"]})) == {
        "pic": ("float32", (3, 1, 1), 0, (1, 2), (0, 0)),
        "ids": ("int32", (6,), 0, (), (0, 1)),
    }


class TestNcnn:
    TEXT = "7767517\n2 2\nInput in0 0 1 in0 {}\nReLU r 1 1 in0 out0\n"

    @pytest.fixture(autouse=True)
    def _weights(self, tmp_path):
        (tmp_path / "m.bin").write_bytes(b"")

    def test_a_shape_in_the_file(self, specs):
        found = specs("m.param", self.TEXT.format("0=9 1=8 2=3").encode())
        assert found == {"in0": ("float32", (3, 8, 9), 0, (1, 2), (0, 0))}

    def test_one_that_the_user_says_follows_the_size(self, specs, tmp_path):
        content = self.TEXT.format("").encode()
        with pytest.raises(ModelReferenceError, match="does not say what shape its input in0 has"):
            specs("m.param", content)
        found = specs("m.param", content, "?input=3x8x8")
        assert found == {"in0": ("float32", (3, 8, 8), 0, (1, 2), (0, 0))}
        inputs = load(f"{tmp_path / 'm.param'}?input=3x8x8", seed=0).inputs
        assert inputs.make(batch_size=2, input_size=6, seed=0).shape == "in0=2x3x6x6"


class TestOpenVino:
    TEXT = """<?xml version="1.0"?>
    <net name="m" version="11"><layers>
    <layer id="0" name="p" type="Parameter"><data shape="?,3,?,?" element_type="f16"/>
      <output><port id="0" names="pic"/></output></layer>
    <layer id="1" name="ids" type="Parameter"><data shape="?,7" element_type="i64"/></layer>
    <layer id="2" name="c" type="Convert"/>
    <layer id="3" name="w" type="Const"><data shape="40, 2" element_type="f32"/></layer>
    <layer id="4" name="g" type="Gather"/>
    </layers><edges>
    <edge from-layer="1" from-port="0" to-layer="2" to-port="0"/>
    <edge from-layer="3" from-port="0" to-layer="4" to-port="0"/>
    <edge from-layer="2" from-port="1" to-layer="4" to-port="1"/>
    </edges></net>"""

    @pytest.fixture(autouse=True)
    def _weights(self, tmp_path):
        (tmp_path / "m.bin").write_bytes(b"")

    def test_names_types_open_axes_and_tables(self, specs):
        assert specs("m.xml", self.TEXT.encode()) == {
            "pic": ("float16", (3, 1, 1), 0, (1, 2), (0, 0)),
            "ids": ("int64", (7,), 0, (), (0, 39)),
        }

    def test_a_declared_type_of_document_is_refused(self, tmp_path):
        """It could name texts that grow beyond bounds, or other files."""
        bomb = '<!DOCTYPE net [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
        (tmp_path / "m.xml").write_text(self.TEXT.replace("<net ", f"{bomb}<net "))
        with pytest.raises(WorkloadError, match="declares a type of document"):
            inputs_of(tmp_path / "m.xml")


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")
def test_torchscript_with_several_inputs(tmp_path, run_once):
    torch = pytest.importorskip("torch")

    class Net(torch.nn.Module):
        def forward(self, x, rate: int):
            return x * (rate // 8000)

    torch.jit.script(Net()).save(str(tmp_path / "m.ts"))
    model = load(f"{tmp_path / 'm.ts'}?input=x:4=1,rate:scalar:int64=16000", seed=0)
    assert run_once(model, batch_size=3).tolist() == [[2.0] * 4] * 3
