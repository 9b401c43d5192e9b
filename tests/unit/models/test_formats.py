"""What a model file is, told from its content, whatever it is called."""

from __future__ import annotations

import random
import struct
import zipfile
from contextlib import suppress

import pytest

from inferometer.backends import BACKENDS
from inferometer.core.errors import InferometerError, MissingExtraError, ModelReferenceError
from inferometer.core.format import Format
from inferometer.core.registry import Plugin
from inferometer.models import check, format_of, import_packages, load
from inferometer.models.cost.onnx.file import onnx_path
from inferometer.models.filekind import MEANT
from inferometer.models.sources import file as file_source
from inferometer.runner.costing import CostRequest, cost_of
from inferometer.runner.formats import check_model, refusal


def field(number, content):
    """A field of a protobuf message: bytes, or a small number."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value):
    head = b""
    while value > 127:
        head += bytes([value & 127 | 128])
        value >>= 7
    return head + bytes([value])


def flatbuffer(signature, vectors):
    """A root table whose fields, by number, are vectors of tables or texts."""
    slots = max(vectors) + 1
    vtable_bytes = 4 + 2 * slots
    table = 12 + vtable_bytes
    offsets, pointers, body = [0] * slots, b"", b""
    first_vector = table + 4 + 4 * len(vectors)
    for place, (slot, parts) in enumerate(vectors.items()):
        offsets[slot] = 4 + 4 * place
        vector = first_vector + len(body)
        pointers += struct.pack("<I", vector - (table + 4 + 4 * place))
        body += struct.pack("<I", len(parts))
        at = 4 * len(parts)
        for entry, content in parts:
            body += struct.pack("<I", at + entry)
            at += len(content) - 4
        body += b"".join(content for _, content in parts)
    head = struct.pack("<I", table) + signature.ljust(8, b"\0")
    vtable = struct.pack(f"<HH{slots}H", vtable_bytes, 4 + 4 * len(vectors), *offsets)
    return head + vtable + struct.pack("<i", vtable_bytes) + pointers + body


def text_part(text):
    """Where it begins in its content, and that."""
    return 0, struct.pack("<I", len(text)) + text + b"\0" * (4 - len(text) % 4)


def table_part(data=None):
    """A table with a vector of bytes in its first slot, or without."""
    if data is None:
        return 4, struct.pack("<HHi", 4, 4, 4)
    vtable = struct.pack("<HHHH", 6, 8, 4, 0)
    return 8, vtable + struct.pack("<iII", 8, 4, len(data)) + data


ONNX = (
    field(1, 8)
    + field(2, b"pytorch")
    + field(7, field(1, b"a node") + field(2, b"g") * 30)
    + field(8, field(2, 17))
)
COREML = field(1, 4) + field(2, b"description") + field(500, b"layers" * 9)
SAVED = field(1, 1) + field(2, b"a graph")
GRAPH = field(1, field(1, b"x") + field(2, b"Placeholder")) * 3 + field(4, field(1, 1))
TFLITE = flatbuffer(b"TFL3", {4: [table_part(), table_part(b"w" * 64)]})
MNN = flatbuffer(b"", {3: [table_part(b"op")] * 2, 7: [text_part(b"x")]})
EXECUTORCH = b"\x30\0\0\0ET13eh00" + struct.pack("<IQQ", 24, 96, 0) + bytes(64)
IR = b"""<?xml version="1.0"?>
<!-- made by a tool -->
<net name="Model0" version="11"><layers><layer id="0"/></layers></net>
"""
NCNN = b"7767517\n3 3\nInput data 0 1 data\nConvolution conv 1 1 data out 0=8 1=3\nReLU r 1 1\n"
ENGINE = struct.pack("<I", 9) + b'{"a": 1}\n' + b"ftrt" + bytes(40)

FILES = {
    ".onnx": (ONNX, Format.ONNX),
    ".mlmodel": (COREML, Format.COREML),
    ".saved.pb": (SAVED, Format.TENSORFLOW),
    ".pb": (GRAPH, Format.TENSORFLOW),
    ".tflite": (TFLITE, Format.TFLITE),
    ".mnn": (MNN, Format.MNN),
    ".pte": (EXECUTORCH, Format.EXECUTORCH),
    ".xml": (IR, Format.OPENVINO_IR),
    ".param": (NCNN, Format.NCNN),
    ".param.bin": (b"\xdd\x85\x76\x00" + bytes(20), Format.NCNN),
    ".engine": (ENGINE, Format.TENSORRT),
    ".plan": (b"ptrt" + bytes(40), Format.TENSORRT),
    ".h5": (b"\x89HDF\r\n\x1a\n" + bytes(40), Format.KERAS),
    ".gguf": (b"GGUF" + bytes(40), Format.GGUF),
}
every_file = pytest.mark.parametrize("suffix", FILES)


@pytest.fixture
def write(tmp_path):
    """Write a file; gives its reference."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        path.with_suffix(".bin").touch()
        return str(path)

    return write


@every_file
def test_a_file_is_what_it_holds(write, suffix):
    content, expected = FILES[suffix]
    assert format_of(write(f"model{suffix}", content)) is expected


@every_file
@pytest.mark.parametrize("other", [".pt", ".txt", ".onnx", ".tflite"])
def test_whatever_it_is_called(write, suffix, other):
    content, expected = FILES[suffix]
    assert format_of(write(f"model{other}", content)) is expected


def test_what_shares_the_number_of_ncnn_is_not_ncnn(write):
    content = b"7767517\n1 1\npnnx.Input in0 0 1 0\n"
    assert format_of(write("model.pnnx.param", content)) is None


def test_models_that_are_folders(tmp_path):
    package, saved = tmp_path / "m.mlpackage", tmp_path / "saved"
    (package / "Data/com.apple.CoreML").mkdir(parents=True)
    (package / "Data/com.apple.CoreML/model.mlmodel").write_bytes(COREML)
    saved.mkdir()
    (saved / "saved_model.pb").write_bytes(SAVED)
    assert format_of(str(package)) is Format.COREML
    assert format_of(f"{saved}/") is Format.TENSORFLOW
    assert format_of(str(tmp_path)) is None


def test_archives_of_keras(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, "{}")
    assert format_of(str(tmp_path / "m.keras")) is Format.KERAS


def test_models_without_a_file_of_their_own():
    assert format_of("resnet18") is Format.TORCH_MODULE
    assert format_of("timm:resnet18?num_classes=3") is Format.TORCH_MODULE
    assert format_of("nets.py:build") is None
    assert format_of("hub:owner/repo:entry") is None
    with pytest.raises(ModelReferenceError, match="unknown source"):
        format_of("nowhere:net")


def test_files_of_torch(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(1, 1).state_dict(), tmp_path / "state.onnx")
    assert format_of(str(tmp_path / "state.onnx")) is Format.TORCH_MODULE
    (tmp_path / "s.bin").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    assert format_of(str(tmp_path / "s.bin")) is Format.TORCH_MODULE


@pytest.mark.parametrize("suffix", MEANT)
@pytest.mark.parametrize("content", [b"hello, world, this is text\n" * 9, b"<html></html>", b"\0"])
def test_what_only_bears_the_name_is_said_to_be_none(write, suffix, content):
    reference = write(f"model{suffix}", content)
    assert format_of(reference) is None
    with pytest.raises(ModelReferenceError, match=f"is no {MEANT[suffix].value} file") as caught:
        check(reference)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".onnx", ".mlmodel", ".tflite", ".pte", ".xml", ".param"])
@pytest.mark.parametrize("kept", [0.45, 0.8])
def test_files_that_are_cut_short(write, suffix, kept):
    content, expected = FILES[suffix]
    reference = write(f"model{suffix}", content[: int(len(content) * kept)])
    with pytest.raises(ModelReferenceError, match="is cut short") as caught:
        check(reference)
    assert expected.value in str(caught.value)


@pytest.mark.parametrize("suffix", [".xml", ".param"])
def test_weights_that_are_not_beside(tmp_path, suffix):
    (tmp_path / f"model{suffix}").write_bytes(FILES[suffix][0])
    with pytest.raises(ModelReferenceError, match=r"without its weights: there is no .*model\.bin"):
        check(str(tmp_path / f"model{suffix}"))


def test_damaged_files_never_surprise(write):
    """Whatever is changed or cut, there is an answer or a failure in words."""
    chance = random.Random(5)
    for content, _ in FILES.values():
        for _ in range(60):
            changed = bytearray(content[: chance.randint(1, len(content))])
            for _ in range(chance.randint(0, 4)):
                changed[chance.randrange(len(changed))] = chance.choice((0, 1, 127, 128, 255))
            reference = write("model.bin", bytes(changed))
            assert format_of(reference) in {None, *Format}
            with suppress(InferometerError):
                check(f"{reference}?input=3")


class TestRefusals:
    """No chosen backend takes the model."""

    def test_a_format_that_no_backend_takes(self, write):
        with pytest.raises(ModelReferenceError) as caught:
            check_model(write("m.gguf", b"GGUF" + bytes(40)), ["torch", "python"])
        said = str(caught.value)
        assert "format GGUF, which torch and python do not run; no other backend here does" in said
        assert "install a package that adds a backend" in said

    def test_onnx_has_a_backend_of_ours(self, write):
        with pytest.raises(ModelReferenceError, match="torch does not run; choose onnxruntime"):
            check_model(write("m.onnx", ONNX), ["torch"])

    def test_another_backend_of_ours(self):
        said = refusal("resnet18", Format.TORCH_MODULE, ["acme"])
        assert said.endswith(
            "which acme does not run; choose torch, torch-compile, torchscript or python"
        )

    def test_a_backend_whose_package_is_missing(self, monkeypatch):
        path = "inferometer.backends.python.session:PythonBackend"
        plugin = Plugin(path=path, extra="acme", requires=("no_such_package",))
        monkeypatch.delitem(BACKENDS.table, "python")
        monkeypatch.setitem(BACKENDS.table, "acme", plugin)
        said = refusal("nets.py:build", Format.CALLABLE, ["torch"])
        assert said.endswith("choose acme, after pip install 'inferometer[acme]'")

    def test_what_is_taken_is_checked_further(self, tmp_path):
        with pytest.raises(ModelReferenceError, match="no such file"):
            check_model(str(tmp_path / "none.onnx"), ["torch"])
        check_model("unet", ["torch"])
        with pytest.raises(ModelReferenceError, match="in_channels"):
            check_model("unet?in_chanels=1", ["python"])


class TestCounting:
    """`cost` counts models of torch, and ONNX files by their content."""

    def test_other_files(self, write):
        with pytest.raises(ModelReferenceError, match="format TFLite, which cannot be counted"):
            cost_of(CostRequest(model=write("m.tflite", TFLITE)))

    def test_an_onnx_file_by_another_name(self, write):
        reference = write("model.net", ONNX)
        assert str(onnx_path(reference)) == reference
        assert onnx_path(write("model.net", TFLITE)) is None


class TestPackages:
    """A file needs the package that opens it, and no other."""

    @pytest.mark.parametrize(
        ("name", "content", "package"),
        [("m.onnx", ONNX, "onnx"), ("m.safetensors", b"\x02\0\0\0\0\0\0\0{}", "torch")],
    )
    def test_what_is_missing(self, write, monkeypatch, name, content, package):
        monkeypatch.setattr(file_source, "find_spec", lambda _: None)
        with pytest.raises(MissingExtraError, match=rf"inferometer\[{package}\]"):
            check(write(name, content))

    def test_a_file_that_its_backend_reads_needs_none(self, write, monkeypatch):
        monkeypatch.setattr(file_source, "find_spec", lambda _: None)
        reference = f"{write('m.tflite', TFLITE)}?input=3x8x8"
        check(reference)
        import_packages(reference)


class TestFilesThatABackendReads:
    """The source opens them to their inputs, and leaves the rest to the backend."""

    def test_the_shape_has_to_be_said(self, write):
        with pytest.raises(ModelReferenceError, match=r"as in .*\?input=3x224x224"):
            check(write("m.gguf", FILES[".gguf"][0]))

    def test_inputs_are_arrays(self, write):
        np = pytest.importorskip("numpy")
        reference = write("m.xml", IR)
        model = load(f"{reference}?input=3x8x8", seed=0)
        assert (model.network, model.format, model.source) == (None, Format.OPENVINO_IR, "file")
        assert model.files == (reference, reference.replace(".xml", ".bin"))
        made = model.inputs.make(batch_size=2, input_size=16, seed=0)
        assert isinstance(made.args[0], np.ndarray)
        assert made.shape == "2x3x16x16"


class TestFormatsInMemory:
    def test_of_a_function(self, tmp_path):
        (tmp_path / "nets.py").write_text("def build():\n    return lambda x: x\n")
        assert load(f"{tmp_path / 'nets.py'}:build", seed=0).format is Format.CALLABLE

    @pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
    def test_of_torch(self, tmp_path):
        torch = pytest.importorskip("torch")
        network, example = torch.nn.Conv2d(3, 2, 1).eval(), (torch.zeros(1, 3, 8, 8),)
        torch.export.save(torch.export.export(network, example), tmp_path / "m.pt2")
        torch.jit.script(network).save(str(tmp_path / "m.ts"))
        formats = {
            "m.pt2": Format.EXPORTED_PROGRAM,
            "m.ts": Format.TORCHSCRIPT,
            "unet?init_features=2": Format.TORCH_MODULE,
        }
        for name, expected in formats.items():
            reference = name if "?" in name else str(tmp_path / name)
            assert load(reference, seed=0).format is expected
            assert format_of(reference) is expected
