"""Whether a variant may win: how near its outputs are to the reference's, and how right."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from inferometer.core.sections import Fidelity
from inferometer.core.workload import Variant, Workload
from inferometer.figures.accuracy import accuracy_of
from inferometer.runner.comparing import Comparer, Reference, reference_of
from inferometer.runner.phases.accuracy import PART_S, evaluation_of
from inferometer.runner.tuning.arena import Arena
from inferometer.runner.tuning.found import TuneRequest
from inferometer.runner.workers.parent import WorkerFailed

LONGEST_S = 30.0
"""For the accuracy of one variant; what is judged until then is a fair part of the samples."""

Say = Callable[[str, Workload], None]
"""Told what is done, and with which candidate."""


def cosines_of(
    workloads: Sequence[Workload], arena: Arena, *, data: str | None, say: Say
) -> dict[Variant, float | str | None]:
    """Cosine of each variant's outputs with the reference's, or why it is not known.

    The reference itself is left out; where the time was over before, it is None.

    Args:
        workloads: candidates of one model.
        arena: whose workers load them.
        data: labelled data of which the samples are; None makes inputs up.
        say: told what is done.
    """
    found: dict[Variant, float | str | None] = {}
    reference: Reference | None = None
    threads = max(one.threads or 1 for one in workloads) if workloads else 1
    try:
        with tempfile.TemporaryDirectory() as folder:
            for like in _of_each(workloads, threads):
                wanted = reference_of(like.variant)
                if wanted in (None, like.variant):
                    continue
                say("comparing", like)
                comparer = Comparer(arena.pool(like), Path(folder), data=data)
                try:
                    reference = reference or comparer.reference(wanted, like)
                    found[like.variant] = _cosine(
                        comparer.against(reference, like.variant, like.device)
                    )
                except WorkerFailed as failed:
                    late = failed.failure.kind == "budget"
                    found[like.variant] = None if late else failed.failure.message
    finally:
        arena.end()
    return found


def _of_each(workloads: Sequence[Workload], threads: int) -> list[Workload]:
    """A workload of each variant, of one sample, with all threads."""
    first = {one.variant: one for one in reversed(workloads)}
    return [
        replace(one, target=replace(one.target, threads=threads)).at(1)
        for one in reversed(first.values())
    ]


def _cosine(found: Fidelity) -> float | str:
    if found.fidelity_verdict == "unknown" or found.fidelity_cosine is None:
        reason = found.fidelity_reason
        return "its fidelity is not known" if reason is None else str(reason)
    return found.fidelity_cosine


class Judge:
    """Judges variants on labelled data, each once.

    Args:
        arena: whose workers load them.
        request: names data and metric.
        say: told what is done.
    """

    def __init__(self, arena: Arena, request: TuneRequest, *, say: Say) -> None:
        self._arena = arena
        self._request = request
        self._say = say
        self._known: dict[Variant, tuple[float | None, str]] = {}

    def of(self, workload: Workload, least: float) -> tuple[float | None, str | None]:
        """Accuracy of a candidate's variant, and why that is not enough; None where it is."""
        if workload.variant not in self._known:
            self._say("judging", workload)
            try:
                self._known[workload.variant] = self._judged(workload)
            except WorkerFailed as failed:
                self._known[workload.variant] = (None, failed.failure.message)
            finally:
                self._arena.end()
        accuracy, told = self._known[workload.variant]
        if accuracy is None or accuracy < least:
            return accuracy, told if accuracy is None else f"{told}, not {least:g}"
        return accuracy, None

    def _judged(self, workload: Workload) -> tuple[float | None, str]:
        """The accuracy, and that in words.

        Raises:
            WorkerFailed: it cannot be loaded, or the data does not fit it.
        """
        pool, data = self._arena.pool(workload), self._request.data
        assert data is not None
        pool.warm_up(workload, call_s=None)
        opened = pool.open_data(workload, data, self._request.metric)
        if not opened.higher_is_better:
            return None, f"{opened.metric} counts errors: --min-accuracy says nothing of it"
        parts, done, begin = [], 0, time.monotonic()
        while done < opened.samples and time.monotonic() - begin < LONGEST_S:
            parts.append(pool.evaluate(workload, done, seconds=PART_S))
            done += len(parts[-1].lengths)
        section, _ = accuracy_of(evaluation_of(workload, opened, parts), workload.batch_size)
        value, low, high = section.accuracy, section.accuracy_ci_low, section.accuracy_ci_high
        if value is None:
            return None, "its accuracy is not defined on these samples"
        ends = "" if low is None or high is None else f" [{low:.3g}, {high:.3g}]"
        return value, f"its {opened.metric} is {value:.3g}{ends} on {done} samples"
