"""Several devices side by side: which workloads go together, how they rank, what else differs."""

from __future__ import annotations

import pytest
from tests.unit.analysis.conftest import make

from inferometer.analysis.compare import compare
from inferometer.analysis.confounders import confounders, in_a_line
from inferometer.analysis.devices import devices_of, match_devices
from inferometer.analysis.efficiency import efficiencies
from inferometer.analysis.rankings import rankings
from inferometer.core.errors import InputError
from inferometer.core.procedure import Procedure
from inferometer.core.run import Run
from inferometer.core.sweep import Study, Sweep

HALF = 0.01


def run_on(name, run_id="00000001", *, software=None, created_at=1.0, seed=0, **device):
    study = Study(name="s", sweep=Sweep(models=("a",)), procedure=Procedure(seed=seed))
    return Run(
        id=run_id,
        study="s",
        signature="x",
        document=study.to_json(),
        device={"name": name, **device},
        software=software or {"torch": "2.13"},
        created_at=created_at,
    )


def measured(latencies, *, batch=1, **more):
    """A record of each model, with the figures of three processes."""
    return [
        make(
            model, batch=batch, latency_s=value, latency_median_s=value, latency_processes=3,
            latency_confidence=0.95, latency_ci_low_s=value * (1 - HALF),
            latency_ci_high_s=value * (1 + HALF), **more,
        )
        for model, value in latencies.items()
    ]  # fmt: skip


PI, PC = run_on("Pi 5", price=80), run_on("PC", "00000002", cores_physical=8)


def two(pi=None, pc=None, **more):
    return devices_of(
        [
            (PI, measured(pi or {"a": 0.10, "b": 0.20}, device_name="Pi 5", **more)),
            (PC, measured(pc or {"a": 0.01, "b": 0.02}, device_name="PC", run_id=PC.id, threads=8)),
        ]
    )


def test_the_first_device_is_compared_with_each_other_whatever_their_threads():
    matching = match_devices(two())
    assert [one.names for one in matching.matches] == [("Pi 5", "PC")] * 2
    found = compare(matching)
    assert [one.difference.ratio for one in found] == pytest.approx([0.1, 0.1])
    assert [one.verdict for one in found] == ["faster"] * 2
    assert {one.method for one in found} == {"measured apart, not interleaved"}


def test_of_several_runs_on_one_device_the_latest_record_of_each_workload_counts():
    early = run_on("Pi 5", created_at=1.0)
    late = run_on("Pi 5", "0000000a", created_at=2.0)
    (device,) = devices_of(
        [
            (late, [make("a", latency_s=0.3), make("b", failure="crash")]),
            (early, [make("a", latency_s=0.2), make("b", latency_s=0.4), make("c", latency_s=1.0)]),
        ]
    )
    assert [one.number("latency_mean_s") for one in device.records] == [0.3, 0.4, 1.0]
    assert [run.id for run in device.runs] == [late.id, early.id]


def test_parts_of_a_device_are_devices_of_their_own():
    run = run_on("Orin")
    records = [make("a"), make("a", device="cuda", threads=None)]
    assert [one.name for one in devices_of([(run, records)])] == [
        "Orin (cpu, 2 threads)",
        "Orin (cuda, ? threads)",
    ]


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        ([(PI, [make("a")])], "the runs are of Pi 5"),
        ([(PI, [make("a")]), (PC, [make("b")])], "no other device has a workload of Pi 5"),
        ([], "the runs are of none"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs, sentence):
    with pytest.raises(InputError, match=sentence):
        match_devices(devices_of(runs))


def test_what_is_not_on_every_device_and_what_failed_is_named():
    devices = two(pi={"a": 0.1, "b": 0.2, "c": 0.3})
    devices = [
        devices[0],
        *devices_of([(PC, [*measured({"a": 0.01}), make("b", failure="crash")])]),
    ]
    matching = match_devices(devices)
    assert len(matching.matches) == 1
    assert matching.notes == ("1 of 3 workloads are not on every device",)
    (missing,) = matching.missing
    assert "b" in missing
    assert "crash" in missing


def test_prices_are_those_that_are_given_or_those_that_the_runs_know():
    runs = [(PI, [make("a")]), (PC, [make("a")])]
    assert [one.price for one in devices_of(runs)] == [80, None]
    assert [one.price for one in devices_of(runs, {"PC": 900.0, "Pi 5": 60.0})] == [60, 900]
    with pytest.raises(
        InputError, match="--price Pi 4: no run is of that device; they are of Pi 5"
    ):
        devices_of(runs, {"Pi 4": 35.0})


def test_ranks_are_spans_where_intervals_leave_several():
    (found,) = rankings(two(pi={"a": 0.10, "b": 0.1003, "c": 0.5}, pc={"a": 1, "b": 2, "c": 3}))
    spans = {name: [(one.first, one.last) for one in ranks] for name, ranks in found.ranks.items()}
    assert spans == {"Pi 5": [(1, 2), (1, 2), (3, 3)], "PC": [(1, 1), (2, 2), (3, 3)]}
    assert found.reversals == ()


def test_an_order_that_surely_differs_is_found_once_for_each_pair():
    (found,) = rankings(two(pi={"a": 0.10, "b": 0.20}, pc={"a": 0.03, "b": 0.02}))
    (one,) = found.reversals
    assert (one.faster, one.slower, one.on) == ("a", "b", ("Pi 5", "PC"))
    assert [ratio.ratio for ratio in one.ratios] == pytest.approx([0.5, 1.5])


def test_orders_are_only_of_variants_that_all_devices_have():
    assert rankings(two(pc={"a": 0.1, "z": 0.2})) == []


def test_efficiency_is_at_the_best_batch_that_the_devices_share():
    energy = {
        "energy_per_inference_j": 0.5,
        "energy_uncertainty_j": 0.05,
        "energy_scope": "package",
        "energy_source": "rapl",
    }
    pi = [
        *measured({"a": 0.10}),
        *measured({"a": 0.16}, batch=2, **energy),
        *measured({"a": 9}, batch=64),
    ]
    pc = [*measured({"a": 0.01}), *measured({"a": 0.012}, batch=2)]
    devices = devices_of([(PI, pi), (PC, pc)], {"PC": 1000.0})
    first, second = efficiencies(devices)
    assert (first.device, first.shape.batch_size) == ("Pi 5", 2)
    assert first.throughput.value == pytest.approx(12.5)
    assert first.per_joule.value == pytest.approx(2.0)
    assert first.per_joule.low == pytest.approx(1 / 0.55)
    assert first.scope == "package, rapl"
    assert first.per_core == pytest.approx(12.5 / 2)
    assert first.per_price == pytest.approx(12.5 / 80)
    assert second.per_joule is None
    assert second.per_core == pytest.approx(second.throughput.value / 2)  # of its eight, two worked
    assert second.per_price == pytest.approx(second.throughput.value / 1000)


def test_cores_of_an_accelerator_are_not_counted():
    runs = [(run, measured({"a": 0.1}, device="cuda")) for run in (PI, PC)]
    assert [one.per_core for one in efficiencies(devices_of(runs))] == [None, None]


def test_confounders_are_what_differs_and_is_known_of_both():
    before = {"on_battery": False, "power_mode": "MAXN", "turbo": None}
    one = run_on("Pi 5", governor="ondemand", before_the_run=before, seed=1, kernel="6.6")
    other = run_on(
        "PC",
        "00000002",
        software={"torch": "2.12", "inferometer": "0.2"},
        governor="performance",
        before_the_run={**before, "on_battery": True, "turbo": True},
        kernel="6.1",
    )
    devices = devices_of(
        [
            (one, measured({"a": 0.1}, input_shape="1x3x224x224", energy_scope="package")),
            (other, measured({"a": 0.1}, input_shape="1x3x256x256", threads=4)),
        ]
    )
    found = {finding.what: finding for finding in confounders(devices)}
    assert set(found) == {
        "torch", "governor", "on battery", "threads", "input shape", "seed of weights and inputs",
    }  # fmt: skip
    assert found["torch"].sides == {"Pi 5": "2.13", "PC": "2.12"}
    assert found["on battery"].sides == {"Pi 5": "no", "PC": "yes"}
    line = in_a_line(found["governor"])
    assert line.startswith("the devices differ in governor: Pi 5 ondemand, PC performance; ")


def test_alike_devices_have_no_confounders():
    assert confounders(two()[:1] * 2) == []
