"""A name or a file → a `Study`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import StudyError
from inferometer.core.filenames import FileProblemError, near, read_file
from inferometer.core.hypothesis import THE_LABS
from inferometer.core.options import AXES, PROCEDURE, Option
from inferometer.core.procedure import Procedure, values_of_preset
from inferometer.core.ranges import Range, value_text
from inferometer.core.shown import shown
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.study.units import READERS

if TYPE_CHECKING:
    from inferometer.study.document import Document

MAX_BYTES = 64 * 1024
"""A larger file is not a study."""

LONGEST_NAME = 100
"""Characters of an unknown name for which a similar one is looked for."""


BLOCK = [option for option in AXES if option.many]
SWEEP = [option for option in AXES if not option.many and option.key != "preset"]


def load_study(reference: str | Path) -> Study:
    """Load a built-in study by its name, or a study file by its path.

    A name of a built-in study wins over a file of that name; write `./lab` for the file.

    Raises:
        StudyError: there is no such study or file, or the file is wrong.
    """
    if isinstance(reference, str) and reference in _builtin_names():
        text = _builtin_folder().joinpath(f"{reference}.yaml").read_text(encoding="utf-8")
        return parse_study(text, name_of_file=f"{reference}.yaml")
    return parse_study(_text_of(reference), name_of_file=shown(os.fspath(reference)))


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
    said = document.data["hypotheses"]
    texts = tuple(text.strip() for text in ([said] if isinstance(said, str) else said))
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
    blocks = tuple(Block(**_read(block, BLOCK)) for block in data.get("shapes", [data]))
    sweep = Sweep(blocks=blocks, **_read(data, SWEEP))
    try:
        sweep.check()
    except StudyError as error:
        raise StudyError(str(error), file=file) from error
    return sweep


def _read(data: Mapping[str, Any], options: Iterable[Option]) -> dict[str, Any]:
    """What a part of a file says of options, by field; the schema has let it through."""
    return {
        option.field: _value(option, data[option.key]) for option in options if option.key in data
    }


def _value(option: Option, value: Any) -> Any:  # noqa: ANN401 - of any option
    """One value, or a tuple of all.

    Raises:
        ValueError: a number is out of its range, which no schema knows of what has a unit.
    """
    if option.many or option.takes == "names":
        return tuple(_one(option, one) for one in (value if isinstance(value, list) else [value]))
    return _one(option, value)


def _one(option: Option, value: Any) -> Any:  # noqa: ANN401 - of any option
    if not isinstance(option.takes, Range):
        return value.strip() if isinstance(value, str) else value
    if option.own and isinstance(value, str):
        return None
    return option.takes.check(option.key, READERS[option.takes.kind](value))


def _procedure(document: Document, *, file: str) -> Procedure:
    """Default procedure, then the preset, then the file's own values.

    Raises:
        StudyError: a value is out of its range, or two do not go together.
    """
    values = values_of_preset(document.data.get("preset", "standard"))
    said = document.data.get("procedure", {})
    key = ""
    try:
        for key in said:
            values |= _read({key: said[key]}, PROCEDURE)
        return Procedure(**values)
    except ValueError as error:
        # Where two do not go together, the message begins with one of them.
        first = str(error).partition(" ")[0]
        key = first if first in {option.key for option in PROCEDURE} else key
        line = document.line(("procedure", key))
        raise StudyError(str(error), file=file, line=line, key=f"procedure.{key}") from error


def _text_of(reference: str | Path) -> str:
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
    hint = f" (did you mean {close[0]!r}?)" if close else near(reference)
    return (
        f"no study is called {value_text(reference)}, and there is no such file{hint}; built-in "
        f"studies: {', '.join(names)}; for others give the path of a YAML file"
    )


def _builtin_folder() -> Any:  # noqa: ANN401 - its type moved between Python 3.10 and 3.14
    return files("inferometer.study").joinpath("studies")


def _builtin_names() -> list[str]:
    entries = (entry.name for entry in _builtin_folder().iterdir())
    return sorted(name.removesuffix(".yaml") for name in entries if name.endswith(".yaml"))
