"""Tables that look like logs of power and are none: each is refused by what it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inferometer.meters.energy.logs.channel import Contents, LogOptions, LogProblemError
from inferometer.meters.energy.logs.table import names_of

_CODECARBON = (
    "it is a table of tasks by CodeCarbon, whose power is an estimate: a mean for each task, "
    "partly of the processor's rated power. Give the log of a meter"
)
_WINDOWS = (
    "it is the list of windows that inferometer run --mark wrote: give the log that the meter "
    "wrote meanwhile"
)
_RESULTS = "it is results that inferometer exported: give the log of a meter"
_TABLES: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"emissions", "duration", "cpu_power"}), _CODECARBON),
    (frozenset({"kind", "workload", "start_unix_s"}), _WINDOWS),
    (frozenset({"latency_median_s", "energy_per_inference_j"}), _RESULTS),
)


class NotLogs:
    """Tables that are no logs of power."""

    name = "none"

    def recognises(self, head: Sequence[str]) -> bool:
        """By their names."""
        return _sentence(head) is not None

    def read(self, lines: Iterable[str], options: LogOptions) -> Contents:
        """Say what it is.

        Raises:
            LogProblemError: always.
        """
        del options
        head = [line for line, _ in zip(lines, range(5), strict=False)]
        raise LogProblemError(_sentence(head) or "it is not a log of power")


def _sentence(head: Sequence[str]) -> str | None:
    names = names_of(head)
    return next((sentence for wanted, sentence in _TABLES if wanted <= names), None)
