"""Energy of one or several sources → the figures of the exported record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import cast

from inferometer.core.energy import SourceInfo
from inferometer.core.record import Record, Round, Value
from inferometer.core.units import energy, watts
from inferometer.stats.energy import EnergyResult

NO_FIGURES: dict[str, Value] = dict.fromkeys(
    (
        "energy_per_inference_j",
        "energy_net_per_inference_j",
        "energy_uncertainty_j",
        "energy_net_uncertainty_j",
        "energy_net_below_j",
        "power_mean_w",
        "power_idle_w",
        "energy_source",
        "energy_scope",
        "energy_method",
        "energy_reason",
        "energy_latency_s",
        "energy_windows",
        "energy_interval",
    )
) | {"energy_others": []}


@dataclass(frozen=True, kw_only=True)
class Sourced:
    """What one source says of a workload."""

    info: SourceInfo
    result: EnergyResult


def energy_figures(found: Sequence[Sourced], rounds: Sequence[Round]) -> dict[str, Value]:
    """Fields of the record.

    The first source that has a figure is the record's; the others stand beside it as sentences,
    never added to it, since one may cover the other.

    Args:
        found: the sources in the order of preference, at least one.
        rounds: in which energy was measured, for the latency meanwhile.
    """
    main = next((one for one in found if one.result.gross_j is not None), found[0])
    others = [one for one in found if one is not main]
    result, info = main.result, main.info
    gross, net = result.gross_j, result.net_j
    values = [v for one in rounds if one.phase == "energy" for v in one.settled_s]
    return NO_FIGURES | {
        "energy_per_inference_j": gross.value if gross else None,
        "energy_uncertainty_j": gross.half if gross else None,
        "energy_net_per_inference_j": net.value if net else None,
        "energy_net_uncertainty_j": net.half if net else None,
        "energy_net_below_j": result.net_below_j,
        "power_mean_w": result.mean_w.value if result.mean_w else None,
        "power_idle_w": result.idle_w.value if result.idle_w else None,
        "energy_source": info.name if gross else None,
        "energy_scope": info.scope if gross else None,
        "energy_method": info.method if gross else None,
        "energy_reason": _reason(main),
        "energy_latency_s": median(values) if values else None,
        "energy_windows": result.windows if gross else None,
        "energy_interval": result.method if gross else None,
        "energy_others": [sentence(one) for one in others],
    }


def joined(one: Sourced, rounds: Sequence[Round], record: Record) -> dict[str, Value]:
    """Fields of a record that gets one more source later.

    Where that has a figure, it becomes the record's, and the one before stands beside it;
    otherwise the one before stays.

    Args:
        one: what the source says.
        rounds: as for `energy_figures`.
        record: as it is, perhaps with figures of the same source.
    """
    before, name = record.figures, one.info.name
    others = [
        other
        for other in cast("list[str]", before.get("energy_others") or [])
        if not other.startswith(f"{name} (")
    ]
    if before.get("energy_source") in (None, name):
        return energy_figures([one], rounds) | {"energy_others": others}
    if one.result.gross_j is None:
        kept = {field: before.get(field) for field in NO_FIGURES}
        return kept | {"energy_others": [*others, sentence(one)]}
    return energy_figures([one], rounds) | {"energy_others": [_sentence_of(record), *others]}


def no_energy(reason: str) -> Mapping[str, Value]:
    """Fields of a record without energy."""
    return NO_FIGURES | {"energy_reason": reason}


def sentence(one: Sourced) -> str:
    """A source in one sentence: `rapl:psys (psys, measured): 1.42 ± 0.05 J per input, 14.2 W`."""
    info, result = one.info, one.result
    name = f"{info.name} ({info.scope}, {info.method})"
    if result.gross_j is None:
        return f"{name}: withheld: {result.reason}"
    gross, net, mean_w = result.gross_j, result.net_j, result.mean_w
    return _told(
        name,
        energy(gross.value, gross.half),
        energy(net.value, net.half) if net else "",
        watts(mean_w.value) if mean_w else "",
    )


def _sentence_of(record: Record) -> str:
    """The same, of the source that a record has its figures from."""
    figures, number = record.figures, record.number
    source, scope, method = (
        figures.get(f"energy_{what}") for what in ("source", "scope", "method")
    )
    gross = number("energy_per_inference_j") or 0.0
    net, mean_w = number("energy_net_per_inference_j"), number("power_mean_w")
    return _told(
        f"{source} ({scope}, {method})",
        energy(gross, number("energy_uncertainty_j")),
        "" if net is None else energy(net, number("energy_net_uncertainty_j")),
        "" if mean_w is None else watts(mean_w),
    )


def _told(name: str, gross: str, net: str, mean: str) -> str:
    parts = (f"{name}: {gross} per input", f"{net} above rest" if net else "", mean)
    return ", ".join(part for part in parts if part)


def _reason(main: Sourced) -> str | None:
    """Why a figure is missing; of a source without any, its name too."""
    if main.result.gross_j is None:
        return f"{main.info.name}: withheld: {main.result.reason}"
    return f"no net figure: {main.result.net_reason}" if main.result.net_reason else None
