"""What is said of figures, as data: a code with its values, which `catalogue` puts into words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from inferometer.core import units
from inferometer.core.catalogue import EARLIER, TEMPLATES, WORDS

TEXT = "text"
"""Code of a sentence that came as one; and the value that holds it."""


@dataclass(frozen=True)
class Statement:
    """A cause, a note or a reason.

    Attributes:
        code: what is said, of `catalogue.TEMPLATES`; `text` for a sentence.
        values: its numbers and names. A `text` among them stands for the words of the code: the
            statement came from elsewhere as a sentence.
    """

    code: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)

    def __str__(self) -> str:
        """The statement in words.

        Raises:
            KeyError: a value of the template is missing.
            ValueError: a value is not of the kind that the template shows.
        """
        if TEXT in self.values:
            return str(self.values[TEXT])
        template = TEMPLATES.get(self.code)
        if template is None:  # of a newer version, or of a package that is not here
            return f"{self.code}: " + ", ".join(f"{k} {v}" for k, v in self.values.items())
        first, *further = (template,) if isinstance(template, str) else template
        return _WORDING.format(first, **self.values) + "".join(map(self._part, further))

    def _part(self, template: str) -> str:
        """A part of the words; none where a value of it is missing."""
        try:
            return _WORDING.format(template, **self.values)
        except KeyError:
            return ""


def text(sentence: str, code: str | None = None) -> Statement:
    """A sentence as a statement; without a code, one that an earlier version is known to mean."""
    known = (of for beginning, of in EARLIER.items() if sentence.startswith(beginning))
    return Statement(code or next(known, TEXT), {TEXT: sentence})


def statements(value: object) -> list[Statement]:
    """Statements from a list that may hold sentences too; none where it is no list."""
    found = value if isinstance(value, list) else []
    return [one if isinstance(one, Statement) else text(str(one)) for one in found]


class _Wording(Formatter):
    """Puts values into templates."""

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as in the standard library
        """A value by name; `a±b` is joules with their half-width, if that is known."""
        name, sign, half = str(key).partition("±")
        if not sign:
            return super().get_value(key, args, kwargs)
        return units.energy(kwargs[name], kwargs.get(half))

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401
        """A value as a form of `FORMS`, as a number of things (`n page`), or as Python does."""
        if format_spec in FORMS:
            return FORMS[format_spec](value)
        if format_spec.startswith("n "):
            return f"{value:.0f} {format_spec[2:]}{'s' if value != 1 else ''}"
        return str(super().format_field(value, format_spec))


def _words(names: str) -> str:
    return ", ".join(WORDS.get(name, name) for name in names.split())


FORMS: dict[str, Callable[[Any], str]] = {
    "GHz": lambda hertz: f"{hertz / 1e9:.2f}",
    "bytes": units.byte_count,
    "duration": units.duration,
    "half": lambda share: f"{share:.1%}" if share <= 1 else "over 100%",
    "percent": units.percent,
    "seconds": units.seconds,
    "watts": units.watts,
    "words": _words,
}
"""How values are shown, by the name that stands in a template."""

_WORDING = _Wording()
