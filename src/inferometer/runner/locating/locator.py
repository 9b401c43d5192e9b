"""Parent: asks workers of their own where a variant parts from its reference."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from inferometer.core.errors import InferometerError
from inferometer.core.fidelity import OperatorError, Recovery
from inferometer.core.format import Format
from inferometer.core.workload import Variant, Workload
from inferometer.models.cost.onnx.file import onnx_path
from inferometer.runner.comparing import EAGER, Reference
from inferometer.runner.workers.alone import worker_alone
from inferometer.runner.workers.messages import (
    Located,
    LocateModules,
    LocateOperators,
    Recovered,
    RecoverOperators,
)
from inferometer.runner.workers.parent import Deadline, WorkerProcess
from inferometer.runner.workers.pool import WorkerPool
from inferometer.runner.workers.prepared import read_folder

RUNTIME = "onnxruntime"
HALVES = ("bf16", "fp16")
MOST_S = 60.0
"""For choosing operators to be left in fp32, and again for making files."""


@dataclass(frozen=True, kw_only=True)
class Origins:
    """Where a variant parts from its reference.

    Attributes:
        operators: that differ, the likeliest origin first.
        recover: what leaving some of them in fp32 gives back and costs.
    """

    operators: tuple[OperatorError, ...] = ()
    recover: tuple[Recovery, ...] = ()


class Locator:
    """Looks for operators where both sides are ONNX files, and for modules where both are torch's.

    Args:
        pool: has loaded the variants.
        reference: what they were compared with.
        say: told what is done, one line at a time.
    """

    def __init__(self, pool: WorkerPool, reference: Reference, say: Callable[[str], None]) -> None:
        self._pool, self._reference, self._say = pool, reference, say

    def origins(self, workload: Workload) -> Origins:
        """Where a variant parts from the reference; nothing where that cannot be looked into."""
        found = Origins()
        try:
            bad, good = self._files(workload)
            if bad is not None and good is not None and bad != good:
                self._say("comparing operators")
                found = Origins(operators=self._operators(workload, bad, good))
                found = replace(found, recover=self._recover(workload, bad, good))
            elif self._are_modules(workload.variant):
                self._say("comparing modules")
                found = Origins(operators=self._modules(workload))
        except InferometerError as error:
            self._say(f"no further comparison: {error}")
        return found

    def _files(self, workload: Workload) -> tuple[Path | None, Path | None]:
        """The ONNX files that the variant and its reference run, or were made from."""
        bad, good = self._file(workload), self._file(self._reference.workload)
        exported = self._pool.preparer.exported(workload.variant)
        if good is None and exported is not None:
            good = _onnx_in(exported.folder)
        return bad, good

    def _file(self, workload: Workload) -> Path | None:
        prepared = self._pool.preparer.prepared(workload, self._due, self._pool.on_wait)
        if prepared:
            return _onnx_in(prepared[0].folder)
        return onnx_path(workload.variant.model)

    def _operators(self, workload: Workload, bad: Path, good: Path) -> tuple[OperatorError, ...]:
        with self._worker(replace(workload.variant, backend=RUNTIME)) as worker:
            request = LocateOperators(
                bad=str(bad),
                good=str(good),
                inputs=str(self._reference.inputs),
                threads=worker.threads,
                memory_limit_bytes=worker.memory_limit_bytes,
            )
            return worker.ask(request, Located, stage="measure", deadline=self._due()).operators

    def _recover(self, workload: Workload, bad: Path, good: Path) -> tuple[Recovery, ...]:
        """Of a file that ONNX Runtime's tool has quantised for the processor, with samples."""
        variant = workload.variant
        exported = self._pool.preparer.exported(variant)
        is_own = (
            variant.backend == RUNTIME and dict(variant.options).get("provider", "cpu") == "cpu"
        )
        if exported is None or exported.samples is None or not is_own:
            return ()
        self._say("leaving operators in fp32")
        with self._worker(variant) as worker:
            request = RecoverOperators(
                variant=variant,
                bad=str(bad),
                good=str(good),
                inputs=str(self._reference.inputs),
                samples=exported.samples,
                threads=worker.threads,
                seconds=MOST_S,
                memory_limit_bytes=worker.memory_limit_bytes,
            )
            deadline = self._pool.clock.deadline(2 * MOST_S)
            return worker.ask(request, Recovered, stage="measure", deadline=deadline).steps

    def _are_modules(self, variant: Variant) -> bool:
        """Whether the variant is the reference's module in a narrower type."""
        reference = self._reference.workload.variant
        narrower = replace(reference, precision=variant.precision)
        return reference.backend == EAGER and variant == narrower and variant.precision in HALVES

    def _modules(self, workload: Workload) -> tuple[OperatorError, ...]:
        with self._worker(self._reference.workload.variant) as worker:
            worker.load(self._due())
            request = LocateModules(
                precision=workload.variant.precision, inputs=str(self._reference.inputs)
            )
            return worker.ask(request, Located, stage="measure", deadline=self._due()).operators

    def _worker(self, variant: Variant) -> AbstractContextManager[WorkerProcess]:
        return worker_alone(
            variant,
            threads=self._reference.workload.threads or 1,
            seed=self._pool.procedure.seed,
            memory_limit_bytes=self._pool.procedure.memory_limit_bytes,
        )

    def _due(self) -> Deadline:
        return self._pool.clock.deadline(0)


def _onnx_in(folder: str) -> Path | None:
    """The ONNX file of a prepared model, where it has that form."""
    found = read_folder(Path(folder))
    return Path(folder) / found.files[0] if found.format == Format.ONNX.value else None
