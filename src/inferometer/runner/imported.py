"""Takes a bundle into a store; of one without figures, makes them by the code of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace

from inferometer.core.errors import ImportFileError, StoreError
from inferometer.core.procedure import Procedure
from inferometer.core.record import STATED, Record, Round, Value
from inferometer.core.sections import Bounds, Energy, Joint, Latency, Verdict
from inferometer.core.shown import shown
from inferometer.core.statement import Statement, statements
from inferometer.core.sweep import study_of
from inferometer.figures.joint import joined
from inferometer.figures.summary import summarise
from inferometer.runner.phases.energy.figures import Sourced, energy_of
from inferometer.runner.phases.energy.windows import (
    LONG_CALL_S,
    SWITCH_S,
    around,
    last_try,
    rest_window,
    sensor_of,
    work_window,
)
from inferometer.runner.phases.latency.outcomes import with_few_calls
from inferometer.runner.phases.latency.sustained import sustained_figures
from inferometer.stats.energy import energy_per_sample
from inferometer.stats.energy_windows import Window
from inferometer.store import Store
from inferometer.store.bundle import Bundle, PowerReadings, bundle_of
from inferometer.store.bundle.merging import Merge

FROM_ROUNDS = frozenset(
    field.name for section in (Latency, Joint, Verdict, Energy, Bounds) for field in fields(section)
) - {"energy_reason", "notes"} | {"usable_for", "pending", "sustained_first_s", "sustained_last_s"}
"""Figures that a bundle without figures does not bring: they are made here."""


def take_in(store: Store, bundle: Bundle) -> Merge:
    """Add to a store what a bundle holds and it does not, all or nothing.

    Args:
        store: where it goes.
        bundle: with figures, or without.

    Returns:
        What was written.

    Raises:
        ImportFileError: the store has another run of that id, one of the two was changed, or
            no figures can be made of the rounds.
        StoreError: the store cannot be written.
    """
    if bundle.raw:
        bundle = _with_figures(bundle, _stored(store, bundle.run.id))
    try:
        return store.merge(bundle)
    except ValueError as error:
        raise ImportFileError(f"run {bundle.run.id}: {shown(error)}") from error


def figured(bundle: Bundle) -> Bundle:
    """A bundle without figures, with those that follow from its rounds and readings.

    Raises:
        ImportFileError: none can be made of them.
    """
    return replace(bundle, records=_read_together(bundle, _each(bundle)))


def _each(bundle: Bundle) -> list[Record]:
    """Records with the figures that the rounds of each give alone.

    Raises:
        ImportFileError: none can be made of them.
    """
    study = study_of(bundle.run)
    if study is None:
        raise ImportFileError(
            f"run {bundle.run.id}: a bundle without figures has to hold its study; make the agent "
            "anew with `inferometer agent`"
        )
    raw = bundle.with_rounds()
    idle = [
        rest_window(one) for record in raw for one in last_try(record.rounds) if one.phase == "idle"
    ]
    return [_made(bundle, one, study.procedure, idle) for one in raw]


def _made(bundle: Bundle, record: Record, procedure: Procedure, idle: Sequence[Window]) -> Record:
    """A record with its figures.

    Raises:
        ImportFileError: none can be made of its rounds.
    """
    try:
        return _figured(record, procedure, bundle.readings, idle)
    except (ValueError, ArithmeticError, IndexError) as error:
        raise ImportFileError(
            f"run {bundle.run.id}: no figures can be made of the rounds of "
            f"{shown(record.workload.label)}: {shown(error)}"
        ) from error


def _read_together(bundle: Bundle, records: Sequence[Record]) -> tuple[Record, ...]:
    """Records with the figures of the joint fit, without their rounds."""
    try:
        found = joined(bundle.run, records)
    except (ValueError, ArithmeticError) as error:
        raise ImportFileError(
            f"run {bundle.run.id}: no joint fit can be made of its rounds: {shown(error)}"
        ) from error
    return tuple(replace(one, rounds=()) for one in found)


def _figured(
    record: Record,
    procedure: Procedure,
    readings: Sequence[PowerReadings],
    idle: Sequence[Window],
) -> Record:
    """A record with the figures that its own rounds give; one that failed as it is."""
    facts = {name: value for name, value in record.figures.items() if name not in FROM_ROUNDS}
    if record.status != "ok":
        return replace(record, figures=facts)
    rounds = record.rounds
    measured = with_few_calls(summarise(record.workload, rounds, procedure, facts), procedure)
    notes = [*statements(facts.get("notes")), *statements(measured.pop("notes", []))]
    figures: dict[str, Value] = {**facts, **measured, "notes": notes}
    if procedure.sustain_s is not None:
        figures |= sustained_figures([one for one in rounds if one.phase == "measure"])
    figures |= _energy(record, readings, idle)
    return replace(record, figures=figures)


def _energy(
    record: Record, readings: Sequence[PowerReadings], idle: Sequence[Window]
) -> dict[str, Value]:
    """Energy by the readings; nothing where there are no windows, or no readings of them."""
    rounds = [one for one in last_try(record.rounds) if one.phase == "energy"]
    if not rounds:
        return {}
    if not readings:
        later = Statement("energy_later", {"run_id": str(record.run.get("run_id") or "latest")})
        return Energy(energy_reason=later).figures()
    batch_size = record.workload.batch_size
    load = [one for done in rounds if (one := work_window(done, batch_size, _margin_s(done)))]
    found = [
        Sourced(
            info=one.info,
            result=energy_per_sample(
                sensor_of(one.info),
                one.at_s,
                one.values,
                load,
                idle=around(idle, load),
                lost=one.lost,
            ),
        )
        for one in _meanwhile(readings, rounds)
    ]
    return energy_of(found, rounds).figures()


def _meanwhile(readings: Sequence[PowerReadings], rounds: Sequence[Round]) -> list[PowerReadings]:
    """Of each source the readings that have most to do with the rounds."""
    begin, end = rounds[0].started_at, rounds[-1].started_at

    def shared_s(one: PowerReadings) -> float:
        return min(one.at_s[-1], end) - max(one.at_s[0], begin) if one.at_s else -math.inf

    names = dict.fromkeys(one.info.name for one in readings)
    return [max((r for r in readings if r.info.name == name), key=shared_s) for name in names]


def _margin_s(done: Round) -> float:
    """Seconds of work before and after a window: none beside calls that are long."""
    return 0.0 if done.settled_s and done.median_s >= LONG_CALL_S else SWITCH_S


def _with_figures(bundle: Bundle, stored: Bundle | None) -> Bundle:
    """A bundle with figures from its observations and those that are stored of the run.

    Where it holds nothing new, the figures are those that are stored: an import of the same bundle
    by a later version changes nothing.
    """
    if stored is None:
        return figured(bundle)
    before = {one.workload.key: one for one in stored.records}
    for one in bundle.records:
        _check_same(bundle, one, before.get(one.workload.key))
    if not _has_news(bundle, stored):
        kept = tuple(before[one.workload.key] for one in bundle.records)
        return replace(bundle, records=kept)
    rounds = {
        **stored.rounds,
        **{key: _united(mine, stored.rounds.get(key, ())) for key, mine in bundle.rounds.items()},
    }
    both = replace(bundle, rounds=rounds)
    mine = {one.workload.key for one in bundle.records}
    others = [
        replace(one, rounds=rounds.get(one.workload.key, ()))
        for one in stored.records
        if one.workload.key not in mine
    ]
    return replace(both, records=_read_together(both, [*_each(both), *others]))


def _united(one: Sequence[Round], other: Sequence[Round]) -> tuple[Round, ...]:
    """Rounds of both, each once; whether two of one number are the same is seen when merging."""
    known = {done.index: done for done in (*other, *one)}
    return tuple(known[index] for index in sorted(known))


def _check_same(bundle: Bundle, new: Record, old: Record | None) -> None:
    """Refuse a record that says something else than the one that is stored.

    Raises:
        ImportFileError: it does.
    """
    if old is None:
        return
    looked_up = new.figures.keys() - FROM_ROUNDS - set(STATED)
    same = (new.status, new.failure) == (old.status, old.failure) and all(
        new.figures[name] == old.figures.get(name) for name in looked_up
    )
    if not same:
        raise ImportFileError(
            f"run {bundle.run.id}: {shown(new.workload.label)} is in the store already, with "
            "another outcome: one of the two was changed; import it into another store (--store "
            "FILE)"
        )


def _has_news(bundle: Bundle, stored: Bundle) -> bool:
    known = {one.workload.key for one in stored.records}
    numbers = {key: {one.index for one in mine} for key, mine in stored.rounds.items()}
    return any(one.workload.key not in known for one in bundle.records) or any(
        one.index not in numbers.get(key, ()) for key, mine in bundle.rounds.items() for one in mine
    )


def _stored(store: Store, run_id: str) -> Bundle | None:
    """The run as the store has it; None where it has none of that id."""
    try:
        return bundle_of(store, run_id)
    except StoreError:
        return None
