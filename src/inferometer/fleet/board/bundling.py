"""What a job has measured so far, as the bundle that a board sends."""

from __future__ import annotations

from inferometer.fleet.board.spool import Spool
from inferometer.fleet.types import RefusedError

STORE = "run.db"
"""A full board's results of one job, in the job's folder."""


def bundle_of_job(spool: Spool, job: str) -> bytes:
    """The bundle of a job, compressed; it may be read while the job goes on.

    Raises:
        RefusedError: the job has made no run yet.
    """
    path = spool.job_folder(job) / STORE
    if path.is_file():
        from inferometer.store import open_store
        from inferometer.store.bundle import bundle_bytes, bundle_of

        with open_store(path, create=False) as store:
            if any(run.id == job for run in store.runs()):
                return bundle_bytes(bundle_of(store, job), compressed=True)
    raise RefusedError(f"job {job} has measured nothing yet", code="nothing_yet")
