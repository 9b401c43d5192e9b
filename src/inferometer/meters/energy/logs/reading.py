"""Reads the log of any power meter: opens it, finds its format by its content, and its power.

Does not know what ran meanwhile, nor when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import cast, get_args
from urllib.parse import unquote

from inferometer.core.energy import Scope
from inferometer.core.errors import MeterError
from inferometer.core.filenames import FileProblemError, check_file, expanded, reason_of
from inferometer.core.shown import shown
from inferometer.meters.energy.logs.channel import (
    Channel,
    Contents,
    LogFormat,
    LogOptions,
    LogProblemError,
)
from inferometer.meters.energy.logs.choosing import chosen
from inferometer.meters.energy.logs.collecting import HEAD_LINES
from inferometer.meters.energy.logs.decoding import lines_of, opened
from inferometer.meters.energy.logs.formats import FORMATS
from inferometer.meters.energy.logs.numbers import number, unit_of
from inferometer.meters.energy.logs.plausible import check
from inferometer.meters.energy.logs.power_log import PowerLog
from inferometer.meters.energy.logs.series import Series, series_of
from inferometer.meters.energy.logs.summary import LogSummary, columns_in, list_of

_OPTIONS = ("time", "power", "voltage", "current", "unit", "interval", "scope")
_SCHEMES = ("log://", "csv://")
_MOST_CHANNELS = 200
_MOST_INTERVAL_S = 86_400.0
_LONG_S = 100.0


def read_log(
    target: str,
    *,
    scope: Scope | None = None,
    gain: float | None = None,
    column: str | None = None,
    interval_s: float | None = None,
) -> PowerLog:
    """Read a log.

    Args:
        target: a path, or `log://PATH?power=NAME&time=NAME&voltage=NAME&current=NAME&unit=UNIT`
            `&interval=TIME&scope=SCOPE`; `csv://` is the same.
        scope: what the meter covers.
        gain: its largest relative error.
        column: name of the power; several with a plus between are added up.
        interval_s: seconds between two rows of a log without times.

    Raises:
        MeterError: the file cannot be read or makes no sense: file, line, column, what to do.
    """
    path, options = _options(target, scope, column, interval_s)
    with _problems(path):
        found, contents = _contents(path, options)
        channel, notes = chosen(contents, options.power)
        if channel is None:
            raise LogProblemError(list_of(contents))
        series = series_of(channel)
        times_s, watts = series.points()
        if times_s.size < 2:  # noqa: PLR2004 - a line has two ends
            raise LogProblemError(_too_few(found, series))
        covers, doubts = _judged(channel, series, options)
        return PowerLog(
            times_s=times_s,
            watts=watts,
            period_s=series.period_s,
            path=path,
            clock=channel.clock,
            scope=covers,
            method=channel.method,
            gain=gain,
            notes=(*contents.notes, *notes, *series.notes, *doubts),
        )


def describe_log(
    target: str,
    *,
    scope: Scope | None = None,
    column: str | None = None,
    interval_s: float | None = None,
) -> LogSummary:
    """What a log holds, as `read_log` reads it; several that may be the power are listed.

    Raises:
        MeterError: the file cannot be read or makes no sense.
    """
    path, options = _options(target, scope, column, interval_s)
    with _problems(path):
        found, contents = _contents(path, options)
        channel, notes = chosen(contents, options.power)
        columns = columns_in(contents)
        if channel is None:
            return LogSummary(
                format=found.name, scope=None, method=None, readings=0, span_s=None, mean_w=None,
                columns=columns, notes=(*contents.notes, list_of(contents)),
            )  # fmt: skip
        series = series_of(channel)
        covers, doubts = _judged(channel, series, options)
        return LogSummary(
            format=found.name,
            scope=covers,
            method=channel.method,
            readings=int(series.watts.size),
            span_s=series.span_s,
            mean_w=series.mean_w,
            columns=columns,
            notes=(*contents.notes, *notes, *series.notes, *doubts),
        )


def interval_of(target: str) -> float | None:
    """Seconds between two rows as a target states them; None where it does not.

    Raises:
        MeterError: its options make no sense.
    """
    return _options(target, None, None, None)[1].interval_s


def target_of(target: str) -> tuple[str, Mapping[str, str]]:
    """The path and the options of a log, which need not be there yet.

    Raises:
        MeterError: it names no file, or has an option that there is not.
    """
    path, options = target, {}
    scheme = next((one for one in _SCHEMES if target.startswith(one)), "")
    if scheme:
        path, _, query = target.removeprefix(scheme).partition("?")
        options = dict(_pairs(query))
    unknown = sorted(options.keys() - set(_OPTIONS))
    if unknown:
        raise MeterError(
            f"{scheme}{shown(path)} has no option {shown(unknown[0])}: it takes "
            f"{', '.join(_OPTIONS)}"
        )
    _check_place(path)
    return path, options


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    """Names and values of a query; a plus stays one, as it adds powers up."""
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            yield unquote(name), unquote(value)


def _check_place(path: str) -> None:
    """Refuse what no log can be; one that is not there yet can be one later."""
    if not path:
        raise MeterError("an empty name is not a file: name the log of the meter")
    try:
        check_file(expanded(path))
    except FileProblemError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise MeterError(
                f"{shown(path)} is not a file ({error.reason}): name the log of the meter"
            ) from error


def _options(
    target: str, scope: Scope | None, column: str | None, interval_s: float | None
) -> tuple[str, LogOptions]:
    """The path, and what the user says, by flags before by the target itself.

    Raises:
        MeterError: one of the options makes no sense.
    """
    path, given = target_of(target)
    told = scope or cast("Scope | None", given.get("scope"))
    if told is not None and told not in get_args(Scope):
        known = ", ".join(get_args(Scope))
        raise MeterError(f"{shown(path)}: {shown(told)} is not a scope: it is one of {known}")
    if interval_s is None and "interval" in given:
        interval_s = _seconds(path, given["interval"])
    unit = given.get("unit", "")
    known_unit = unit_of(unit) if unit else None
    if unit and (known_unit is None or known_unit.quantity != "power"):
        raise MeterError(f"{shown(path)}: {shown(unit)} is not a unit of power, such as mW")
    return path, LogOptions(
        time=given.get("time", ""),
        power=column if column is not None else given.get("power", ""),
        voltage=given.get("voltage", ""),
        current=given.get("current", ""),
        unit=known_unit,
        interval_s=interval_s,
        scope=told,
    )


def _seconds(path: str, text: str) -> float:
    try:
        found = number(text)
        unit = unit_of(found[1] or "s") if found else None
        seconds = found[0] * unit.scale if found and unit and unit.quantity == "time" else 0.0
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _MOST_INTERVAL_S:
        raise MeterError(f"{shown(path)}: interval={shown(text)} is not a time such as 1s or 200ms")
    return seconds


@contextmanager
def _problems(path: str) -> Iterator[None]:
    """Turn what is wrong with a file into one sentence that begins with its name.

    Raises:
        MeterError: something is.
    """
    name = shown(path)
    try:
        yield
    except LogProblemError as error:
        place = name if error.line is None else f"{name}:{error.line}"
        raise MeterError(f"{place}: {error}") from None
    except FileProblemError as error:
        raise MeterError(f"{name} cannot be read ({error.reason})") from None
    except OSError as error:
        raise MeterError(f"{name} cannot be read ({reason_of(error)})") from None


def _contents(path: str, options: LogOptions) -> tuple[LogFormat, Contents]:
    with opened(path) as stream:
        head = list(islice(lines_of(stream), HEAD_LINES))
        found = next(one for one in FORMATS if one.recognises(head))
        stream.seek(0)
        contents = found.read(lines_of(stream), options)
    if not contents.channels:
        raise LogProblemError("it has no row with a power")
    if len(contents.channels) > _MOST_CHANNELS:
        raise LogProblemError(f"more than {_MOST_CHANNELS} powers: cut it to those of the device")
    return found, contents


def _judged(channel: Channel, series: Series, options: LogOptions) -> tuple[Scope, list[str]]:
    """What the power covers, and what is doubtful about it."""
    scope = options.scope or channel.scope
    notes = check(channel, series.mean_w, scope, options)
    if scope is None:
        notes.append("Taken as power at the wall, as no scope was given.")
    elif channel.scope not in (None, scope):
        notes.append(f"Its format says that it covers {channel.scope}; {scope} was given.")
    if channel.clock == "start" and series.period_s >= _LONG_S and options.interval_s is None:
        notes.append(
            f"Its rows are {series.period_s:.3g} s apart: if its times are milliseconds, name "
            "their unit, as in time_ms."
        )
    if channel.clock == "local":
        notes.append("Its times have no zone; they were taken as in that of this device.")
    return scope or "wall", notes


def _too_few(found: LogFormat, series: Series) -> str:
    if found.name == "powertop":
        return (
            f"a report of PowerTOP has one figure ({series.mean_w:.3g} W) for all of its time, "
            "from which no window of a run can be told: use --meter battery during the run"
        )
    return "it has fewer than two rows with a time and a power"
