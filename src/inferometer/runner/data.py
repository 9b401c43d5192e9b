"""A look at labelled data in a process of its own, before anything is measured."""

from __future__ import annotations

from inferometer.core.errors import DatasetError, WorkloadError
from inferometer.core.procedure import Procedure
from inferometer.core.workload import Variant
from inferometer.runner.workers.alone import patience, worker_alone
from inferometer.runner.workers.messages import DataOpened, LookAtData


def look_at_data(procedure: Procedure) -> DataOpened | None:
    """What the data of a procedure is; None where it names none.

    The data may be code of the user's, and its samples may be damaged: a worker opens it.

    Raises:
        DatasetError: it cannot be opened, or has no such metric.
    """
    if procedure.data is None:
        return None
    request = LookAtData(reference=procedure.data, metric=procedure.metric, seed=procedure.seed)
    nothing = Variant(model="", backend="python", precision="native")
    clock = patience(procedure.timeout_s)
    try:
        with worker_alone(nothing, threads=1) as worker:
            return worker.ask(request, DataOpened, stage="load", deadline=clock.deadline(0))
    except WorkloadError as error:
        raise DatasetError(str(error)) from None


def told(found: DataOpened) -> str:
    """What the data is, for people."""
    skipped = f"; {len(found.skipped)} could not be used" if found.skipped else ""
    return f"Accuracy: {found.metric} over {found.samples:,} test samples of {found.name}{skipped}."
