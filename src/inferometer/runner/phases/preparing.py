"""Prepares the variants of a run, model by model, and tells how far it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from inferometer.core.errors import InputError
from inferometer.core.procedure import Procedure
from inferometer.core.workload import Workload
from inferometer.runner.events import Notice
from inferometer.runner.journal import Journal
from inferometer.runner.preparation import Preparer, how_prepared
from inferometer.runner.progress import ProgressReporter
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.runner.workers.pool import CLOSING_S, clock_of


def prepare_all(
    preparer: Preparer, procedure: Procedure, journal: Journal, workloads: Sequence[Workload]
) -> None:
    """Prepare what workloads need; what fails is remembered by the preparer.

    Args:
        preparer: of the run.
        procedure: its budget begins now.
        journal: whose listener is told.
        workloads: to be measured later.
    """
    due = _needing(workloads)
    if not due:
        return
    clock, progress = clock_of(procedure, time.monotonic()), ProgressReporter(journal.listener)
    many = len({one.variant for one in due})
    journal.listener(
        Notice(message=f"Preparing {many} variant{'s' * (many > 1)}; what is in the cache is kept.")
    )
    for workload in due:
        if clock.left_s <= CLOSING_S:
            break
        progress.doing("preparing", workload)
        with suppress(WorkerFailed, InputError):
            preparer.prepared(workload, lambda: clock.deadline(0), progress.tell)
    preparer.close()


def _needing(workloads: Sequence[Workload]) -> list[Workload]:
    """Those that are prepared, all of a model in a row: it is loaded once."""
    found = [one for one in workloads if _is_prepared(one)]
    models = list(dict.fromkeys(one.variant.model for one in found))
    return sorted(found, key=lambda one: models.index(one.variant.model))


def _is_prepared(workload: Workload) -> bool:
    with suppress(WorkerFailed, InputError):
        return how_prepared(workload.variant) is not None
    return False
