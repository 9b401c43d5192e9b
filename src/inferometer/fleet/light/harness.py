"""One loaded model in this process: its warm-up and its rounds, as `runner.workers.harness`."""

import ctypes
import gc
import os
import time
from array import array
from time import perf_counter
from typing import Any, Callable, Dict, List, Optional, Tuple

from inferometer.fleet.light.files import fields, read_text, to_int
from inferometer.fleet.light.networks import Model, Refused
from inferometer.fleet.light.runtimes import Session, bad_numbers, file_bytes, shape_text
from inferometer.fleet.light.signals import Watch

WARMUP_ENOUGH_S = 0.5
WARMUP_SLOW_S = 2.0
WARMUP_MIN_CALLS = 3
WARMUP_MAX_CALLS = 100
KEPT_SHAPES = 8

Round = Dict[str, Any]


class Clock:
    """Unix time that never jumps: what the board's clock said at the start, and what has passed.

    A board without a battery sets its clock when it finds a time server, in the midst of a run.
    """

    def __init__(self, offset_s: float) -> None:
        self.offset_s = offset_s

    def now(self) -> float:
        """Unix time, seconds."""
        return time.monotonic() + self.offset_s


class Harness:
    """A session with its model's inputs."""

    def __init__(self, model: Model, session: Session, watch: Watch, clock: Clock) -> None:
        self.model = model
        self.session = session
        self.watch = watch
        self.clock = clock
        self.ready_s: Optional[float] = None
        self._made: Dict[Tuple[int, Optional[int]], Any] = {}

    def _inputs(self, batch: int, size: Optional[int], seed: int) -> Any:
        """Inputs of a shape, kept: making them before each round would disturb it."""
        if (batch, size) not in self._made:
            if len(self._made) >= KEPT_SHAPES:
                self._made.clear()
            self._made[batch, size] = self.session.inputs(batch, size, seed)
        return self._made[batch, size]

    def warm_up(self, batch: int, size: Optional[int], seed: int) -> Dict[str, Any]:
        """The first call, and calls until the caches are warm; what it showed."""
        self._made.clear()
        inputs = self._inputs(batch, size, seed)
        give_back()
        peak = Peak()
        begin = perf_counter()
        placed = self.session.place(inputs)
        bind_s = perf_counter() - begin
        with self.session.running():
            call = self.session.bind(placed)
            begin = perf_counter()
            output = call()
            first_call_s = perf_counter() - begin
        problem = bad_numbers(output)
        if problem:
            raise Refused("non_finite_output", problem)
        self.session.after_first(placed)
        with self.session.running():
            blocks = self._warm_calls(self.session.bind(placed))
        seen = {"first_call_s": first_call_s, "input_shape": shape_text(inputs)}
        seen.update(peak.figures())
        if self.ready_s is not None:
            seen["cold_start_s"] = self.ready_s + bind_s + first_call_s
            self.ready_s = None
        if self.session.mode is not None:
            seen["gradient_mode"] = self.session.mode
        return {"round": blocks, "figures": seen}

    def _warm_calls(self, call: Callable[[], Any]) -> Round:
        blocks = [timed(call, 1, 1, self.clock)]
        while not _warm([block["values_s"][0] for block in blocks]):
            blocks.append(timed(call, 1, 1, self.clock))
        return joined(blocks)

    def run_round(self, shape: Tuple[int, Optional[int]], seed: int, plan: Dict[str, Any]) -> Round:
        """Measure one round, and watch the device meanwhile."""
        placed = self.session.place(self._inputs(shape[0], shape[1], seed))
        with self.session.running():
            call = self.session.bind(placed)
            k, values = plan["calls_per_value"], plan["values"]
            self.watch.begin()
            end = perf_counter() + plan.get("seconds", 0.0)
            blocks = [timed(call, plan["settle"] + values, k, self.clock)]
            while perf_counter() < end:
                blocks.append(timed(call, values, k, self.clock))
            signals = self.watch.end()
        done = joined(blocks)
        done.update(phase="measure", settle=plan["settle"], signals=signals)
        return done

    def facts(self, load_s: float) -> Dict[str, Any]:
        """Fields of the record that belong to the variant."""
        found = {
            "source": self.model.source,
            "weights": self.model.weights,
            "load_s": load_s,
            "latency_timer_overhead_s": empty_pair_s(),
            "artifact_bytes": file_bytes(self.model.files) if self.model.kind != "module" else None,
        }
        found.update(_counted(self.model.network))
        if self.session.threads is not None:
            found["threads"] = self.session.threads
        return {name: value for name, value in found.items() if value is not None}


def _counted(network: Any) -> Dict[str, int]:
    """Parameters of a network that can be looked into; a shared one counts once."""
    if not hasattr(network, "parameters") or not callable(network.parameters):
        return {}
    distinct = {id(one): one for one in network.parameters()}.values()
    if not distinct:
        return {}
    return {
        "parameters": sum(int(one.numel()) for one in distinct),
        "parameter_bytes": sum(int(one.numel() * one.element_size()) for one in distinct),
    }


def timed(call: Callable[[], Any], values: int, calls_per_value: int, clock: Clock) -> Round:
    """Time values one after the other: the clock, the calls, the clock again."""
    starts, ends = array("d", bytes(8 * values)), array("d", bytes(8 * values))
    started_at = clock.now()
    if calls_per_value == 1:
        for index in range(values):
            begin = perf_counter()
            call()
            end = perf_counter()
            starts[index], ends[index] = begin, end
    else:
        repeats = range(calls_per_value)
        for index in range(values):
            begin = perf_counter()
            for _ in repeats:
                call()
            end = perf_counter()
            starts[index], ends[index] = begin, end
    first = starts[0]
    return {
        "phase": "warmup",
        "started_at": started_at,
        "calls_per_value": calls_per_value,
        "settle": 0,
        "starts_s": [start - first for start in starts],
        "values_s": [(b - a) / calls_per_value for a, b in zip(starts, ends)],
        "signals": None,
    }


def joined(blocks: List[Round]) -> Round:
    """Blocks that were timed one after the other, as one."""
    whole = dict(blocks[0], starts_s=[], values_s=[])
    for block in blocks:
        shift_s = block["started_at"] - whole["started_at"]
        whole["starts_s"] += [shift_s + start for start in block["starts_s"]]
        whole["values_s"] += block["values_s"]
    return whole


def _warm(values_s: List[float]) -> bool:
    spent, calls = sum(values_s), len(values_s)
    return (
        spent >= WARMUP_SLOW_S
        or calls >= WARMUP_MAX_CALLS
        or (spent >= WARMUP_ENOUGH_S and calls >= WARMUP_MIN_CALLS)
    )


def empty_pair_s() -> float:
    """Median duration of an empty timing pair, seconds."""
    gaps = []
    for _ in range(2001):
        begin = perf_counter()
        gaps.append(perf_counter() - begin)
    return sorted(gaps)[1000]


class Peak:
    """Peak of resident memory from now on, by the kernel's own mark where it can be reset."""

    def __init__(self) -> None:
        try:
            with open("/proc/self/clear_refs", "w") as stream:
                stream.write("5")
            self.counter = "VmHWM"
        except OSError:
            self.counter = "VmHWM, not reset: of the whole process"

    def figures(self) -> Dict[str, Any]:
        """Fields of the record; none where it is not observable."""
        mark = status_bytes("self", "VmHWM")
        return {} if mark is None else {"peak_memory_bytes": mark, "memory_counter": self.counter}


def status_bytes(process: str, name: str) -> Optional[int]:
    """Bytes that `/proc/PROCESS/status` tells under a name; None where it does not."""
    said = fields(read_text("/", f"proc/{process}/status")).get(name, "")
    kibibytes = to_int(said.replace("kB", "").strip())
    return None if kibibytes is None else kibibytes * 1024


def give_back() -> None:
    """Return freed memory to the system, where the C library is glibc."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
