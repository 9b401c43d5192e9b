"""`run --resume [RUN] --only CELLS`: what was there stays until the new figures are complete."""

from __future__ import annotations

from inferometer.store import open_store


def test_named_cells_are_measured_again_one_by_one(cli, study, tmp_path):
    def stored():
        with open_store(tmp_path / "inferometer.db") as store:
            (run,) = store.runs()
            found = store.records(run.id, with_rounds=True)
        return run, {record.workload.batch_size: record for record in found}

    cli("run", study(["tiny"], batches=[1, 2, 3]))
    _, before = stored()

    cut = cli.start("run", "--resume", "--only", "tiny:own/1", "--only", ":own/3")
    first = next(line for line in cut.stderr if line.startswith("[2/3]"))
    cut.kill()
    cut.communicate()
    renewed, kept = (1, 3) if "size/1" in first else (3, 1)
    _, between = stored()
    assert between[2] == before[2]
    assert between[kept] == before[kept]
    assert between[renewed].figures["started_at"] >= before[renewed].figures["started_at"]
    old = {one.index for one in before[renewed].rounds}
    assert old.isdisjoint(one.index for one in between[renewed].rounds)

    cli("run", "--resume", "--only", f"tiny:own/{kept}")
    run, after = stored()
    assert run.finished_at is not None
    assert after[2] == before[2]
    assert after[renewed] == between[renewed]
    assert after[kept].rounds[0].index > max(one.index for one in before[kept].rounds)
