"""A name or a file → a `Study`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import StudyError
from inferometer.core.filenames import FileProblemError, read_file
from inferometer.core.hypothesis import THE_LABS
from inferometer.core.procedure import PRESETS, Procedure
from inferometer.core.ranges import PROCEDURE, value_text
from inferometer.core.shown import shown
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.study.units import parse_bytes, parse_duration, parse_percent

if TYPE_CHECKING:
    from inferometer.study.document import Document

MAX_BYTES = 64 * 1024
"""A larger file is not a study."""

LONGEST_NAME = 100
"""Characters of an unknown name for which a similar one is looked for."""


@dataclass(frozen=True, kw_only=True)
class _Value:
    """A key of `procedure`: the field of `Procedure` that it fills, and how it is read."""

    field: str
    read: Callable[[Any], Any]


PROCEDURE_KEYS: dict[str, _Value] = {
    "target": _Value(field="target", read=parse_percent),
    "confidence": _Value(field="confidence", read=parse_percent),
    "processes": _Value(field="processes", read=int),
    "min_calls": _Value(field="min_calls", read=int),
    "max_calls": _Value(field="max_calls", read=int),
    "min_rounds": _Value(field="min_rounds", read=int),
    "span": _Value(field="span_s", read=parse_duration),
    "round": _Value(field="round_s", read=parse_duration),
    "max_time": _Value(field="max_time_s", read=parse_duration),
    "timeout": _Value(field="timeout_s", read=parse_duration),
    "memory_limit": _Value(field="memory_limit_bytes", read=parse_bytes),
    "skip_larger": _Value(field="skip_larger", read=bool),
    "budget": _Value(field="budget_s", read=parse_duration),
    "seed": _Value(field="seed", read=int),
    "pair": _Value(field="pair", read=bool),
    "sustain": _Value(field="sustain_s", read=parse_duration),
    "energy": _Value(field="energy", read=bool),
    "energy_window": _Value(field="energy_window_s", read=parse_duration),
    "find_cliff": _Value(field="find_cliff", read=str),
    "roofline": _Value(field="roofline", read=bool),
}
"""The keys of `procedure` in a study file."""


def load_study(reference: str | Path) -> Study:
    """Load a built-in study by its name, or a study file by its path.

    A name of a built-in study wins over a file of that name; write `./lab` for the file.

    Raises:
        StudyError: there is no such study or file, or the file is wrong.
    """
    if isinstance(reference, str) and reference in _builtin_names():
        text = _builtin_folder().joinpath(f"{reference}.yaml").read_text(encoding="utf-8")
        return parse_study(text, name_of_file=f"{reference}.yaml")
    return parse_study(_read(reference), name_of_file=shown(os.fspath(reference)))


def builtin_studies() -> list[Study]:
    """The studies that come with inferometer, by name."""
    return [load_study(name) for name in _builtin_names()]


def parse_study(text: str, *, name_of_file: str) -> Study:
    """Read a study from YAML text; `name_of_file` is for messages.

    Raises:
        StudyError: the text is not a study; the message says where and why.
    """
    from inferometer.study.document import read_document
    from inferometer.study.validate import validate

    document = read_document(text, name_of_file=name_of_file)
    validate(document, file=name_of_file)
    data: Mapping[str, Any] = document.data
    return Study(
        name=data["name"].strip(),
        description=data.get("description", "").strip(),
        sweep=_sweep(data, file=name_of_file),
        procedure=_procedure(document, file=name_of_file),
        hypotheses=_hypotheses(document, file=name_of_file),
    )


def _hypotheses(document: Document, *, file: str) -> tuple[str, ...]:
    """The file's hypotheses; the lab's where it says nothing.

    Raises:
        StudyError: one cannot be read.
    """
    from inferometer.study.hypotheses import parse_hypothesis

    if "hypotheses" not in document.data:
        return THE_LABS
    texts = _texts(document.data["hypotheses"])
    index = 0
    try:
        for index, text in enumerate(texts):  # noqa: B007 - where it was is said
            parse_hypothesis(text)
    except ValueError as error:
        line = document.line(("hypotheses", index))
        key = f"hypotheses[{index}]"
        raise StudyError(str(error), file=file, line=line, key=key) from error
    return texts


def _sweep(data: Mapping[str, Any], *, file: str) -> Sweep:
    """The file's axes.

    Raises:
        StudyError: they span more than a run holds.
    """
    axes = ("models", "backends", "precisions")
    values: dict[str, Any] = {key: _texts(data[key]) for key in axes if key in data}
    if "device" in data:
        values["device"] = data["device"].strip()
    if "threads" in data:
        values["threads"] = int(data["threads"])
    sweep = Sweep(blocks=tuple(map(_block, data.get("shapes", [data]))), **values)
    try:
        sweep.check()
    except StudyError as error:
        raise StudyError(str(error), file=file) from error
    return sweep


def _texts(value: str | list[str]) -> tuple[str, ...]:
    return tuple(text.strip() for text in ([value] if isinstance(value, str) else value))


def _block(data: Mapping[str, Any]) -> Block:
    sizes, batches = data.get("size", "own"), data.get("batch", 1)
    return Block(
        sizes=tuple(
            # `own`, the only text that the schema lets through, is the model's own size.
            None if isinstance(size, str) else int(size)
            for size in (sizes if isinstance(sizes, list) else [sizes])
        ),
        # A number such as 8.0 is whole in YAML and in JSON schema.
        batches=tuple(map(int, batches if isinstance(batches, list) else [batches])),
    )


def _procedure(document: Document, *, file: str) -> Procedure:
    """Default procedure, then the preset, then the file's own values.

    Raises:
        StudyError: a value is out of its range, or two do not go together.
    """
    values: dict[str, Any] = dict(PRESETS[document.data.get("preset", "standard")])
    for key, value in document.data.get("procedure", {}).items():
        known = PROCEDURE_KEYS[key]
        try:
            read = known.read(value)
            limits = PROCEDURE.get(known.field)
            values[known.field] = read if limits is None else limits.check(key, read)
        except ValueError as error:
            raise _at(document, key, str(error), file=file) from error
    try:
        return Procedure(**values)
    except ValueError as error:
        # The message begins with the field's name; the file's key has no unit.
        field, _, rest = str(error).partition(" ")
        key = field.removesuffix("_s")
        raise _at(document, key, f"{key} {rest}", file=file) from error


def _at(document: Document, key: str, problem: str, *, file: str) -> StudyError:
    line = document.line(("procedure", key))
    return StudyError(problem, file=file, line=line, key=f"procedure.{key}")


def _read(reference: str | Path) -> str:
    """Text of a study file.

    Raises:
        StudyError: there is none, or it is not a text of a study's size.
    """
    try:
        content = read_file(reference, at_most=MAX_BYTES)
    except FileProblemError as error:
        name = os.fspath(reference)
        if isinstance(error.__cause__, FileNotFoundError):
            raise StudyError(_nothing_called(name)) from error
        raise StudyError(f"no study file: {error.reason}", file=shown(name)) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        name = shown(os.fspath(reference))
        raise StudyError("not UTF-8 text; save it as UTF-8", file=name, line=line) from error


def _nothing_called(reference: str) -> str:
    names = _builtin_names()
    close = get_close_matches(reference[:LONGEST_NAME], names, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return (
        f"no study is called {value_text(reference)}, and there is no such file; {hint}"
        f"Built-in studies: {', '.join(names)}; for others give the path of a YAML file"
    )


def _builtin_folder() -> Any:  # noqa: ANN401 - its type moved between Python 3.10 and 3.14
    return files("inferometer.study").joinpath("studies")


def _builtin_names() -> list[str]:
    entries = (entry.name for entry in _builtin_folder().iterdir())
    return sorted(name.removesuffix(".yaml") for name in entries if name.endswith(".yaml"))
