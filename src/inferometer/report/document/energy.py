"""Energy in sentences: per sample, above idle, with its source, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.core import units
from inferometer.core.record import Record
from inferometer.core.statement import statements
from inferometer.report.document.wording import plural, sentence

JOULES_PER_WATT_HOUR = 3600.0


def energy_lines(records: Sequence[Record]) -> list[str]:
    """A line for each workload with energy, then why others have none, each reason once."""
    lines = [line for record in records if (line := energy_line(record))]
    reasons: dict[str, list[str]] = {}
    for record in records:
        if record.status == "ok" and record.number("energy_per_inference_j") is None:
            reason = str(record.figures.get("energy_reason") or "")
            if reason:
                reasons.setdefault(reason, []).append(record.workload.label)
    total = sum(record.status == "ok" for record in records)
    for reason, labels in reasons.items():
        few = ", ".join(labels) if len(labels) <= 3 else plural(len(labels), "workload")  # noqa: PLR2004
        lines.append(reason if len(labels) == total else f"{few}: {reason}")
    return lines


def withheld_lines(meters: Sequence[str], records: Sequence[Record]) -> list[str]:
    """Of which workloads meters that the user named have no energy, each reason once."""
    kinds = {one.partition(":")[0] for one in meters}
    reasons: dict[str, list[str]] = {}
    for record in records if kinds else ():
        figures = record.figures
        said = [
            *statements([figures.get("energy_reason")]),
            *statements(figures.get("energy_others")),
        ]
        for one in said:
            kind = str(one.values.get("source", "")).partition(":")[0]
            if one.code in ("energy_withheld", "other_source_withheld") and kind in kinds:
                reasons.setdefault(str(one.values.get("reason")), []).append(record.workload.label)
    return [
        f"No energy by --meter {', '.join(meters)} for {plural(len(labels), 'workload')} "
        f"({', '.join(labels[:3])}{', …' * (len(labels) > 3)}): {reason}"  # noqa: PLR2004
        for reason, labels in reasons.items()
    ]


def energy_line(record: Record) -> str | None:
    """`resnet18 224/1: 1.42 ± 0.05 J per sample (rapl:package-0, package), …`; None without."""
    gross = record.number("energy_per_inference_j")
    if gross is None:
        return None
    figures = record.figures
    marked = ", an estimate" if figures.get("energy_method") == "estimate" else ""
    named = [str(figures[name]) for name in ("energy_source", "energy_scope") if figures.get(name)]
    source = ", ".join(named) + marked if named else "by what, the table does not tell"
    half = record.number("energy_uncertainty_j")
    parts = [f"{record.workload.label}: {units.energy(gross, half)} per sample ({source})"]
    net = record.number("energy_net_per_inference_j")
    if net is not None:
        parts.append(f"{units.energy(net, record.number('energy_net_uncertainty_j'))} above idle")
    elif figures.get("energy_reason"):
        parts.append(str(figures["energy_reason"]))
    power, idle = record.number("power_mean_w"), record.number("power_idle_w")
    if power is not None:
        parts.append(units.watts(power) + (f", idle {units.watts(idle)}" if named or idle else ""))
    parts.append(f"{units.number(1 / gross)} inferences per joule" if gross > 0 else "")
    product = delay_product_js(record)
    parts.append(f"energy-delay product {units.joules(product)} s" if product else "")
    return ", ".join(part for part in parts if part)


def delay_product_js(record: Record) -> float | None:
    """Energy per sample times the latency of a call, joule seconds (Horowitz and others, 1994)."""
    energy, latency = record.number("energy_per_inference_j"), record.latency
    return None if energy is None or latency is None else energy * latency.value


def per_watt_hour(record: Record) -> float | None:
    """Inferences that a watt-hour pays for."""
    energy = record.number("energy_per_inference_j")
    return JOULES_PER_WATT_HOUR / energy if energy else None


def attached_lines(
    records: Sequence[Record], offset_s: float, offset_u_s: float | None, notes: Sequence[str]
) -> list[str]:
    """What a joined log gave."""
    fitted = "" if offset_u_s is None else f" ± {2 * offset_u_s:.2g} s, fitted by the load's steps"
    return [
        f"The log's clock: {offset_s:+.2f} s added to its times{fitted}.",
        *(sentence(note) for note in notes),
        *energy_lines(records),
    ]
