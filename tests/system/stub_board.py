"""A board that answers as a full one does, and whose jobs take a known time in place of measuring.

    stub_board.py -m inferometer.fleet.board VERB      as the Python of a device
    stub_board.py measure JOB LEASE                    the process of a job

Files in the home folder say how it behaves: `slow` has a factor of the time that a workload takes,
`lie` a kind of lie in what it collects.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

WORKLOAD_S = 0.08
CHUNK = 192 << 10
HOME = Path(os.environ["HOME"])


def said(name, default=""):
    path = HOME / name
    return path.read_text().strip() if path.exists() else default


def detach(job, lease, folder, log):
    subprocess.Popen(
        [sys.executable, __file__, "measure", job, str(lease)],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        start_new_session=True, pass_fds=(lease,),
    )  # fmt: skip


def measure(job_id, lease):
    """Make the records of a job, as its process does."""
    import inferometer.runner
    import inferometer.runner.run
    from inferometer.core.record import Record, Round
    from inferometer.figures.summary import summarise
    from inferometer.fleet.board import measuring
    from inferometer.runner.events import RunStarted, WorkloadDone

    def run_study(study, store, *, listener, options):
        run = store.run(options.resume)
        done = {one.workload for one in store.records(run.id)}
        listener(RunStarted(run=run, planned=run.planned, done=len(done), budget_s=None))
        for workload in options.part:
            if workload in done:
                continue
            time.sleep(WORKLOAD_S * float(said("slow", "1")))
            number, took = store.next_round(run.id), 0.001 * workload.batch_size
            rounds = [
                Round(
                    index=number + n, process=n % 2, phase="measure", started_at=time.time(),
                    calls_per_value=1, settle=0,
                    starts_s=tuple(took * k for k in range(8)),
                    values_s=tuple(took * (1 + k * n / 1000) for k in range(8)),
                )
                for n in range(4)
            ]  # fmt: skip
            figures = summarise(workload, rounds, study.procedure)
            record = Record(workload=workload, status="ok", figures=figures)
            store.put_record(run.id, record, rounds)
            done.add(workload)
            listener(WorkloadDone(record=record, done=len(done), planned=run.planned))
        store.finish_run(run.id, time.time())
        return store.run(run.id)

    inferometer.runner.run_study = run_study
    inferometer.runner.run.check = lambda _: None  # its models need not exist
    sys.exit(measuring.main([job_id, lease]))


def lied(job, content, kind):
    """What a lying board sends in place of a bundle, as lines of an answer."""
    if kind == "garbage":
        content = os.urandom(1000)
    elif kind == "other run":
        content = changed(content, job.encode(), b"0badc0de")
    elif kind == "script":
        content = changed(content, b'"model":"m', b'"model":"<script>\\u001b[2Jm')
    elif kind == "bomb":
        content = gzip.compress(b" " * (600 << 20), compresslevel=1)
    digest = hashlib.sha256(content).hexdigest()
    yield {"collect": {"job": job, "bytes": len(content), "sha256": digest}}
    while kind == "endless":
        yield {"data": "AAAA" * 1000}
    for at in range(0, len(content), CHUNK):
        yield {"data": base64.b64encode(content[at : at + CHUNK]).decode()}
    yield {"end": True}


def changed(content, before, after):
    """A bundle in which something was replaced, with the checksum that it has then."""
    lines = gzip.decompress(content).replace(before, after).splitlines(keepends=True)[:-1]
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    end = json.dumps({"end": {"lines": len(lines), "sha256": digest}}).encode() + b"\n"
    return gzip.compress(b"".join((*lines, end)))


def answer():
    """Answer a verb as a board does; lie where it is told to."""
    from inferometer.fleet.board import verbs
    from inferometer.fleet.board.bundling import bundle_of_job

    def lying(request):
        job = request.text("job")
        yield from lied(job, bundle_of_job(request.spool, job), said("lie"))

    verbs._detach = detach
    if said("lie"):
        verbs.VERBS["collect"] = lying
    sys.exit(verbs.main(sys.argv[3:]))


if __name__ == "__main__":
    if sys.argv[1] == "measure":
        measure(sys.argv[2], sys.argv[3])
    answer()
