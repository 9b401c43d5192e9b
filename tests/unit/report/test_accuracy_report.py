from inferometer.analysis.grid import build
from inferometer.core.statement import Statement
from inferometer.report.document.accuracy import (
    accuracy_lines,
    accuracy_table,
    synthetic_lines,
    why_not,
)

JUDGED = {
    "accuracy": 0.9123,
    "accuracy_ci_low": 0.9,
    "accuracy_ci_high": 0.92,
    "accuracy_metric": "top1",
    "accuracy_examples": 1500,
    "accuracy_batch_size": 8,
    "dataset": "digits",
}


def test_a_model_is_told_once_for_all_batch_sizes(record):
    both = [record("a", batch=batch, **JUDGED) for batch in (1, 8)]
    assert accuracy_lines(both) == [
        "a 224, fp32: top1 0.912 [0.900, 0.920] over 1,500 samples of digits"
    ]


def test_why_there_is_none_is_told_once_for_each_reason(record):
    why = Statement("accuracy_failed", {"message": "it does not fit", "kind": "unsupported"})
    none = [record("a", batch=batch, accuracy_reason=why) for batch in (1, 8)]
    assert why_not(none) == [
        "a 224/1, a 224/8: accuracy was not judged: it does not fit (unsupported)"
    ]
    assert why_not([record("a")]) == []


def test_the_table_has_what_was_judged_itself(record):
    timed = {"data_latency_s": 0.02, "data_over_synthetic": 1.5, "data_load_s": 1e-3}
    grid = build([record("a", batch=1, **JUDGED), record("a", batch=8, **JUDGED, **timed)])
    (row,) = accuracy_table(grid).rows
    assert row[1] == "224/8"
    assert "0.912 [0.900, 0.920]" in row
    assert "1,500" in row
    assert "1.500" in row


def test_data_that_takes_another_time_is_named(record):
    def over(low, high):
        return {
            "data_over_synthetic": (low + high) / 2,
            "data_over_synthetic_ci_low": low,
            "data_over_synthetic_ci_high": high,
        }

    alike, apart = record("a", **over(0.98, 1.03)), record("b", **over(1.4, 1.6))
    (none,) = synthetic_lines([alike])
    assert "In none of 1 workload do calls" in none
    assert "within 0.98 to 1.03" in none
    (told,) = synthetic_lines([alike, apart])
    assert "1 of 2 workloads: b 224/1 1.500 [1.400, 1.600]" in told
    assert synthetic_lines([record("a")]) == []
