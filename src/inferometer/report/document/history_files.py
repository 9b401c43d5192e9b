"""Histories as Markdown for a summary, and as JUnit's XML for whatever shows tests."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from inferometer.analysis.history.course import History
from inferometer.analysis.history.gate import HistoryGate
from inferometer.core import units
from inferometer.core.shown import visible
from inferometer.report.document.history import (
    HEADS,
    JUDGEMENTS,
    cells,
    change_text,
    explanation,
    gate_sentence,
    told,
)
from inferometer.report.document.markup import bullets, escape, table

SUITE = "inferometer history"


def markdown(found: Sequence[History], gated: HistoryGate | None) -> str:
    """A section with the verdict, the table, and what is to be said of each workload."""
    parts = ["## Latency over time"]
    if gated is not None:
        parts.append(escape(gate_sentence(found, gated)))
    parts.append(escape(table(HEADS, [cells(one) for one in found])))
    parts += [escape(line) for line in explanation(found)]
    for one in found:
        if lines := told(one):
            parts += [f"### {escape(cells(one)[0])}", bullets(lines)]
    return "\n\n".join(parts) + "\n"


def junit(found: Sequence[History], gated: HistoryGate | None) -> bytes:
    """A test for each workload: failed where the gate fails for it, skipped with too few runs."""
    cases = [_case(one, number, gated) for number, one in enumerate(found)]
    suite = ET.Element(
        "testsuite",
        name=SUITE,
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors="0",
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
    )
    suite.extend(cases)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _case(one: History, number: int, gated: HistoryGate | None) -> ET.Element:
    series = one.series
    case = ET.Element(
        "testcase",
        classname=visible(series.device_name or "all devices"),
        name=visible(series.workload.label),
    )
    lines = "\n".join(visible(line) for line in told(one))
    judgement = None if gated is None else gated.judgements[number]
    if gated is not None and judgement is not None and gated.is_failure(judgement):
        message = JUDGEMENTS[judgement].format(limit=units.percent(gated.limit))
        if one.against_best is not None:
            message += f": {change_text(one.against_best)}"
        ET.SubElement(case, "failure", message=message, type=judgement).text = lines
    elif one.state == "too_few":
        ET.SubElement(case, "skipped", message=JUDGEMENTS["too_few"])
    ET.SubElement(case, "system-out").text = lines
    return case
