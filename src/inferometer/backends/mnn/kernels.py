"""What MNN computes in int8, and what stays in fp32: a file does not show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.backends.mnn.network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = {
    "Convolution": "convolutions and dense layers",
    "ConvolutionDepthwise": "depthwise convolutions",
    "Deconvolution": "transposed convolutions",
    "DeconvolutionDepthwise": "transposed convolutions",
    "MatMul": "matrix products",
}
"""Operators that most of the time goes into; the runtime has dense layers as convolutions."""

_INT8 = "DT_INT8"
"""Stands in the kind of an operator that is computed so: `Convolution [ DT_INT8 ]`."""


def computed(path: Path, feed: Mapping[str, NDArray[Any]]) -> dict[str, tuple[int, int]]:
    """How many of the heavy operators are int8, and how many there are, by their kind.

    Args:
        path: of the file.
        feed: an array by the name of each input; the network runs once.
    """
    network = Network(str(path))
    network.fit(feed)
    network.write({name: network.host(name, array) for name, array in feed.items()})
    found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))

    def saw(_: object, operator: Any) -> bool:  # noqa: ANN401 - of the runtime
        kind, _, rest = operator.getType().partition(" ")
        if kind in KINDS:
            int8, total = found[KINDS[kind]]
            found[KINDS[kind]] = (int8 + (_INT8 in rest), total + 1)
        return True

    network.interpreter.runSessionWithCallBackInfo(network.session, saw, lambda *_: True)
    return dict(found)


def left_in_fp32(found: Mapping[str, tuple[int, int]]) -> tuple[str, ...]:
    """Sentences about operators that stay in fp32."""
    return tuple(
        f"{total - int8} of {total} {kind} stay in fp32"
        for kind, (int8, total) in found.items()
        if int8 < total
    )
