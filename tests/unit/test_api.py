"""The Python API as the README shows it, and the names it promises."""

from __future__ import annotations

import dataclasses
import re
import time
from functools import partial
from pathlib import Path

import pytest

import inferometer as im
from inferometer.core.errors import InputError, WorkloadError

ROOT = Path(__file__).parents[2]
QUICK = {"target": 0.5, "min_rounds": 2, "round_s": 0.02, "max_time_s": 1.0, "span_s": 0.2}

pytestmark = pytest.mark.usefixtures("few_objects")


def test_the_public_names_are_these():
    assert sorted(im.__all__) == [
        "Block", "Costing", "Procedure", "Record", "Study", "StudyResult", "Sweep", "__version__",
        "compare", "cost", "measure", "open_store", "read_run", "run_study",
    ]  # fmt: skip
    for name in im.__all__:
        assert getattr(im, name) is not None
    with pytest.raises(AttributeError):
        _ = im.no_such_name


def test_a_live_module_is_measured_and_left_as_it_was():
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.Dropout(0.5)).train()
    module[1].eval()
    record = im.measure(module, torch.randn(3, 8), name="tiny", **QUICK)
    assert record.status == "ok"
    assert record["model"] == "tiny"
    assert record["parameters"] == 8 * 4 + 4
    assert record["macs"] == 3 * 8 * 4
    assert record["cold_start_s"] is None
    assert record["input_shape"] == "3x8"
    assert record["batch_size"] == 3
    assert record["latency_calls"] >= 10
    assert record["throughput_per_s"] == pytest.approx(3 / record["latency_mean_s"])
    assert (module.training, module[0].training, module[1].training) == (True, True, False)
    assert record.rounds[0].phase == "warmup"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_programs_without_an_evaluation_mode():
    torch = pytest.importorskip("torch")
    example = torch.ones(2, 4)
    network = torch.nn.Linear(4, 4).eval()
    exported = torch.export.export(network, (example,)).module()
    frozen = torch.jit.freeze(torch.jit.trace(network, example))
    for program in (exported, frozen):
        record = im.measure(program, example, **QUICK)
        assert record["macs"] == 2 * 4 * 4
        assert im.cost(program, example).cost.macs == 2 * 4 * 4


def test_a_batch_that_changes_nothing_is_not_counted():
    torch = pytest.importorskip("torch")

    class Texts(torch.nn.Module):
        def forward(self, text):
            return torch.ones(1, len(text))

    assert im.cost(Texts(), ("four",)).batch_size == 1
    with pytest.raises(WorkloadError, match="would change nothing"):
        im.cost(Texts(), ("four",), batch=4)


def test_a_callable_of_known_duration():
    record = im.measure(lambda x: time.sleep(0.003), [1.0], name="nap", **QUICK)
    assert record.latency.value == pytest.approx(0.003, rel=0.3)
    assert record["backend"] == "python"
    text = repr(record)
    assert "nap" in text
    assert "ms" in text
    assert len(text) < 200


def test_dict_and_several_inputs():
    torch = pytest.importorskip("torch")

    class Add(torch.nn.Module):
        def forward(self, a, b):
            return a + b

    pair = (torch.ones(2, 4), torch.ones(2, 4))
    assert im.measure(Add(), pair, **QUICK)["batch_size"] == 2
    named = im.measure(Add(), {"a": pair[0], "b": pair[1]}, **QUICK)
    assert named["input_shape"] == "a=2x4, b=2x4"


def test_what_is_not_finite_is_an_error_not_a_figure():
    with pytest.raises(WorkloadError) as caught:
        im.measure(lambda x: float("nan"), [1.0], **QUICK)
    assert caught.value.kind == "non_finite_output"


def test_bad_arguments_are_named():
    with pytest.raises(TypeError, match="callable"):
        im.measure("resnet18", None)
    with pytest.raises(TypeError, match="targets"):
        im.measure(len, [1.0], targets=0.1)
    with pytest.raises(ValueError, match="target"):
        im.measure(len, [1.0], target=7)


def test_a_study_runs_and_is_found_in_the_store(tmp_path):
    model = tmp_path / "model.py"
    model.write_text("def factory():\n    return (lambda x: x), {'x': [1.0]}\n")
    study = im.Study(
        name="mine",
        sweep=im.Sweep(models=(f"{model}:factory",), backends=("python",)),
        procedure=im.Procedure(**QUICK),
    )
    result = im.run_study(study, store=tmp_path / "r.db")
    (record,) = result
    assert len(result) == 1
    assert record.status == "ok"
    with im.open_store(tmp_path / "r.db") as store:
        assert store.run("latest") == result.run
        assert store.records(result.run.id)[0].figures == record.figures


def test_a_study_that_does_not_exist_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        im.run_study("nowhere", store=tmp_path / "r.db")
    assert not (tmp_path / "r.db").exists()


def test_the_cost_of_a_live_module():
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.Dropout(0.5)).train()
    found = im.cost(module, torch.zeros(3, 8))
    assert isinstance(found, im.Costing)
    assert (found.cost.macs, found.batch_size) == (3 * 8 * 4, 3)
    assert (found.parameters["parameters"], found.model) == (36, "Sequential")
    assert im.cost(module, torch.zeros(3, 8), batch=5).cost.macs == 5 * 8 * 4
    assert module.training
    with pytest.raises(TypeError, match="needs inputs"):
        im.cost(module)
    with pytest.raises(TypeError, match="which is fp32, not bf16"):
        im.cost(module, torch.zeros(3, 8), precision="bf16")
    with pytest.raises(WorkloadError, match="another callable"):
        im.cost(lambda x: x, [1.0])


def test_the_cost_of_a_reference_that_is_wrong():
    with pytest.raises(InputError, match="resnet18"):
        im.cost("resnet81")
    with pytest.raises(TypeError, match="a reference has its own"):
        im.cost("resnet18", [1.0])


@pytest.fixture
def short(monkeypatch):
    """Shorter than by default: what the examples show, not how well it is measured."""
    monkeypatch.setattr(im, "measure", partial(im.measure, **QUICK))
    monkeypatch.setattr(im, "Procedure", partial(im.Procedure, **QUICK, roofline=False))


def examples(page):
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


@pytest.mark.usefixtures("short")
def test_the_examples_of_the_how_to_run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs/how-to/python.md").read_text()
    for name, content in re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)```", text, re.DOTALL):
        (tmp_path / name).write_text(content)
    names: dict[str, object] = {}
    for example in examples("docs/how-to/python.md"):
        exec(example, names)
    out = capsys.readouterr().out
    assert "<Record sum python own size/1: " in out
    assert "model.py:build python own size/2 ok " in out


def test_the_example_of_the_how_to_on_costs_says_what_it_prints(capsys):
    pytest.importorskip("torch")
    (example,) = examples("docs/how-to/costs.md")
    exec(example, {})
    assert capsys.readouterr().out.strip() == example.rpartition("# ")[2].strip()


@pytest.mark.usefixtures("short")
def test_the_example_of_the_readme_runs(capsys):
    pytest.importorskip("torch")
    (example,) = (one for one in examples("README.md") if "im.measure" in one)
    names: dict[str, object] = {}
    exec(example, names)
    assert capsys.readouterr().out.startswith("<Record Linear own size/8: ")
    low, high = names["interval"]
    assert low is high is None or 0 < low < high  # none where calls resemble each other too much


def test_the_workloads_of_a_run_are_compared(tmp_path):
    study = im.Study(
        name="two",
        sweep=im.Sweep(models=("a", "b"), threads=1),
        procedure=im.Procedure(),
    )
    with im.open_store(tmp_path / "x.db") as store:
        run = store.create_run(study, planned=2, device={"name": "board"}, software={})
        for workload, seconds in zip(study.workloads(), (0.01, 0.02), strict=True):
            figures = {
                "latency_median_s": seconds, "latency_mean_s": seconds, "latency_processes": 3,
                "latency_ci_low_s": 0.99 * seconds, "latency_ci_high_s": 1.01 * seconds,
                "latency_confidence": 0.95,
            }  # fmt: skip
            store.put_record(run.id, im.Record(workload=workload, status="ok", figures=figures))
        (found,) = im.compare("latest", by="model", store=store)
        assert (found.verdict, found.ratio) == ("slower", pytest.approx(2.0))
        records = store.records(run.id)
    assert im.compare(run.id, by="model", store=tmp_path / "x.db")[0].verdict == "slower"
    with pytest.raises(InputError, match="is not a paired run"):
        im.compare("latest", store=tmp_path / "x.db")
    (found,) = im.compare(*records)
    assert (found.ratio, found.match.names) == (pytest.approx(2.0), ("a", "b"))
    assert im.compare(records[0], records[0])[0].match.names == ("baseline", "contender")
    with pytest.raises(TypeError, match="another record"):
        im.compare(records[0], "latest")
    failed = dataclasses.replace(records[0], figures={})
    with pytest.raises(InputError, match="the contender, a own size/1, has no latency"):
        im.compare(records[0], failed)
