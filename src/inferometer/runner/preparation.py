"""Prepares variants before they are measured, in processes of their own, each once in a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inferometer.core.artifact import Preparation
from inferometer.core.cost import Cost
from inferometer.core.errors import WorkloadError
from inferometer.core.format import Format
from inferometer.core.procedure import Procedure
from inferometer.core.protocols import SupportsPreparation
from inferometer.core.record import Failure, FailureKind
from inferometer.core.workload import Shape, Variant, Workload
from inferometer.host.cachefolder import cache_folder
from inferometer.host.memory import available_bytes
from inferometer.runner.workers.messages import (
    CostsCounted,
    CountCosts,
    Exported,
    ExportModel,
    Failed,
    PreparedAt,
    PrepareVariant,
    VariantPrepared,
)
from inferometer.runner.workers.parent import Deadline, WorkerFailed, WorkerProcess

SAMPLES = 32
"""Calibration samples: more change the ranges of activations little."""

ROOMY_BYTES = 4 * 1024**3
"""With less to be had, a model is not kept for its next variant while a converter works."""

USABLE = 0.95
"""Share of the available memory that such a process may use."""

Due = Callable[[], Deadline]
Wait = Callable[[], None]


def artifacts_folder() -> Path:
    """Where prepared models are kept."""
    return cache_folder() / "artifacts"


def how_prepared(variant: Variant) -> Preparation | None:
    """How the backend of a variant prepares it; None where it loads the model itself.

    Imports no runtime.

    Raises:
        WorkerFailed: at stage prepare: the backend refuses the precision or an option.
        InputError: the backend or the reference is wrong.
    """
    from inferometer.backends import backend
    from inferometer.models import format_of

    found = backend(variant.backend)
    if not isinstance(found, SupportsPreparation):
        return None
    try:
        return found.preparation(format_of(variant.model) or Format.TORCH_MODULE, variant)
    except WorkloadError as error:
        raise WorkerFailed(_at_prepare(error.kind, str(error))) from None


@dataclass(frozen=True)
class _Wanted:
    """What is prepared once: a variant, at one shape or at all."""

    variant: Variant
    shape: Shape | None


class Preparer:
    """Prepares, remembers what it prepared and what failed, and counts what models cost.

    Args:
        procedure: seed, labelled data and memory limit are the run's.
        cache: folder of what was prepared.
    """

    def __init__(self, procedure: Procedure, *, cache: Path | None = None) -> None:
        self._procedure = procedure
        self._cache = str(artifacts_folder() if cache is None else cache)
        self._ready: dict[_Wanted, PreparedAt] = {}
        self._failed: dict[_Wanted, Failure] = {}
        self._costs: dict[tuple[str, Shape], Cost | Failure | None] = {}
        self._source: WorkerProcess | None = None
        self._exported: dict[Variant, Exported] = {}
        self._closed: set[tuple[str, Format]] = set()

    def prepared(self, workload: Workload, due: Due, on_wait: Wait) -> tuple[PreparedAt, ...]:
        """What a worker of the workload's variant loads; empty where the backend needs nothing.

        Args:
            workload: what will be measured; prepared now where it was not.
            due: when to give up on an answer that is asked for now.
            on_wait: called while a process works.

        Raises:
            WorkerFailed: at stage prepare; the same one when it is asked for again.
        """
        variant = workload.variant
        how = how_prepared(variant)
        if how is None:
            return ()
        each = how.each_shape or (variant.model, how.wants) in self._closed
        wanted = _Wanted(variant, workload.shape if each else None)
        if wanted in self._failed:
            raise WorkerFailed(self._failed[wanted])
        if wanted not in self._ready:
            try:
                self._ready[wanted] = self._prepare(wanted, workload, how, due, on_wait)
            except WorkerFailed as failed:
                if each or failed.failure.kind != "unsupported" or variant in self._exported:
                    raise
                self._closed.add((variant.model, how.wants))  # each shape may be exported alone
                return self.prepared(workload, due, on_wait)
        return tuple(at for one, at in self._ready.items() if one.variant == variant)

    def costs(
        self, workloads: Sequence[Workload], due: Due, on_wait: Wait
    ) -> list[Cost | Failure | None]:
        """Analytical costs of calls of the model before it was prepared.

        Args:
            workloads: of one variant.
            due: when to give up.
            on_wait: called while a process works.

        Raises:
            WorkerFailed: the model cannot be loaded, or its process died.
        """
        model = workloads[0].variant.model
        shapes = [one.shape for one in workloads]
        missing = [one for one in shapes if (model, one) not in self._costs]
        if missing:
            source = self._source_of(workloads[0], due, on_wait)
            request = CountCosts(shapes=tuple(missing))
            answer = source.ask(request, CostsCounted, stage="prepare", deadline=due())
            for shape, cost in zip(missing, answer.costs, strict=True):
                self._costs[model, shape] = cost.at("warmup") if isinstance(cost, Failed) else cost
        return [self._costs[model, one] for one in shapes]

    def exported(self, variant: Variant) -> Exported | None:
        """What a variant was last prepared from; None where nothing was exported for it."""
        return self._exported.get(variant)

    def close(self) -> None:
        """End what still lives."""
        if self._source is not None:
            self._source.kill()
            self._source = None

    def _prepare(
        self, wanted: _Wanted, workload: Workload, how: Preparation, due: Due, on_wait: Wait
    ) -> PreparedAt:
        try:
            exported = self._export(wanted, workload, how, due, on_wait)
            self._exported[wanted.variant] = exported
            if how.stays:
                return PreparedAt(folder=exported.folder, shape=wanted.shape)
            return PreparedAt(
                folder=self._convert(exported, workload, how, due, on_wait), shape=wanted.shape
            )
        except WorkerFailed as failed:
            failure = _at_prepare(failed.failure.kind, failed.failure.message)
            if failure.kind != "budget":
                self._failed[wanted] = failure
            raise WorkerFailed(failure) from None

    def _export(
        self, wanted: _Wanted, workload: Workload, how: Preparation, due: Due, on_wait: Wait
    ) -> Exported:
        request = ExportModel(
            model=workload.variant.model,
            seed=self._procedure.seed,
            wanted=how.wants.value,
            shape=wanted.shape,
            size=workload.input_size,
            data=self._procedure.data,
            samples=SAMPLES if how.calibrates else 0,
            cache=self._cache,
        )
        source = self._source_of(workload, due, on_wait)
        return source.ask(request, Exported, stage="prepare", deadline=due())

    def _convert(
        self, exported: Exported, workload: Workload, how: Preparation, due: Due, on_wait: Wait
    ) -> str:
        request = PrepareVariant(
            variant=workload.variant,
            threads=workload.threads or 1,
            source=exported.folder,
            samples=exported.samples,
            tools=how.tools,
            cache=self._cache,
        )
        if available_bytes() < ROOMY_BYTES:  # it would be loaded once more for the next variant
            self.close()
        worker = self._spawn(workload.variant, workload, on_wait)
        try:
            answer = worker.ask(request, VariantPrepared, stage="prepare", deadline=due())
        finally:
            worker.kill()
        return answer.folder

    def _source_of(self, workload: Workload, due: Due, on_wait: Wait) -> WorkerProcess:
        """A process that has loaded the model as it is given, in fp32 on the processor."""
        variant = Variant(
            model=workload.variant.model, backend=_native(workload.variant), precision="fp32"
        )
        if self._source is not None and self._source.alive and self._source.variant == variant:
            return self._source
        self.close()
        source = self._spawn(variant, workload, on_wait)
        try:
            source.load(due())
        except BaseException:
            source.kill()
            raise
        self._source = source
        return source

    def _spawn(self, variant: Variant, workload: Workload, on_wait: Wait) -> WorkerProcess:
        limit = self._procedure.memory_limit_bytes or int(USABLE * available_bytes())
        return WorkerProcess(
            variant,
            device="cpu",
            threads=workload.threads or 1,
            seed=self._procedure.seed,
            memory_limit_bytes=limit,
            on_wait=on_wait,
        )


def _native(variant: Variant) -> str:
    """The backend that loads a model as it is given: the variant's own, or torch."""
    from inferometer.backends import backend
    from inferometer.models import format_of

    found = format_of(variant.model)
    return variant.backend if found in backend(variant.backend).accepts else "torch"


def _at_prepare(kind: FailureKind, message: str) -> Failure:
    return Failure(stage="prepare", kind=kind, message=message)
