"""What held during the calls goes into the record, through worker and parent."""

from __future__ import annotations

import textwrap

import pytest

from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.runner import run_study
from inferometer.store import open_store

pytest.importorskip("torch")

QUICK = {"processes": 2, "target": 0.9, "min_rounds": 2, "span_s": 0.0, "round_s": 0.01, "max_time_s": 0.05}  # fmt: skip


@pytest.fixture
def measured(tmp_path):
    def run(source, *, backend="torch", batches=(1,), precision="fp32"):
        (tmp_path / "net.py").write_text(textwrap.dedent(source))
        study = Study(
            name="held",
            sweep=Sweep(
                models=(f"{tmp_path}/net.py:build",),
                backends=(backend,),
                precisions=(precision,),
                blocks=(Block(batches=batches),),
                threads=2,
            ),
            procedure=Procedure(**QUICK, roofline=False),
        )
        with open_store(tmp_path / "held.db") as store:
            return store.records(run_study(study, store).id)

    return run


def test_threads_that_the_model_sets_and_what_else_it_changes(measured):
    (record,) = measured(
        """
        import os
        import torch

        def build():
            torch.set_num_threads(1)
            os.environ["MY_SECRET"] = "hidden"
            return torch.nn.Linear(4, 4), torch.ones(1, 4)
        """
    )
    assert record.status == "ok"
    assert record["threads"] == 1
    assert record.workload.threads == 2
    notes = " ".join(record["notes"])
    assert "set the number of threads to 1; 2 were asked for" in notes
    assert "MY_SECRET" in notes
    assert "hidden" not in notes


def test_what_is_changed_in_a_later_call_is_told_too(measured):
    (record,) = measured(
        """
        import torch

        class Net(torch.nn.Module):
            calls = 0
            def forward(self, x):
                Net.calls += 1
                if Net.calls == 20:
                    torch.set_num_threads(1)
                return x

        def build():
            return Net(), torch.ones(1, 4)
        """
    )
    assert record["threads"] == 1
    assert "set the number of threads" in " ".join(record["notes"])


def test_all_processes_run_in_the_mode_of_the_first(measured):
    records = measured(
        """
        import torch

        class Net(torch.nn.Module):
            def forward(self, x):
                with torch.enable_grad():
                    x = x.detach().requires_grad_()
                    return torch.autograd.grad((x * x).sum(), x)[0]

        def build():
            return Net(), torch.ones(1, 4)
        """,
        batches=(1, 2),
    )
    for record in records:
        assert record["gradient_mode"] == "no_grad"
        assert record["latency_processes"] == 2
        assert sum("inference_mode" in note for note in record["notes"]) == 1


def test_there_is_no_throughput_where_the_batch_changes_nothing(measured):
    source = """
        def build():
            return (lambda text: len(text)), ("text",)
        """
    one, two = measured(source, backend="python", batches=(1, 2))
    assert one["throughput_per_s"] > 0
    assert two.status == "ok"
    assert two["throughput_per_s"] is None
    assert two.throughput is None
    assert "no array that the batch size could change" in " ".join(two["notes"])
