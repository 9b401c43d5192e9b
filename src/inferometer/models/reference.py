"""Read a model reference: `SOURCE:TARGET?OPTION=VALUE&…`, or one of its short forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inferometer.core.errors import ModelReferenceError
from inferometer.core.references import did_you_mean, options_of, quoted
from inferometer.core.shown import shown
from inferometer.models.registry import SOURCES

_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_FACTORY = re.compile(r"(.+\.py):([A-Za-z_]\w*)")
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A model reference, read.

    Attributes:
        text: as given.
        source: name of the model source.
        target: what the source loads, without its prefix and its options.
        options: what followed `?`, with values as Python literals.
    """

    text: str
    source: str
    target: str
    options: Mapping[str, Any]


def parse(text: str) -> Reference:
    """Read a reference. Looks at no file.

    Raises:
        ModelReferenceError: it is malformed, or its source is unknown.
    """
    body, mark, query = text.partition("?")
    if not body.strip() or body != body.strip():
        raise ModelReferenceError(
            f"the model reference {quoted(text)} has no name, or spaces around it"
        )
    source, target = _split(text, body)
    if not target:
        raise ModelReferenceError(
            f"the model reference {quoted(text)} names no model after {source}:"
        )
    texts = (
        options_of(query, f"the model reference {quoted(text)}", ModelReferenceError)
        if mark
        else {}
    )
    options = {name: literal(value) for name, value in texts.items()}
    return Reference(text=text, source=source, target=target, options=options)


def _split(text: str, body: str) -> tuple[str, str]:
    prefix, colon, rest = body.partition(":")
    if _FACTORY.fullmatch(body):
        return "python", body
    if colon and _PREFIX.fullmatch(prefix):
        sources = SOURCES.plugins()
        if prefix in sources:
            return prefix, rest
        raise ModelReferenceError(
            f"the model reference {quoted(text)} names an unknown source {quoted(prefix)}"
            f"{did_you_mean(prefix, sources)}; known: {', '.join(sources)}"
        )
    if body.endswith(".py"):
        raise ModelReferenceError(
            f"the model reference {quoted(text)} names no factory; write {shown(body)}:FUNCTION"
        )
    is_path = "/" in body or "." in body or "\\" in body
    return ("file" if is_path else "catalogue"), body


def literal(value: str) -> Any:  # noqa: ANN401 - a scalar of any kind
    """A scalar as in YAML: true, false, null, whole numbers, decimals, else the text itself.

    Quotes make a text of anything: `'10'`.
    """
    if value.lower() in _WORDS:
        return _WORDS[value.lower()]
    if _INTEGER.fullmatch(value):
        return int(value)
    if _FLOAT.fullmatch(value):
        return float(value)
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value
