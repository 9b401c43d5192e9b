"""Which candidates there are, and how one is named on a command line."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from inferometer.core.errors import InputError
from inferometer.core.shown import shown
from inferometer.core.workload import Workload, size_label
from inferometer.runner.tuning.found import TuneRequest


def candidates(request: TuneRequest) -> list[Workload]:
    """All of them: the sweep at each number of threads."""
    return [
        workload
        for threads in dict.fromkeys(request.threads)
        for workload in replace(request.sweep, threads=threads).workloads()
    ]


def usable_backends(model: str, device: str) -> tuple[str, ...]:
    """Names of the backends that are there and run a model on a device. Imports no runtime.

    Raises:
        InputError: none does.
    """
    from inferometer.backends import BACKENDS, backend
    from inferometer.runner.formats import check_model

    def runs(name: str) -> bool:
        with suppress(InputError):
            check_model(model, [name])
            return name != "python" and device.partition(":")[0] in backend(name).devices
        return False

    found = tuple(name for name in BACKENDS.names() if runs(name))
    if not found:
        check_model(model, ["torch"])
        raise InputError(f"no backend that is installed runs {shown(model)} on {device}")
    return found


def command_of(workload: Workload) -> str:
    """What measures a candidate by itself, with all care."""
    variant = workload.variant
    parts = [
        *("inferometer", "run", "--models", variant.model, "--backends", variant.backend),
        *("--precisions", variant.precision, "--batch", str(workload.batch_size)),
        *("--size", size_label(workload.input_size), "--threads", str(workload.threads)),
    ]
    if variant.options:
        named = (f"{variant.backend}.{name}={value}" for name, value in variant.options)
        parts += ["--options", ",".join(named)]
    if workload.device != "cpu":
        parts += ["--device", workload.device]
    return shlex.join(parts)


def counts_of_threads(cores: int) -> list[int]:
    """Numbers of threads that are worth trying: powers of two below the cores, and all of them."""
    powers = [1 << exponent for exponent in range(cores.bit_length())]
    return sorted({one for one in powers if one < cores} | {cores})


def known_precisions(backends: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Those of the wanted precisions that one of the backends has at least. Imports no runtime."""
    from inferometer.backends import backend

    known = {one for name in backends for one in backend(name).precisions}
    return [one for one in wanted if one in known]
