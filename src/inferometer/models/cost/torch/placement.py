"""Stand between a network and its tensors, below which torch's dispatcher sees nothing.

Networks choose by the device what they do, and ask for tensors "on the device of" another: those
that lie on the meta device say that they lie where they come from. And they leave torch: what NumPy
does with their values is seen by nobody.
"""

# ruff: noqa: ANN401 - torch's functions take and give anything

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

META = torch.device("meta")

NAMES = {
    torch.Tensor.device.__get__: "device",
    torch.Tensor.get_device: "index",
    **{
        getattr(torch.Tensor, f"is_{name}").__get__: name
        for name in ("meta", "cpu", "cuda", "xpu", "mps")
        if hasattr(torch.Tensor, f"is_{name}")
    },
}
"""What asks a tensor for its device, and for what of it."""

MOVES = (torch.Tensor.to, torch.Tensor.cpu, torch.Tensor.cuda)
"""What moves a tensor. A call on one device moves none: they stay on the meta device."""

LEAVING = {
    torch.Tensor.numpy: "torch.Tensor.numpy",
    torch.Tensor.__array__: "torch.Tensor.numpy",
    torch.Tensor.__dlpack__: "torch.Tensor.__dlpack__",
}
"""What hands the values of a tensor to other libraries, by its name."""


class Placement(TorchFunctionMode):
    """While it is entered, tensors on the meta device say that they lie elsewhere.

    Args:
        device: where the tensors say that they lie.
        leaves: told the name of what hands floating values to other libraries.
    """

    def __init__(self, device: torch.device, leaves: Callable[[str], None]) -> None:
        super().__init__()
        self._device = device
        self._leaves = leaves

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Answer questions for the device of a tensor, and call all else."""
        kwargs = kwargs or {}
        if func in LEAVING or func in NAMES or func in MOVES:
            with torch._C.DisableTorchFunction():  # noqa: SLF001
                if func in LEAVING:
                    if args[0].is_floating_point() or args[0].is_complex():
                        self._leaves(LEAVING[func])
                elif args[0].is_meta:
                    return self._answer(func, args, kwargs)
        return func(*args, **kwargs)

    def _answer(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if func in MOVES:
            if func is not torch.Tensor.to:
                return args[0]
            named = {name: self._there(value) for name, value in kwargs.items()}
            return func(args[0], *map(self._there, args[1:]), **named)
        asked = NAMES[func]
        if asked == "device":
            return self._device
        if asked == "index":
            return -1 if self._device.index is None else self._device.index
        return self._device.type == asked

    def _there(self, value: Any) -> Any:
        """What names a device names the meta device, for tensors that lie there."""
        if isinstance(value, torch.Tensor) and not value.is_meta:
            return value.dtype
        if isinstance(value, str | int) and not isinstance(value, bool):
            return META
        return META if isinstance(value, torch.device) else value
