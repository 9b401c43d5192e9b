"""The text of a network of ncnn, read before the runtime does: it crashes where it trusts it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inferometer.core.errors import WorkloadError
from inferometer.core.shown import shown

MAGIC = "7767517"
MOST_LAYERS = 1_000_000
LONGEST_LINE = 1 << 16

INT8_FIELDS = {
    **dict.fromkeys(
        (
            "Convolution",
            "ConvolutionDepthWise",
            "Convolution1D",
            "InnerProduct",
            "LSTM",
            "GRU",
            "RNN",
        ),
        "8",
    ),
    **dict.fromkeys(("Gemm", "MultiHeadAttention", "SDPA", "Embed"), "18"),
}
"""Number of the field of a layer, by its kind, that is not 0 where its weights are int8."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A line of the text.

    Attributes:
        kind: such as `Convolution`.
        name: its own.
        takes: names of the arrays that it takes.
        gives: names of those that it gives.
        fields: its settings by their numbers.
    """

    kind: str
    name: str
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    fields: dict[str, str]

    @property
    def is_int8(self) -> bool:
        """Whether its weights are int8, with the scales of activations."""
        return self.fields.get(INT8_FIELDS.get(self.kind, ""), "0") != "0"


def read_param(path: Path) -> list[Layer]:
    """Layers of a network.

    Raises:
        WorkloadError: (unsupported) it is in binary, which has no names; (bad_model) it cannot be
            read, or is no such text.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) == b"\xdd\x85\x76\x00":
                raise WorkloadError(
                    "unsupported",
                    f"{shown(path.name)} is the binary form of a network of ncnn, which has no "
                    "names of inputs; give the text that it was made of",
                )
        return list(_layers(path))
    except (OSError, ValueError) as error:
        raise WorkloadError(
            "bad_model", f"{shown(path.name)} is not the text of a network of ncnn: {error}"
        ) from error


def _layers(path: Path) -> Iterator[Layer]:
    with path.open(encoding="utf-8", errors="strict") as file:
        if file.readline(LONGEST_LINE).strip() != MAGIC:
            raise ValueError(f"it does not begin with {MAGIC}")
        counts = file.readline(LONGEST_LINE).split()
        if len(counts) != 2 or not all(one.isdigit() and len(one) < 8 for one in counts):  # noqa: PLR2004 - layers and blobs
            raise ValueError("its second line has no numbers of layers and blobs")
        wanted, blobs = map(int, counts)
        if not 0 < wanted <= MOST_LAYERS:
            raise ValueError(f"it says that it has {wanted} layers")
        given: set[str] = set()
        for number in range(wanted):
            layer = _layer(file.readline(LONGEST_LINE), number + 1)
            unknown = [name for name in layer.takes if name not in given]
            if unknown:
                raise ValueError(f"no layer before {shown(layer.name)} gives {shown(unknown[0])}")
            given.update(layer.gives)
            yield layer
        if len(given) > blobs:
            raise ValueError(f"its layers give {len(given)} blobs, and it says {blobs}")


def _layer(line: str, number: int) -> Layer:
    words = line.split()
    try:
        kind, name, takes, gives = words[0], words[1], int(words[2]), int(words[3])
    except (IndexError, ValueError):
        raise ValueError(f"layer {number} is cut short") from None
    blobs = words[4 : 4 + takes + gives]
    if min(takes, gives) < 0 or len(blobs) != takes + gives or any("=" in one for one in blobs):
        raise ValueError(f"layer {number} lacks blobs")
    fields = dict(word.split("=", 1) for word in words[4 + len(blobs) :] if "=" in word)
    return Layer(
        kind=kind,
        name=name,
        takes=tuple(blobs[:takes]),
        gives=tuple(blobs[takes:]),
        fields=fields,
    )
