"""Figures in a report's prose and tables, parsed back and held against the records."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from inferometer.analysis.analyse import analyse_runs
from inferometer.analysis.grid import build
from inferometer.report.document.content import content
from inferometer.report.document.markdown import render
from inferometer.report.document.sources import RunRecords

HYPOTHESIS = "latency increases with parameters"
SCALES = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}
NUMBER = r"([\d.,]+)"
FASTEST = re.compile(
    rf"\*\*(\w+) is fastest: {NUMBER} ± {NUMBER} (\w+) a call, {NUMBER} times as fast as the next, (\w+)\."
)
CELL = re.compile(rf"{NUMBER} ± {NUMBER} (µs|ms|s)(?:\\\*)?")  # a star: the target was missed
COUNTER = re.compile(
    rf"(\w+) has fewer parameters than (\w+), {NUMBER} against {NUMBER}, yet its latency is higher "
    rf"in (\d+) of (\d+) comparisons, by {NUMBER}\u00d7( to {NUMBER}\u00d7)?"
)


def value(text):
    return float(text.replace(",", ""))


def agrees(text, exact, unit=1.0):
    """Whether a printed number is an exact one, rounded to the digits that are printed."""
    decimals = len(text.partition(".")[2])
    # Half of the last digit; whole numbers of many digits may end in zeros that are rounded.
    step = 10.0**-decimals if decimals else 10.0 ** (len(text) - len(text.rstrip("0")))
    return abs(value(text) * unit - exact) <= 0.501 * step * unit


@pytest.fixture
def text(material, run, clean_lab):
    known = replace(run, document={**run.document, "hypotheses": [HYPOTHESIS]})
    one = RunRecords(run=known, records=tuple(clean_lab))
    made = material([one], analyse_runs(build(clean_lab), [known]))
    return render(content(made), made, {})


@pytest.fixture
def latency(clean_lab):
    return {
        (one.workload.variant.model, one.workload.input_size, one.workload.batch_size): (
            one.latency.value,
            (one.latency.high - one.latency.low) / 2,
        )
        for one in clean_lab
    }


def rows(text, first_head):
    """Rows of the table whose first column is called so, as lists of texts."""
    lines = text.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {first_head} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return [cell.strip() for cell in lines[start].strip("|").split("|")], found


def test_the_answer_is_the_records(text, latency):
    name, middle, half, unit, lead, other = FASTEST.search(text).groups()
    (best, spread), (second, _) = latency[name, 224, 1], latency[other, 224, 1]
    assert best == min(known for (_, *at), (known, _) in latency.items() if at == [224, 1])
    assert agrees(middle, best, SCALES[unit])
    assert agrees(half, spread, SCALES[unit])
    assert agrees(lead, second / best)


@pytest.mark.parametrize("size", [224, 448])
def test_every_cell_of_the_latency_tables_is_a_record(text, latency, size):
    heads, found = rows(text.split(f"**Input size {size}**")[1], "batch")
    assert len(found) == len({batch for _, at, batch in latency if at == size})
    for batch, *cells in found:
        for model, cell in zip(heads[1:], cells, strict=True):
            middle, half, unit = CELL.fullmatch(cell).groups()
            exact, spread = latency[model, size, int(batch)]
            assert agrees(middle, exact, SCALES[unit]), (model, batch, cell)
            assert agrees(half, spread, SCALES[unit]), (model, batch, cell)


def test_parameters_are_the_records(text, clean_lab):
    _, found = rows(text.split("### 2.1")[1], "model")
    counts = {one.workload.variant.model: one.figures["parameters"] for one in clean_lab}
    assert {name: int(value(count)) for name, count, *_ in found} == counts


def test_growth_with_the_batch_and_the_best_batch_are_the_records(text, latency):
    heads, found = rows(text.split("### 7.2")[1], "variant")
    assert len(found) == 8
    for row in found:
        told = dict(zip(heads, row, strict=True))
        model, size = told["variant"], int(told["input size"])
        line = {b: seen for (m, s, b), (seen, _) in latency.items() if (m, s) == (model, size)}
        small, large = map(int, told["batch size"].split(" to "))
        assert (small, large) == (min(line), max(line))
        assert agrees(told["latency grows by"].rstrip("\u00d7"), line[large] / line[small])
        rates = {batch: batch / seen for batch, seen in line.items()}
        best = int(told["best batch"])
        assert rates[best] == max(rates.values())
        assert agrees(told["samples/s there"], rates[best])


def test_the_counterexample_of_a_hypothesis_is_the_records(text, latency, clean_lab):
    counts = {one.workload.variant.model: one.figures["parameters"] for one in clean_lab}
    fewer, more, few, many, higher, pairs, low, _, high = COUNTER.search(text).groups()
    assert (int(value(few)), int(value(many))) == (counts[fewer], counts[more])
    ratios = [latency[fewer, s, b][0] / latency[more, s, b][0] for m, s, b in latency if m == more]
    assert (int(pairs), int(higher)) == (len(ratios), sum(ratio > 1 for ratio in ratios))
    assert agrees(low, min(ratios))
    assert high is None or agrees(high, max(ratios))


def test_the_precision_is_the_records(text, latency):
    middle, low, high = re.search(
        rf"\*\*Precision: ± {NUMBER} %\*\*: .*?; ± {NUMBER} % to ± {NUMBER} %", text
    ).groups()
    widths = sorted(half / exact for exact, half in latency.values())
    inner = widths[(len(widths) - 1) // 2], widths[len(widths) // 2]
    for told, exact in ((middle, math.fsum(inner) / 2), (low, widths[0]), (high, widths[-1])):
        assert agrees(told, exact, 0.01)
