"""Runs → a lab report in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from inferometer.analysis.findings import Findings
from inferometer.analysis.grid import Grid
from inferometer.report.document import devices, markup, operations, operators, roofline, tradeoff
from inferometer.report.document.devices import Devices
from inferometer.report.document.findings import told
from inferometer.report.document.headline import Headline
from inferometer.report.document.marks import shorten
from inferometer.report.document.markup import Markdown, Table, image
from inferometer.report.document.material import Material
from inferometer.report.document.sources import RunRecords
from inferometer.report.document.tradeoff import Tradeoff
from inferometer.report.document.wording import plural
from inferometer.report.plots import choice as plots

ON_PAGE = {
    "operations": (
        "calls of operators",
        "activations",
        "alive at most",
        "moved at least",
        "per byte moved at least",
    ),
    "memory": ("analytical", "forecast", "its error"),
    "start": ("a later call",),
    "batches": ("each call", "each sample"),
    "roofline_shares": ("FLOPs per byte", "operator by operator", "of it moving data"),
}
"""Columns of tables that are in the page alone."""
MOST_NOTES = 6
MOST_CHARACTERS = 160
"""Of a message; results.csv has all of it."""


def render(
    said: Mapping[str, Any], material: Material, images: Mapping[str, str], no_plots: str = ""
) -> str:
    """The report.

    Args:
        said: what every form of the report says (see `content`).
        material: what it is made from.
        images: path of the image of each plot that was drawn, by the plot's name.
        no_plots: why no plot at all was drawn; empty where some were, or none could be.
    """
    environment = Environment(
        loader=PackageLoader("inferometer.report"),
        autoescape=False,  # noqa: S701 - `finalize` escapes everything, for Markdown
        finalize=markup.escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    grid, runs, first = material.grid, material.runs, said["headline"]
    findings = material.findings or Findings()
    environment.filters |= {"bullets": markup.bullets, "verbatim": markup.verbatim}
    return environment.get_template("report.md.j2").render(
        dict(said) | _shorter(said, findings),
        **told(findings, {chip.text for chip in first.chips}),
        chips=_chips(first),
        hero=_hero(images),
        plots=_plots(grid, images, no_plots),
        front=_front(said["tradeoff"], images),
        ratio_plot=_ratio_plot(said["devices"], images),
        rooflines=[
            image(plot.title, images[plot.name])
            for plot in roofline.plans(grid, runs)
            if plot.name in images
        ],
        derating=_derating(runs, images),
        operator_plot=[image(operators.TITLE, images[operators.NAME])]
        if operators.NAME in images
        else [],
    )


def _shorter(said: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """What is said with less than on the page, which has it all, as results.csv has its figures."""
    tables = {name: said[name].without(*heads) for name, heads in ON_PAGE.items()}
    notes, messages = said["notes"], said["failures"]
    whys = " ".join(one.explanation for one in findings.hypotheses)
    return tables | {
        "order_lines": [
            line for line in said["order_lines"] if line.partition(". ")[0] not in whys
        ],
        "operation_notes": [
            one for one in said["operation_notes"] if one != operations.OTHER_BYTES
        ],
        "notes": notes[:MOST_NOTES],
        "more_notes": plural(len(notes) - MOST_NOTES, "more note") if notes[MOST_NOTES:] else "",
        "failures": replace(messages, rows=tuple(tuple(map(_short, row)) for row in messages.rows)),
    }


def _short(cell: str) -> str:
    return shorten(cell, MOST_CHARACTERS)


def _chips(found: Headline) -> Table:
    """The hypotheses with their answers."""
    rows = [[chip.text, chip.outcome, chip.evidence] for chip in found.chips]
    return markup.table(["hypothesis", "answer", "evidence"], rows, left=3)


def _hero(images: Mapping[str, str]) -> Markdown:
    """The plot that shows the answer; empty where it was not drawn."""
    name = _first(images)
    return image(plots.HEROES[name], images[name]) if name else Markdown("")


def _plots(grid: Grid, images: Mapping[str, str], no_plots: str) -> list[str]:
    """An image for each plot, or the reason why there is none."""
    if no_plots:
        return [f"There are no plots: {no_plots}."]
    return [
        image(plot.title, images[plot.name])
        if plot.name in images
        else f"There is no plot of {plot.title[:1].lower()}{plot.title[1:]}: {plot.reason}."
        for plot in plots.plan(grid)
        if plot.name not in images or plot.name != _first(images)
    ]


def _first(images: Mapping[str, str]) -> str:
    """The name of the plot at the beginning, which is shown once."""
    return next((name for name in plots.HEROES if name in images), "")


def _front(found: Tradeoff | None, images: Mapping[str, str]) -> list[str]:
    """An image of the front, where there is one."""
    if found is None or tradeoff.NAME not in images:
        return []
    return [image(found.plot.title, images[tradeoff.NAME])]


def _ratio_plot(found: Devices | None, images: Mapping[str, str]) -> list[str]:
    """An image of the ratios between devices, where there are several."""
    if found is None or devices.NAME not in images:
        return []
    return [image(found.plot.title, images[devices.NAME])]


def _derating(runs: Sequence[RunRecords], images: Mapping[str, str]) -> list[str]:
    """An image for each run under continuous load."""
    names = {one.run.id: f"{plots.SUSTAINED}{one.run.id}" for one in runs}
    return [
        image(f"Latency, temperature and clock against time, run {run}", images[name])
        for run, name in names.items()
        if name in images
    ]
