"""Inputs on which other tools gave wrong figures, each with its right values, as users run them."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import inferometer as im
from inferometer.core.errors import WorkloadError
from inferometer.models import load

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.filterwarnings("ignore:Sparse"),  # torch's, that they are new
    pytest.mark.usefixtures("few_objects"),
]

CASES = Path(__file__).parents[1] / "models" / "cases"
QUICK = {
    "min_rounds": 2, "min_calls": 10, "round_s": 0.02, "span_s": 0, "max_time_s": 0.3, "target": 0.9
}  # fmt: skip

TORCH = (
    *("cached.py:positions", "cached.py:stream", "compiled.py:build", "deformable.py:build"),
    *("forces.py:build", "graph.py:build", "inplace.py:normalise", "inplace.py:fade"),
    *("outputs.py:masked", "outputs.py:broken", "rotary.py:build", "sparse.py:build"),
    *("threads.py:greedy", "package/model.py:build", "late/net.py:build"),
)
OWN = {"compiled.py:build": 4, "forces.py:build": 2, "rotary.py:build": 2, "sparse.py:build": 2000}
"""Batch sizes of examples that hold more than one sample."""
PYTHON = ("lazycall.py:coroutine", "lazycall.py:generator", "lazycall.py:future")

MACS = {
    "cached.py:positions": 16 * 64 * 64,
    "cached.py:stream": 16 * 8 * 24,
    "forces.py:build": 2 * 20 * (96 + 32),
    "graph.py:build": 512 * 512,
    "inplace.py:normalise": 62 * 62 * 8 * 27,
    "inplace.py:fade": 62 * 62 * 32 * 27,
    "outputs.py:masked": 8 * 16,
    "outputs.py:broken": 8 * 16,
    "rotary.py:build": 2 * 16 * 64,
    "threads.py:greedy": 1024**3,
    "package/model.py:build": 256,
    "late/net.py:build": 0,
}


def opened(name):
    """The module of a file of cases, with state of its own."""
    spec = spec_from_file_location(f"cases_{name}", CASES / f"{name}.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def run(folder, names, *, backend="torch", batch=1, threads=2, precision="fp32"):
    """Rows of the records of cases by their names, from one command, started in an empty folder."""
    study = folder / f"{backend}-{batch}-{precision}.json"
    limits = {"processes": 1, "min_rounds": 2, "span": 0, "round": "20ms", "target": "50%"}
    limits |= {"timeout": "60s", "max_time": "500ms", "energy": False, "roofline": False}
    limits["operator_times"] = False  # a process more for each case, with torch's compiler in it
    models = [f"{CASES}/{name}" for name in names]
    about = {"name": "cases", "models": models, "backends": [backend], "precisions": [precision]}
    shapes = {"batch": [batch], "size": ["own"], "threads": threads}
    study.write_text(json.dumps({**about, **shapes, "procedure": limits}))
    command = [sys.executable, "-m", "inferometer", "run", study, "--json", "-"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return {row["model"].removeprefix(f"{CASES}/"): row for row in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Rows of all cases."""
    folder = tmp_path_factory.mktemp("cases")
    found = run(folder, PYTHON, backend="python")
    for batch in {1, *OWN.values()}:
        names = [name for name in TORCH if OWN.get(name, 1) == batch]
        found |= run(folder, names, batch=batch)
    return found


def noted(row, word):
    return any(word in note for note in row["notes"])


def measured(name):
    """A record of a case that was measured in this process."""
    model = load(f"{CASES}/{name}", seed=0)
    return im.measure(model.network, model.inputs, **QUICK)


@pytest.mark.parametrize("name", sorted(set(TORCH) - {"outputs.py:broken", "deformable.py:build"}))
def test_a_case_is_measured(rows, name):
    row = rows[name]
    assert row["status"] == "ok", row["failure_message"]
    assert row["latency_calls"] >= 10
    if name in MACS:
        assert row["macs"] == MACS[name], row["notes"]
        assert row["unknown_operators"] == []


@pytest.mark.parametrize("name", sorted(set(MACS) - {"threads.py:greedy"}))
def test_a_case_is_counted(name):
    model = load(f"{CASES}/{name}", seed=0)
    found = im.cost(model.network, model.inputs).cost
    assert found.macs == MACS[name]
    assert not found.unknown_operators


@pytest.mark.parametrize(
    "name", ["cached.py:stream", "late/net.py:build", "package/model.py:build", "threads.py:greedy"]
)
def test_a_case_is_counted_by_the_command_line(cli, name):
    out, _ = cli("cost", f"{CASES}/{name}", "--json", "-")
    found = json.loads(out)
    assert found["macs"] == MACS[name]
    assert found["unknown_operators"] == []


def test_caches_hold_what_real_calls_put_there():
    cached = opened("cached")
    net, x = cached.positions()
    before = net(x)
    record = im.measure(net, x, **QUICK)
    assert record["macs"] == im.cost(net, x).cost.macs == MACS["cached.py:positions"]
    assert torch.equal(net(x), before)
    net(x).sum().backward()

    net, x = cached.stream()
    assert im.measure(net, x, **QUICK)["macs"] == MACS["cached.py:stream"]
    assert im.cost(net, x).cost.macs == MACS["cached.py:stream"]
    assert net.memory.last is None
    assert net(x).shape == (1, 8, 16)
    assert not net.memory.last.is_meta


def test_compiled_code_runs_in_each_timed_call():
    compiled = opened("compiled")
    net, x = compiled.build()
    record = im.measure(net, x, **QUICK)
    assert len(compiled.CALLS) >= record["latency_calls"] >= 10
    assert record["macs"] == 4 * 256 * 256 or noted(record, "count")
    seen = len(compiled.CALLS)
    im.cost(net, x)
    net(x)
    assert len(compiled.CALLS) > seen


def test_counts_of_compiled_code_or_a_note(rows):
    row = rows["compiled.py:build"]
    assert row["macs"] == 4 * 256 * 256 or (row["macs"] is None and noted(row, "count"))


def test_what_made_a_table_in_its_first_call_still_trains():
    net, x = opened("rotary").build()
    im.measure(net, x, **QUICK)
    im.cost(net, x)
    assert net.cos is None
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    before = net.lin.weight.detach().clone()
    net(x).square().mean().backward()
    optimiser.step()
    assert not torch.equal(net.lin.weight, before)


def test_a_derivative_inside_forward(rows):
    assert rows["forces.py:build"]["gradient_mode"] == "no_grad"
    record = measured("forces.py:build")
    assert record["gradient_mode"] == "no_grad"
    assert record["macs"] == MACS["forces.py:build"]
    assert measured("package/model.py:build")["gradient_mode"] == "inference_mode"


@pytest.mark.parametrize("name", ["normalise", "fade"])
def test_what_changes_its_input_gets_fresh_ones(rows, name):
    assert noted(rows[f"inplace.py:{name}"], "changes its input")
    net, x = getattr(opened("inplace"), name)()
    given, outputs = x.clone(), []
    expected = net(x.clone()).detach().abs().max()
    net.register_forward_hook(lambda *call: outputs.append(call[2].detach().abs().max()))
    record = im.measure(net, x, **QUICK)
    assert noted(record, "changes its input")
    assert torch.equal(x, given)
    assert len(outputs) >= record["latency_calls"]
    torch.testing.assert_close(torch.stack(outputs), expected.expand(len(outputs)))


def test_an_object_of_the_users_own_at_another_batch(tmp_path):
    row = run(tmp_path, ["graph.py:build"], batch=64)["graph.py:build"]
    refused = row["failure_kind"] == "unsupported"
    assert refused or (row["status"] == "ok" and row["macs"] == 64 * 512 * 512)
    net, graph = opened("graph").build()
    with_more = im.cost(net, graph, batch=64)
    assert (with_more.cost.macs, with_more.batch_size) == (64 * 512 * 512, 64)
    assert graph[0].x.shape == (1, 512)


def test_tensors_in_an_object_follow_the_precision(tmp_path):
    (row,) = run(tmp_path, ["graph.py:build"], precision="bf16").values()
    assert (row["status"], row["macs"]) == ("ok", 512 * 512), row["failure_message"]


def test_the_record_holds_the_threads_that_worked(rows):
    row = rows["threads.py:greedy"]
    assert row["threads"] == 1
    assert noted(row, "thread")


@pytest.mark.parametrize("name", PYTHON)
def test_calls_that_return_before_they_worked(rows, name):
    row = rows[name]
    if row["status"] == "ok":
        assert row["latency_min_s"] >= 0.02
    else:
        assert row["failure_kind"] == "unsupported"
    record = measured(name)
    assert record["latency_min_s"] >= 0.02


def test_masks_are_legal_and_nan_is_found(rows):
    assert noted(rows["outputs.py:masked"], "inf")
    assert noted(measured("outputs.py:masked"), "inf")
    assert rows["outputs.py:broken"]["failure_kind"] == "non_finite_output"
    assert "logits" in rows["outputs.py:broken"]["failure_message"]
    with pytest.raises(WorkloadError, match="logits") as caught:
        measured("outputs.py:broken")
    assert caught.value.kind == "non_finite_output"


def without_roofline(row):
    """Whether nothing is said of how near it comes to the device's roofline."""
    return [row[name] for name in ("arithmetic_intensity", "roof_latency_s", "roof_share")] == [
        None
    ] * 3


def test_a_sparse_product(rows, cli):
    row = rows["sparse.py:build"]
    out, _ = cli("cost", f"{CASES}/sparse.py:build", "--json", "-")
    for found in (row, json.loads(out), measured("sparse.py:build")):
        assert found["buffer_bytes"] == 208_008
        assert found["macs"] == 4_608_000 or found["unknown_operators"]
    assert row["macs"] == 4_608_000 or without_roofline(row)


def test_an_operator_that_this_torchvision_may_lack(rows, cli):
    row = rows["deformable.py:build"]
    out, _ = cli("cost", f"{CASES}/deformable.py:build", "--json", "-")
    found = json.loads(out)
    assert found["macs"] == 64 * 64 * 64 * 576 or found["unknown_operators"]
    if found["unknown_operators"]:
        assert without_roofline(row)
    if row["status"] != "ok":
        assert row["failure_kind"] == "unsupported"
        assert "compiled operators" in row["failure_message"]


def test_neighbours_are_imported_wherever_one_starts(rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert measured("late/net.py:build").status == "ok"
    assert measured("package/model.py:build")["macs"] == 256
