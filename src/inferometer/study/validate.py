"""A document against the schema of its kind of file, and what is wrong with it in sentences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from inferometer.core.errors import StudyError
from inferometer.study.document import LONGEST_SHOWN, Document, Path, dotted
from inferometer.study.schema import schema

MOST_ERRORS = 1000
"""Of a file that is wrong throughout, no more are looked for."""

MOST_TOLD = 20
"""More lines than that nobody reads."""


def validate(document: Document, *, file: str, rules: dict[str, Any] | None = None) -> None:
    """Check a document against a schema.

    Args:
        document: what was read.
        file: its name, for messages.
        rules: the schema; that of study files by default.

    Raises:
        StudyError: one or more things are wrong; one line for each, in the order of the file, of
            many the first.
    """
    errors_of = Draft202012Validator(schema() if rules is None else rules).iter_errors
    found = islice(errors_of(document.data), MOST_ERRORS)
    problems = [problem for error in found for problem in _problems(error)]
    if not problems:
        return
    problems.sort(key=lambda problem: document.line(problem.path) or 0)
    told = list(dict.fromkeys((one.path, one.words()) for one in problems[:MOST_TOLD]))
    errors = [
        StudyError(words, file=file, line=document.line(path), key=dotted(path))
        for path, words in told
    ]
    first = errors[0]
    lines = [told[0][1], *map(str, errors[1:])]
    if len(problems) > MOST_TOLD:
        lines.append(f"{file}: more is wrong; these are the first {MOST_TOLD}")
    raise StudyError("\n".join(lines), file=file, line=first.line, key=first.key)


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """Something wrong in a document.

    Attributes:
        path: keys and positions that lead to the value.
        words: makes the message, which takes its time.
    """

    path: Path
    words: Callable[[], str]


def _problems(error: ValidationError) -> Iterator[_Problem]:
    """Where and what; an error about several keys gives one for each."""
    path: Path = tuple(error.absolute_path)
    rules: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    value: Any = error.instance
    if error.validator == "additionalProperties":
        known = list(rules["properties"])
        for key in islice((key for key in value if key not in known), MOST_ERRORS):
            yield _Problem(path=(*path, key), words=partial(_unknown_key, key, known))
    elif error.validator == "required":
        missing = [key for key in rules["required"] if key not in value]
        needs = rules.get("x-needs", "a study needs name and models")
        words = f"missing: {', '.join(missing)}; {needs}"
        yield _Problem(path=path, words=lambda: words)
    else:
        yield _Problem(path=path, words=lambda: rules.get("x-problem") or _unexpected(value, rules))


def _unknown_key(key: str, known: list[str]) -> str:
    close = get_close_matches(key, known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"unknown key; {hint}Known here: {', '.join(known)}"


def _unexpected(value: object, rules: dict[str, Any]) -> str:
    return f"expected {rules['x-expected']}, found {_found(value)}{_hint(value, rules)}"


def _found(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _hint(value: object, rules: dict[str, Any]) -> str:
    kinds = rules.get("type", ())
    numbers = "integer" in kinds or "number" in kinds
    if isinstance(value, str) and numbers and value.strip().isdecimal():
        return "; write it without quotes"
    if isinstance(value, int | float) and not numbers and "string" in kinds:
        return "; put it in quotes"
    return ""
