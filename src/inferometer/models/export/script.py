"""From a network to TorchScript, by tracing, and a look at whether the trace is the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import WorkloadError
from inferometer.models.export.call import Call
from inferometer.models.export.quiet import reason

if TYPE_CHECKING:
    import torch

TOLERANCE = 1e-3
"""Of the largest output: the trace runs the same kernels, so what differs more is another way."""


def trace(
    network: Any,  # noqa: ANN401 - what `flat` gave
    call: Call,
    tensors: Sequence[torch.Tensor],
    others: Sequence[Sequence[torch.Tensor]],
) -> torch.jit.ScriptModule:
    """A trace of a call that gives what the network gives, on inputs other than its own too.

    Args:
        network: the flat network.
        call: how it is called.
        tensors: arrays of the call that is traced.
        others: those of calls that are compared.

    Raises:
        WorkloadError: (unsupported) the trace gives something else, or fails where the network
            does not: it goes one way through code that has several.
    """
    import torch

    by_name = dict(zip(call.names, tensors, strict=True))
    with torch.no_grad(), _plainly():
        script: Any = torch.jit.trace(  # type: ignore[no-untyped-call]
            network, example_kwarg_inputs=by_name, check_trace=False
        )
        for other in others:
            check_same(script, network, dict(zip(call.names, other, strict=True)))
    assert isinstance(script, torch.jit.ScriptModule)
    return script


def check_same(exported: Any, network: Any, given: dict[str, torch.Tensor]) -> None:  # noqa: ANN401
    """See that what was exported gives what the network gives, for other inputs than its own.

    Raises:
        WorkloadError: (unsupported) it does not, or the network itself fails with them.
    """
    shapes = ", ".join("x".join(map(str, one.shape)) for one in given.values())
    try:
        wanted = _listed(network(**{name: one.clone() for name, one in given.items()}))
    except Exception as error:
        raise WorkloadError(
            "unsupported", f"the network itself takes no {shapes}: {reason(error)}"
        ) from error
    try:
        found = _listed(exported(**given))
    except (RuntimeError, AssertionError):
        found = []
    pairs = zip(wanted, found, strict=False)
    if len(wanted) != len(found) or not all(_close(one, other) for one, other in pairs):
        raise WorkloadError(
            "unsupported",
            f"what the exporter made of it gives something else than itself for {shapes}: the way "
            "through its code depends on shapes or values",
        )


def _plainly() -> Any:  # noqa: ANN401 - a context
    """TorchScript runs as it is, and is not compiled for a few calls."""
    import torch

    return torch.jit.optimized_execution(False)  # type: ignore[attr-defined]  # not announced


def _listed(output: Any) -> list[torch.Tensor]:  # noqa: ANN401 - a tensor or several
    return list(output) if isinstance(output, tuple) else [output]


def _close(wanted: torch.Tensor, found: torch.Tensor) -> bool:
    import torch

    if wanted.shape != found.shape or wanted.dtype != found.dtype:
        return False
    if not (wanted.is_floating_point() or wanted.is_complex()):
        return torch.equal(wanted, found)
    finite = wanted[wanted.isfinite()].abs()
    scale = float(finite.max()) if finite.numel() else 0.0
    return torch.allclose(found, wanted, rtol=TOLERANCE, atol=TOLERANCE * scale, equal_nan=True)
