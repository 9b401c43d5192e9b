"""Units that no name tells: from cells, from what figures say of each other, from their size."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from decimal import Decimal

from inferometer.core.units import TIMES
from inferometer.store.tables import deducing
from inferometer.store.tables.cells import unit_for
from inferometer.store.tables.draft import IN_CELLS, Draft, named
from inferometer.store.tables.numbers import amount
from inferometer.store.tables.units import Unit


def find_units(draft: Draft) -> None:
    """Find the units that names do not tell."""
    for field_name in list(draft.known):
        _from_cells(draft, field_name)
    _from_rates(draft)
    _same_as_latency(draft)
    _from_power(draft)
    _as_shares(draft)
    for field_name in list(draft.known):
        _from_size(draft, field_name)
        _same_as_latency(draft)


def _from_cells(draft: Draft, field_name: str) -> None:
    """A unit that stands in the cells, each of which is then read in its own.

    Where some cells tell none, the column has none, but for counts: `11.7M` and `25000000` are both
    whole.
    """
    column = draft.known[field_name]
    kind = column.meaning.kind
    if column.meaning.unit is not None or kind == "other":
        return
    comma = draft.table.decimal_comma
    cells = [amount(cell, decimal_comma=comma) for cell in draft.table.cells(column.name)]
    told = [unit_for(kind, one.unit) for one in cells if one is not None]
    if any(told) and (all(told) or kind == "count"):
        unit = Unit(kind=kind, factor=Decimal(1), text=IN_CELLS)
        draft.set_unit(field_name, unit, "")
        pers = {one.per for one in told if one is not None}
        if len(pers) == 1 and not column.meaning.per:
            draft.set_per(field_name, pers.pop())


def _from_rates(draft: Draft) -> None:
    """What the rates beside the latencies say of their unit."""
    rate = draft.known.get("throughput_per_s")
    name = next((f for f in ("latency_mean_s", "latency_median_s") if f in draft.known), "")
    if rate is None or not name:
        return
    latency = draft.known[name]
    pairs = zip(draft.numbers(latency.name, rate.name), draft.batches(), strict=True)
    points = [(one, other, batch) for (one, other), batch in pairs if one > 0 and other > 0]
    told = latency.meaning.unit
    found = deducing.from_rate(points, rate.meaning.per)
    if found is None:
        return
    if told is None:
        names = f"{named(latency.name)} {TIMES} {named(rate.name)}"
        why = found.why.replace(f"latency {TIMES} rate", names)
        draft.set_unit(name, found.unit, why)
        draft.notes.append(f"{named(latency.name)} is in {found.unit.text}: {why}")
    elif told.text != IN_CELLS and told.factor != found.unit.factor:
        draft.warnings.append(
            f"{named(latency.name)} is called {told.text}, but {found.why}, as of {found.unit.text}"
        )
        return
    _set_per(draft, name, "throughput_per_s", found)


def _set_per(draft: Draft, latency: str, rate: str, found: deducing.Deduced) -> None:
    """Note of what latency and rate are, where their names do not say."""
    one, other = draft.known[latency].meaning, draft.known[rate].meaning
    if one.per == "" and found.latency_per == "sample":
        draft.set_per(latency, "sample")
        draft.notes.append(f"{named(draft.known[latency].name)} is of one sample: {found.why}")
    name = draft.known[rate].name
    if other.per == "" and found.rate_per == "call" and draft.has_batches:
        draft.left_out.add(draft.known.pop(rate).name)
        draft.notes.append(
            f"{named(name)} was left out: it is one over the latency at every batch size, so that "
            "it counts calls, or the latency is of one sample"
        )


def _same_as_latency(draft: Draft) -> None:
    """Deviations and percentiles without a unit have that of the mean or the median."""
    fields = [name for name in draft.known if name.startswith("latency_") and name.endswith("_s")]
    first = next((draft.known[f] for f in ("latency_mean_s", "latency_median_s", *fields)
                  if f in draft.known and draft.known[f].meaning.unit), None)  # fmt: skip
    for name in fields:
        meaning = draft.known[name].meaning
        if first is not None and meaning.unit is None and not meaning.exact:
            unit = first.meaning.unit
            draft.set_unit(name, unit, f"in the unit of {named(first.name)}")
            if meaning.per == "":
                draft.set_per(name, first.meaning.per)


def _from_power(draft: Draft) -> None:
    """The unit of an energy from power times latency."""
    energy = draft.known.get("energy_per_inference_j")
    power, latency = draft.known.get("power_mean_w"), draft.known.get("latency_mean_s")
    if energy is None or power is None or latency is None:
        return
    if not (power.meaning.unit and latency.meaning.unit):
        return
    if IN_CELLS in (power.meaning.unit.text, latency.meaning.unit.text):
        return
    rows = zip(draft.numbers(energy.name, power.name, latency.name), draft.batches(), strict=True)
    points = [
        (e, w * float(power.factor), s * float(latency.factor), batch, latency.meaning.per)
        for (e, w, s), batch in rows
        if e > 0 and w > 0 and s > 0
    ]
    found = deducing.from_power(points)
    if found is None:
        return
    if energy.meaning.unit is None:
        draft.set_unit("energy_per_inference_j", found.unit, found.why)
        draft.notes.append(f"{named(energy.name)} is in {found.unit.text}: {found.why}")
    meaning = draft.known["energy_per_inference_j"].meaning
    if found.latency_per == "call" and meaning.per == "" and draft.has_batches:
        draft.set_per("energy_per_inference_j", "call")
        draft.notes.append(f"{named(energy.name)} is of a call, not of a sample: {found.why}")


def _as_shares(draft: Draft) -> None:
    """Accuracies above one are percent, whatever the name says; those below one are shares."""
    column = draft.known.get("accuracy")
    if column is None or draft.table.ours:
        return
    numbers = [value for (value,) in draft.numbers(column.name)]
    cells = list(draft.table.cells(column.name))
    if any("%" in cell for cell in cells if isinstance(cell, str)) or not numbers:
        return
    told = column.meaning.unit
    if 1 < max(numbers) <= 100:  # noqa: PLR2004 - percent
        unit = Unit(kind="share", factor=Decimal("0.01"), text="%")
        draft.set_unit("accuracy", unit, "" if told else "above 1")
    elif told is not None and max(numbers) <= 1:
        draft.set_unit("accuracy", None, "")
        draft.notes.append(f"{named(column.name)} holds shares of 1, though it is called percent")


def _from_size(draft: Draft, field_name: str) -> None:
    """What the size of figures says; what it only suggests is asked for."""
    column = draft.known[field_name]
    meaning = column.meaning
    counted = meaning.kind == "count" and meaning.unit is None and not meaning.exact
    if not (meaning.needs_unit or counted):
        return
    numbers = [value for (value,) in draft.numbers(column.name) if value]
    sure = deducing.certain(meaning.kind, field_name, numbers)
    if sure is not None:
        draft.set_unit(field_name, *sure)
        if sure[1]:
            draft.notes.append(f"{named(column.name)} is in {sure[0].text}: {sure[1]}")
        return
    _ask(draft, field_name, deducing.guess(meaning.kind, field_name, numbers), numbers)


def _ask(draft: Draft, field_name: str, unit: Unit | None, numbers: Sequence[float]) -> None:
    """Take a guess where the user wants that; else ask for it, or leave the column out."""
    column = draft.known[field_name]
    name = named(column.name)
    if unit is None:
        del draft.known[field_name]
        draft.left_out.add(column.name)
        return
    if draft.asked.auto:
        draft.set_unit(field_name, unit, f"a guess: {unit.text}")
        draft.notes.append(f"{name} was taken as {unit.text}: a guess")
        return
    counted = column.meaning.kind == "count"
    base = field_name if counted else field_name.rpartition("_")[0]
    base = base.replace("latency_mean", "latency").replace("_per_inference", "")
    left = f"{base}_{unit.text.lower()}"
    draft.guesses.append((left, column.name))
    if column.meaning.kind == "time" and draft.problems:
        draft.guesses.pop()  # it has the unit of the first
    elif column.meaning.kind == "time":
        some = ", ".join(f"{number:g}" for number in numbers[:3])
        draft.problems.append(f"nothing tells the unit of {name} ({some})")
    else:
        del draft.known[field_name]
        draft.left_out.add(column.name)
        option = shlex.quote(f"{left}={name}")
        draft.notes.append(
            f"{name} was left out: nothing tells its unit; if it is {unit.text}: --map {option}"
        )
