"""Inputs of the same kinds as the cases, in the forms that those do not show."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import inferometer as im
from inferometer.core.errors import WorkloadError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("few_objects")


def _cases():
    """Helpers of the tests of the cases, whose folder is no package."""
    spec = spec_from_file_location("_cases", Path(__file__).with_name("test_cases.py"))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = _cases()
QUICK, opened, noted, without_roofline = (
    CASES.QUICK,
    CASES.opened,
    CASES.noted,
    CASES.without_roofline,
)

LINE = ("own_index", "own_range", "own_value")
SETTINGS = {
    "default_dtype": "float64",
    "environment": "SOME_VARIABLE_OF_THE_MODEL",
    "folder": "folder|directory",
    "deterministic": "determinis",
}
BATCHED = (
    *("attributes", "user_dict", "named_tuple", "nested", "dataclass_with_more", "namespace"),
    *("scalars", "same_twice", "own_shapes"),
)
REFUSED = ("opaque", "iterator")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("variants")
    names = [f"variants_outputs.py:{name}" for name in (*LINE, "plain")]
    names += [f"variants_state.py:{name}" for name in (*SETTINGS, "threads_in_its_calls", "pops")]
    names += ["variants_lazy.py:torch_coroutine"]
    found = CASES.run(folder, names)
    four = [f"variants_inputs.py:{name}" for name in (*REFUSED, "packed", "own_shapes")]
    found |= CASES.run(folder, four, batch=4)
    return {name.rpartition(":")[2]: row for name, row in found.items()}


@pytest.mark.parametrize("name", ["named_tuple", "plain", "slots", "frozen", "namespace", "half"])
def test_nan_is_found_wherever_it_lies(name):
    net, x = getattr(opened("variants_outputs"), name)()
    with pytest.raises(WorkloadError) as caught:
        im.measure(net, x, **QUICK)
    assert caught.value.kind == "non_finite_output"


def test_plus_infinity_is_no_mask():
    with pytest.raises(WorkloadError) as caught:
        im.measure(*opened("variants_outputs").infinite(), **QUICK)
    assert caught.value.kind == "non_finite_output"


def test_minus_infinity_in_a_named_tuple_is_noted():
    assert noted(im.measure(*opened("variants_outputs").masked_in_a_tuple(), **QUICK), "inf")


def test_not_finite_through_the_command_line(rows):
    assert rows["plain"]["failure_kind"] == "non_finite_output"


@pytest.mark.parametrize("name", LINE)
def test_an_exception_of_the_models_own_code_is_no_shape(rows, name):
    assert rows[name]["failure_kind"] == "bad_model", rows[name]["failure_message"]


@pytest.mark.parametrize("name", BATCHED)
def test_the_batch_reaches_every_tensor_of_an_input(name):
    net, inputs = getattr(opened("variants_inputs"), name)()
    own = im.cost(net, inputs)
    assert own.cost.macs == own.batch_size * 32
    four = im.cost(net, inputs, batch=4)
    assert (four.cost.macs, four.batch_size) == (4 * 32, 4)
    record = im.measure(net, inputs, **QUICK)
    assert (record["macs"], record["batch_size"]) == (own.cost.macs, own.batch_size)


def test_a_factory_that_takes_the_shape_makes_its_own_inputs(rows):
    row = rows["own_shapes"]
    assert (row["status"], row["macs"]) == ("ok", 4 * 32), row["failure_message"]


def test_packed_sequences():
    net, inputs = opened("variants_inputs").packed()
    record = im.measure(net, inputs, **QUICK)
    assert record["macs"] == im.cost(net, inputs).cost.macs == 5 * 32


def test_packed_sequences_at_another_batch(rows):
    row = rows["packed"]
    if row["status"] == "ok":
        assert row["macs"] == 10 * 32
    else:
        assert row["failure_kind"] == "unsupported", row["failure_message"]


@pytest.mark.parametrize("name", REFUSED)
def test_no_throughput_of_samples_that_nobody_saw(rows, name):
    row = rows[name]
    if row["status"] == "ok":  # it holds nothing that might be samples
        assert row["throughput_per_s"] is None
        assert noted(row, "batch")
        assert without_roofline(row)
    else:
        assert row["failure_kind"] == "unsupported", row["failure_message"]
    net, inputs = getattr(opened("variants_inputs"), name)()
    with pytest.raises(WorkloadError) as caught:
        im.cost(net, inputs, batch=4)
    assert caught.value.kind == "unsupported"
    assert im.measure(net, inputs, **QUICK).status == "ok"


@pytest.mark.parametrize(("name", "word"), sorted(SETTINGS.items()))
def test_a_setting_that_a_file_changes_is_noted(rows, name, word):
    row = rows[name]
    assert row["status"] == "ok", row["failure_message"]
    assert any(noted(row, one) for one in word.split("|")), row["notes"]


def test_threads_that_are_set_in_the_calls(rows):
    row = rows["threads_in_its_calls"]
    assert row["threads"] == 1
    assert noted(row, "thread")


@pytest.mark.parametrize("name", ["through_numpy", "pops"])
def test_inputs_that_are_changed_in_other_ways(name):
    net, inputs = getattr(opened("variants_state"), name)()
    outputs = []
    net.register_forward_hook(lambda *call: outputs.append(call[2].detach().abs().max()))
    record = im.measure(net, inputs, **QUICK)
    assert noted(record, "changes its input")
    (batch,) = inputs if isinstance(inputs, tuple) else ({"x": inputs},)
    assert float(batch["x"].max()) <= 1
    torch.testing.assert_close(torch.stack(outputs), outputs[0].expand(len(outputs)))


def test_items_taken_out_of_an_input(rows):
    assert rows["pops"]["status"] == "ok", rows["pops"]["failure_message"]
    assert noted(rows["pops"], "changes its input")


def test_a_table_of_the_file_holds_nothing_that_cannot_be_trained_with():
    net, x = opened("variants_state").tables()
    im.cost(net, x)
    assert im.measure(net, x, **QUICK)["macs"] == 64
    im.cost(net, x)
    net(x).sum().backward()
    assert net.lin.weight.grad is not None


LAZY_NAMES = (
    *("async_generator", "nested", "mapped", "nested_coroutine", "awaitable"),
    *("torch_future", "torch_coroutine", "torch_generator"),
)


@pytest.mark.parametrize("name", LAZY_NAMES)
def test_what_is_promised_is_waited_for(name):
    record = im.measure(*getattr(opened("variants_lazy"), name)(), **QUICK)
    assert record["latency_min_s"] >= 0.02


def test_what_is_promised_is_waited_for_in_a_worker(rows):
    row = rows["torch_coroutine"]
    assert row["status"] == "ok", row["failure_message"]
    assert row["latency_min_s"] >= 0.02


def test_what_is_drawn_out_is_looked_at():
    with pytest.raises(WorkloadError) as caught:
        im.measure(*opened("variants_lazy").broken_generator(), **QUICK)
    assert caught.value.kind == "non_finite_output"
