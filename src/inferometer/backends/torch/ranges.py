"""Marks in torch's profiler where each module of a network begins and ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

CALL = "inferometer:call"
_MODULE = "inferometer:module:"


class ModuleRanges:
    """Names of the modules of a network, as ranges of the profiler.

    A module that is registered at several places goes by the first of them.

    Args:
        network: the modules' network; itself has the empty name.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        modules = list(network.named_modules())
        self._ranges = {id(module): f"{_MODULE}{at}" for at, (_, module) in enumerate(modules)}
        self._modules = [(name, type(module).__name__) for name, module in modules]

    def module_of(self, event: str) -> tuple[str, str] | None:
        """Path and class of the module whose range has this name; None for any other event."""
        if not event.startswith(_MODULE):
            return None
        return self._modules[int(event.removeprefix(_MODULE))]

    @contextmanager
    def marked(self) -> Iterator[None]:
        """Mark every call of these modules while the context lasts.

        The hooks are torch's global ones: hooks on modules would turn the fast path of
        `TransformerEncoderLayer` off, and a `ScriptModule` takes none.
        """
        from torch.nn.modules import module as hooks

        open_ranges = threading.local()

        def begin(module: torch.nn.Module, _args: object) -> None:
            name = self._ranges.get(id(module))
            if name is not None:
                entered = open_range(name)
                entered.__enter__()
                vars(open_ranges).setdefault("stack", []).append(entered)

        def end(module: torch.nn.Module, _args: object, _output: object) -> None:
            stack = vars(open_ranges).get("stack")
            if stack and id(module) in self._ranges:
                stack.pop().__exit__(None, None, None)

        handles = [
            hooks.register_module_forward_pre_hook(begin),
            hooks.register_module_forward_hook(end, always_call=True),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def open_range(name: str) -> Any:  # noqa: ANN401 - torch does not type it
    """A context that is an event of the profiler; the cheaper of torch's two where it is there."""
    import torch

    fast = getattr(torch._C._profiler, "_RecordFunctionFast", None)  # noqa: SLF001 - five times cheaper
    return torch.profiler.record_function(name) if fast is None else fast(name)
