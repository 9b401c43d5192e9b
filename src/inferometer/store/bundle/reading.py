"""The bytes of a file → a bundle, whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from inferometer.core.dataset import Evaluation
from inferometer.core.errors import ImportFileError
from inferometer.core.filenames import MIB, FileProblemError, check_file, read_file
from inferometer.core.record import Record, Round
from inferometer.core.run import Run
from inferometer.core.shown import shown
from inferometer.store import values
from inferometer.store.bundle import lines
from inferometer.store.bundle.parts import Bundle, PowerReadings

MOST_BYTES = 1024 * MIB
"""Of a file, packed and unpacked."""
LONGEST_LINE = 64 * MIB
MOST_LINES = 5_000_000

_GZIP = b"\x1f\x8b"
_BEGINS = f'{{"{lines.HEADER}"'.encode()
_KNOWN = {
    lines.HEADER: {lines.HEADER, "needs", "tool", "raw", "run"},
    "run": {*lines.RUN_KEYS},
    "round": {*lines.ROUND_KEYS},
    "record": {"workload", "status", "failure", "figures"},
    "evaluation": {"workload", "data", *lines.BLOBS},
    "readings": {"source", "at_s", "values", "lost"},
}
"""Keys of each kind of line; others are of a newer version."""


class _CutError(Exception):
    """The file ends in the middle of something."""


@dataclass(kw_only=True)
class _Found:
    """What the lines hold so far."""

    run: Run
    raw: bool
    records: dict[str, Record] = field(default_factory=dict)
    rounds: dict[str, dict[int, Round]] = field(default_factory=dict)
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    readings: list[PowerReadings] = field(default_factory=list)
    unknown: dict[str, None] = field(default_factory=dict)


def is_bundle(path: Path) -> bool:
    """Whether a file is a bundle by how it begins; False too where it cannot be read."""
    try:
        check_file(path)  # a pipe would be waited for
        with path.open("rb") as stream:
            start = stream.read(2)
            stream.seek(0)
            if start != _GZIP:
                return stream.read(len(_BEGINS)) == _BEGINS
            with gzip.open(stream) as unpacked:
                return unpacked.read(len(_BEGINS)) == _BEGINS
    except (FileProblemError, OSError, EOFError, zlib.error):
        return False


def read_bundle_file(path: Path, *, partial: bool = False) -> Bundle:
    """Read a bundle.

    Args:
        path: of the file, compressed or not.
        partial: whether the whole lines of a file that was cut are taken.

    Raises:
        ImportFileError: it cannot be read, or holds what no run holds; says where.
    """
    try:
        content = read_file(path, at_most=MOST_BYTES)
    except FileProblemError as error:
        raise ImportFileError(f"{shown(path)}: it cannot be read: {error.reason}") from error
    return read_bundle(content, str(path), partial=partial)


def read_bundle(
    content: bytes, name: str, *, partial: bool = False, at_most: int = MOST_BYTES
) -> Bundle:
    """Read the bytes of a bundle.

    Args:
        content: of the file, compressed or not.
        name: of the file, or of who sent it, for messages.
        partial: whether the whole lines of a file that was cut are taken.
        at_most: bytes that it may unpack to.

    Raises:
        ImportFileError: it holds what no run holds; says where.
    """
    raw: BinaryIO = io.BytesIO(content)
    stream: Any = gzip.GzipFile(fileobj=raw) if content.startswith(_GZIP) else raw
    try:
        return _Reading(name, partial=partial).read(_lines_of(stream, name, at_most))
    except (zlib.error, gzip.BadGzipFile) as error:
        raise ImportFileError(
            f"{shown(name)}: damaged: its compressed data are not sound; get the file again"
        ) from error


def _lines_of(stream: BinaryIO, name: str, at_most: int) -> Iterator[bytes]:
    """Whole lines.

    Raises:
        _CutError: the last line is not whole.
    """
    total = 0
    try:
        while line := stream.readline(LONGEST_LINE + 1):
            total += len(line)
            if total > at_most or len(line) > LONGEST_LINE:
                what, most = ("a line", LONGEST_LINE) if total <= at_most else ("unpacked", at_most)
                raise ImportFileError(
                    f"{shown(name)}: {what} larger than {most // MIB} MiB, which no run of "
                    "inferometer is"
                )
            if not line.endswith(b"\n"):
                raise _CutError
            yield line
    except EOFError:
        raise _CutError from None


class _Reading:
    """Reads line by line.

    Args:
        name: of the file, for messages.
        partial: whether a file that was cut is taken.
    """

    def __init__(self, name: str, *, partial: bool) -> None:
        self.name = name
        self.partial = partial
        self.number = 0
        self.digest = hashlib.sha256()
        self.ended = False

    def read(self, content: Iterator[bytes]) -> Bundle:
        """The bundle.

        Raises:
            ImportFileError: it holds what no run holds.
        """
        found: _Found | None = None
        try:
            for line in content:
                self.number += 1
                found = self._take(line, found)
        except _CutError:
            pass
        except ValueError as error:
            raise ImportFileError(f"{shown(self.name)}:{self.number}: {shown(error)}") from error
        if found is None:
            raise ImportFileError(f"{shown(self.name)}: cut: not even its first line is whole")
        if not self.ended and not self.partial:
            raise ImportFileError(
                f"{shown(self.name)}: cut after {self.number:,} lines: its end is not there; get "
                "the file again, or take the lines that there are with --partial"
            )
        return self._bundle(found)

    def _take(self, line: bytes, found: _Found | None) -> _Found:
        """One more line.

        Raises:
            ValueError: it is none of ours.
        """
        if self.ended:
            raise ValueError("there is more after its end line; get the file again")
        if self.number > MOST_LINES:
            raise ValueError(f"more than {MOST_LINES:,} lines, which no run of inferometer has")
        data = values.json_object(_decoded(line), longest=LONGEST_LINE)
        if found is None:
            found = _header(data)
        elif lines.END in data:
            self._check_end(data[lines.END])
        else:
            _add(found, data)
        self.digest.update(line)
        return found

    def _check_end(self, end: object) -> None:
        said = values.mapping(end)
        count, before = said.get("lines"), self.number - 1
        if count != before:
            told = f"{count:,}" if isinstance(count, int) else "none"
            raise ValueError(
                f"changed since it was written: it holds {before:,} lines, and its end says {told};"
                " get the file again"
            )
        if said.get("sha256") != self.digest.hexdigest():
            raise ValueError(
                "changed since it was written: its checksum is not that of its lines; get the "
                "file again"
            )
        self.ended = True

    def _bundle(self, found: _Found) -> Bundle:
        for key, record in found.records.items():
            if found.raw and record.status == "ok" and not _counts(found.rounds.get(key, {})):
                raise ImportFileError(
                    f"{shown(self.name)}: {shown(record.workload.label)} is ok, and no round of it "
                    "counts: there is nothing to make its figures from"
                )
        run = found.run if self.ended else replace(found.run, finished_at=None)
        return Bundle(
            run=run,
            records=tuple(found.records.values()),
            rounds={
                key: tuple(mine[number] for number in sorted(mine))
                for key, mine in found.rounds.items()
            },
            evaluations=found.evaluations,
            readings=tuple(found.readings),
            raw=found.raw,
            whole=self.ended,
            notes=self._notes(found),
        )

    def _notes(self, found: _Found) -> tuple[str, ...]:
        notes = []
        if found.unknown:
            names = ", ".join(shown(name, 40) for name in list(found.unknown)[:10])
            more = ", …" if len(found.unknown) > 10 else ""  # noqa: PLR2004 - a line of them
            notes.append(
                f"left out, as this version of inferometer does not know it: {names}{more}"
            )
        if not self.ended:
            notes.append(f"cut after {self.number:,} lines: what came after them is not there")
        return tuple(notes)


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None


def _header(data: dict[str, Any]) -> _Found:
    """What the first line says.

    Raises:
        ValueError: it is none of ours, or of a version that is too new.
    """
    if lines.HEADER not in data:
        raise ValueError("no bundle of inferometer")
    version = values.whole(data[lines.HEADER], 1)
    needs = values.whole(data.get("needs", 1), 1)
    if needs > lines.FORMAT:
        tool = shown(values.text(data.get("tool", "a newer version")), 40)
        raise ValueError(
            f"a bundle of format {version}, written by inferometer {tool}, which this version "
            f"cannot read (it knows {lines.FORMAT}): update inferometer"
        )
    raw = data.get("raw", False)
    if not isinstance(raw, bool):
        raise ValueError("raw: neither true nor false")  # noqa: TRY004 - one kind of error
    content = values.mapping(data.get("run"))
    try:
        run = lines.to_run(content)
    except ValueError as error:
        raise ValueError(f"run: {error}") from error
    found = _Found(run=run, raw=raw)
    _note(found, lines.HEADER, data)
    _note(found, "run", content)
    return found


def _add(found: _Found, data: dict[str, Any]) -> None:
    """Take what a line holds.

    Raises:
        ValueError: it holds what no run does.
    """
    kind = next((name for name in data if name in _ADDING), None)
    if kind is None:
        found.unknown[f"lines of {next(iter(data), 'nothing')}"] = None
        return
    content = values.mapping(data[kind])
    try:
        _ADDING[kind](found, content)
    except ValueError as error:
        raise ValueError(f"{kind}: {error}") from error
    _note(found, kind, content)


def _add_round(found: _Found, data: dict[str, Any]) -> None:
    key, done = lines.to_round(data)
    mine = found.rounds.setdefault(key, {})
    if done.index in mine:
        raise ValueError(f"number {done.index} of workload {key} is there twice")
    mine[done.index] = done


def _add_record(found: _Found, data: dict[str, Any]) -> None:
    record, unknown = lines.to_record(data, found.run)
    if record.workload.key in found.records:
        raise ValueError(f"{record.workload.label} is there twice")
    found.records[record.workload.key] = record
    found.unknown.update(dict.fromkeys(f"the figure {name}" for name in unknown))


def _add_evaluation(found: _Found, data: dict[str, Any]) -> None:
    one = lines.to_evaluation_of(data)
    if one.workload in found.evaluations:
        raise ValueError(f"that of workload {one.workload} is there twice")
    found.evaluations[one.workload] = one


def _add_readings(found: _Found, data: dict[str, Any]) -> None:
    found.readings.append(lines.to_readings(data))


_ADDING = {
    "round": _add_round,
    "record": _add_record,
    "evaluation": _add_evaluation,
    "readings": _add_readings,
}
"""Kind of a line → what takes it."""


def _note(found: _Found, kind: str, content: dict[str, Any]) -> None:
    """Keys that only a newer version has."""
    if not content.keys() <= _KNOWN[kind]:
        new = [name for name in content if name not in _KNOWN[kind]]
        found.unknown.update(dict.fromkeys(f"{name} of {kind}" for name in new))


def _counts(rounds: dict[int, Round]) -> bool:
    return any(one.phase == "measure" and one.settled_s for one in rounds.values())
