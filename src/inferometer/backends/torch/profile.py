"""Run a module under torch's profiler, and tell where the time of its calls went."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.backends.torch.ranges import CALL, ModuleRanges, open_range
from inferometer.backends.torch.tally import Event, Tally
from inferometer.core.errors import InputError, WorkloadError
from inferometer.core.profile import CallTree
from inferometer.core.shown import shown

if TYPE_CHECKING:
    import torch

SCRIPTED = (
    "scripted modules run in torch's own interpreter: what is inside them is told by operator, "
    "not by module"
)
ELSEWHERE = (
    "operators on other threads are not shown; their time is in the module that waited for them"
)


class TorchProfiler:
    """Kineto, with a range for each module; fits `core.profile.Profiler`.

    Args:
        network: what is called.
        call: calls it and waits for the device.
        device: where it runs.

    Raises:
        WorkloadError: (unsupported) torch was built without it, or it does not see this device.
    """

    def __init__(
        self, network: torch.nn.Module, call: Callable[[], object], *, device: str
    ) -> None:
        import torch

        if not torch.profiler.kineto_available():
            raise WorkloadError("unsupported", "this torch was built without its profiler, Kineto")
        self._kind = torch.device(device).type
        if self._kind not in ("cpu", "cuda"):
            raise WorkloadError("unsupported", f"torch's profiler times no kernels on {device}")
        self._call = call
        self._ranges = ModuleRanges(network)
        self._scripted = any(isinstance(m, torch.jit.ScriptModule) for m in network.modules())
        self._last: Any = None
        self.forget()

    def forget(self) -> None:
        """Leave out what was seen so far."""
        self._elsewhere = False
        self._tally = Tally(self._ranges.module_of, device=self._kind == "cuda")

    @property
    def events(self) -> int:
        """Operators and modules that a call ran through; 0 before any."""
        return self._tally.events

    def run(self, calls: int, *, warmup: int) -> list[float]:
        """Call under the profiler; the latencies of the calls after the warm-up, seconds."""
        from torch.profiler import profile

        durations_ns = []
        with self._ranges.marked(), profile(activities=_activities(self._kind)) as session:
            for _ in range(warmup + calls):
                begin = time.perf_counter_ns()
                with open_range(CALL):
                    self._call()
                durations_ns.append(time.perf_counter_ns() - begin)
        self._last = session
        seen, elsewhere = _calls(_events(session))
        self._elsewhere |= elsewhere > 0
        if len(seen) != len(durations_ns):
            raise WorkloadError(
                "unsupported",
                f"torch's profiler kept {len(seen)} of {len(durations_ns)} calls: "
                "they run through too many operators",
            )
        for events, duration_ns in list(zip(seen, durations_ns, strict=True))[warmup:]:
            self._tally.add(events, duration_ns)
        return [duration_ns / 1e9 for duration_ns in durations_ns[warmup:]]

    def tree(self) -> CallTree:
        """Where the time went, over all calls so far."""
        notes = {SCRIPTED: self._scripted, ELSEWHERE: self._elsewhere}
        return self._tally.tree(notes=[note for note, applies in notes.items() if applies])

    def save_trace(self, path: str) -> None:
        """Write the calls of the last `run` in the trace format of Chrome and Perfetto."""
        before = _changed_ns(path)
        self._last.export_chrome_trace(path)
        if _changed_ns(path) == before:  # torch only logs that it could not
            raise InputError(f"{shown(path)}: the trace cannot be written there")


def _changed_ns(path: str) -> int | None:
    """When a file was last written; None where there is none."""
    file = Path(path)
    return file.stat().st_mtime_ns if file.is_file() else None


def _activities(kind: str) -> list[Any]:
    from torch.profiler import ProfilerActivity

    return [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if kind == "cuda" else [])]


def _events(session: Any) -> list[Event]:  # noqa: ANN401 - torch.profiler.profile
    """Events on the host, in the order of time, each with the time of the kernels it started.

    They are read as Kineto gives them: `session.events()` makes objects of them, which takes
    longer than most calls. Kernels are matched as it does.
    """
    kernels: dict[int, list[tuple[str, int]]] = {}
    host = []
    for event in session.profiler.kineto_results.events():
        if event.device_type().name != "CPU":
            started_by = kernels.setdefault(event.linked_correlation_id(), [])
            started_by.append((event.name(), event.duration_ns()))
        elif not event.is_async():
            host.append(event)
    host.sort(key=lambda event: (event.start_ns(), -event.duration_ns()))
    return [
        Event(
            name=event.name(),
            start_ns=event.start_ns(),
            end_ns=event.start_ns() + event.duration_ns(),
            thread=event.start_thread_id(),
            kernels_ns=_kernels_ns(kernels.get(event.correlation_id(), ()), event.name()),
        )
        for event in host
    ]


def _kernels_ns(kernels: Sequence[tuple[str, int]], starter: str) -> int:
    """Time of kernels; a range is on the device's track too, under the name of its starter."""
    return sum(duration_ns for name, duration_ns in kernels if name != starter)


def _calls(events: Sequence[Event]) -> tuple[list[list[Event]], int]:
    """Events of each call on the thread that made it, and how many were on others."""
    calls: list[list[Event]] = []
    thread, end_ns, elsewhere = 0, -1, 0
    for event in events:
        if event.name == CALL:
            calls.append([])
            thread, end_ns = event.thread, event.end_ns
        elif event.start_ns < end_ns:
            if event.thread == thread:
                calls[-1].append(event)
            else:
                elsewhere += 1
    return calls, elsewhere
