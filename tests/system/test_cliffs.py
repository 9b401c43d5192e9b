"""`run --find-cliff batch` with a model whose cliffs are known."""

from __future__ import annotations

import json

import psutil

from inferometer.store import open_store

MODEL = "cliffs?beyond=6&mib=64"
"""64 MiB for each input: a worker limited to 256 MiB, and the 768 MiB that are not counted, has
room for eight and surely not for sixteen."""


def test_cliffs_are_found_across_a_kill_and_said_in_a_sentence(cli, study, tmp_path):
    command = ("run", study([MODEL], batches=[4, 16]), "--find-cliff", "batch")
    command = (*command, "--memory-limit", "256MiB", "--resume")
    first = cli.start(*command)
    next(line for line in first.stderr if line.startswith("[4/"))
    children = psutil.Process(first.pid).children(recursive=True)
    first.kill()
    first.communicate()
    psutil.wait_procs(children, timeout=5)
    before = {row["workload"]: row for row in cli.rows()}
    assert len(before) >= 4

    out, _ = cli(*command, status=1)
    rows = cli.rows()
    assert {row["workload"]: row for row in rows if row["workload"] in before} == before
    with open_store(tmp_path / "inferometer.db") as store:
        (run,) = store.runs()
    assert run.finished_at is not None
    works = {row["batch_size"] for row in rows if row["status"] == "ok"}
    fails = {row["batch_size"] for row in rows if row["failure_kind"] == "out_of_memory"}
    assert {4, 6, 7, 8} <= works
    assert len(works) + len(fails) == len(rows)
    assert max(works) < min(fails) <= max(1.125 * max(works), max(works) + 1)
    said = " ".join(out.split())
    assert "between 6 and 7" in said
    assert f"memory runs out between {max(works)} and {min(fails)} (limit 256 MiB)" in said
    assert json.loads(cli("runs", "--json", "-")[0])[0]["planned"] == len(rows)
