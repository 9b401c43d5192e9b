"""Tables of several devices side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inferometer.analysis.audit import Finding
from inferometer.analysis.compare import Comparison
from inferometer.analysis.devices import Device, common_places, variant_names
from inferometer.analysis.efficiency import Efficiency
from inferometer.analysis.rankings import Rank, Ranking
from inferometer.core import units
from inferometer.core.metric import Estimate
from inferometer.core.workload import Variant
from inferometer.report.document.comparison import ratio_text
from inferometer.report.document.markup import Table, table
from inferometer.report.document.wording import few


def facts(devices: Sequence[Device]) -> Table:
    """What the devices are."""
    columns: dict[str, Callable[[Device], object]] = {
        "class": lambda one: one.said("class"),
        "price": lambda one: None if one.price is None else f"{one.price:.10g}",
        "processor": lambda one: one.said("cpu_model"),
        "cores": lambda one: one.said("cores_physical"),
        "memory": lambda one: _bytes(one.said("memory_bytes")),
        "governor": lambda one: one.said("governor"),
        "power from": lambda one: ", ".join(_sources(one)) or None,
        "runs": lambda one: few([run.id for run in one.runs], 3),
        "workloads": lambda one: str(len(one.records)),
    }
    rows = [[one.name, *(_shown(show(one)) for show in columns.values())] for one in devices]
    return table(["device", *columns], rows, left=len(columns) + 1)


def _shown(value: object) -> str:
    return units.ABSENT if value is None else str(value)


def _bytes(value: object) -> str | None:
    return units.byte_count(value) if isinstance(value, int | float) else None


def _sources(one: Device) -> list[str]:
    """Sources of its energies."""
    known = (record.figures.get("energy_source") for record in one.records)
    return list(dict.fromkeys(str(source) for source in known if source is not None))


def latencies(devices: Sequence[Device]) -> Table:
    """Latencies of the workloads that two devices at least have, a column for each device."""
    rows = []
    places = common_places(devices)
    names = _names([variant for variant, _ in places])
    for variant, shape in places:
        records = [one.by_place.get((variant, shape)) for one in devices]
        cells = [units.ABSENT if r is None else units.latency(r.latency) for r in records]
        rows.append([names[variant], shape.label, *cells])
    return table(["variant", "size/batch", *(one.name for one in devices)], rows, left=2)


def _names(variants: Sequence[Variant]) -> dict[Variant, str]:
    unique = list(dict.fromkeys(variants))
    return dict(zip(unique, variant_names(unique), strict=True))


def ratios(found: Sequence[Comparison]) -> Table:
    """Ratios of all other devices to the first, with intervals and verdicts: a column for each."""
    cells: dict[str, dict[str, str]] = {}
    base: dict[str, str] = {}
    for one in found:
        workload, device = one.match.workload, one.match.names[1]
        base[workload] = units.latency(one.match.baseline.latency)
        cells.setdefault(workload, {})[device] = f"{ratio_text(one)} {one.verdict}"
    devices = list(dict.fromkeys(one.match.names[1] for one in found))
    rows = [
        [workload, base[workload], *(mine.get(name, units.ABSENT) for name in devices)]
        for workload, mine in cells.items()
    ]
    return table(["workload", found[0].match.names[0], *devices], rows)


def ranks(found: Sequence[Ranking]) -> Table:
    """The places of each variant on each device, and a mark where these exclude each other."""
    devices = list(dict.fromkeys(name for one in found for name in one.ranks))
    rows = []
    for one in found:
        for place, name in enumerate(variant_names(one.variants)):
            mine = {device: ranks[place] for device, ranks in one.ranks.items()}
            cells = [_rank(mine[device]) if device in mine else units.ABSENT for device in devices]
            apart = max(r.first for r in mine.values()) > min(r.last for r in mine.values())
            rows.append([one.shape.label, name, *cells, "differs" if apart else ""])
    return table(["size/batch", "variant", *devices, "order"], rows, left=2)


def _rank(one: Rank) -> str:
    return str(one.first) if one.first == one.last else f"{one.first}\N{EN DASH}{one.last}"


def efficiency(found: Sequence[Efficiency]) -> Table:
    """Throughput, and what it is over power, cores and price."""
    names = _names([one.variant for one in found])
    rows = [
        [
            names[one.variant],
            one.device,
            one.shape.label,
            _rate(one.throughput),
            units.ABSENT if one.per_joule is None else _rate(one.per_joule),
            one.scope or units.ABSENT,
            units.ABSENT if one.per_core is None else units.number(one.per_core),
            units.ABSENT if one.per_price is None else units.number(one.per_price),
        ]
        for one in found
    ]
    heads = ["variant", "device", "size/batch", "samples/s", "per watt", "power measured"]
    return table([*heads, "per core", "per price"], rows, left=3)


def _rate(one: Estimate) -> str:
    """A rate with the ends of its interval."""
    if one.low is None or one.high is None:
        return units.number(one.value)
    return f"{units.number(one.value)} [{units.number(one.low)}, {units.number(one.high)}]"


def confounder_table(found: Sequence[Finding], devices: Sequence[Device]) -> Table:
    """What differs between the devices beside what they are, with what each has."""
    names = [one.name for one in devices]
    rows = [
        [one.what, *(one.sides.get(name, units.ABSENT) for name in names), one.why] for one in found
    ]
    return table(["what", *names, "why it matters"], rows, left=len(names) + 2)
