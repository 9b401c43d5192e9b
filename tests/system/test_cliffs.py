"""`run --find-cliff batch` with a model whose cliffs are known."""

from __future__ import annotations

import psutil
import pytest

from inferometer.store import open_store

MODEL = "cliffs?beyond=2&mib=128"
"""128 MiB for each input: a worker limited to 256 MiB, and the 768 MiB that are not counted, has
room for four and surely not for eight."""


@pytest.mark.quiet
def test_cliffs_are_found_across_a_kill_and_said_in_a_sentence(cli, study, tmp_path):
    def stored():
        with open_store(tmp_path / "inferometer.db") as store:
            (run,) = store.runs()
            return run, {one.workload.batch_size: one for one in store.records(run.id)}

    command = ("run", study([MODEL], batches=[2, 8]), "--find-cliff", "batch")
    command = (*command, "--memory-limit", "256MiB", "--resume")
    first = cli.start(*command)
    next(line for line in first.stderr if line.startswith("[3/3]"))
    children = psutil.Process(first.pid).children(recursive=True)
    first.kill()
    first.communicate()
    psutil.wait_procs(children, timeout=5)
    run, before = stored()
    assert run.finished_at is None
    assert {2, 8, 4} <= before.keys()

    out, _ = cli(*command, status=1)
    run, after = stored()
    assert run.finished_at is not None
    assert {batch: after[batch] for batch in before} == before
    works = {batch for batch, one in after.items() if one.status == "ok"}
    fails = {batch for batch, one in after.items() if one["failure_kind"] == "out_of_memory"}
    assert {2, 3, 4} <= works
    assert len(works) + len(fails) == len(after)
    assert max(works) + 1 == min(fails) <= 8
    said = " ".join(out.split())
    assert "between 2 and 3" in said
    assert f"memory runs out between {max(works)} and {min(fails)} (limit 256 MiB)" in said
