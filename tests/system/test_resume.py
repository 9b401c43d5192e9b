"""Kill -9 at random moments: nothing that was finished is lost or measured twice."""

from __future__ import annotations

import random
import signal
import time

import psutil
import pytest

from inferometer.store import open_store

WORKLOADS = 8


def finished(path):
    """Finished workloads and what was measured of them."""
    if not path.exists():
        return {}
    with open_store(path) as store:
        return {
            record.workload.key: (record.figures["latency_mean_s"], record.figures["started_at"])
            for run in store.runs()
            for record in store.records(run.id)
        }


def wait_for_rounds(run, database, *, least=1):
    """Let a run that was started measure, until the store holds so many rounds."""
    next(run.stderr)  # it says what it will do when the run is in the store
    with open_store(database) as store:
        while store.next_round(store.run("latest").id) < least:
            assert run.poll() is None, run.stderr.read()
            time.sleep(0.02)


def gone(processes, within_s=20.0):
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return not alive


def test_kill_nine_at_ten_random_moments(cli, study, tmp_path):
    path = study(
        ["good", "chatty"], batches=range(1, 1 + WORKLOADS // 2), target="1%", max_time="600ms"
    )
    database = tmp_path / "inferometer.db"
    dice = random.Random(20261123)
    before = {}
    for _ in range(10):
        run = cli.start("run", path, "--resume")
        time.sleep(dice.uniform(0.2, 2.5))
        children = psutil.Process(run.pid).children(recursive=True)
        run.kill()
        run.communicate()
        assert gone(children), "an orphan worker stays"
        now = finished(database)
        assert {key: now[key] for key in before} == before
        before = now
    cli("run", path, "--resume")
    now = finished(database)
    assert len(now) == WORKLOADS
    assert {key: now[key] for key in before} == before
    with open_store(database) as store:
        assert len(store.runs()) == 1
    cli("run", path, "--resume")
    assert finished(database) == now


def test_rounds_of_an_unfinished_workload_are_kept_and_gone_on_from(cli, study, tmp_path):
    path = study(["good"], target="0.01%", max_calls=100_000, max_time="60s")
    run = cli.start("run", path)
    wait_for_rounds(run, tmp_path / "inferometer.db", least=30)
    run.kill()
    run.communicate()
    with open_store(tmp_path / "inferometer.db") as store:
        (kept,) = store.runs()
        assert kept.finished_at is None
        assert store.records(kept.id) == []
    cli("run", path, "--resume", "--retry-failed", "--target", "0.01%", "--budget", "6s")
    with open_store(tmp_path / "inferometer.db") as store:
        (record,) = store.records(kept.id, with_rounds=True)
    assert record.figures["latency_processes"] == 2
    assert [r.index for r in record.rounds] == sorted(r.index for r in record.rounds)
    assert len({r.index for r in record.rounds}) == len(record.rounds)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_end_keeps_what_is_done_and_says_how_to_resume(cli, study, tmp_path, sign):
    path = study(["good"], batches=[1, 2], target="0.01%", max_calls=100_000, max_time="60s")
    run = cli.start("run", path)
    wait_for_rounds(run, tmp_path / "inferometer.db")
    children = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(sign)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "--resume" in err
    assert "Traceback" not in err
    assert gone(children)


def test_resume_by_id_needs_no_study_and_a_foreign_study_is_refused(cli, study, tmp_path):
    path = study(["good"])
    cli("run", path)
    with open_store(tmp_path / "inferometer.db") as store:
        run = store.run("latest").id
    out, _ = cli("run", "--resume", run)
    assert "good" in out
    _, err = cli("run", path, "--batch", "3", "--resume", run, status=2)
    assert "another study" in err
    with open_store(tmp_path / "inferometer.db") as store:
        assert len(store.runs()) == 1


def test_what_failed_is_measured_again_only_where_asked(cli, study):
    path = study(["raises", "good"])
    cli("run", path, status=1)
    first = {row["model"]: row for row in cli.rows()}
    cli("run", path, "--resume", status=1)
    assert {row["model"]: row for row in cli.rows()} == first
    _, err = cli("run", path, "--resume", "--retry-failed", status=1)
    assert "boom" in err + str(cli.rows())
    again = {row["model"]: row for row in cli.rows()}
    good = next(name for name in first if name.endswith("good"))
    assert again[good] == first[good]
