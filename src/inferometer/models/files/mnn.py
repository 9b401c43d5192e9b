"""Inputs of an MNN file: a flatbuffer, after its MNN.fbs."""

from __future__ import annotations

from pathlib import Path

from inferometer.models.files.flatbuffer import Flatbuffer, opened
from inferometer.models.inputs.axes import Declared

_OPERATORS, _NAMES = 3, 7
_KIND, _MAIN, _GIVES = 5, 2, 4
_INPUT = 34
_BATCH = "batch"
"""A first axis of 1: the converter writes that in the place of an open one."""

_DTYPES = {1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64"}


def inputs_of(path: Path) -> list[Declared]:
    """Inputs by the names of the arrays that they give.

    Raises:
        EOFError: the file is damaged.
    """
    with opened(path) as found:
        net = found.target(0)
        names = found.tables(net, _NAMES)
        return [
            _declared(found, one, names)
            for one in found.tables(net, _OPERATORS)
            if found.whole(one, _KIND) == _INPUT
        ]


def _declared(found: Flatbuffer, operator: int, names: list[int]) -> Declared:
    gives, main = found.wholes(operator, _GIVES), found.table(operator, _MAIN)
    name = found.text_at(names[gives[0]])
    if main is None:
        return Declared(name=name, axes=None, dtype="")
    kind = found.whole(main, 1)
    lengths = found.wholes(main, 0)
    axes = tuple(
        _BATCH if not place and length == 1 and len(lengths) > 1 else "" if length < 0 else length
        for place, length in enumerate(lengths)
    )
    return Declared(
        name=name,
        axes=axes or None,
        dtype=_DTYPES.get(kind, f"type {kind}"),
    )
