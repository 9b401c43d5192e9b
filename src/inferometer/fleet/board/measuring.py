"""The process of a job on a full board: `python -m inferometer.fleet.board.measuring JOB LEASE`.

It has the lease of the board from whoever started it, and goes on when the line drops.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from inferometer.core.errors import FAULT, FleetError, InputError, in_one_line
from inferometer.core.run import Run
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.fleet.board.bundling import STORE
from inferometer.fleet.board.spool import Spool, spool_folder
from inferometer.fleet.protocol import job_workloads
from inferometer.fleet.types import State
from inferometer.runner.events import Event, RunStarted, WorkloadDone

ENDED = "it was ended before everything was measured; starting it again goes on with it"


class Noting:
    """Notes how far a job is, after each workload: writing more often would disturb it."""

    def __init__(self, spool: Spool, job: str) -> None:
        self.spool = spool
        self.job = job
        self.failed = 0

    def __call__(self, event: Event) -> None:
        """Take what happens in the run."""
        if isinstance(event, RunStarted):
            self.note(done=event.done, planned=event.planned, failed=self.failed)
        elif isinstance(event, WorkloadDone):
            self.failed += event.record.status == "failed"
            self.note(done=event.done, planned=event.planned, failed=self.failed)

    def note(self, **values: object) -> None:
        """Note; on a full disk the job goes on without."""
        with suppress(OSError):
            self.spool.note(self.job, **values)


def measure(spool: Spool, job: Mapping[str, Any], noting: Noting) -> Run:
    """Measure a job, or what is missing of it.

    Raises:
        InputError: it cannot be measured here.
    """
    from inferometer.runner import EnergyOptions, Options, run_study
    from inferometer.store import open_store

    study, part = asked(job)
    folder = spool.job_folder(str(job["id"]))
    os.chdir(folder / "files")  # where the study's references find the job's files
    options = Options(
        resume=str(job["id"]),
        part=part,
        energy=EnergyOptions(
            wanted=bool(job.get("energy", True)),
            meters=tuple(map(str, job.get("meters", ()))),
            allow_estimate=bool(job.get("allow_estimate", False)),
        ),
    )
    with open_store(folder / STORE, tell=print) as store:
        if not any(run.id == job["id"] for run in store.runs()):
            _begin(study, part, job, store)
        noting.failed = store.outcomes(str(job["id"])).get("failed", 0)
        return run_study(study, store, listener=noting, options=options)


def asked(job: Mapping[str, Any]) -> tuple[Study, tuple[Workload, ...]]:
    """The study of a job, and its workloads, with the threads of this machine filled in.

    Raises:
        FleetError: they do not go together.
    """
    from inferometer.runner.run import settled

    try:
        study, wanted = settled(Study.from_json(job["study"])), job_workloads(job)
        threads = study.sweep.threads
        part = {
            one if one.threads else replace(one, target=replace(one.target, threads=threads))
            for one in wanted
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FleetError(f"the study of the job cannot be read: {in_one_line(error)}") from error
    if not part or not part <= set(study.workloads()):
        raise FleetError("the job asks for workloads that its study does not have")
    return study, tuple(one for one in study.workloads() if one in part)


def _begin(study: Study, part: tuple[Workload, ...], job: Mapping[str, Any], store: Any) -> None:  # noqa: ANN401 - a Store, whose libraries load late
    """Make the run of a job."""
    from inferometer.host.files import LIVE
    from inferometer.runner.run import check, new_run

    check(study)
    given = {name: job[name] for name in ("class", "price") if job.get(name) is not None}
    run = new_run(study, store, LIVE, run_id=str(job["id"]), planned=len(part))
    device = {**run.device, "said": run.device.get("name"), "name": job["device_name"], **given}
    store.set_device(run.id, device)


def _end(spool: Spool, job_id: str, noting: Noting) -> tuple[State, str]:
    """Measure; how it ended."""
    found = (spool.asked(job_id) or {}).get("job")
    try:
        if not isinstance(found, dict):
            return "failed", "the job cannot be read any more"
        run = measure(spool, found, noting)
    except InputError as error:
        return "failed", str(error)
    except KeyboardInterrupt:
        return "failed", ENDED
    except Exception as error:  # noqa: BLE001 - told by the board
        return "failed", f"{FAULT}: {in_one_line(error)}"
    return ("failed", ENDED) if run.finished_at is None else ("done", "")


def main(argv: list[str]) -> int:
    """Measure a job."""
    job_id, lease = argv[0], int(argv[1])
    os.set_inheritable(lease, False)  # it ends with this process, and not with its last worker

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    spool = Spool(spool_folder())
    noting = Noting(spool, job_id)
    noting.note(state="running", pid=os.getpid(), began_at=time.time())
    state, message = _end(spool, job_id, noting)
    noting.note(state=state, message=message)
    os.close(lease)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
