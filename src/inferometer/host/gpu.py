"""Why an NVIDIA GPU's clock is held back, as its driver says it (NVML).

Needs the package of the extra `nvidia`. Knows one GPU at a time, and nothing of the runtime.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

Events = Callable[[], int | None]


def clock_events(uuid: str | None) -> Events:
    """What reads the reasons as bits (NVML: nvmlClocksEventReasons); None is not observable.

    Args:
        uuid: of the GPU, with or without `GPU-`; None where it is not known: then the only GPU of
            the machine is read, and of several none, for another's heat would be held against it.
    """
    try:
        nvml: Any = import_module("pynvml")
        nvml.nvmlInit()
        gpu = _handle(nvml, uuid)
    except Exception:  # noqa: BLE001 - no package, no driver, no rights: not observable
        return lambda: None
    # The older name goes with CUDA 14; older packages lack the newer one.
    read = getattr(nvml, "nvmlDeviceGetCurrentClocksEventReasons", None)
    read = read or nvml.nvmlDeviceGetCurrentClocksThrottleReasons

    def events() -> int | None:
        try:
            return None if gpu is None else int(read(gpu))
        except Exception:  # noqa: BLE001 - as above
            return None

    return events


def _handle(nvml: Any, uuid: str | None) -> Any:  # noqa: ANN401 - NVML's own
    if uuid is not None:
        return nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid.removeprefix('GPU-')}")
    return nvml.nvmlDeviceGetHandleByIndex(0) if nvml.nvmlDeviceGetCount() == 1 else None
