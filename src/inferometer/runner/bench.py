"""One loaded model in this process: warm it up, and measure rounds of it.

A worker holds one; the Python API holds one in the caller's own process.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from inferometer.core.cost import Cost
from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, LoadedModel
from inferometer.core.protocols import Meter, Session
from inferometer.core.record import Round, Value
from inferometer.core.workload import Workload
from inferometer.host.signals import Watch
from inferometer.meters.memory import PeakMemory, give_back, held
from inferometer.meters.wall_clock import empty_pair_s
from inferometer.runner.loop import timed_values
from inferometer.runner.memory_layers import MemoryLayers

WARMUP_ENOUGH_S = 0.5
WARMUP_SLOW_S = 2.0
WARMUP_MIN_CALLS = 3
WARMUP_MAX_CALLS = 100


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One shape of a variant: batch size, input size, and the seed of the inputs."""

    batch_size: int
    input_size: int | None
    seed: int

    @classmethod
    def of(cls, workload: Workload, seed: int) -> Shape:
        """That of a workload."""
        return cls(batch_size=workload.batch_size, input_size=workload.input_size, seed=seed)


@dataclass(frozen=True, kw_only=True)
class RoundPlan:
    """What a round shall hold.

    Attributes:
        values: values that count.
        calls_per_value: calls behind each value.
        settle: values before those that count, after a switch from another workload.
        seconds: repeat all that until so much time has passed; 0 is once.
    """

    values: int
    calls_per_value: int = 1
    settle: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """What the first calls of a shape showed.

    Attributes:
        first_call_s: duration of the very first call, seconds.
        round: the calls after it, as a round of phase `warmup`.
        input_shape: for people, such as `8x3x224x224`.
        seen: fields of the record that the meters gave.
        size_applied: whether the asked-for input size had an effect.
    """

    first_call_s: float
    round: Round
    input_shape: str
    seen: dict[str, Value]
    size_applied: bool


class Bench:
    """A session with its model's inputs.

    Args:
        model: what is measured.
        session: it, loaded.
        load_s: seconds that loading took; None where it was loaded before.
        watch: reads the device's signals around each round.
        layers: what the process held before and after loading.
        ready_s: seconds from the start of the process until the model was loaded; None where the
            process did other things too.

    Attributes:
        facts: fields of the record that belong to the variant, not to a shape.
    """

    def __init__(
        self,
        model: LoadedModel,
        session: Session,
        *,
        load_s: float | None,
        watch: Watch,
        layers: MemoryLayers | None = None,
        ready_s: float | None = None,
    ) -> None:
        self.model = model
        self.session = session
        self.watch = watch
        self.layers = layers or MemoryLayers()
        self.ready_s = ready_s
        self.facts: dict[str, Value] = {
            "source": model.source,
            "weights": model.weights,
            "notes": list(model.notes),
            "load_s": load_s,
            "latency_timer_overhead_s": empty_pair_s(),
            "artifact_bytes": _size_of(model.files),
            **_count(session.network),
            **self.layers.facts(),
        }

    def warm_up(self, shape: Shape) -> WarmUp:
        """Make the first call, check its output, and call on until the caches are warm.

        Peak memory is watched here and not in the rounds: giving free memory back to the system,
        without which the peak would be that of another shape, slows the next call down. The inputs
        are made before: making them takes memory that is not the model's.

        Raises:
            WorkloadError: (non_finite_output) the first output holds NaN or infinity.
        """
        give_back()
        idle = held()
        inputs = self.inputs(shape)
        shown = inputs.shape, inputs.size_applied
        begin = time.perf_counter()
        call = self.session.bind(inputs)
        bind_s = time.perf_counter() - begin
        del inputs  # what the session copied is not held twice
        memory, device = PeakMemory(), self._device_meter()
        if device is not None:
            device.begin()
        memory.begin()
        try:
            first_call_s, blocks = self._first_calls(call)
        finally:
            peak = memory.end()
        seen = self.layers.figures(idle, peak)
        if device is not None:
            seen = joined(seen, device.end())
        return WarmUp(
            first_call_s=first_call_s,
            round=_join(blocks),
            input_shape=shown[0],
            seen=seen | self._cold_start(bind_s + first_call_s),
            size_applied=shown[1],
        )

    def _first_calls(self, call: Callable[[], Any]) -> tuple[float, list[Round]]:
        """Seconds of the first call, and the calls after it."""
        with self.session.running():
            begin = time.perf_counter()
            output = call()
            first_call_s = time.perf_counter() - begin
            problem = self.session.non_finite(output)
            if problem:
                raise WorkloadError("non_finite_output", problem)
            del output
            blocks = [_timed(call, 1, 1)]
            while not _warm([block.values_s[0] for block in blocks]):
                blocks.append(_timed(call, 1, 1))
        return first_call_s, blocks

    def _cold_start(self, first_s: float) -> dict[str, Value]:
        """`cold_start_s`, of the first shape of a process: later ones do not start cold."""
        ready_s, self.ready_s = self.ready_s, None
        return {} if ready_s is None else {"cold_start_s": ready_s + first_s}

    def _device_meter(self) -> Meter | None:
        """What watches the memory of an accelerator; None where the session offers nothing."""
        find: Callable[[], Meter | None] = getattr(self.session, "device_memory", lambda: None)
        return find()

    def cost(self, shape: Shape, *, may_run: bool = False) -> Cost | None:
        """What a call costs on paper; None where the network cannot be looked into.

        Args:
            shape: of the call.
            may_run: whether a real call may be counted where there is no other way.

        Raises:
            WorkloadError: (unsupported) it cannot be counted without running it.
        """
        placed = getattr(self.session, "placed", None)
        if self.session.network is None or placed is None:
            return None
        args, kwargs = placed(self.inputs(shape))
        with self.layers.counting():
            from inferometer.models.cost import count_operations

            return count_operations(self.session.network, args, kwargs, may_run=may_run)

    def run_round(self, shape: Shape, plan: RoundPlan) -> Round:
        """Measure one round, and watch the device meanwhile."""
        call = self.session.bind(self.inputs(shape))
        with self.session.running():
            self.watch.begin()
            end = time.perf_counter() + plan.seconds
            blocks = [_timed(call, plan.settle + plan.values, plan.calls_per_value)]
            while time.perf_counter() < end:
                blocks.append(_timed(call, plan.values, plan.calls_per_value))
            signals = self.watch.end()
        return replace(_join(blocks), phase="measure", settle=plan.settle, signals=signals)

    def inputs(self, shape: Shape) -> Inputs:
        """The arguments of a call, as the model's inputs make them."""
        return self.model.inputs.make(
            batch_size=shape.batch_size, input_size=shape.input_size, seed=shape.seed
        )


def sized(inputs: Inputs, shape: Shape) -> Inputs:
    """The inputs of a shape, where its input size had an effect.

    Raises:
        WorkloadError: (unsupported) it had none.
    """
    if not inputs.size_applied:
        raise WorkloadError(
            "unsupported",
            f"input size {shape.input_size} would change nothing in the model's inputs "
            f"({inputs.shape}); leave it out",
        )
    return inputs


def _count(network: object) -> dict[str, Value]:
    """Parameter fields of a network that can be looked into."""
    if network is None:
        return {}
    from inferometer.models.cost import count_parameters

    return dict(count_parameters(network).fields_of_record())


def joined(host: dict[str, Value], device: dict[str, Value]) -> dict[str, Value]:
    """Figures of the host's memory and of an accelerator's, with both counters named."""
    counters = [str(found["memory_counter"]) for found in (host, device) if found]
    return {**host, **device, "memory_counter": "; ".join(counters)}


def _size_of(files: tuple[str, ...]) -> int | None:
    """Bytes of the files that a model was read from; None where there were none."""
    from inferometer.models.cost.artifacts import artifacts

    found = artifacts(files)
    return sum(one.size_bytes for one in found) if found else None


def _warm(values_s: list[float]) -> bool:
    """Whether the calls after the first are enough: half a second of them, or one slow one."""
    spent = sum(values_s)
    calls = len(values_s)
    return (
        spent >= WARMUP_SLOW_S
        or calls >= WARMUP_MAX_CALLS
        or (spent >= WARMUP_ENOUGH_S and calls >= WARMUP_MIN_CALLS)
    )


def _timed(call: Callable[[], Any], values: int, calls_per_value: int) -> Round:
    """Time values one after the other; the parent fills in the round's place in the run."""
    starts, ends = array("q", bytes(8 * values)), array("q", bytes(8 * values))
    started_at = time.time()
    timed_values(call, starts, ends, calls_per_value)
    return Round(
        index=0,
        process=0,
        phase="warmup",
        started_at=started_at,
        calls_per_value=calls_per_value,
        settle=0,
        starts_s=tuple((start - starts[0]) / 1e9 for start in starts),
        values_s=tuple(
            (end - start) / 1e9 / calls_per_value for start, end in zip(starts, ends, strict=True)
        ),
    )


def _join(blocks: list[Round]) -> Round:
    """Blocks that were timed one after the other, as one."""
    first = blocks[0]
    return replace(
        first,
        starts_s=tuple(
            block.started_at - first.started_at + start
            for block in blocks
            for start in block.starts_s
        ),
        values_s=tuple(value for block in blocks for value in block.values_s),
    )
