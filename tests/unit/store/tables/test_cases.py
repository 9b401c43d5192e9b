"""Tables as people publish them; every figure is invented."""

from __future__ import annotations

import pytest
from tests.data.published_tables import (
    AXIS,
    CELLS,
    MARKDOWN,
    NO_UNIT,
    OOM,
    PANDAS,
    PER_IMAGE,
    REPETITIONS,
    SHORT,
    STATES,
    TIMM,
)

from inferometer.core.errors import ImportFileError
from inferometer.core.units import TIMES


def latencies(records):
    return [record["latency_mean_s"] for record in records]


def test_timm(records, said):
    first, second = records(TIMM)
    assert latencies((first, second)) == [0.005, 0.2]
    assert [record.workload.shape.label for record in (first, second)] == ["224/1", "224/8"]
    assert [record["parameters"] for record in (first, second)] == [2_500_000, 11_690_000]
    assert [record["macs"] for record in (first, second)] == [60_000_000, 1_820_000_000]
    assert second["throughput_per_s"] == 40.0
    assert "not understood" not in said(TIMM)


@pytest.mark.parametrize("times", [1, 1000])
def test_columns_of_timm_under_any_reader_tell_their_unit_by_the_rate(records, times):
    text = TIMM.replace("infer_gmacs", "gmacs").replace("param_count", "parameters (M)")
    text = text.replace("infer_samples_per_sec", "samples_per_sec").replace("5.0", str(5.0 / times))
    text = text.replace(",200.0,8", f",{200.0 / times},8")
    assert latencies(records(text.replace("infer_step_time", "step_time"))) == pytest.approx(
        [0.005, 0.2]
    )


def test_sizes_and_threads_are_axes_and_the_rest_are_repetitions(records):
    found = records(AXIS)
    assert [(r.workload.threads, r.workload.input_size) for r in found] == [
        (1, 224),
        (4, 224),
        (1, 384),
        (4, 384),
    ]
    assert latencies(found) == [10.1, 10.1, 32.2, 32.2]
    assert found[0]["latency_std_s"] == pytest.approx(0.2 / 2**0.5)
    assert found[0]["latency_calls"] == 2
    # Student's t with one degree of freedom: 12.706 times the standard error
    assert found[0]["latency_mean_ci_high_s"] == pytest.approx(10.1 + 12.7062 * 0.1, rel=1e-4)
    assert found[0]["latency_ci_method"] == "Student's t of the mean, between 2 rows of a table"
    assert found[0]["verdict"] == "unknown"
    assert any("2 rows of the table are of this workload" in note for note in found[0]["notes"])


def test_a_list_of_calls_is_one_record(records, read):
    with pytest.raises(ImportFileError, match="--map latency_ms=TOTAL_LAT --constant model=NAME"):
        read(REPETITIONS)
    (record,) = records(REPETITIONS, mapping=["latency_ms=TOTAL_LAT"], constant=["model=net"])
    assert (record["model"], record["latency_mean_s"], record["latency_calls"]) == ("net", 0.082, 4)
    assert record["latency_std_s"] == pytest.approx(0.000816497, rel=1e-5)
    assert (record["latency_min_s"], record["latency_max_s"]) == (0.081, 0.083)


def test_a_rate_tells_the_unit_of_a_latency(records, said):
    assert latencies(records(NO_UNIT)) == [0.0213, 0.0801, 0.2]
    assert f"latency is in ms: latency {TIMES} fps = 1,000 {TIMES} batch size" in said(NO_UNIT)
    in_s = NO_UNIT.replace("21.3", "0.0213").replace("80.1", "0.0801").replace("200.0", "0.2")
    assert latencies(records(in_s)) == [0.0213, 0.0801, 0.2]


@pytest.mark.parametrize(
    ("cell", "guess"), [("21.3", "latency_ms"), ("0.0213", "latency_s"), ("213000", "latency_us")]
)
def test_a_unit_that_nothing_tells_is_asked_for(read, records, cell, guess):
    content = f"model,latency\nresnet18,{cell}\n"
    with pytest.raises(ImportFileError, match=f"tells the unit of latency.* --map {guess}=latency"):
        read(content)
    assert records(content, mapping=["auto"]) != ()
    (record,) = records(content, mapping=[f"{guess}=latency"])
    assert record["latency_mean_s"] == pytest.approx(0.0213 * (10 if guess == "latency_us" else 1))


def test_an_index_is_no_column(records, said):
    found = records(PANDAS)
    assert latencies(found) == [0.0213, 0.0801]
    assert "counts the rows: left out" in said(PANDAS)


def test_units_in_cells(records):
    assert latencies(records(CELLS)) == [0.0213, 0.0801]
    assert latencies(records(CELLS.replace("80.1 ms", "0.0801 s"))) == [0.0213, 0.0801]
    assert latencies(records(CELLS.replace(" ms", " ms/img"))) == [0.0213, 0.3204]


def test_a_unit_in_some_cells_is_none_of_the_others(read):
    with pytest.raises(ImportFileError, match="tells the unit of latency"):
        read(CELLS.replace("80.1 ms", "80.1"))


def test_short_numbers_and_a_memory_without_unit(records, said):
    (record,) = records(SHORT)
    assert (record["parameters"], record["peak_memory_bytes"]) == (11_700_000, None)
    assert "memory was left out: nothing tells its unit; if it is MB" in said(SHORT)
    (record,) = records(SHORT, mapping=["peak_memory_mb=memory"])
    assert record["peak_memory_bytes"] == 358_000_000


def test_milliseconds_of_an_image(records, said):
    first, second = records(PER_IMAGE)
    assert latencies((first, second)) == [0.0871, 0.0105]
    assert [r["accuracy"] for r in (first, second)] == [0.673, 0.679]
    assert [r["parameters"] for r in (first, second)] == [85_800_000, 11_200_000]
    assert "not understood: F1 Score (Macro)" in said(PER_IMAGE)
    text = (
        PER_IMAGE.replace("Model,", "Model,Batch,")
        .replace("VIT,", "VIT,8,")
        .replace("RESNET,", "RESNET,4,")
    )
    assert latencies(records(text)) == [0.6968, 0.042]


def test_failures_are_records(records):
    ran, oom, unknown = records(OOM)
    assert ran["latency_mean_s"] == 0.0213
    assert (oom.status, oom["failure_kind"]) == ("failed", "out_of_memory")
    assert (unknown.status, unknown["failure_kind"]) == ("failed", "unknown")
    assert unknown["failure_message"] == "the table says N/A"


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("OOM", "out_of_memory"),
        ("CUDA out of memory", "out_of_memory"),
        ("timeout", "timeout"),
        ("crashed", "crash"),
        ("Segmentation fault (core dumped)", "crash"),
        ("failed", "unknown"),
        ("error", "unknown"),
        ("❌", "unknown"),
        ("-", "unknown"),
        ("—", "unknown"),
        ("N/A", "unknown"),
        ("not supported", "unsupported"),
        ("", "unknown"),
    ],
)
def test_words_in_place_of_figures(records, cell, kind):
    _, failed = records(f"model,batch,latency_ms\na,1,10\na,2,{cell}\n")
    assert failed["failure_kind"] == kind


def test_a_column_of_states_and_one_of_messages(records):
    ran, oom, other = records(STATES)
    assert ran.failure is None
    assert (oom["failure_kind"], other["failure_kind"]) == ("out_of_memory", "unknown")
    assert "Tried to allocate" in oom["failure_message"]


@pytest.mark.parametrize(
    "text",
    [
        MARKDOWN,
        MARKDOWN.replace("| --- | ---: | ---: |\n", ""),
        MARKDOWN.replace("| ", "|").replace(" |", "|"),
        f"# Results\n\nSome words | with a bar.\n\n{MARKDOWN}\nMore words.\n",
        "model | batch | latency_ms\n--- | --- | ---\nresnet18 | 1 | 21.3\nresnet18 | 4 | 80.1\n",
        MARKDOWN.replace("resnet18", "**[resnet18](https://x.y)**").replace("21.3", "`21.3`"),
        (" model    | batch | latency_ms \n----------+-------+------------\n"
        " resnet18 |     1 |       21.3\n resnet18 |     4 |       80.1\n(2 rows)\n"),
        ("+----------+-------+------------+\n|  model   | batch | latency_ms |\n+==========+=======+====+\n"
        "| resnet18 |   1   |    21.3    |\n+----------+-------+------------+\n| resnet18 |   4   |   80.1  |\n+---+\n"),
        ("┏━━━━━━━━━━┳━━━━━━━┳━━━━━━━━━━━━┓\n┃ model    ┃ batch ┃ latency_ms ┃\n┡━━━━━━━━━━╇━━━━━━━╇━━━━━━━━━━━━┩\n"
        "│ resnet18 │ 1     │ 21.3       │\n│ resnet18 │ 4     │ 80.1       │\n└──────────┴───────┴────────────┘\n"),
        MARKDOWN.replace("| --- | ---: | ---: |\n", "").replace(" | ", "\t").replace("| ", "").replace(" |", ""),
    ],
)  # fmt: skip
def test_markdown_and_what_programs_print(records, text):
    found = records(text, "markdown.md")
    assert [r["model"] for r in found] == ["resnet18", "resnet18"]
    assert [r["batch_size"] for r in found] == [1, 4]
    assert latencies(found) == [0.0213, 0.0801]


def test_of_several_tables_one_is_named(records, read):
    text = f"| option | meaning |\n|---|---|\n| a | b |\n\n{MARKDOWN}"
    with pytest.raises(
        ImportFileError, match=r"2 tables; .*--table 2 \(line 5: model, batch, latency"
    ):
        read(text, "README.md")
    assert latencies(records(text, "README.md", table=2)) == [0.0213, 0.0801]
    with pytest.raises(ImportFileError, match="there is no table 3"):
        read(text, "README.md", table=3)
