"""What a bundle adds to a run that is stored already, or why the two are not one run.

Rounds are never changed: two of one number must be the same. Records and what is known of the run
grow while it goes on, so that the one of the two that has got farther is taken; of two that have
got equally far, all must be the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inferometer.core.dataset import Evaluation
from inferometer.core.errors import ImportFileError
from inferometer.core.record import Record, Round
from inferometer.core.run import CARRIED, Run
from inferometer.core.shown import shown
from inferometer.store import rows
from inferometer.store.bundle.lines import record_line
from inferometer.store.bundle.parts import Bundle
from inferometer.store.evaluations import evaluation_row

_NEVER_CHANGE = ("study", "signature", "document", "software", "origin", "created_at")
_MAY_CHANGE = ("class", "price")
"""What people say of a device; the last word counts."""
_WAY_OUT = "import it into another store (--store FILE)"


@dataclass(frozen=True, kw_only=True)
class Merge:
    """What is to be written.

    Attributes:
        run: the run, as it is to be.
        is_new: whether the store does not have it yet.
        run_changes: whether its row changes.
        records: to be put, new ones and those that take the place of earlier ones.
        anew: keys of workloads whose rounds are to be those of the bundle alone.
        rounds: to be added, with the key of their workload.
        evaluations: to be put.
        older: records that stay, as the store has got farther with them.
    """

    run: Run
    is_new: bool = False
    run_changes: bool = False
    records: Sequence[Record] = ()
    anew: frozenset[str] = frozenset()
    rounds: Sequence[tuple[str, Round]] = field(default=())
    evaluations: Sequence[Evaluation] = ()
    older: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether the store has it all."""
        return not (
            self.is_new or self.run_changes or self.records or self.rounds or self.evaluations
        )


def merge(bundle: Bundle, stored: Bundle | None) -> Merge:
    """What a bundle adds.

    Args:
        bundle: with figures. Those of a raw one were just made, from the observations of both.
        stored: the run of that id, as the store has it; None where it has none.

    Raises:
        ImportFileError: they are not one run, or one of them was changed.
    """
    if stored is None:
        return Merge(
            run=bundle.run,
            is_new=True,
            records=bundle.records,
            rounds=[(key, done) for key, mine in bundle.rounds.items() for done in mine],
            evaluations=tuple(bundle.evaluations.values()),
        )
    run = _run(bundle.run, stored.run)
    _check_rounds(bundle, stored)
    ahead = 1 if bundle.raw else _compared(progress(bundle), progress(stored))
    before = {one.workload.key: one for one in stored.records}
    records, older = _records(bundle, before, ahead)
    anew = frozenset(
        one.workload.key
        for one in records
        if one.workload.key in before and bundle.whole and _lost_rounds(bundle, stored, one)
    )
    return Merge(
        run=run,
        run_changes=rows.run_row(run) != rows.run_row(stored.run),
        records=records,
        anew=anew,
        rounds=_new_rounds(bundle, stored, ahead, anew),
        evaluations=_evaluations(bundle, stored.evaluations, ahead),
        older=older,
    )


def progress(one: Bundle) -> tuple[float, ...]:
    """How far a run has got, for comparison with another state of the same run."""
    pending = sum(_length(record.figures.get("pending")) for record in one.records)
    # Numbers of rounds only grow, even where a workload is measured anew and loses its first ones.
    last = max((mine[-1].index for mine in one.rounds.values() if mine), default=-1)
    finished_at = one.run.finished_at or 0.0
    return last, finished_at, len(one.records), len(one.evaluations), -pending


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0


def _compared(one: tuple[float, ...], other: tuple[float, ...]) -> int:
    return (one > other) - (one < other)


def _run(new: Run, old: Run) -> Run:
    """The run as it is to be.

    Raises:
        ImportFileError: they are two runs with one id.
    """
    ours, theirs = rows.run_row(old), rows.run_row(new)
    for name in _NEVER_CHANGE:
        if ours[name] != theirs[name]:
            raise ImportFileError(
                f"run {new.id} is in the store already, with another {name}: it is another run of "
                f"the same id, or one of the two was changed; {_WAY_OUT}"
            )
    planned = max(new.planned, old.planned)
    ends = [one for one in (new.finished_at, old.finished_at) if one is not None]
    device = _device(new, old)
    return Run(
        **{name: getattr(old, name) for name in ("id", *_NEVER_CHANGE)},
        device=device,
        planned=planned,
        finished_at=max(ends, default=None),
    )


def _device(new: Run, old: Run) -> dict[str, Any]:
    """What is known of the device: rooflines, for instance, are probed while a run goes on."""
    mine, other = dict(old.device), {k: v for k, v in new.device.items() if k != CARRIED}
    changed = [name for name, value in other.items() if name in mine and mine[name] != value]
    grown = [name for name in changed if name in _MAY_CHANGE or _holds(other[name], mine[name])]
    for name in changed:
        if name not in grown and not _holds(mine[name], other[name]):
            raise ImportFileError(
                f"run {new.id} is in the store already, of another device ({shown(name)} is not "
                f"the same): it is another run of the same id, or one of the two was changed; "
                f"{_WAY_OUT}"
            )
    added = {name: value for name, value in other.items() if name not in mine or name in grown}
    return {**mine, **added}


def _holds(more: object, less: object) -> bool:
    """Whether a list has all of another at its beginning."""
    return isinstance(more, list) and isinstance(less, list) and more[: len(less)] == less


def _check_rounds(bundle: Bundle, stored: Bundle) -> None:
    for key, mine in bundle.rounds.items():
        known = {done.index: done for done in stored.rounds.get(key, ())}
        for done in mine:
            if known.get(done.index, done) != done:
                raise ImportFileError(
                    f"run {bundle.run.id}: round {done.index} of workload {key} is in the store "
                    f"already, with other observations: one of the two was changed; {_WAY_OUT}"
                )


def _records(bundle: Bundle, before: Mapping[str, Record], ahead: int) -> tuple[list[Record], int]:
    """Records to be put, and how many stay as they are though the bundle's differ.

    Raises:
        ImportFileError: two differ, and neither run has got farther.
    """
    records, older = [], 0
    for new in bundle.records:
        old = before.get(new.workload.key)
        if old is None or (ahead > 0 and not _is_same(new, old)):
            records.append(new)
        elif not _is_same(new, old):
            if ahead == 0:
                raise ImportFileError(
                    f"run {bundle.run.id}: {shown(new.workload.label)} is in the store already, "
                    f"with other figures from the same observations: one of the two was changed; "
                    f"{_WAY_OUT}"
                )
            older += 1
    return records, older


def _is_same(one: Record, other: Record) -> bool:
    return record_line(one) == record_line(other)


def _lost_rounds(bundle: Bundle, stored: Bundle, record: Record) -> bool:
    """Whether the store has rounds of a workload that was measured anew since."""
    key = record.workload.key
    kept = {done.index for done in bundle.rounds.get(key, ())}
    return any(done.index not in kept for done in stored.rounds.get(key, ()))


def _new_rounds(
    bundle: Bundle, stored: Bundle, ahead: int, anew: frozenset[str]
) -> list[tuple[str, Round]]:
    """Rounds to be added; none of a record with which the store has got farther.

    It may have lost its first ones, as it was measured anew.
    """
    recorded = {one.workload.key for one in stored.records} if ahead < 0 else set()
    found = []
    for key, mine in bundle.rounds.items():
        if key in recorded:
            continue
        known = set() if key in anew else {done.index for done in stored.rounds.get(key, ())}
        found += [(key, done) for done in mine if done.index not in known]
    return found


def _evaluations(bundle: Bundle, before: Mapping[str, Evaluation], ahead: int) -> list[Evaluation]:
    """Passes to be put.

    Raises:
        ImportFileError: two differ, and neither run has got farther.
    """
    found = []
    for key, new in bundle.evaluations.items():
        same = key in before and evaluation_row(new) == evaluation_row(before[key])
        if key not in before or (ahead > 0 and not same):
            found.append(new)
        elif not same and ahead == 0:
            raise ImportFileError(
                f"run {bundle.run.id}: the pass of workload {key} over labelled data is in the "
                f"store already, with other answers: one of the two was changed; {_WAY_OUT}"
            )
    return found
