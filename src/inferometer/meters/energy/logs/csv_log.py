"""Reads a log that any power meter wrote as CSV. Does not know what ran meanwhile, nor when."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO, cast, get_args
from urllib.parse import parse_qsl

import numpy as np

from inferometer.core.energy import Scope
from inferometer.core.errors import MeterError
from inferometer.core.filenames import FileProblemError, check_file, expanded, reason_of
from inferometer.core.shown import shown
from inferometer.meters.energy.logs.csv_columns import (
    DELIMITERS,
    Clock,
    Columns,
    find_columns,
    to_number,
    to_time,
)
from inferometer.meters.energy.logs.power_log import Floats, PowerLog

MOST_ROWS = 5_000_000
MOST_BYTES = 1 << 30
"""So many rows of two hundred characters."""
GAP_PERIODS = 5.0
"""A longer gap between two rows than so many periods is mentioned."""
MOST_W = 1e9
"""No meter reads more."""

_HEADER_LINES = 50
_LONGEST_LINE = 64 * 1024
_SMALL = 0.01  # of the largest power: so far below zero is the noise of a meter about zero
_COLUMNS = ("time", "power", "voltage", "current")
_ADVICE = "the first line must name the columns, such as timestamp,watts"


def read_log(target: str, *, scope: Scope | None = None, gain: float | None = None) -> PowerLog:
    """Read a log.

    Args:
        target: a path, or `csv://PATH?time=NAME&power=NAME&voltage=NAME&current=NAME&scope=SCOPE`.
        scope: what the meter covers.
        gain: its largest relative error.

    Raises:
        MeterError: the file cannot be read or makes no sense: file, line, column, what to do.
    """
    path, options = target_of(target)
    scope = scope or cast("Scope | None", options.get("scope"))
    if scope is not None and scope not in get_args(Scope):
        known = ", ".join(get_args(Scope))
        raise MeterError(f"{shown(path)}: {shown(scope)} is no scope: it is one of {known}")
    try:
        with _open(path) as stream:
            rows = _Rows(path, stream, options)
            rows.read()
    except FileProblemError as error:
        raise MeterError(f"{shown(path)} cannot be read ({error.reason})") from None
    except OSError as error:
        raise MeterError(f"{shown(path)} cannot be read ({reason_of(error)})") from None
    except csv.Error as error:
        raise MeterError(f"{shown(path)} is not CSV ({error}): {_ADVICE}") from None
    notes = () if scope else ("Taken as power at the wall, as no scope was given.",)
    return rows.log(scope or "wall", gain, notes)


def target_of(target: str) -> tuple[str, Mapping[str, str]]:
    """The path and the options of a log, which need not be there yet.

    Raises:
        MeterError: it names no file, or has an option that there is not.
    """
    path, options = target, {}
    if target.startswith("csv://"):
        path, _, query = target.removeprefix("csv://").partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(options.keys() - {*_COLUMNS, "scope"})
    if unknown:
        raise MeterError(
            f"csv://{shown(path)} has no option {shown(unknown[0])}: it takes "
            f"{', '.join((*_COLUMNS, 'scope'))}"
        )
    _check_place(path)
    return path, options


def _check_place(path: str) -> None:
    """Refuse what no log can be; one that is not there yet can be one later."""
    if not path:
        raise MeterError("an empty name is no file: name the log of the meter")
    try:
        check_file(expanded(path))
    except FileProblemError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise MeterError(
                f"{shown(path)} is no file ({error.reason}): name the log of the meter"
            ) from error


def _open(path: str) -> TextIO:
    """The text of a file, in UTF-8 unless its first bytes say UTF-16, as some programs write."""
    file = expanded(path)
    check_file(file, at_most=MOST_BYTES)
    with file.open("rb") as stream:
        start = stream.read(2)
    wide = start in (b"\xff\xfe", b"\xfe\xff")
    return file.open(encoding="utf-16" if wide else "utf-8-sig", errors="replace", newline="")


class _Rows:
    """What is gathered while a file is read."""

    def __init__(self, path: str, stream: TextIO, named: Mapping[str, str]) -> None:
        self.path, self.name = path, shown(path)
        self.named = named
        self.stream = stream
        self.times = array("d")
        self.watts = array("d")
        self.lines = array("Q")
        self.clock: Clock | None = None
        self.missing = 0
        self.cut = False

    def read(self) -> None:
        """Read all rows.

        Raises:
            MeterError: one cannot be understood.
        """
        columns, delimiter, line = self._header()
        needed = 1 + max(place for one in (columns.time, *columns.power) for place in one.places)
        short: int | None = None
        reader = csv.reader(_bounded(self.stream, self.path), delimiter=delimiter)
        for cells in reader:
            number = line + reader.line_num
            if not cells or (len(cells) == 1 and not cells[0].strip()) or cells[0][:1] == "#":
                continue
            if short is not None:
                raise self._wrong(short, "", f"has fewer than {needed} cells: remove it")
            if len(cells) < needed:
                short = number  # the last line may be cut off where the meter lost its power
                continue
            self._take(cells, columns, number, comma=delimiter != ",")
        self.cut = short is not None

    def _header(self) -> tuple[Columns, str, int]:
        """The columns, the delimiter, and the number of the line that names them."""
        problem = ""
        for line, text in enumerate(_bounded(self.stream, self.path), 1):
            for delimiter in DELIMITERS:
                cells = next(csv.reader([text.lstrip("#")], delimiter=delimiter), [])
                try:
                    columns = find_columns(cells, self.named)
                except ValueError as error:
                    problem = problem or f"{self.name}:{line}: {error}"
                    continue
                if columns is not None:
                    return columns, delimiter, line
            if line == _HEADER_LINES:
                break
        looked = ", ".join(
            f"{what} {shown(repr(name))}" for what, name in self.named.items() if what != "scope"
        )
        asked = f" with {looked}" if looked else ""
        raise MeterError(
            problem
            or f"{self.name}: no line{asked} names a column of times and one of watts (or volts and"
            f" amps): {_ADVICE}"
        )

    def _take(self, cells: Sequence[str], columns: Columns, line: int, *, comma: bool) -> None:
        """Add a row; one without a figure for the power is counted only."""
        text = " ".join(cells[place].strip() for place in columns.time.places)
        try:
            at_s, clock = to_time(text, columns.time.scale, comma=comma)
        except ValueError:
            raise self._wrong(
                line, columns.time.name, f"{text[:40]!r} is no time: write Unix seconds or ISO 8601"
            ) from None
        if self.clock not in (None, clock):
            raise self._wrong(line, columns.time.name, f"{text[:40]!r} is of another kind of time")
        self.clock = clock
        power_w = 1.0
        for column in columns.power:
            cell = cells[column.places[0]]
            try:
                value = to_number(cell, comma=comma)
            except ValueError:
                raise self._wrong(
                    line, column.name, f"{cell.strip()[:40]!r} is no number"
                ) from None
            if value is None:
                self.missing += 1
                return
            power_w *= value * column.scale
        if not abs(power_w) <= MOST_W:
            raise self._wrong(line, columns.power[0].name, f"{power_w:.3g} W is no power")
        if len(self.times) >= MOST_ROWS:
            raise MeterError(f"{self.name} has more than {MOST_ROWS:,} rows: cut it to the run")
        self.times.append(at_s)
        self.watts.append(power_w)
        self.lines.append(line)

    def log(self, scope: Scope, gain: float | None, notes: tuple[str, ...]) -> PowerLog:
        """The log, in order, with one row for each time.

        Raises:
            MeterError: times go back, powers are negative, or there are too few rows.
        """
        times, watts = np.array(self.times), np.array(self.watts)
        said = list(notes)
        times, watts = self._ordered(times, watts, said)
        self._signs(watts, said)
        if times.size < 2:  # noqa: PLR2004 - a line has two ends
            raise MeterError(f"{self.name} has fewer than two rows with a time and a power")
        period_s = float(np.median(np.diff(times)))
        self._remark(times, period_s, said)
        return PowerLog(
            times_s=times,
            watts=watts,
            period_s=period_s,
            path=self.path,
            clock=self.clock or "start",
            scope=scope,
            gain=gain,
            notes=tuple(said),
        )

    def _ordered(self, times: Floats, watts: Floats, said: list[str]) -> tuple[Floats, Floats]:
        steps = np.diff(times)
        if times.size > 1 and (steps <= 0).all() and (steps < 0).any():
            said.append("The rows stand in reverse order; they were turned round.")
            times, watts, steps = times[::-1], watts[::-1], -steps[::-1]
        back = np.flatnonzero(steps < 0)
        if back.size:
            line = int(self.lines[int(back[0]) + 1])
            gone_s = float(-steps[back[0]])
            raise self._wrong(
                line, "", f"goes back in time by {gone_s:.3g} s: cut the log there or sort its rows"
            )
        single, index, counts = np.unique(times, return_inverse=True, return_counts=True)
        if single.size < times.size:
            said.append(f"{times.size - single.size} rows share their time with another: averaged.")
            watts = np.bincount(index, weights=watts) / counts
        return single, watts

    def _signs(self, watts: Floats, said: list[str]) -> None:
        below = np.flatnonzero(watts < 0)
        if not below.size:
            return
        lowest, highest = float(watts.min()), float(watts.max())
        if -lowest > _SMALL * highest:
            raise MeterError(
                f"{self.name}: {below.size} powers are negative, down to {lowest:.3g} W: turn the"
                " meter round, or give the figures the other sign"
            )
        said.append(f"{below.size} powers are just below zero, down to {lowest:.3g} W; kept.")

    def _remark(self, times: Floats, period_s: float, said: list[str]) -> None:
        if self.clock == "local":
            said.append("Its times have no zone; they were taken as in that of this device.")
        if self.missing:
            said.append(f"{self.missing} rows without a figure were left out.")
        if self.cut:
            said.append("Its last line is cut off and was left out.")
        steps = np.diff(times)
        gaps = int((steps > GAP_PERIODS * period_s).sum())
        if gaps:
            said.append(
                f"{gaps} gaps are longer than {GAP_PERIODS:g} periods, up to {steps.max():.3g} s."
            )

    def _wrong(self, line: int, column: str, problem: str) -> MeterError:
        place = f"column {shown(repr(column))}: " if column else ""
        return MeterError(f"{self.name}:{line}: {place}{problem}")


def _bounded(stream: TextIO, path: str) -> Iterator[str]:
    """Lines of at most 64 KiB: a file without line ends would fill the memory."""
    while line := stream.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise MeterError(f"{shown(path)} has a line of more than 64 KiB: is it a CSV file?")
        yield line
