from __future__ import annotations

import pytest

from inferometer.analysis.grid import build
from inferometer.report.html.rows import results


def test_rows_hold_numbers_and_cells_what_people_read(record):
    found = results(build([record("a", latency_s=0.04, half_s=0.002, batch=4, macs=10**9)]))
    (row,), (cells,) = found.rows, found.cells
    assert row["latency"] == 0.04
    assert row["latency_low"] == pytest.approx(0.038)
    assert row["width"] == pytest.approx(0.05)
    assert row["throughput"] == pytest.approx(100)
    shown = dict(zip([head.title for head in found.heads], cells[1:], strict=True))
    assert shown["latency"] == "40.0 ± 2.0 ms"
    assert shown["± %"] == "5 %"
    assert shown["MACs"].strip() == "1.00 G"
    assert cells[0] == "a"


def test_after_a_joint_fit_cells_show_what_comparisons_go_by(record):
    ends = {"latency_relative_ci_low_s": 0.039, "latency_relative_ci_high_s": 0.041}
    fitted = record("a", latency_s=0.04, half_s=0.008, usable_for="ranking", **ends)
    found = results(build([fitted, record("b", latency_s=0.04, half_s=0.008)]))
    titles = [head.title for head in found.heads]
    first, second = (dict(zip(titles, cells[1:], strict=True)) for cells in found.cells)
    assert (first["latency"], first["± %"], first["usable for"]) == (
        "40.0 ± 1.0 ms",
        "2.5 %",
        "ranking",
    )
    assert (second["latency"], second["usable for"]) == ("40.0 ms", "")  # never a mixture
    assert found.rows[0]["width"] == pytest.approx(0.025)
    assert found.rows[0]["latency_low"] == pytest.approx(0.032)
    assert found.rows[0]["throughput_relative_high"] == pytest.approx(1 / 0.039, rel=1e-4)


def test_what_is_unknown_is_absent_and_has_no_column(record):
    found = results(build([record("a")]))
    assert "energy" not in found.rows[0]
    assert "memory" not in found.rows[0]
    titles = [head.title for head in found.heads]
    assert "energy per sample" not in titles
    assert "peak memory" not in titles
    assert not found.remarked


def test_growth_is_told_against_the_smallest_batch_of_the_variant(record):
    latencies = {2: 0.02, 8: 0.05, 16: 0.2}
    records = [record("a", batch=batch, latency_s=value) for batch, value in latencies.items()]
    records.append(record("a", batch=1, failure="crash"))
    rows = {row["batch"]: row for row in results(build(records)).rows}
    assert rows[2]["times_batch"] == rows[2]["times_latency"] == 1
    assert rows[16]["times_batch"] == 8
    assert rows[16]["times_latency"] == pytest.approx(10)
    assert "times_latency" not in rows[1]
    assert rows[1]["failure"] == "crash"


def test_what_is_beyond_all_numbers_is_left_out(record):
    records = [record("a", batch=1, latency_s=1e-12), record("a", batch=2, latency_s=1e300)]
    rows = results(build(records)).rows
    assert rows[1]["latency"] == 1e300
    assert "times_latency" not in rows[1]


def test_remarks_are_the_causes_or_the_failure(record):
    records = [
        record("a", verdict="noisy", causes=["first", "second"]),
        record("b", failure="timeout", message="It hung."),
        record("c"),
    ]
    found = results(build(records))
    assert found.remarks == (("first", "second"), ("It hung.",), ())
    assert found.remarked
    place = [head.title for head in found.heads].index("outcome") + 1
    outcomes = [cells[place] for cells in found.cells]
    assert outcomes == ["ok", "failed: timeout", "ok"]


def test_energy_has_its_uncertainty_around_it(record):
    records = [record("a", energy_per_inference_j=0.5, energy_uncertainty_j=0.1)]
    (row,) = results(build(records)).rows
    assert (row["energy_low"], row["energy"], row["energy_high"]) == (0.4, 0.5, 0.6)


def test_layers_of_the_memory_are_told_where_all_are_known(record):
    known = {
        "memory_baseline_bytes": 200 * 2**20,
        "memory_weights_bytes": 44 * 2**20,
        "memory_activation_bytes": 6 * 2**20,
    }
    (row,) = results(build([record(**known)])).rows
    assert (row["runtime"], row["weights"], row["activations"]) == (200, 44, 6)
    assert row["layers"] == "runtime 200 MiB, weights 44.0 MiB, activations 6.00 MiB"
    (row,) = results(build([record(memory_baseline_bytes=2**28)])).rows
    assert "layers" not in row
    assert "runtime" not in row


def test_long_names_are_cut_and_stay_unlike_each_other(record):
    records = [record("b" * 70 + end) for end in ("x", "y", "z")]
    labels = [label for label, _ in results(build(records)).columns]
    assert len(set(labels)) == 3
    assert all(len(label) < 70 for label in labels)
