"""Energy of one or several sources → the figures of the exported record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from inferometer.core.energy import SourceInfo
from inferometer.core.record import Round, Value
from inferometer.core.units import energy, watts
from inferometer.stats.energy import EnergyResult

PENDING = "energy was not reached: the run ended before its windows"
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


def no_energy(reason: str) -> Mapping[str, Value]:
    """Fields of a record without energy."""
    return NO_FIGURES | {"energy_reason": reason}


def sentence(one: Sourced) -> str:
    """A source in one sentence: `rapl:psys (psys): 1.42 ± 0.05 J per input, 14.2 W`."""
    result, gross = one.result, one.result.gross_j
    name = f"{one.info.name} ({one.info.scope}, {one.info.method})"
    if gross is None:
        return f"{name}: withheld: {result.reason}"
    parts = [f"{name}: {energy(gross.value, gross.half)} per input"]
    if result.net_j is not None:
        parts.append(f"{energy(result.net_j.value, result.net_j.half)} above rest")
    if result.mean_w is not None:
        parts.append(watts(result.mean_w.value))
    return ", ".join(parts)


def _reason(main: Sourced) -> str | None:
    """Why a figure is missing; of a source without any, its name too."""
    if main.result.gross_j is None:
        return f"{main.info.name}: withheld: {main.result.reason}"
    return f"no net figure: {main.result.net_reason}" if main.result.net_reason else None
