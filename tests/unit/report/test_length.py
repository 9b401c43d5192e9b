"""The Markdown of the lab stays short, however noisy the lab was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferometer.analysis.analyse import analyse_runs
from inferometer.analysis.findings import Anomaly
from inferometer.analysis.grid import build
from inferometer.core.operators import DEPTHWISE, OTHER, OUTSIDE, KindTime, to_text
from inferometer.core.statement import Statement
from inferometer.report.document import markdown
from inferometer.report.document.content import content
from inferometer.report.plots import choice

MOST_BYTES, MOST_LINES = 20_000, 400
VERDICTS = ("contended", "noisy", "drifting", "unstable", "throttled", "trusted")
KINDS = ("convolution", DEPTHWISE, "pooling", "normalisation", OTHER, OUTSIDE)
NOTES = {
    "few_calls": {"calls": 4, "wanted": 12},
    "may_not_fit": {"needed_bytes": 9e9, "limit_bytes": 8e9},
    "part_of_models": {"models": 3, "total": 4},
    "part_of_workloads": {"workloads": 30},
    "forecast_lower_bound": {},
    "faster_than_roofline": {"share": 1.1},
    "peaks_apart": {"processes": 3, "lowest_bytes": 3e8, "highest_bytes": 4e8},
    "late_refusal": {},
}


def operator_times(model):
    """Six kinds that each take enough of a call to be told."""
    rows = [
        KindTime(
            kind=kind, module="features", share=1 / len(KINDS), low=0.15, high=0.16, seconds=0.01,
            bound_seconds=0.001, macs=10**8, bytes=10**7 * len(model), calls=5,
        )
        for kind in KINDS
    ]  # fmt: skip
    return {
        "operator_times": to_text(rows),
        "operator_times_latency_s": 9.0,  # far from the latency
        "operator_times_added": 0.3,
    }


def disturbed(place, record):
    """A record with a verdict, notes, and figures of an uneasy machine."""
    if record.status != "ok":
        return record
    said = [Statement(code, values) for code, values in NOTES.items()]
    latency = record.latency
    more = {
        "verdict": VERDICTS[place % len(VERDICTS)],
        "usable_for": ("ranking", "none", "absolute")[place % 3],
        "latency_relative_ci_low_s": latency.value * 0.9,
        "latency_relative_ci_high_s": latency.value * (1.9 if place % 7 == 0 else 1.1),
        "latency_state_half_width": 0.13,
        "notes": said[place % 3 :],
    }
    if record.workload.batch_size == 1 and record.workload.input_size == 224:
        more |= operator_times(record.workload.variant.model)
    return replace(record, figures={**record.figures, **more})


@pytest.fixture
def noisy(known):
    return replace(
        known, records=tuple(disturbed(place, one) for place, one in enumerate(known.records))
    )


@pytest.fixture
def findings(noisy):
    """What the lab says of itself, and a dozen anomalies of many words."""
    found = analyse_runs(build(noisy.records), [noisy.run])
    odd = [
        Anomaly(
            kind="jump",
            sentence="The time that mobilenet_v3_small takes for each sample jumps: 2.02\N{MULTIPLICATION SIGN} from "
            f"224/{n} (36.8 ms) to 448/{n} (297 ms); 2.00\N{MULTIPLICATION SIGN} from 224/{n} to 448/{n}.",
            cells=(),
            size=2.0,
            causes=(f"the data no longer fit a cache of {n % 3} MiB", "the device was throttled"),
            rerun=f"inferometer run --resume 3fa91c02 --only mobilenet_v3_small:448/{n}",
        )
        for n in range(12)
    ]
    return replace(found, anomalies=(*found.anomalies, *odd))


def test_a_noisy_lab_stays_within_twenty_kilobytes(noisy, findings, material):
    made_from = material([noisy], findings)
    names = (*choice.NAMES, "trade_off", "operators", f"roofline_{noisy.run.id}")
    images = {name: f"plots/{name}.png" for name in names}
    text = markdown.render(content(made_from), made_from, images)
    for part in ("#### Where the time goes", "Measure again: `", "too far from the latency", "OOM"):
        assert part in text
    assert len(text.encode()) <= MOST_BYTES
    assert len(text.splitlines()) <= MOST_LINES
    assert text.count("\n8 more anomalies: report.html.\n") == 1
    assert "explained by none" not in text
