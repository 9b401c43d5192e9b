"""Whatever a model does is a row of the results, and the rest goes on."""

from __future__ import annotations

import subprocess
from contextlib import suppress

import psutil
import pytest


def resident_bytes(process):
    """Resident memory of a process, five times a second until it ends."""
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        with suppress(psutil.Error):
            yield watched.memory_info().rss
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)


def name_of(row):
    return row["model"].rpartition(":")[2].partition("?")[0]


def test_five_ways_to_fail_and_one_that_works(cli, study):
    models = ["segfault", "hang", "memory", "nan", "raises", "good"]
    path = study(models, timeout="5s", memory_limit="400MiB")
    run = cli.start("run", path)
    seen = list(resident_bytes(run))
    out, err = run.communicate()
    assert run.returncode == 1, err
    rows = {name_of(row): row for row in cli.rows()}
    outcome = {name: (row["status"], row["failure_stage"], row["failure_kind"])
               for name, row in rows.items()}  # fmt: skip
    assert outcome == {
        "segfault": ("failed", "warmup", "crash"),
        "hang": ("failed", "warmup", "timeout"),
        "memory": ("failed", "warmup", "out_of_memory"),
        "nan": ("failed", "warmup", "non_finite_output"),
        "raises": ("failed", "warmup", "bad_model"),
        "good": ("ok", None, None),
    }
    assert "SIGSEGV" in rows["segfault"]["failure_message"]
    assert "boom" in rows["raises"]["failure_message"]
    assert "scores[0]" in rows["nan"]["failure_message"]
    assert rows["good"]["latency_calls"] >= 10
    late = [held for held in seen[len(seen) // 2 :] if held]  # 0 of a process about to end
    assert max(late) - min(late) < 32 << 20  # the parent's memory stays flat
    assert "good" in out


@pytest.mark.parametrize(
    ("model", "outcome", "words"),
    [
        ("raises_while_loading", ("load", "bad_model"), "no weights today"),
        ("leaves", ("warmup", "crash"), "status 7"),
        ("later_crash", ("measure", "crash"), "SIGSEGV"),
        ("hang_while_loading", ("load", "timeout"), "--timeout"),
        ("hang", ("warmup", "timeout"), "--timeout"),
    ],
)
def test_each_failure_has_its_stage_and_a_message(cli, study, model, outcome, words):
    path = study([model, "good"], batches=[1, 2], timeout="5s")
    cli("run", path, status=1)
    rows = [row for row in cli.rows() if name_of(row) == model]
    assert (rows[0]["failure_stage"], rows[0]["failure_kind"]) == outcome
    assert "ok" not in {row["status"] for row in rows}
    assert words in rows[0]["failure_message"]
    good = [row for row in cli.rows() if name_of(row) == "good"]
    assert [row["status"] for row in good] == ["ok", "ok"]


def test_larger_batches_of_a_shape_that_ran_out_of_memory_are_skipped_unless_asked(cli, study):
    path = study(["large?limit_mib=24"], batches=[1, 2, 64, 128], memory_limit="400MiB")
    cli("run", path, status=1)
    assert [(r["batch_size"], r["status"], r["failure_kind"]) for r in cli.rows()] == [
        (1, "ok", None), (2, "ok", None),
        (64, "failed", "out_of_memory"), (128, "skipped", "out_of_memory"),
    ]  # fmt: skip
    cli("run", path, "--try-larger", status=1)
    assert [r["status"] for r in cli.rows()][2:] == ["failed", "failed"]


def test_what_a_model_prints_does_not_reach_our_standard_output(cli, fault):
    out, _ = cli.process(
        "run", "--models", fault("chatty"), "--backends", "python", "--batch", "1", "--size", "own",
        "--preset", "quick", "--json", "-",
    )  # fmt: skip
    assert out.lstrip().startswith("[")
    assert out.rstrip().endswith("]")
    assert "a model that talks" not in out
