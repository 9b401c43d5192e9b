"""Energy of one or several sources → the figures of the exported record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from inferometer.core.energy import SourceInfo
from inferometer.core.record import Record, Round, Value
from inferometer.core.sections import Energy
from inferometer.core.statement import Statement, statements
from inferometer.stats.energy import EnergyResult


@dataclass(frozen=True, kw_only=True)
class Sourced:
    """What one source says of a workload."""

    info: SourceInfo
    result: EnergyResult


def energy_of(found: Sequence[Sourced], rounds: Sequence[Round]) -> Energy:
    """The energy of a record.

    The first source that has a figure is the record's; the others stand beside it as statements,
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
    return Energy(
        energy_per_inference_j=gross.value if gross else None,
        energy_uncertainty_j=gross.half if gross else None,
        energy_net_per_inference_j=net.value if net else None,
        energy_net_uncertainty_j=net.half if net else None,
        energy_net_below_j=result.net_below_j,
        power_mean_w=result.mean_w.value if result.mean_w else None,
        power_idle_w=result.idle_w.value if result.idle_w else None,
        energy_source=info.name if gross else None,
        energy_scope=info.scope if gross else None,
        energy_method=info.method if gross else None,
        energy_reason=_reason(main),
        energy_latency_s=median(values) if values else None,
        energy_windows=result.windows if gross else None,
        energy_interval=result.method if gross else None,
        energy_others=tuple(said_of(one) for one in others),
    )


def joined(one: Sourced, rounds: Sequence[Round], record: Record) -> dict[str, Value]:
    """What changes in a record that gets one more source later.

    Where that has a figure, it becomes the record's, and the one before stands beside it;
    otherwise the one before stays.

    Args:
        one: what the source says.
        rounds: as for `energy_of`.
        record: as it is, perhaps with figures of the same source.
    """
    before, name = record.figures, one.info.name
    others = [one for one in statements(before.get("energy_others")) if not _is_of(name, one)]
    if before.get("energy_source") in (None, name):
        return replace(energy_of([one], rounds), energy_others=tuple(others)).figures()
    if one.result.gross_j is None:
        return {"energy_others": [*others, said_of(one)]}
    beside = (_said_of_own(record), *others)
    return replace(energy_of([one], rounds), energy_others=beside).figures()


def said_of(one: Sourced) -> Statement:
    """A source beside the record's: `rapl:psys (psys, measured): 1.42 ± 0.05 J per sample, …`."""
    info, result = one.info, one.result
    source = {"source": info.name, "scope": info.scope, "method": info.method}
    if result.gross_j is None:
        return Statement("other_source_withheld", {**source, "reason": result.reason or ""})
    gross, net, mean_w = result.gross_j, result.net_j, result.mean_w
    figures = {
        "gross_j": gross.value,
        "gross_half_j": gross.half,
        "net_j": net.value if net else None,
        "net_half_j": net.half if net else None,
        "mean_w": mean_w.value if mean_w else None,
    }
    return _other(source, figures)


def _said_of_own(record: Record) -> Statement:
    """The same, of the source that a record has its figures from."""
    figures = record.figures
    source = {name: str(figures.get(f"energy_{name}")) for name in ("source", "scope", "method")}
    own = {
        "gross_j": "energy_per_inference_j",
        "gross_half_j": "energy_uncertainty_j",
        "net_j": "energy_net_per_inference_j",
        "net_half_j": "energy_net_uncertainty_j",
        "mean_w": "power_mean_w",
    }
    return _other(source, {name: record.number(field) for name, field in own.items()})


def _other(source: Mapping[str, str], figures: Mapping[str, float | None]) -> Statement:
    known = {name: value for name, value in figures.items() if value is not None}
    return Statement("other_source", {**source, **known})


def _is_of(source: str, other: Statement) -> bool:
    """Whether a statement is of a source; earlier versions stored it as a sentence."""
    return other.values.get("source") == source or str(other).startswith(f"{source} (")


def _reason(main: Sourced) -> Statement | None:
    """Why a figure is missing; of a source without any, its name too."""
    result = main.result
    if result.gross_j is None:
        values = {"source": main.info.name, "reason": result.reason or ""}
        return Statement("energy_withheld", values)
    if not result.net_reason:
        return None
    return Statement("net_withheld", {"reason": result.net_reason})
