"""One loaded model in this process: warm it up, and measure rounds of it.

A worker holds one; the Python API holds one in the caller's own process.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs, InputSpec, LoadedModel
from inferometer.core.protocols import (
    ChoosesGradientMode,
    Meter,
    Session,
    SupportsDeviceMemory,
    SupportsOperations,
    SupportsRemarks,
)
from inferometer.core.record import Round, Value
from inferometer.core.statement import Statement, text
from inferometer.core.workload import Shape
from inferometer.host.signals import Watch
from inferometer.meters.memory import PeakMemory, give_back
from inferometer.meters.memory import held as memory_held
from inferometer.meters.wall_clock import empty_pair_s
from inferometer.models.inputs import FactoryInputs, RememberedInputs
from inferometer.runner.workers.batches import BATCH_FIRST, batch_remark, check_inputs
from inferometer.runner.workers.calls import Calls, Manner, Marks
from inferometer.runner.workers.first_calls import FirstCalls
from inferometer.runner.workers.memory_layers import MemoryLayers
from inferometer.runner.workers.messages import RoundPlan, WarmedUp
from inferometer.runner.workers.settings import Held, Settings

WARMUP_ENOUGH_S = 0.5
WARMUP_SLOW_S = 2.0
WARMUP_MIN_CALLS = 3
WARMUP_MAX_CALLS = 100


class Harness:
    """A session with its model's inputs.

    Args:
        model: what is measured.
        session: it, loaded.
        load_s: seconds that loading took; None where it was loaded before.
        watch: reads the device's signals around each round.
        layers: what the process held before and after loading.
        ready_s: seconds from the start of the process until the model was loaded; None where the
            process did other things too.
        settings: of the process, before the model's code ran; None where that was long ago.
        seed: of the inputs.
        facts: further fields of the record that are known of the variant.

    Attributes:
        facts: fields of the record that belong to the variant, not to a shape.
        manner: how the model has to be called, as its first calls showed.
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
        settings: Settings | None = None,
        seed: int = 0,
        facts: Mapping[str, Value] = MappingProxyType({}),
    ) -> None:
        self.model = model
        self.session = session
        self.watch = watch
        self.layers = layers or MemoryLayers()
        self.ready_s = ready_s
        self.settings = settings
        self.seed = seed
        self.manner = Manner()
        self._remembered = RememberedInputs(model.inputs)
        self.facts: dict[str, Value] = {
            "source": model.source,
            "weights": model.weights,
            "notes": list(model.notes),
            "load_s": load_s,
            "latency_timer_overhead_s": empty_pair_s(),
            "artifact_bytes": _size_of(model.files),
            **({} if "parameters" in facts else _count(session, model)),
            **self.layers.facts(),
            **facts,
        }

    def warm_up(self, shape: Shape) -> WarmedUp:
        """Make the first call, check its output, and call on until the caches are warm.

        Peak memory is watched here and not in the rounds: giving free memory back to the system,
        without which the peak would be that of another shape, slows the next call down. The inputs
        are made before: making them takes memory that is not the model's. What is remembered of the
        inputs of other shapes is forgotten first, for the same reason.

        Raises:
            WorkloadError: (non_finite_output) the first output holds NaN or infinity;
                (unsupported) a call does not return what it gives, or inputs or output are not
                of the batch that is asked for.
        """
        self._remembered.forget()
        if isinstance(self.model.inputs, FactoryInputs):
            self.inputs(shape)  # a model is built for them, which is not the one that is measured
        give_back()
        idle = memory_held()
        inputs = self.inputs(shape)
        begin = time.perf_counter()
        placed = self.session.place(inputs)
        bind_s = time.perf_counter() - begin
        shown = replace(inputs, args=(), kwargs={})
        del inputs  # what the session copied is not held twice
        memory, device = PeakMemory(), self._device_meter()
        if device is not None:
            device.begin()
        memory.begin()
        try:
            first = FirstCalls(
                self.session,
                placed,
                self.manner,
                lambda: self._placed(shape),
                lambda output: self._outcome(output, shape, shown),
            )
            first_call_s = first.make()
            del placed
            blocks = self._warm_calls(first.calls)
        finally:
            peak = memory.end()
        seen = self.layers.figures(idle, peak)
        if device is not None:
            seen = joined(seen, device.end())
        return WarmedUp(
            first_call_s=first_call_s,
            round=_join(blocks),
            input_shape=shown.shape,
            seen=seen | self._cold_start(bind_s + first_call_s),
            size_applied=shown.size_applied,
            batch_applied=shown.batch_applied,
            notes=tuple(first.notes),
            variant_notes=(*first.variant_notes, *self._remarks(shape)),
            facts=self.mode_facts(),
            held=self.held(),
        )

    def _remarks(self, shape: Shape) -> list[Statement]:
        """How the runtime ran the calls of a shape, where that is not as it was asked for."""
        session = self.session
        if not isinstance(session, SupportsRemarks):
            return []
        return [text(remark) for remark in session.remarks(self.inputs(shape))]

    def _warm_calls(self, calls: Calls) -> list[Round]:
        with self.session.running():
            blocks = [_timed(calls, 1, 1)]
            while not _warm([block.values_s[0] for block in blocks]):
                blocks.append(_timed(calls, 1, 1))
        return blocks

    def held(self) -> Held:
        """What holds in this process now."""
        return Held() if self.settings is None else self.settings.held()

    def mode_facts(self) -> dict[str, Value]:
        """Fields of the variant that its first calls settled."""
        session = self.session
        if not isinstance(session, ChoosesGradientMode):
            return {}
        return {"gradient_mode": session.gradient_mode}

    def _cold_start(self, first_s: float) -> dict[str, Value]:
        """`cold_start_s`, of the first shape of a process: later ones do not start cold."""
        ready_s, self.ready_s = self.ready_s, None
        return {} if ready_s is None else {"cold_start_s": ready_s + first_s}

    def _device_meter(self) -> Meter | None:
        """What watches the memory of an accelerator; None where the session offers nothing."""
        session = self.session
        return session.device_memory() if isinstance(session, SupportsDeviceMemory) else None

    def run_round(self, shape: Shape, plan: RoundPlan) -> Round:
        """Measure one round, and watch the device meanwhile."""
        placed = self.session.place(self._made(self._remembered, shape))
        calls, marks = Calls(self.session, placed, self.manner), Marks(placed, summed=False)
        with self.session.running():
            self.watch.begin()
            end = time.perf_counter() + plan.seconds
            blocks = [_timed(calls, plan.settle + plan.values, plan.calls_per_value)]
            while time.perf_counter() < end:
                blocks.append(_timed(calls, plan.values, plan.calls_per_value))
            signals = self.watch.end()
        if not self.manner.fresh:
            self.manner.fresh = marks.changed()  # not in its first call, but in a later one
        return replace(_join(blocks), phase="measure", settle=plan.settle, signals=signals)

    def inputs(self, shape: Shape) -> Inputs:
        """The arguments of a call, as the model's inputs make them.

        Raises:
            WorkloadError: (unsupported) the model cannot take the shape, or they are empty.
        """
        return self._made(self.model.inputs, shape)

    def _made(self, spec: InputSpec, shape: Shape) -> Inputs:
        made = spec.make(batch_size=shape.batch_size, input_size=shape.input_size, seed=self.seed)
        check_inputs(made, shape.batch_size)
        return made

    def _outcome(self, output: object, shape: Shape, inputs: Inputs) -> str | None:
        """A remark on the batch in an output.

        Raises:
            WorkloadError: (unsupported) the output of a model that is known is not of the batch.
        """
        if not inputs.batch_applied:
            return None
        is_known = self.model.source in BATCH_FIRST
        remark = batch_remark(output, shape.batch_size, first=is_known)
        if remark is not None and is_known:
            raise WorkloadError("unsupported", remark)
        return None if remark is None else f"{remark}: figures for a sample count the whole batch"

    def _placed(self, shape: Shape) -> Inputs:
        return self.session.place(self.inputs(shape))


def sized(inputs: Inputs, shape: Shape) -> Inputs:
    """The inputs of a shape, where its input size and its batch size had an effect.

    Raises:
        WorkloadError: (unsupported) one of them had none.
    """
    if not inputs.batch_applied:
        raise WorkloadError(
            "unsupported",
            f"batch size {shape.batch_size} would change nothing in the model's inputs, which hold "
            "no array; let the factory take batch_size and make its own inputs",
        )
    if not inputs.size_applied:
        raise WorkloadError(
            "unsupported",
            f"input size {shape.input_size} would change nothing in the model's inputs "
            f"({inputs.shape}); leave it out",
        )
    return inputs


def _count(session: Session, model: LoadedModel) -> dict[str, Value]:
    """Parameter fields of a network that can be looked into, or of an ONNX file."""
    if not isinstance(session, SupportsOperations):
        from inferometer.runner.workers.counting import parameters_of_file, reads_onnx

        return dict(parameters_of_file(model)) if reads_onnx(model) else {}
    from inferometer.models.cost import count_parameters

    return dict(count_parameters(session.network).fields_of_record())


def joined(host: dict[str, Value], device: dict[str, Value]) -> dict[str, Value]:
    """Figures of the host's memory and of an accelerator's, with both counters named."""
    counters = [str(found["memory_counter"]) for found in (host, device) if found]
    return {**host, **device, "memory_counter": "; ".join(counters)}


def _size_of(files: tuple[str, ...]) -> int | None:
    """Bytes of the files that a model was read from; None where there were none."""
    from inferometer.models.cost.torch.artifacts import artifacts

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


def _timed(calls: Calls, values: int, calls_per_value: int) -> Round:
    """Time values one after the other; the parent fills in the round's place in the run."""
    starts, ends = array("q", bytes(8 * values)), array("q", bytes(8 * values))
    started_at = time.time()
    calls.time(starts, ends, calls_per_value)
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
