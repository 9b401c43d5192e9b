"""What a process holds that a model's code can change, and that changes how fast it runs.

Read before a model's file is run and after its calls; the difference goes to the record's notes.
Runtimes have settings of their own, which their backends read.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SHOWN = (
    *("OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "VECLIB_", "NUMEXPR_"),
    *("DNNL_", "ONEDNN_", "CUDA_", "CUBLAS_", "CUDNN_", "NVIDIA_", "HIP_", "ROCR_", "ATEN_"),
    *("PYTORCH_", "TORCHINDUCTOR_", "MALLOC_", "TOKENIZERS_PARALLELISM"),
)
"""Beginnings of the names of environment variables that set threads and backends. Their values may
be shown; those of all others may be secrets."""

BY_RUNTIMES = frozenset({"TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"})
"""Variables that a compiler sets for its own child processes; they say nothing about the model."""

LONGEST_VALUE = 60
MOST_NAMES = 8


@dataclass(frozen=True, kw_only=True)
class HostSettings:
    """Settings of this process.

    Attributes:
        environment: its environment variables; not in the `repr`, since there may be secrets.
        folder: the current one; None where it was removed.
        cpus: logical CPUs that the calling thread may run on; None where the system keeps none.
        niceness: of the process; None where there is no such thing.
        collects_garbage: whether Python's cyclic collector runs by itself.
        is_traced: whether Python calls a debugger, a profiler or the like for each step.
    """

    environment: Mapping[str, str] = field(repr=False)
    folder: str | None
    cpus: tuple[int, ...] | None
    niceness: int | None
    collects_garbage: bool
    is_traced: bool


def read() -> HostSettings:
    """The settings of this process now."""
    affinity = getattr(os, "sched_getaffinity", None)
    priority = getattr(os, "getpriority", None)
    return HostSettings(
        environment=dict(os.environ),
        folder=_folder(),
        cpus=None if affinity is None else tuple(sorted(affinity(0))),
        niceness=None if priority is None else priority(os.PRIO_PROCESS, 0),
        collects_garbage=gc.isenabled(),
        is_traced=sys.gettrace() is not None or sys.getprofile() is not None,
    )


def changes(before: HostSettings, after: HostSettings) -> list[str]:
    """One sentence for each setting that the model's code changed."""
    return [f"the model's code {what}" for what in _changes(before, after)]


def _changes(before: HostSettings, after: HostSettings) -> Iterator[str]:
    yield from _environment(before.environment, after.environment)
    if after.folder is None and before.folder is not None:
        yield f"removed the current folder, {before.folder}"
    elif before.folder != after.folder:
        yield f"set the current folder to {after.folder}; it was {before.folder}"
    if before.cpus != after.cpus and before.cpus is not None and after.cpus is not None:
        yield (
            f"set the CPUs that it may run on to {_list(after.cpus)}; they were "
            f"{_list(before.cpus)}"
        )
    if None not in (before.niceness, after.niceness) and before.niceness != after.niceness:
        yield f"set its niceness to {after.niceness}; it was {before.niceness}"
    if before.collects_garbage != after.collects_garbage:
        yield f"switched Python's garbage collection {'on' if after.collects_garbage else 'off'}"
    if before.is_traced != after.is_traced:
        yield f"switched the tracing of Python's steps {'on' if after.is_traced else 'off'}"


def _environment(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    names = (before.keys() | after.keys()) - BY_RUNTIMES
    changed = sorted(name for name in names if before.get(name) != after.get(name))
    for name in changed:
        if name.startswith(SHOWN):
            was = f"; it was {_short(before[name])}" if name in before else ""
            yield f"set {name} to {_short(after[name])}{was}" if name in after else f"unset {name}"
    others = [name for name in changed if not name.startswith(SHOWN)]
    if others:
        more = len(others) - MOST_NAMES
        named = ", ".join(others[:MOST_NAMES])
        yield f"changed environment variables: {named}{f' and {more} more' if more > 0 else ''}"


def _short(value: str) -> str:
    text = " ".join(value.split())
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _list(cpus: tuple[int, ...]) -> str:
    """CPUs as the kernel writes lists of them: `0-3,8`."""
    runs: list[list[int]] = []
    for cpu in cpus:
        if runs and cpu == runs[-1][-1] + 1:
            runs[-1][-1] = cpu
        else:
            runs.append([cpu, cpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _folder() -> str | None:
    try:
        return str(Path.cwd())
    except OSError:
        return None
