"""How large a model is on disk: its own files, and the safetensors file that would hold it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inferometer.core.costing import Artifact
from inferometer.models.cost.torch.layouts import is_sparse, kind_of
from inferometer.models.cost.torch.parameters import frozen_weights, identity

_DTYPES = {
    "uint64": "U64",
    "int64": "I64",
    "float64": "F64",
    "complex64": "C64",
    "float32": "F32",
    "uint32": "U32",
    "int32": "I32",
    "bfloat16": "BF16",
    "float16": "F16",
    "uint16": "U16",
    "int16": "I16",
    "float8_e8m0fnu": "F8_E8M0",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}
"""Types of torch and their names in safetensors, in the order in which its writer puts them."""

_LENGTH_BYTES = 8
_ALIGNMENT_BYTES = 8


def artifacts(files: Iterable[str]) -> tuple[Artifact, ...]:
    """Files with their sizes; one that has gone meanwhile is left out."""
    paths = (Path(file) for file in dict.fromkeys(files))
    return tuple(
        Artifact(path=str(path), size_bytes=path.stat().st_size) for path in paths if path.is_file()
    )


def safetensors_bytes(network: Any) -> int | None:  # noqa: ANN401 - modules and script modules
    """Size of a safetensors file with the distinct tensors of a module's `state_dict`.

    Nothing is written. A tensor that has several names is stored under the first.

    Returns:
        Bytes; None where the module has a tensor that the format cannot hold, or weights that
        have no names, as a frozen program has.

    Source: https://github.com/huggingface/safetensors, "Format": eight bytes of length, a JSON
    header padded to a multiple of eight, the data.
    """
    if frozen_weights(network):
        return None
    order = list(_DTYPES)
    found: dict[object, tuple[int, str, Any]] = {}
    for name, tensor in network.state_dict().items():
        kind = str(getattr(tensor, "dtype", "")).removeprefix("torch.")
        if kind not in _DTYPES or is_sparse(tensor) or kind_of(tensor):
            return None
        found.setdefault(identity(tensor), (order.index(kind), name, tensor))
    header, end = {}, 0
    for place, name, tensor in sorted(found.values(), key=lambda one: one[:2]):
        begin, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": _DTYPES[order[place]],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    text = len(json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode())
    return _LENGTH_BYTES + text + -text % _ALIGNMENT_BYTES + end
