"""From a network to an exported program of torch, with axes that are open or all fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import WorkloadError
from inferometer.models.export.call import SIZE, Call
from inferometer.models.export.script import check_same

if TYPE_CHECKING:
    import torch
    from torch.export import ExportedProgram

Axes = Mapping[str, Mapping[int, str]]
"""What each open axis of each array is, by its name; none is open where it is empty."""


def capture(
    network: Any,  # noqa: ANN401 - any torch module
    call: Call,
    tensors: Sequence[torch.Tensor],
    axes: Axes,
    other: Sequence[torch.Tensor],
) -> ExportedProgram:
    """The program of a call.

    Lengths of open axes are the exporter's to find out: what it needs of them (a least size, the
    same height as width) it puts down itself, and what it cannot leave open, it fixes, or ties to
    another in a way that no other input size fits.

    Args:
        network: the flat network.
        call: how it is called.
        tensors: arrays of the example.
        axes: those that are to stay open.
        other: arrays of another shape, which is tried where axes are open.

    Raises:
        WorkloadError: (unsupported) the code of the network fixes an axis that was to stay open.
    """
    import torch
    from torch.export import Dim

    args, kwargs = call.split(tensors)
    dynamic = {name: dict.fromkeys(axes.get(name, {}), Dim.AUTO) or None for name in call.names}
    with torch.no_grad():
        program = torch.export.export(
            network, args, kwargs, dynamic_shapes=dynamic if any(dynamic.values()) else None
        )
    for name, symbols in symbols_of(program, call).items():
        for axis, what in axes.get(name, {}).items():
            if str(symbols[axis]).isdigit():  # a number may come as a symbol, too
                raise _fixed(what, int(symbols[axis]))
    if any(axes.values()):
        with torch.no_grad():
            named = dict(zip(call.names, other, strict=True))
            args, kwargs = call.split(other)
            check_same(lambda **_: program.module()(*args, **kwargs), network, named)
    return program


def symbols_of(program: ExportedProgram, call: Call) -> dict[str, Sequence[Any]]:
    """Lengths of the axes of each array that a program takes: numbers, or symbols of open ones."""
    wanted = program.graph_signature.user_inputs
    values = {
        node.name: node.meta["val"] for node in program.graph.nodes if node.op == "placeholder"
    }
    return {name: values[str(given)].shape for name, given in zip(call.names, wanted, strict=True)}


def _fixed(what: str, length: int) -> WorkloadError:
    noun = "input size" if what == SIZE else "batch size"
    return WorkloadError(
        "unsupported",
        f"its code, or the exporter, fixes the {noun} of the example ({length}), so that one file "
        "cannot serve others; it can be exported for each shape",
    )
