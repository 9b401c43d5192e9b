"""Memory of an accelerator, as torch's allocator counts it."""

from __future__ import annotations

from typing import Any

from inferometer.core.record import Value
from inferometer.core.units import byte_count


class CudaMemory:
    """The allocator's own high-water mark: tensors of weights, inputs and activations.

    What the driver, the kernels and the libraries hold on the device is not in it.

    Args:
        cuda: the module `torch.cuda`, or what stands for it.
        device: which, as torch names it.
    """

    def __init__(self, cuda: Any, device: str) -> None:  # noqa: ANN401 - a module
        self.cuda = cuda
        self.device = device

    def begin(self) -> None:
        """Give cached blocks back, and reset the mark to what is held now."""
        self.cuda.synchronize(self.device)
        self.cuda.empty_cache()
        self.cuda.reset_peak_memory_stats(self.device)

    def end(self) -> dict[str, Value]:
        """`device_memory_bytes`; what the allocator reserved to serve it stands in the counter."""
        self.cuda.synchronize(self.device)
        reserved = byte_count(self.cuda.max_memory_reserved(self.device))
        return {
            "device_memory_bytes": self.cuda.max_memory_allocated(self.device),
            "memory_counter": f"torch.cuda.max_memory_allocated ({reserved} reserved)",
        }


class MpsMemory:
    """What Metal has given to the process at the end: its allocator keeps blocks for later calls.

    Args:
        mps: the module `torch.mps`, or what stands for it.
    """

    def __init__(self, mps: Any) -> None:  # noqa: ANN401 - a module
        self.mps = mps

    def begin(self) -> None:
        """Give cached blocks back."""
        self.mps.synchronize()
        self.mps.empty_cache()

    def end(self) -> dict[str, Value]:
        """`device_memory_bytes`."""
        self.mps.synchronize()
        return {
            "device_memory_bytes": self.mps.driver_allocated_memory(),
            "memory_counter": "torch.mps.driver_allocated_memory at the end",
        }
