"""The doctor's look at power sources: what can be read, and what would make more readable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

METHODS = {
    "measured": "measured",
    "vendor_model": "the vendor's model, not a measurement",
    "estimate": "an estimate, not a measurement",
}


def examine_power(root: Path) -> dict[str, Any]:
    """Sources and absences under a root, as JSON objects, and why there is none in one sentence."""
    from inferometer.meters.energy.selection.detect import why_none
    from inferometer.meters.energy.selection.survey import close, survey
    from inferometer.meters.energy.surroundings import Surroundings

    surroundings = Surroundings(root=root)
    found = survey(surroundings)
    close(found.sources)
    reason = "" if found.sources else why_none(found.absences, surroundings)
    return {
        "power_sources": [asdict(source.info) for source in found.sources],
        "power_absences": [asdict(absence) for absence in found.absences],
        "power_reason": reason or None,
    }


def power_lines(found: Mapping[str, Any]) -> list[str]:
    """The section: sources, then what is missing where one would expect it."""
    lines = [line for source in found["power_sources"] for line in _source(source)]
    relevant = [absence for absence in found["power_absences"] if absence["relevant"]]
    lines += [f"- {' '.join([one['reason'], one['way_out']]).strip()}" for one in relevant]
    return lines or [f"- {found['power_reason']}"]


def remedies(found: Mapping[str, Any]) -> Sequence[str]:
    """Files that would help, in full."""
    return [absence["remedy"] for absence in found["power_absences"] if absence["remedy"]]


def _source(source: Mapping[str, Any]) -> list[str]:
    period = f"every {_shown_s(source['period_s'])}"
    scope = source["scope"].replace("_", " ")
    return [
        f"{source['name']}  {scope}, {METHODS[source['method']]}, {period}",
        f"    {source['where']}",
    ]


def _shown_s(period_s: float) -> str:
    from inferometer.core.units import seconds

    return seconds(period_s)
