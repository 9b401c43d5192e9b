"""Inputs of an OpenVINO IR: a graph in XML. Texts that name other texts or files are refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree as ET

from inferometer.core.errors import WorkloadError
from inferometer.core.shown import shown
from inferometer.models.guards.refusal import damaged
from inferometer.models.inputs.axes import Declared

LARGEST_BYTES = 1 << 26
"""Of the graph, whose weights lie apart; those of large models have some ten megabytes."""

_DTYPES = {
    "boolean": "bool",
    "f16": "float16",
    "f32": "float32",
    "f64": "float64",
    "bf16": "float32",
}
_DTYPES |= {
    f"{short}{bits}": f"{name}{bits}"
    for short, name, widths in (
        ("i", "int", (8, 16, 32, 64)),
        ("u", "uint", (8, 16, 32, 64)),
        ("f", "float", (16, 32, 64)),
    )
    for bits in widths
}
_PASSED = {"Convert", "Reshape", "Squeeze", "Unsqueeze", "Transpose"}
"""Layers that leave numbers what they are."""


@dataclass(kw_only=True)
class _Layer:
    """A layer of the graph.

    Attributes:
        kind: `Parameter`, `Const`, `Gather` …
        name: its own.
        names: of its output.
        data: its settings.
        takes: numbers of the layers whose outputs it takes, in order.
    """

    kind: str
    name: str
    names: list[str]
    data: dict[str, str]
    takes: dict[int, str] = field(default_factory=dict)


def inputs_of(path: Path) -> list[Declared]:
    """Inputs by their names.

    Raises:
        WorkloadError: (bad_model) it is no such graph, or one that names texts or files.
    """
    layers = _layers(path)
    sizes = _table_sizes(layers)
    return [
        replace(
            _declared(one),
            numbers=(0.0, sizes[number] - 1.0) if number in sizes else None,
        )
        for number, one in layers.items()
        if one.kind == "Parameter"
    ]


def _declared(one: _Layer) -> Declared:
    kind, shape = one.data.get("element_type", ""), one.data.get("shape", "")
    parts = [part.strip() for part in shape.split(",")] if shape.strip() else []
    return Declared(
        name=min(one.names) if one.names else one.name,
        axes=None if "..." in shape else tuple(int(p) if p.isdigit() else "" for p in parts),
        dtype=_DTYPES.get(kind, kind),
    )


def _layers(path: Path) -> dict[str, _Layer]:
    """The layers by their numbers."""
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise WorkloadError("unsupported", f"{shown(path)} is larger than any graph known")
    root = _root(path)
    found = {
        one.get("id", ""): _Layer(
            kind=one.get("type", ""),
            name=one.get("name", ""),
            names=_names(one),
            data=dict(data.attrib) if (data := one.find("data")) is not None else {},
        )
        for one in root.iterfind("layers/layer")
    }
    for edge in root.iterfind("edges/edge"):
        into, port = found.get(edge.get("to-layer", "")), edge.get("to-port", "0")
        if into is not None and port.isdigit():
            into.takes[int(port)] = edge.get("from-layer", "")
    return found


def _root(path: Path) -> ET.Element:
    """The root of the tree.

    Raises:
        WorkloadError: (bad_model) it is no XML, or declares a type of document, which could name
            texts that grow beyond bounds, or other files.
    """
    builder = ET.TreeBuilder()
    parser = ET.XMLParser(target=_NoDoctype(builder))  # noqa: S314 - entities need a doctype
    try:
        with path.open("rb") as file:
            while part := file.read(1 << 16):
                parser.feed(part)
        parser.close()
        return builder.close()
    except (ET.ParseError, RecursionError) as error:
        raise damaged(path, f"is not XML: {error}") from error
    except _DoctypeError as error:
        raise damaged(
            path, "declares a type of document, which no model of OpenVINO does"
        ) from error


class _DoctypeError(Exception):
    pass


class _NoDoctype:
    """Builds a tree, of a text without a type of document."""

    def __init__(self, builder: ET.TreeBuilder) -> None:
        self.start = builder.start
        self.end = builder.end
        self.data = builder.data

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """Refuse it."""
        raise _DoctypeError(name, public, system)

    def close(self) -> None:
        """Nothing: the builder is closed by who reads."""


def _names(layer: ET.Element) -> list[str]:
    port = layer.find("output/port")
    return [] if port is None else [one for one in port.get("names", "").split(",") if one]


def _table_sizes(layers: dict[str, _Layer]) -> dict[str, int]:
    """Rows of the constant tables that inputs are indices into, by the numbers of the inputs."""
    found: dict[str, int] = {}
    for one in layers.values():
        if one.kind != "Gather" or not {0, 1} <= one.takes.keys():
            continue
        table, index = layers.get(_origin(layers, one.takes[0])), _origin(layers, one.takes[1])
        if table is None or table.kind != "Const":
            continue
        rows = table.data.get("shape", "").split(",")[0].strip()
        if rows.isdigit():
            found[index] = min(int(rows), found.get(index, int(rows)))
    return found


def _origin(layers: dict[str, _Layer], number: str) -> str:
    """The layer that numbers come from, through layers that leave them what they are."""
    for _ in layers:
        one = layers.get(number)
        if one is None or one.kind not in _PASSED or 0 not in one.takes:
            break
        number = one.takes[0]
    return number
