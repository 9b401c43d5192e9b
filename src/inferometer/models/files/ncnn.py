"""Inputs of a network of ncnn: a text, in which not all tell their shape."""

from __future__ import annotations

from pathlib import Path

from inferometer.models.inputs.axes import Declared

_LONGEST_LINE = 1 << 16
_MOST_LINES = 1 << 20
_AXES = ("2", "11", "1", "0")
"""Fields of an input: channels, depth, height, width; 0 where nothing is told."""


def inputs_of(path: Path) -> list[Declared]:
    """Inputs by the names of their arrays; the binary form of a network has no names."""
    with path.open("rb") as file:
        lines = (file.readline(_LONGEST_LINE).split() for _ in range(_MOST_LINES))
        words = []
        for number, line in enumerate(lines):
            if number > 1 and not line:
                break
            words.append([word.decode(errors="replace") for word in line])
    return [_declared(line) for line in words[2:] if line[0] == "Input" and len(line) > 4]  # noqa: PLR2004 - kind, name, counts, array


def _declared(line: list[str]) -> Declared:
    fields = dict(word.split("=", 1) for word in line[5:] if "=" in word)
    lengths = tuple(int(fields[one]) for one in _AXES if fields.get(one, "0").isdigit()
                    and fields.get(one, "0") != "0")  # fmt: skip
    return Declared(name=line[4], axes=("batch", *lengths) if lengths else None, dtype="")
