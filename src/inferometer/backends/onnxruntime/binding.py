"""Calls of ONNX Runtime whose inputs and outputs stay on a device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from inferometer.core.nested import mapped

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession


def bound(
    session: InferenceSession, feed: Mapping[str, NDArray[Any]], device: str
) -> Callable[[], object]:
    """A call with inputs that are copied to the device now; it ends when the outputs are there.

    Args:
        session: it has a provider of that device.
        feed: arrays by the names of the file.
        device: as the runtime calls it, such as `cuda` or `cuda:1`.
    """
    import onnxruntime

    kind, _, index = device.partition(":")
    binding = session.io_binding()
    for name, array in feed.items():
        value = onnxruntime.OrtValue.ortvalue_from_numpy(array, kind, int(index or 0))
        binding.bind_ortvalue_input(name, value)
    for output in session.get_outputs():
        binding.bind_output(output.name, kind, int(index or 0))
    binding.synchronize_inputs()

    def call() -> object:
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        return binding.get_outputs()

    return call


def as_arrays(raw: object) -> object:
    """What a call gave, nested as it is, with what is on a device in the memory of this process."""
    import onnxruntime

    def is_value(part: object) -> bool:
        return isinstance(part, onnxruntime.OrtValue)

    return mapped(raw, lambda leaf: leaf.numpy() if is_value(leaf) else leaf, whole=is_value)
