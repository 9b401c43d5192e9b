from inferometer.analysis.grid import build
from inferometer.core.statement import Statement
from inferometer.report.document.fidelity import fidelity_lines, fidelity_table, why

SAME = {
    "fidelity_relative_error": 3.2e-7,
    "fidelity_max_abs": 1e-5,
    "fidelity_cosine": 1.0,
    "fidelity_snr_db": 129.9,
    "fidelity_top1_agreement": 31 / 32,
    "fidelity_samples": 32,
    "fidelity_verdict": "same",
    "fidelity_reference": "torch fp32",
}


def test_what_is_the_same_is_one_line_with_its_worst(record):
    both = [record("a", **SAME), record("b", **{**SAME, "fidelity_relative_error": 9e-5})]
    assert fidelity_lines([*both, record("a", batch=8, **SAME)]) == [
        (
            "the same as torch fp32: 2 variants; the worst is b torch fp32 224, relative error 9e-05, "
            "cosine 1.0000, top-1 31 of 32 [0.84, 0.99]"
        )
    ]


def test_others_are_told_one_by_one_and_reasons_once(record):
    far = {**SAME, "fidelity_verdict": "different", "fidelity_relative_error": 0.5}
    why_not = Statement("fidelity_vanishing")
    unknown = {**SAME, "fidelity_verdict": "unknown", "fidelity_reason": why_not}
    records = [record("a", **far), record("b", **unknown), record("c", **unknown), record("d")]
    first, second = fidelity_lines(records)
    assert first.startswith("a torch fp32 224: different (torch fp32): relative error 0.5")
    assert second.startswith("b torch fp32 224, c torch fp32 224: the outputs vanish")
    assert "weights=calibrated" in second
    assert why(records) == [second]


def test_nothing_is_said_where_nothing_was_compared(record):
    assert fidelity_lines([record("a")]) == []
    assert not fidelity_table(build([record("a")]))


def test_the_table_has_a_row_for_each_input_size(record):
    records = [record("a", size=size, batch=b, **SAME) for size in (224, 448) for b in (1, 2)]
    found = fidelity_table(build(records))
    assert [row[1] for row in found.rows] == ["224", "448"]
    assert {"torch fp32", "same", "3.2e-07", "129.9 dB", "32"} <= set(found.rows[0])
