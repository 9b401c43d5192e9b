"""ONNX files that are damaged on purpose, or that lead out of their folder."""

from __future__ import annotations

import os
import random
from contextlib import suppress

import pytest

onnx = pytest.importorskip("onnx")

import numpy as np  # noqa: E402 - after the skip
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from inferometer.core.errors import InputError, WorkloadError  # noqa: E402
from inferometer.models.cost.onnx import graph as onnx_graph  # noqa: E402
from inferometer.models.cost.onnx.file import onnx_path  # noqa: E402
from inferometer.models.cost.onnx.graph import count_onnx  # noqa: E402

FLOAT = TensorProto.FLOAT
TEXTS = (
    "",
    "x",
    "w",
    "y",
    "If",
    "Shape",
    "Range",
    "Upsample",
    "ai.onnx",
    "\u202e",
    "a*b",
    "a" * 999,
)
NUMBERS = (0, 1, -1, 7, 2**31 - 1, 2**62, -(2**63), 100)
REALS = (0.0, -1.0, 1e38, float("nan"))


def value(name, *shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def weight(name, *shape):
    return numpy_helper.from_array(np.zeros(shape, dtype=np.float32), name)


def made(nodes, inputs, weights=(), opset=21):
    graph = helper.make_graph(
        nodes, "g", inputs, [helper.make_tensor_value_info("y", 0, None)], list(weights)
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10)


def node(operator, inputs, outputs="y", **attributes):
    return helper.make_node(operator, inputs.split(), outputs.split(), **attributes)


def seeds():
    """Small models with what the counting looks at."""
    shape = numpy_helper.from_array(np.array([0, -1], dtype=np.int64), "s")
    yes = numpy_helper.from_array(np.array(True), "c")
    bits = {"K": 32, "N": 4, "bits": 4, "block_size": 32, "domain": "com.microsoft"}
    branches = {
        name: helper.make_graph([node("MatMul", "x w", "t")], name, [], [value("t", 2, 4)])
        for name in ("then_branch", "else_branch")
    }
    packed = numpy_helper.from_array(np.zeros((4, 1, 16), dtype=np.uint8), "w")
    ends = [
        numpy_helper.from_array(np.int64(end), name)
        for name, end in zip("abd", (0, 4, 1), strict=True)
    ]
    return [
        made([node("Conv", "x w", pads=[1, 1, 1, 1])], [value("x", 1, 4, 8, 8)],
             [weight("w", 6, 4, 3, 3)]),
        made([node("Reshape", "x s", "r"), node("Shape", "r", "k"), node("Reshape", "x k")],
             [value("x", "batch", 4)], [shape]),
        made([node("If", "c", **branches)], [value("x", 2, 4)], [yes, weight("w", 4, 4)]),
        made([node("Upsample", "x", height_scale=2.0, width_scale=2.0)], [value("x", 1, 1, 2, 2)],
             opset=6),
        made([node("MatMulNBits", "x w s2", **bits)], [value("x", 2, 32)],
             [packed, weight("s2", 4)]),
        made([node("Range", "a b d", "r"), node("Cast", "r", "f", to=1), node("Add", "x f")],
             [value("x", 2, 4)], ends),
        made([node("Einsum", "x w", equation="bi,ij->bj")], [value("x", 2, 4)], [weight("w", 4, 4)]),
    ]  # fmt: skip


def messages(message):
    yield message
    for field, content in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for one in content if field.is_repeated else [content]:
                yield from messages(one)


def mutate(model, chance) -> None:
    """Change one field somewhere: take it away, double it, or put something else into it."""
    message = chance.choice(list(messages(model)))
    field = chance.choice(
        [one for one, _ in message.ListFields()] or list(message.DESCRIPTOR.fields)
    )
    if field.is_repeated:
        items = getattr(message, field.name)
        if len(items) and chance.random() < 0.5:
            del items[chance.randrange(len(items))]
        elif field.type == field.TYPE_MESSAGE:
            items.add().CopyFrom(items[0]) if len(items) > 1 else items.add()
        else:
            items.append(another(field, chance))
    elif field.type == field.TYPE_MESSAGE or chance.random() < 0.3:
        message.ClearField(field.name)
    else:
        setattr(message, field.name, another(field, chance))


def another(field, chance):
    if field.type in (field.TYPE_STRING, field.TYPE_BYTES):
        text = chance.choice(TEXTS)
        return text if field.type == field.TYPE_STRING else text.encode()
    if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
        return chance.choice(REALS)
    if field.cpp_type == field.CPPTYPE_ENUM:
        return chance.choice(field.enum_type.values).number
    narrow = field.cpp_type in (field.CPPTYPE_INT32, field.CPPTYPE_UINT32)
    number = chance.choice(NUMBERS)
    return max(-(2**31), min(number, 2**31 - 1)) if narrow else number


@pytest.mark.parametrize("seed", range(7))
def test_changed_fields_are_the_files_fault_or_none(tmp_path, seed):
    chance, path = random.Random(seed), tmp_path / "m.onnx"
    kinds = set()
    for _ in range(60):
        model = onnx.ModelProto()
        model.CopyFrom(seeds()[seed])
        for _ in range(chance.randint(1, 3)):
            with suppress(TypeError, ValueError):  # such a field takes nothing like that
                mutate(model, chance)
        path.write_bytes(model.SerializePartialToString())
        error = raised(path, chance.choice([None, 4]))
        kinds.add("ok" if error is None else error.kind)
        assert str(error).isprintable()
        assert len(str(error)) < 1500
    assert len(kinds) > 1
    assert kinds <= {"ok", "bad_model", "unsupported"}


def raised(path, input_size) -> WorkloadError | None:
    try:
        count_onnx(path, batch_size=None, input_size=input_size)
    except WorkloadError as error:
        return error
    return None


def test_a_fault_of_our_own_is_shown_as_ours(tmp_path, monkeypatch):
    path = tmp_path / "m.onnx"
    onnx.save(seeds()[0], path)

    def broken(*_, **__):
        raise AttributeError("no such thing")

    monkeypatch.setattr(onnx_graph, "count_tensors", broken)
    with pytest.raises(WorkloadError, match=r"fault of inferometer.*AttributeError") as caught:
        count_onnx(path, batch_size=1, input_size=None)
    assert caught.value.kind == "crash"
    assert isinstance(caught.value.__cause__, AttributeError)


def test_a_damaged_file_is_the_files_fault(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\x08\x07\x12\xff\xff")
    with pytest.raises(WorkloadError, match="is damaged, or no ONNX") as caught:
        count_onnx(path, batch_size=1, input_size=None)
    assert caught.value.kind == "bad_model"


class TestDepth:
    def test_graphs_in_graphs(self, tmp_path):
        inner = helper.make_graph([node("Relu", "x")], "inner", [], [value("y", 2, 4)])
        for _ in range(25):
            step = node("If", "c", then_branch=inner)
            inner = helper.make_graph([step], "g", [], [value("y", 2, 4)])
        model = made(list(inner.node), [value("x", 2, 4), value("c", kind=TensorProto.BOOL)])
        onnx.save(model, tmp_path / "m.onnx")
        counted = count_onnx(tmp_path / "m.onnx", batch_size=None, input_size=None)
        assert counted.cost.operators

    def test_more_than_the_format_bears(self, tmp_path):
        content = b""
        for _ in range(5000):  # graph in an attribute of a node
            for field in (0x32, 0x2A, 0x0A):
                length, size = len(content), b""
                while True:
                    size += bytes([length & 127 | (128 if length > 127 else 0)])
                    length >>= 7
                    if not length:
                        break
                content = bytes([field]) + size + content
        (tmp_path / "m.onnx").write_bytes(b"\x08\x08\x3a" + b"\xff\xff\x7f" + content)
        with pytest.raises(WorkloadError) as caught:
            count_onnx(tmp_path / "m.onnx", batch_size=None, input_size=None)
        assert caught.value.kind == "bad_model"

    def test_functions_that_call_functions(self, tmp_path):
        imports = [helper.make_opsetid("", 21), helper.make_opsetid("my", 1)]
        model = made([node("F0", "x", domain="my")], [value("x", 2, 4)])
        model.opset_import.append(helper.make_opsetid("my", 1))
        for place in range(3000):
            calls = [node(f"F{place + 1}", "a", "b", domain="my")]
            model.functions.append(
                helper.make_function("my", f"F{place}", ["a"], ["b"], calls, imports)
            )
        onnx.save(model, tmp_path / "m.onnx")
        with pytest.raises(WorkloadError, match="too deeply"):
            count_onnx(tmp_path / "m.onnx", batch_size=None, input_size=None)


class TestOtherFiles:
    """Weights may lie in other files, of the same folder alone."""

    def external(self, folder, location, **entries):
        tensor = weight("w", 4, 4)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, content in {"location": str(location), **entries}.items():
            tensor.external_data.add(key=key, value=content)
        model = made([node("MatMul", "x w")], [value("x", 2, 4)], [tensor])
        (folder / "m.onnx").write_bytes(model.SerializeToString())
        return folder / "m.onnx"

    def refusal(self, path):
        with pytest.raises(WorkloadError) as caught:
            count_onnx(path, batch_size=None, input_size=None)
        assert caught.value.kind == "bad_model"
        return str(caught.value)

    @pytest.mark.parametrize("place", ["../secret", "/etc/passwd", "a/../../secret", "link"])
    def test_outside(self, tmp_path, place):
        folder = tmp_path / "model"
        folder.mkdir()
        (tmp_path / "secret").write_bytes(bytes(64))
        (folder / "link").symlink_to(tmp_path / "secret")
        assert "outside of its folder" in self.refusal(self.external(folder, place))

    def test_devices_pipes_and_folders(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "loop").symlink_to("loop")
        for place in ("pipe", "", ".", "a" * 5000, "loop", "a\0b", "/dev/zero"):
            assert len(self.refusal(self.external(tmp_path, place))) < 1000

    def test_a_place_that_is_no_text(self, tmp_path):
        path = self.external(tmp_path, "place")
        path.write_bytes(path.read_bytes().replace(b"place", b"pl\xff\xfee"))
        assert "fault of inferometer" not in self.refusal(path)

    @pytest.mark.parametrize("offset", ["-1", "9" * 40, "x", "1e9", "60"])
    def test_absurd_places(self, tmp_path, offset):
        (tmp_path / "data").write_bytes(bytes(64))
        self.refusal(self.external(tmp_path, "data", offset=offset))

    def test_a_model_that_is_no_file(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.onnx")
        for name in (tmp_path / "pipe.onnx", tmp_path / f"{'a' * 300}.onnx", "~nosuch/m.onnx"):
            with pytest.raises(InputError):
                onnx_path(str(name))
