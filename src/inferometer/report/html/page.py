"""Runs → the report as one page that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from inferometer.core.roofline import known_rooflines
from inferometer.core.shown import visible
from inferometer.report.document.findings import (
    anomaly_lines,
    hypothesis_lines,
    limits,
    scaling_lines,
)
from inferometer.report.document.marks import plain
from inferometer.report.document.material import Material
from inferometer.report.document.sources import RunRecords
from inferometer.report.html import charts, distribution, engine, state, vega
from inferometer.report.html.chart import Chart
from inferometer.report.html.rows import Results, add_ratios, results

MOST_PANELS = 3
"""Input sizes whose panels stand side by side."""
_FREE = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"

_SEPARATOR = re.compile(r"[_.\-/:](?=\w\w)")  # no single character on a line of its own
_UNDERSCORE = re.compile(r"_(?=\w\w)")
"""Where names in a sentence may break: no figure has one."""


def render_page(said: Mapping[str, Any], material: Material) -> str:
    """The page.

    Args:
        said: what every form of the report says (see `content`).
        material: what it is made from.
    """
    table = results(material.grid)
    add_ratios(table, said["devices"])
    rooflines = [
        (one.run.device_name, roofline)
        for one in material.runs
        for roofline in known_rooflines(one.run.device)
    ]
    absent = engine.missing()
    plots = [] if absent else charts.charts(table.rows, rooflines)
    choices = {chart.name: _choices(chart, table) for chart in plots}
    courses = [] if absent else _courses(table, material.runs)
    strips = state.strips(material.runs) if courses else {}
    style, script = _asset("page.css"), _asset("table.js") + _asset("plots.js")
    library = "" if absent or not (plots or courses) else engine.library()
    template = _environment().get_template("page.html.j2")
    return template.render(
        said,
        findings=material.findings,
        results=table,
        charts=plots,
        choices=choices,
        hero=_hero(plots, choices),
        observed=[place for place, one in enumerate(courses) if one is not None],
        states=[strip.words for strip in strips.values()],
        absent=str(absent) if absent else "",
        policy=_policy(style, [part for part in (library, script) if part]),
        style=Markup(style),  # noqa: S704 - our own files
        script=Markup(script),  # noqa: S704
        library=Markup(library),  # noqa: S704
        data=_json(_seen(_data(table, plots, courses) | _states(table, strips))),
    )


def _data(
    table: Results, plots: Sequence[Chart], courses: Sequence[distribution.Course | None]
) -> dict[str, Any]:
    """What the page's script reads."""
    return {
        "rows": table.rows,
        "columns": table.columns,
        "heads": [*(head.title for head in table.heads), "remarks"],
        "charts": {chart.name: chart.to_json() for chart in plots},
        "courses": [one and one.to_json() for one in courses],
        "histogram": vega.histogram(),
        "config": vega.CONFIG,
    }


def _states(table: Results, strips: Mapping[state.Place, state.Strip]) -> dict[str, Any]:
    """The states of devices, which of them is behind each row, and the plots with and without."""
    places = list(strips)
    of_rows = [state.place_of(record) for record in table.records]
    return {
        "states": [strip.to_json() for strip in strips.values()],
        "stateOf": [places.index(place) if place in strips else None for place in of_rows],
        "course": {"alone": vega.course(), "below": vega.course(strip=True)},
    }


def _seen(data: Any) -> Any:  # noqa: ANN401 - JSON
    """Data in which no text turns how text around it is read, as the script shows it."""
    if isinstance(data, str):
        return visible(data, keep="\n")
    if isinstance(data, dict):
        return {key: _seen(value) for key, value in data.items()}
    if isinstance(data, list | tuple):  # most of what there is are numbers
        return [value if type(value) is float else _seen(value) for value in data]
    return data


def _courses(table: Results, runs: Sequence[RunRecords]) -> list[distribution.Course | None]:
    """The observations of each row; empty where no row has any."""
    most = distribution.share_of_page(sum(bool(record.rounds) for record in table.records))
    procedures = {one.run.id: one.study.procedure for one in runs if one.study}
    found = [
        distribution.course(record, most, procedures.get(str(record.run.get("run_id"))))
        for record in table.records
    ]
    return found if any(found) else []


def _hero(plots: Sequence[Chart], choices: Mapping[str, list[Choice]]) -> list[Panel]:
    """The chart that shows the answer: side by side for a few input sizes, else with a choice."""
    found = {chart.name: chart for chart in plots}
    name = next((name for name in charts.HEROES if name in found), "")
    if not name:
        return []
    if len(choices[name]) > MOST_PANELS:
        return [Panel(chart=found[name], chosen=None)]
    chosen: list[Choice | None] = [*choices[name]]
    return [Panel(chart=found[name], chosen=one) for one in chosen or [None]]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A drawing of a chart.

    Attributes:
        chart: what is drawn.
        chosen: the value that is shown; None where the reader chooses, or there is no choice.
    """

    chart: Chart
    chosen: Choice | None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of the values of which a chart shows one at a time.

    Attributes:
        value: as the script reads it.
        words: as people read it.
        first: whether it is shown at first, as it has most points.
    """

    value: str
    words: str
    first: bool


def _choices(chart: Chart, table: Results) -> list[Choice]:
    if not chart.by:
        return []
    names = {"size": "input size", "batch": "batch size", "shape": "input size/batch size"}
    found = Counter(row.get(chart.by) for row in table.rows if chart.x in row and chart.y in row)
    ordered = sorted(found, key=_order)
    most = max(ordered, key=lambda value: found[value])  # of several, the smallest
    return [
        Choice(
            value="" if value is None else str(value),
            words=f"own {names[chart.by]}" if value is None else f"{names[chart.by]} {value}",
            first=value == most,
        )
        for value in ordered
    ]


def _order(value: Any) -> tuple[int, ...]:  # noqa: ANN401 - a field of a row
    """Numbers by size, shapes by input size and then by batch size, what is unknown first."""
    parts = str(value or 0).split("/")
    return tuple(int(part) if part.isdecimal() else 0 for part in parts)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("inferometer.report"),
        autoescape=True,
        finalize=_one_line,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "block": _block,
        "name": _name,
        "names": lambda text: _broken(text, _UNDERSCORE),
        "evidence": hypothesis_lines,
        "limits": limits,
        "ways_on": anomaly_lines,
        "fits": scaling_lines,
    }
    return environment


def _one_line(value: object) -> object:
    """Text without what could change how the text around it is read; autoescape does the rest."""
    return value if isinstance(value, Markup) else plain(str(value))


def _block(text: str) -> Markup:
    """Text of several lines."""
    return Markup("\n").join(plain(line) for line in text.splitlines())


def _name(text: object) -> Markup:
    """A name that may break after a separator, and in no word."""
    return _broken(text, _SEPARATOR)


def _broken(text: object, after: re.Pattern[str]) -> Markup:
    shown = str(escape(plain(str(text))))
    return Markup(after.sub(r"\g<0><wbr>", shown))  # noqa: S704 - escaped before


def _asset(name: str) -> str:
    return (files("inferometer.report") / "templates" / name).read_text(encoding="utf-8")


def _policy(style: str, scripts: Sequence[str]) -> str:
    """What the page may do: run these scripts, and nothing else."""
    allowed = " ".join(_digest(script) for script in scripts)
    return f"{_FREE}; style-src {_digest(style)}; script-src {allowed}"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(data: dict[str, Any]) -> Markup:
    """JSON that may stand between script tags: nothing in it ends them."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - made safe above
