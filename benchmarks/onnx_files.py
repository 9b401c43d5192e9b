# ruff: noqa: ANN401 - arrays, and what tests of another package hold
"""Every model among the onnx package's own tests, through our loading and ONNX Runtime.

Each is given its recorded inputs, and its outputs are compared with the recorded ones; then it is
given inputs that are made as the file declares them, as a run does. A table says how many ran, and
with which sentences others were refused.

    python benchmarks/onnx_files.py [FILE.json]
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnx.backend import test
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.loader import load_model_tests

from inferometer.backends.onnxruntime.session import OnnxRuntimeBackend, OnnxRuntimeSession
from inferometer.core.errors import InferometerError
from inferometer.core.model import Inputs
from inferometer.core.workload import Variant
from inferometer.models import load

KINDS = ("simple", "pytorch-operator", "pytorch-converted")
DATA = Path(test.__file__).parent / "data"
Arrays = list[Any]


@dataclass(frozen=True)
class Case:
    """A model with the inputs and outputs that its makers recorded.

    Attributes:
        name: of the test.
        kind: of the collection that it is in.
        path: of its file.
        recorded: inputs and outputs of calls.
        rtol: relative tolerance of its makers.
        atol: absolute one.
    """

    name: str
    kind: str
    path: Path
    recorded: list[tuple[Arrays, Arrays]]
    rtol: float
    atol: float


def cases(folder: Path) -> Iterator[Case]:
    """All of them; those that are made in code are written into a folder."""
    for kind in KINDS:
        for one in load_model_tests(kind=kind):
            where = Path(one.model_dir or "")
            yield Case(one.name, kind, where / "model.onnx", _stored(where), one.rtol, one.atol)
    for path in sorted((DATA / "light").glob("*.onnx")):
        yield Case(path.stem, "light", path, [_rising(path)], 1e-3, 1e-7)
    for one in collect_testcases(None):
        if one.model is not None:
            path = folder / f"{one.name}.onnx"
            path.write_bytes(one.model.SerializeToString())
            yield Case(one.name, "node", path, _plain_sets(one), one.rtol, one.atol)


def _rising(path: Path) -> tuple[Arrays, Arrays]:
    """Inputs of a model of ones, which its makers generate, and the recorded output."""
    model = onnx.load(path)
    constants = {one.name for one in model.graph.initializer}
    inputs = []
    for one in model.graph.input:
        if one.name not in constants:
            shape = [axis.dim_value or 1 for axis in one.type.tensor_type.shape.dim]
            elements = np.prod(shape)
            inputs.append((np.arange(elements).reshape(shape) / elements).astype(np.float32))
    content = path.with_name(f"{path.stem}_output_0.pb").read_bytes()
    return inputs, [_array(onnx.TensorProto.FromString(content))]


def _plain_sets(one: Any) -> list[tuple[Arrays, Arrays]]:
    return [([_array(x) for x in taken], [_array(x) for x in given])
            for taken, given in one.data_sets or []]  # fmt: skip


def _array(value: Any) -> Any:
    if isinstance(value, np.generic):
        return np.asarray(value)
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def _stored(folder: Path) -> list[tuple[Arrays, Arrays]]:
    sets = sorted(folder.glob("test_data_set_*"))
    return [(_tensors(one, "input"), _tensors(one, "output")) for one in sets]


def _tensors(folder: Path, what: str) -> Arrays:
    found = []
    for number in range(len(list(folder.glob(f"{what}_*.pb")))):
        content = (folder / f"{what}_{number}.pb").read_bytes()
        found.append(_array(onnx.TensorProto.FromString(content)))
    return found


def outcome(case: Case) -> tuple[str, str]:
    """What came of the recorded inputs, and of made ones: `equal`, `ran`, or a sentence."""
    backend = OnnxRuntimeBackend()
    backend.start(threads=1)
    variant = Variant(model=str(case.path), backend="onnxruntime", precision="fp32")
    try:
        model = load(str(case.path), seed=0)
        session = backend.load(model, variant, device="cpu")
    except InferometerError as error:
        return str(error), str(error)
    made = _sentence(backend, lambda: _made(session, model.inputs))
    return _sentence(backend, lambda: _compared(session, case)), made


def _sentence(backend: OnnxRuntimeBackend, work: Any) -> str:
    try:
        return str(work())
    except InferometerError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - the harness maps what the runtime raises
        return f"{backend.classify(error)}: {error}"


def _compared(session: OnnxRuntimeSession, case: Case) -> str:
    if not case.recorded:
        return "nothing recorded"
    for inputs, wanted in case.recorded:
        raw = session.bind(Inputs(args=tuple(inputs), shape=""))()
        found = session.outputs(raw)
        arrays = list(found.values()) if isinstance(found, dict) else [found]
        if all(map(partial(_alike_arrays, case), arrays, wanted)):
            continue
        alone = onnxruntime.InferenceSession(case.path, providers=["CPUExecutionProvider"])
        names = [one.name for one in alone.get_inputs()]
        theirs = alone.run(None, dict(zip(names, inputs, strict=True)))
        if all(_is_same(*pair) for pair in zip(arrays, theirs, strict=True)):
            return "differs from the recorded ones, as the runtime without us does"
        return "differs"
    return "equal"


def _is_same(one: Any, other: Any) -> bool:
    return np.array_equal(one, other)


def _alike_arrays(case: Case, one: Any, other: Any) -> bool:
    """Whether outputs agree within the makers' tolerance, or 1e-5 of the largest number."""
    other = np.asarray(other)
    if other.dtype.kind in "OUS":
        return bool(np.array_equal(one, other))
    plain = complex if other.dtype.kind == "c" else float
    one, other = np.asarray(one, dtype=plain), np.asarray(other, dtype=plain)
    finite = np.abs(other[np.isfinite(other)])
    atol = max(case.atol, 1e-5 * float(finite.max(initial=1)))
    return one.shape == other.shape and bool(
        np.allclose(one, other, rtol=max(case.rtol, 1e-3), atol=atol, equal_nan=True)
    )


def _made(session: OnnxRuntimeSession, spec: Any) -> str:
    inputs = spec.make(batch_size=spec.batch_size, input_size=None, seed=0)
    session.bind(inputs)()
    return "ran"


def main() -> None:
    """Run all, and print a table for each collection."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(Path(folder)):
            said = outcome(case)
            texts = [text.replace(str(case.path), "FILE") for text in said]
            found.setdefault(case.kind, {})[case.name] = (texts[0], texts[1])
    for kind, one in found.items():
        print(f"{kind}: {len(one)} models")
        for at, what in enumerate(("recorded inputs", "made inputs")):
            for text, count in Counter(_alike(pair[at]) for pair in one.values()).most_common():
                print(f"  {what}: {count} {text}")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(found, indent=1), encoding="utf-8")


def _alike(text: str) -> str:
    """A sentence without what differs from file to file."""
    text = re.sub(r"\b(input|Node:|node) ?\S+", r"\1 …", text.splitlines()[0] if text else text)
    return re.sub(r"\d+", "N", text)[:110]


if __name__ == "__main__":
    main()
