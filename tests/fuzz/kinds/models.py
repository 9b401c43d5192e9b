"""Model files, given to `cost`, which loads them in this process: code of theirs would leave a mark.

TorchScript files are changed in their bytes and members only. What is left out: calls of the models.
"""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import tempfile
import warnings
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.fuzz import hostile
from tests.fuzz.case import Case, Kind
from tests.fuzz.onnx_seeds import onnx_seeds

NET = """
import torch

def make():
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(),
                               torch.nn.Linear(144, 5))
"""
WORDS = (
    "", "x", "y", "w", "Conv", "Gemm", "Reshape", "If", "Loop", "Add", "pads", "axes", "ai.onnx.ml",
    "../x", "/dev/zero",
)  # fmt: skip
"""Names of operators, attributes, tensors, domains and files."""
Member = tuple[str, bytes]
"""Name and content of a part of an archive."""
HUGE = (0, -1, 2**31, 2**40, 2**62, 2**63 - 1, -(2**63), 10**6)


def onnx_file(rng: random.Random, folder: Path) -> Case:
    """An ONNX file, changed in its fields or its bytes."""
    content = rng.choice(onnx_seeds())
    if rng.random() < 0.75:
        content = _changed_message(rng, content)
    else:
        content = hostile.damage(rng, content)
    (folder / "m.onnx").write_bytes(content)
    (folder / "w.bin").write_bytes(b"\x00" * 600)
    extra = rng.choice(((), (), ("--batch", "2"), ("--size", "16"), ("--by", "operator")))
    return Case(args=["cost", "m.onnx", *extra], ours_only=True)


def model_file(rng: random.Random, folder: Path) -> Case:
    """A file that torch or safetensors reads, changed in its bytes, members, names or JSON."""
    name = rng.choice(list(_files()))
    content = _files()[name]
    exploit = hostile.exploit(rng, folder)
    kind = rng.random()
    if kind < 0.2:
        content = hostile.damage(rng, content)
    elif kind < 0.3:
        content = _evil_pickle(exploit)
    elif name.endswith(".safetensors"):
        content = _changed_header(rng, content)
    else:
        content = _changed_archive(rng, content, exploit)
    (folder / name).write_bytes(content)
    (folder / "net.py").write_text(NET)
    weights = name in ("w.pt", "w.safetensors")
    reference = f"net.py:make?weights={name}&input=3x8x8" if weights else name
    if name == "script.pt":
        reference += "?input=3x8x8"
    return Case(args=["cost", reference, *rng.choice(((), ("--batch", "2")))], ours_only=True)


class _Evil:
    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, (self.code,)


def _evil_pickle(code: str) -> bytes:
    return pickle.dumps({"x": _Evil(code)}, protocol=2)


def _evil_saved(code: str) -> bytes:
    import torch

    sink = io.BytesIO()
    torch.save({"x": _Evil(code)}, sink)
    return sink.getvalue()


def _changed_archive(rng: random.Random, content: bytes, code: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    for _ in range(rng.choice((1, 1, 2, 3))):
        _change_member(rng, members, code)
    sink = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if rng.random() < 0.3 else zipfile.ZIP_STORED
    with warnings.catch_warnings(), zipfile.ZipFile(sink, "w", how) as archive:
        warnings.simplefilter("ignore")  # about names that stand twice, on purpose
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name or "x"), data, compress_type=how)
    return hostile.damage(rng, sink.getvalue()) if rng.random() < 0.05 else sink.getvalue()


def _change_member(rng: random.Random, members: list[Member], code: str) -> None:
    """Change, add, rename or remove a member."""
    documents = [at for at, (name, _) in enumerate(members) if name.endswith(".json")]
    if documents and rng.random() < 0.35:
        at = rng.choice(documents)
        members[at] = members[at][0], _changed_json(rng, members[at][1], code)
        return
    at = rng.randrange(len(members))
    name, data = members[at]
    evil = rng.choice((_evil_pickle, _evil_saved))(code)
    new = f"{name.split('/')[0]}/{_member(rng)}"
    away = rng.choice((f"../{name}", f"/{name}", name.split("/")[-1], f"{name}x"))
    large = b"\x00" * rng.choice((0, 10**6, 3 * 10**7))
    members[at : at + 1] = rng.choice((
        [(name, hostile.damage(rng, data))],
        [(name, hostile.damage(rng, data))],
        [(name, evil)],
        [(name, data), (new, evil)],
        [(name, data), (name, evil)],
        [(away, data)],
        [(name, large)],
        [(name, rng.choice(members)[1])],
        [] if len(members) > 1 else [(name, data)],
    ))  # fmt: skip


def _member(rng: random.Random) -> str:
    return rng.choice((
        "data/constants/custom_obj_0", "data/sample_inputs/model.pt", "data/weights/x",
        "constants.pkl", "data.pkl", "code/__torch__.py", "extra/x", "data/aotinductor/model/x.so",
        "serialized_state_dict.pt", "serialized_example_inputs.pt", "serialized_constants.pt",
        "data/constants/model_constants_config.json", "archive_format", "version", "byteorder",
    ))  # fmt: skip


def _changed_json(rng: random.Random, data: bytes, code: str) -> bytes:
    document = _document(data)
    if document is None:
        return hostile.damage(rng, data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        places: list[tuple[Any, Any]] = []
        _places(document, places)
        if not places:
            break
        place, key = rng.choice(places)
        action = rng.random()
        if action < 0.15:
            del place[key]
        elif action < 0.3:
            place[key] = rng.choice(places)[0]
            if _is_circular(document):
                place[key] = None
        elif isinstance(place[key], bool):
            place[key] = not place[key]
        elif isinstance(place[key], str):
            place[key] = rng.choice((hostile.line(rng), code, "__import__('os')", "os.system",
                                     "torch.ops.aten.add.Tensor", "_operator.add", "builtins.exec",
                                     f"({code})", "s0", "2**9999", "f(x)", "math.inf"))  # fmt: skip
        elif isinstance(place[key], int):
            place[key] = rng.choice(HUGE)
        else:
            place[key] = rng.choice((None, [], {}, "x", 1, {"as_none": True}, [[]] * 9))
    return json.dumps(document).encode()


def _document(data: bytes) -> Any:
    """JSON that has parts to change; None where a change before this one has left none."""
    try:
        document = json.loads(data)
    except ValueError:
        return None
    return document if isinstance(document, dict | list) else None


def _places(node: Any, found: list[tuple[Any, Any]]) -> None:
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(pairs):
        found.append((node, key))
        if isinstance(value, dict | list):
            _places(value, found)


def _is_circular(document: Any) -> bool:
    try:
        return len(json.dumps(document)) > 5_000_000
    except (ValueError, RecursionError):
        return True


def _changed_header(rng: random.Random, content: bytes) -> bytes:
    length = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(list(header))
        entry = header[name]
        if not isinstance(entry, dict):  # one of these changes made it so
            continue
        action = rng.randrange(7)
        if action == 0:
            entry["shape"] = [rng.choice(HUGE) for _ in range(rng.randrange(4))]
        elif action == 1:
            entry["data_offsets"] = [rng.choice(HUGE), rng.choice(HUGE)]
        elif action == 2:
            entry["dtype"] = rng.choice(("F64", "BF16", "X", "", "F8_E4M3", 1))
        elif action == 3:
            header[hostile.line(rng)] = entry
        elif action == 4:
            header["__metadata__"] = rng.choice(({"a": 1}, {"a": "b"}, [], "x"))
        elif action == 5:
            header[name] = rng.choice((None, [], "x", {"dtype": "F32"}))
        else:
            del header[name]
            header = header or {"x": 1}
    text = json.dumps(header).encode()
    if rng.random() < 0.1:
        text = b"[" * rng.choice((1000, 100_000)) + text
    length = len(text) if rng.random() < 0.8 else rng.choice((0, 2**63, 2**32, len(text) - 1))
    return struct.pack("<Q", length) + text + data


def _changed_message(rng: random.Random, content: bytes) -> bytes:
    import onnx

    model = onnx.ModelProto.FromString(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        messages: list[Any] = []
        _messages(model, messages)
        message = rng.choice(messages)
        present = [field for field, _ in message.ListFields()]
        every = list(message.DESCRIPTOR.fields)
        field = rng.choice(present) if present and rng.random() < 0.75 else rng.choice(every)
        _change_field(rng, message, field)
    return bytes(model.SerializeToString())


def _messages(message: Any, found: list[Any]) -> None:
    found.append(message)
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for one in value if _is_list(field) else [value]:
                _messages(one, found)


def _is_list(field: Any) -> bool:
    repeated = getattr(field, "is_repeated", None)
    return bool(repeated) if repeated is not None else field.label == field.LABEL_REPEATED


def _change_field(rng: random.Random, message: Any, field: Any) -> None:
    if _is_list(field):
        values = getattr(message, field.name)
        action = rng.random()
        if action < 0.25 and values:
            del values[rng.randrange(len(values))]
        elif field.type == field.TYPE_MESSAGE:
            if not values:
                values.add()
            elif action < 0.6:
                values.append(rng.choice(list(values)))
            else:
                kept = list(values)
                rng.shuffle(kept)
                copies = [type(one).FromString(one.SerializeToString()) for one in kept]
                del values[:]
                values.extend(copies)
        elif values and action < 0.7:
            values[rng.randrange(len(values))] = _scalar(rng, field)
        else:
            values.extend([_scalar(rng, field)] * rng.choice((1, 1, 3, 100)))
    elif rng.random() < 0.25:
        message.ClearField(field.name)
    elif field.type == field.TYPE_MESSAGE:
        getattr(message, field.name).SetInParent()
    else:
        setattr(message, field.name, _scalar(rng, field))


def _scalar(rng: random.Random, field: Any) -> Any:
    kind = field.cpp_type
    if kind == field.CPPTYPE_ENUM:
        return rng.choice(list(field.enum_type.values)).number
    if field.type == field.TYPE_BYTES:
        return bytes(rng.getrandbits(8) for _ in range(rng.choice((0, 1, 8, 64))))
    values: dict[int, tuple[Any, ...]] = {
        field.CPPTYPE_STRING: (*WORDS, hostile.line(rng)),
        field.CPPTYPE_FLOAT: (0.0, -1.0, 1e38, float("nan"), float("inf")),
        field.CPPTYPE_DOUBLE: (0.0, -1.0, 1e308, float("nan"), float("inf")),
        field.CPPTYPE_INT32: (0, 1, -1, 7, 16, 99, 2**31 - 1),
        field.CPPTYPE_UINT64: (0, 1, 2**64 - 1),
    }
    return rng.choice(values.get(kind, (0, 1, -1, 2, 3, 5, 13, 21, 1000, *HUGE)))


@cache
def _files() -> dict[str, bytes]:
    import torch
    from safetensors.torch import save

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU())
            self.register_buffer("scale", torch.ones(1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.net(x).flatten(1).mean(1) * self.scale + torch.tensor([1.0])

    def saved(content: object) -> bytes:
        sink = io.BytesIO()
        torch.save(content, sink)
        return sink.getvalue()

    example = torch.zeros(2, 3, 8, 8)
    batch = torch.export.Dim("batch", min=1, max=64)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, shapes in (("fixed", None), ("dynamic", ({0: batch},))):
            program = torch.export.export(Net().eval(), (example,), dynamic_shapes=shapes)
            torch.export.save(program, f"{folder}/{name}.pt2")
        script = torch.jit.trace(Net().eval(), example)
        script.save(f"{folder}/script.pt")
        files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    space: dict[str, Any] = {}
    exec(NET, space)
    state = space["make"]().state_dict()
    return files | {
        "w.pt": saved(state),
        "w.safetensors": save(dict(state)),
        "state.pt": saved({"state_dict": state}),
        "whole.pt": saved(torch.nn.Linear(2, 2)),
    }


def onnx_ready() -> None:
    """Import what counts ONNX files."""
    import inferometer.cli.cost
    import inferometer.models.cost.onnx.graph
    import inferometer.report.terminal.cost
    import inferometer.runner.costing
    import inferometer.runner.workers.worker  # noqa: F401

    onnx_seeds()


def torch_ready() -> None:
    """Import torch, and what loads its files."""
    import torch

    import inferometer.backends.torch
    import inferometer.models.sources.file  # noqa: F401

    torch.set_num_threads(1)
    onnx_ready()
    _files()


KINDS = (
    Kind(name="onnx", make=onnx_file, ready=onnx_ready, worker_here=True, share=2),
    Kind(name="model-file", make=model_file, ready=torch_ready, worker_here=True, share=0.5),
)
