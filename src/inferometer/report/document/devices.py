"""The section "Devices" of a report on several: ratios, rankings, efficiency, what else differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inferometer.analysis.audit import Finding
from inferometer.analysis.compare import Comparison, compare
from inferometer.analysis.confounders import confounders
from inferometer.analysis.devices import devices_of, match_devices
from inferometer.analysis.efficiency import Efficiency, efficiencies
from inferometer.analysis.matching import run_of
from inferometer.analysis.rankings import Ranking, Reversal, rankings
from inferometer.core.errors import InputError
from inferometer.report.document import device_tables
from inferometer.report.document.markup import Table
from inferometer.report.document.sources import RunRecords
from inferometer.report.document.wording import joined, plural
from inferometer.stats.comparison import Difference

NAME = "ratio_by_device"
"""Of the plot's files."""
TITLE = "Latency on each device over that on {}"
HOW = (
    "Ratio: latency on the device over that on {}, with its 95 % interval; verdicts by Holm's "
    "method over {}. The devices were measured apart, each in its own run: what differs between "
    "them beside what they are stands with them."
)
HOW_EFFICIENT = (
    "Each at the batch size at which it has the highest throughput, among those that the devices "
    "share. Per watt: samples per second and watt, which is samples per joule; per core: by the "
    "cores that worked."
)
MOST_DRAWN = 60
"""Workloads that a plot shows."""
MOST_REVERSALS = 20


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A ratio in the plot.

    Attributes:
        workload: for people.
        device: the device.
        ratio: its latency over the baseline's.
        low: lower end of its interval; None without one.
        high: its upper end.
    """

    workload: str
    device: str
    ratio: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class RatioPlot:
    """Ratios of all other devices to the first.

    Attributes:
        title: what it shows.
        baseline: the first device.
        bars: one for each workload and device.
    """

    title: str
    baseline: str
    bars: tuple[Bar, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Devices:
    """The section.

    Attributes:
        facts: a table of the devices.
        latencies: a table of the latencies, a column for each device.
        how: what the ratios are.
        ratios: a table of them.
        notes: what was left out of them.
        bars: the same, by the run and the workload's key of the other device.
        plot: a picture of them.
        ranks: a table of the places of variants on each device.
        rank_lines: where devices surely differ in their order, or that they do not.
        efficiency: a table of throughput over power, cores and price.
        efficiency_lines: what to know to read it.
        confounders: a table of what else differs between the devices.
        confounder_line: says so, or that nothing that was looked at does.
    """

    facts: Table
    latencies: Table
    how: str
    ratios: Table
    notes: tuple[str, ...]
    bars: Mapping[tuple[str, str], Bar]
    plot: RatioPlot
    ranks: Table
    rank_lines: tuple[str, ...]
    efficiency: Table
    efficiency_lines: tuple[str, ...]
    confounders: Table
    confounder_line: str


def device_section(
    runs: Sequence[RunRecords], prices: Mapping[str, float] | None = None
) -> Devices | None:
    """The section; None where the runs are of one device, or the devices share no workload.

    Args:
        runs: with their records.
        prices: of devices, by their names.

    Raises:
        InputError: a price names none of the devices.
    """
    devices = devices_of([(one.run, one.records) for one in runs], prices)
    if len(devices) < 2:  # noqa: PLR2004 - nothing beside it
        return None
    try:
        matching = match_devices(devices)
    except InputError:
        return None
    found = compare(matching)
    if not found:
        return None
    ranked, worth, others = rankings(devices), efficiencies(devices), confounders(devices)
    base = devices[0].name
    return Devices(
        facts=device_tables.facts(devices),
        latencies=device_tables.latencies(devices),
        how=HOW.format(base, plural(len(found), "comparison")),
        ratios=device_tables.ratios(found),
        notes=(*matching.notes, *matching.missing, *_not_drawn(found)),
        bars={
            (run_of(one.match.contender), one.match.contender.workload.key): _bar(one)
            for one in found
        },
        plot=_plot(found, base),
        ranks=device_tables.ranks(ranked),
        rank_lines=_rank_lines(ranked),
        efficiency=device_tables.efficiency(worth),
        efficiency_lines=_efficiency_lines(worth),
        confounders=device_tables.confounder_table(others, devices),
        confounder_line=_confounder_line(others),
    )


def _plot(found: Sequence[Comparison], base: str) -> RatioPlot:
    """A picture of the ratios, those of one workload beside each other."""
    drawn = _workloads(found)[:MOST_DRAWN]
    bars = (_bar(one) for name in drawn for one in found if one.match.workload == name)
    return RatioPlot(title=TITLE.format(base), baseline=base, bars=tuple(bars))


def _workloads(found: Sequence[Comparison]) -> list[str]:
    return list(dict.fromkeys(one.match.workload for one in found))


def _not_drawn(found: Sequence[Comparison]) -> list[str]:
    left = len(_workloads(found)) - MOST_DRAWN
    return [f"the plot shows the first {MOST_DRAWN} workloads; {left:,} more are in the table"] * (
        left > 0
    )


def _bar(one: Comparison) -> Bar:
    interval = one.difference.interval(one.confidence)
    return Bar(
        workload=one.match.workload,
        device=one.match.names[1],
        ratio=one.difference.ratio,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
    )


def _rank_lines(ranked: Sequence[Ranking]) -> tuple[str, ...]:
    if not ranked:
        return ()
    found = [reversal for one in ranked for reversal in one.reversals]
    if not found:
        shapes = plural(len(ranked), "shape")
        line = (
            f"At no shape ({shapes} compared) do two devices surely order two variants in opposite "
            "ways: what is faster on one is nowhere surely slower on another."
        )
        return (line,)
    lines = [_reversed(one) for one in found[:MOST_REVERSALS]]
    if len(found) > MOST_REVERSALS:
        lines.append(f"And {plural(len(found) - MOST_REVERSALS, 'more pair')} of variants.")
    return tuple(lines)


def _reversed(one: Reversal) -> str:
    first, second = map(_ratio, one.ratios)
    return (
        f"At {one.shape.label}, {one.faster} is faster than {one.slower} on {one.on[0]} (ratio "
        f"{first}) and slower on {one.on[1]} ({second})."
    )


def _ratio(one: Difference) -> str:
    interval = one.interval()
    ends = "" if interval is None else f" [{interval.low:.3g}, {interval.high:.3g}]"
    return f"{one.ratio:.3g}{ends}"


def _efficiency_lines(found: Sequence[Efficiency]) -> tuple[str, ...]:
    lines = [HOW_EFFICIENT]
    if all(one.per_joule is None for one in found):
        lines.append("No device has a power source, so that nothing can be said per watt.")
    scopes = dict.fromkeys(one.scope.partition(",")[0] for one in found if one.scope)
    if len(scopes) > 1:
        lines.append(
            f"The powers cover different parts ({joined(list(scopes))}): these figures per watt "
            "cannot be compared between devices."
        )
    if any(one.per_price is not None for one in found):
        lines.append("Per price: by the prices as they were given, in their unit.")
    else:
        lines.append(
            "No prices were given: with --price NAME=35, or `price` in devices.yaml, there is a "
            "column per price."
        )
    return tuple(lines)


def _confounder_line(found: Sequence[Finding]) -> str:
    if not found:
        return (
            "Beside what they are, the devices differ in nothing that was looked at: versions, "
            "governor, power mode and source, threads, inputs, weights, procedure."
        )
    return (
        f"Beside what they are, the devices differ in {joined([one.what for one in found])}: a "
        "ratio above may come from these."
    )
