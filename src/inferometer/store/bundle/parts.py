"""What a bundle holds, as nouns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from inferometer.core.dataset import Evaluation
from inferometer.core.energy import SourceInfo
from inferometer.core.record import Record, Round
from inferometer.core.run import Run

if TYPE_CHECKING:
    from inferometer.store import Store


@dataclass(frozen=True, kw_only=True)
class PowerReadings:
    """What a power sensor of the device said while a run went on.

    Attributes:
        info: the sensor.
        at_s: Unix times, ascending.
        values: joules since the first, or watts, as `info.quantity` says.
        lost: why it stopped answering; None where it did not.
    """

    info: SourceInfo
    at_s: tuple[float, ...]
    values: tuple[float, ...]
    lost: str | None = None


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A run with all that belongs to it.

    Attributes:
        run: the run.
        records: outcomes, without their rounds.
        rounds: raw observations by the key of their workload, in the order of their index.
        evaluations: passes over labelled data, by the key of their workload.
        readings: of power sensors, the best first; of one there may be several, one after the
            other in time.
        raw: whether records hold only what was looked up: figures are to be computed from rounds.
        whole: whether the end line was there; without it, there may have been more.
        notes: what was left out when it was read, in sentences.
    """

    run: Run
    records: tuple[Record, ...] = ()
    rounds: Mapping[str, tuple[Round, ...]] = field(default_factory=dict)
    evaluations: Mapping[str, Evaluation] = field(default_factory=dict)
    readings: tuple[PowerReadings, ...] = ()
    raw: bool = False
    whole: bool = True
    notes: tuple[str, ...] = ()

    def with_rounds(self) -> list[Record]:
        """The records with their rounds."""
        return [replace(one, rounds=self.rounds.get(one.workload.key, ())) for one in self.records]

    @property
    def round_count(self) -> int:
        """Number of rounds."""
        return sum(map(len, self.rounds.values()))


def bundle_of(store: Store, reference: str) -> Bundle:
    """A run of a store.

    Raises:
        StoreError: there is no such run, or it is damaged.
    """
    run = store.run(reference)
    return Bundle(
        run=run,
        records=tuple(store.records(run.id)),
        rounds=store.all_rounds(run.id),
        evaluations=store.evaluations(run.id),
    )
