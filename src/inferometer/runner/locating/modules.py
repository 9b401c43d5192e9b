"""In a worker: which modules of a torch network differ most in another precision."""

from __future__ import annotations

import copy
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.backends.tensors import as_numpy
from inferometer.backends.torch.base import dtype_of
from inferometer.core.errors import WorkloadError
from inferometer.core.fidelity import OperatorError
from inferometer.core.nested import leaves, mapped
from inferometer.core.protocols import Session, SupportsOperations
from inferometer.runner.locating.errors import Gap
from inferometer.runner.workers.messages import Located, LocateModules
from inferometer.runner.workers.samples import load_samples

if TYPE_CHECKING:
    import torch

MOST_CALLS = 8
"""More change the order of the modules little."""


def locate_modules(session: Session, request: LocateModules) -> Located:
    """Compare each module without modules in it with a copy in the precision, on the same inputs.

    Raises:
        WorkloadError: (unsupported) the network is none of torch's.
    """
    import torch

    if not isinstance(session, SupportsOperations) or not isinstance(
        session.network, torch.nn.Module
    ):
        raise WorkloadError("unsupported", "only modules of torch can be compared one by one")
    network, dtype = session.network, dtype_of(request.precision)
    leaf = {name: one for name, one in network.named_modules() if name and not list(one.children())}
    gaps = {name: Gap() for name in leaf}
    with ExitStack() as stack:
        for name, one in leaf.items():
            _Twin(one, dtype, gaps[name]).follow(stack)
        for sample in load_samples(Path(request.inputs))[:MOST_CALLS]:
            with session.running():
                session.bind(sample)()
    found = [
        OperatorError(name=name, kind=type(leaf[name]).__name__, relative_error=gap.error)
        for name, gap in gaps.items()
        if gap.error
    ]
    return Located(operators=tuple(sorted(found, key=lambda one: -one.relative_error)))


class _Twin:
    """A copy of a module in another type, which gets the inputs of its own."""

    def __init__(self, module: torch.nn.Module, dtype: torch.dtype, gap: Gap) -> None:
        self._module, self._dtype, self._gap = module, dtype, gap
        self._twin = copy.deepcopy(module).to(dtype)
        self._found: object = None

    def follow(self, stack: ExitStack) -> None:
        """Compare each call of the module, until the stack is left."""
        before = self._module.register_forward_pre_hook(self._before, with_kwargs=True)
        stack.callback(before.remove)
        stack.callback(self._module.register_forward_hook(self._after).remove)

    def _before(self, _: object, args: object, kwargs: object) -> None:
        """Called before the module, which may change its inputs in place."""
        given: Any = mapped((args, kwargs), self._cast, whole=_is_tensor)
        self._found = self._twin(*given[0], **given[1])

    def _after(self, _: object, __: object, output: object) -> None:
        for (_, one), (_, other) in zip(leaves(output), leaves(self._found), strict=True):
            if _is_tensor(one):
                self._gap.add(as_numpy(one), as_numpy(other))

    def _cast(self, part: Any) -> Any:  # noqa: ANN401 - inputs nest as they like
        return part.to(self._dtype) if _is_tensor(part) and part.is_floating_point() else part


def _is_tensor(part: object) -> bool:
    import torch

    return isinstance(part, torch.Tensor)
