"""Kinds of values on the command line, within their limits, and the flags that set options."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from inferometer.core.options import AXES, PROCEDURE, RANGES, Option
from inferometer.core.ranges import Kind, Range, check_device, value_text
from inferometer.core.sweep import MOST_WORKLOADS
from inferometer.study.units import READERS

Function = TypeVar("Function", bound=Callable[..., Any])

OWN = "own"
AUTO = "auto"
MOST_OFFSET_S = 10_000_000_000
"""Three centuries: a log that counts from a time of its own is joined too."""

_METAVARS: dict[Kind, str] = {"whole": "N", "seconds": "TIME", "share": "SHARE", "bytes": "BYTES"}
_DIGITS = re.compile("[0-9]{1,18}")
_PRICE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_SECONDS = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?")


class Parsed(click.ParamType[Any]):
    """A value read by one of our parsers, whose ValueError is the message."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self.parse = parse

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002 - click's own signature
        """What help shows: the name as it is, since `own` is typed in small letters."""
        return self.name

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401
        """Read the text; a value that is read already stays as it is."""
        if not isinstance(value, str):
            return value
        try:
            return self.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def within(name: str, metavar: str = "", *, many: bool = False, own: bool = False) -> Parsed:
    """What a flag takes whose limits the table of ranges has by this name.

    Args:
        name: in the table.
        metavar: what help calls it; by default after its kind.
        many: whether it takes a list.
        own: whether it may be `own`, which is read as None.
    """
    known = RANGES[name]
    expected = known.words
    if many:
        expected = expected.replace("a whole number", "whole numbers")
        expected += f" or {OWN}" * own + ", separated by commas"
    else:
        expected += f", or {OWN}" * own
    read = _whole if known.kind == "whole" else _measure

    def one(text: str) -> float | None:
        return None if own and text.strip() == OWN else read(text, known, expected)

    def several(text: str) -> list[float | None]:
        parts = _parts(text, expected)
        if own and parts.count(OWN) > 1:
            raise ValueError(f"expected {expected}, each once; {OWN} stands twice")
        return [one(part) for part in dict.fromkeys(parts)]

    return Parsed(metavar or _METAVARS[known.kind], several if many else one)


def parse_price(text: str) -> tuple[str, float]:
    """The name of a device and its price: `Pi 5=95`.

    Raises:
        ValueError: it is not written like one.
    """
    name, sign, amount = text.rpartition("=")
    if not sign or not name.strip() or not _PRICE.fullmatch(amount.strip()):
        raise ValueError(f"expected NAME=PRICE, such as 'Pi 5=95', found {value_text(text)}")
    if float(amount) <= 0:
        raise ValueError(f"expected a price above 0, found {value_text(amount)}")
    return name.strip(), float(amount)


def _whole(text: str, known: Range, expected: str) -> int:
    """ASCII digits, and nothing else that Python would read as a number."""
    digits = text.strip()
    if not _DIGITS.fullmatch(digits) or not known.holds(int(digits)):
        raise ValueError(f"expected {expected}, found {value_text(text)}")
    return int(digits)


def _measure(text: str, known: Range, expected: str) -> float:
    """A number that may have a unit."""
    try:
        value = READERS[known.kind](text)
    except ValueError as error:
        raise ValueError(f"{error}; expected {expected}") from error
    if not known.holds(value):
        raise ValueError(f"expected {expected}, found {value_text(text)}")
    return value


def _parts(text: str, expected: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise ValueError(f"expected {expected}, found {value_text(text)}")
    return parts


def _names(text: str) -> list[str]:
    from inferometer.models.inputs.given import rejoined

    names = rejoined(_parts(text, "values separated by commas"))
    if len(names) > MOST_WORKLOADS:
        raise ValueError(f"expected at most {MOST_WORKLOADS:,} values, found {len(names):,}")
    return names


def _offset(text: str) -> float | None:
    """None is `auto`."""
    if text.strip() == AUTO:
        return None
    found = _SECONDS.fullmatch(text.strip())
    if not found or abs(float(found[0])) > MOST_OFFSET_S:
        raise ValueError(
            f"expected auto or seconds such as -3.2, at most {MOST_OFFSET_S} either way, found "
            f"{value_text(text)}"
        )
    return float(found[0])


NAMES = Parsed("A,B,…", _names)
BATCH = within("batch")
BATCHES = within("batch", "1,2,…", many=True)
SIZE = within("size", "N|own", own=True)
SIZES = within("size", "224,448,…", many=True, own=True)
THREAD_LIST = within("threads", "1,2,…", many=True)
SEED = within("seed")
DEPTH = within("depth")
DURATION = within("duration")
OFFSET = Parsed("auto|SECONDS", _offset)
DEVICE = Parsed("DEVICE", check_device)
TEXT = Parsed("TEXT", str.strip)

_LISTS = {"batch": BATCHES, "size": SIZES}
_METAVARS_OF = {"data": "DATASET", "metric": "NAME"}
_TEXTS = {"device": DEVICE, "names": NAMES, "text": TEXT}

APART = ("roofline", "energy_window")
"""Options whose flags stand further down in help, beside the flags that they belong to."""


def study_options(*keys: str) -> Callable[[Function], Function]:
    """The flags of options of a study, in the order of the table.

    Args:
        keys: which; none means all that have a flag but those that `APART` names.
    """

    def add(function: Function) -> Function:
        for option in reversed((*AXES, *PROCEDURE)):
            if option.key in keys if keys else option.help and option.key not in APART:
                function = _flag(option)(function)
        return function

    return add


def help_of(key: str) -> str:
    """What the flag of an option of a study does, for commands that have it too."""
    return next(one.help for one in (*AXES, *PROCEDURE) if one.key == key)


def _flag(option: Option) -> Callable[[Function], Function]:
    if option.sets is not None:
        takes: dict[str, Any] = {"flag_value": option.sets, "default": None}
    elif isinstance(option.takes, tuple):
        takes = {"type": click.Choice(option.takes)}
    elif isinstance(option.takes, Range):
        takes = {"type": _LISTS.get(option.key) or within(option.field)}
    else:
        takes = {"type": _TEXTS[option.takes]}
    flag = option.flag or f"--{option.key.replace('_', '-')}"
    metavar = _METAVARS_OF.get(option.key)
    return click.option(flag, option.field, help=option.help, metavar=metavar, **takes)
