"""What a file of ncnn does not say of its inputs and outputs: kept beside those made here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_NAME = "layout.json"


@dataclass(frozen=True, kw_only=True)
class Port:
    """An input or an output.

    Attributes:
        name: that of the model.
        blob: its name in the file.
        dtype: the type of its elements.
        shape: lengths of its axes, None for open ones; None where nothing is known of it.
        has_batch: whether the first axis is the batch of ncnn, which its layers do not see.
    """

    name: str
    blob: str
    dtype: str | None = None
    shape: tuple[int | None, ...] | None = None
    has_batch: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Inputs and outputs of a network, in the order of its model."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    @property
    def loops(self) -> bool:
        """Whether samples are run one by one: converted for one, and with no axis for more."""
        return any(
            port.has_batch is False and port.shape is not None and port.shape[:1] == (None,)
            for port in self.inputs
        )

    def write(self, folder: Path) -> Path:
        """Write it into a folder; gives the path."""
        path = folder / FILE_NAME
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        return path


def read_layout(files: Sequence[str]) -> Layout | None:
    """The layout among the files of a model; None where there is none."""
    path = next((Path(one) for one in files if Path(one).name == FILE_NAME), None)
    if path is None:
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return Layout(
        inputs=tuple(map(_port, found["inputs"])), outputs=tuple(map(_port, found["outputs"]))
    )


def _port(found: dict[str, object]) -> Port:
    shape = found.pop("shape")
    axes = tuple(shape) if isinstance(shape, list) else None
    return Port(**found, shape=axes)  # type: ignore[arg-type] # what `asdict` gave
