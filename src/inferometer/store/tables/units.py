"""Units as people write them: `ms`, `ms/img`, `images/sec`, `Params (M)`, `GMACs`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

Kind = Literal["time", "rate", "energy", "power", "bytes", "count", "share", "pixels", "other"]
Per = Literal["", "sample", "call"]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit.

    Attributes:
        kind: of what.
        factor: to seconds, per second, joules, watts, bytes, one.
        per: whether a figure is told of a sample or of a call; empty where that is not said.
        text: how it is written, for people.
    """

    kind: Kind
    factor: Decimal
    per: Per = ""
    text: str = ""


def _table(kind: Kind, names: str) -> dict[str, tuple[Kind, Decimal]]:
    pairs = (part.split("=") for part in names.split())
    return {name: (kind, Decimal(factor)) for many, factor in pairs for name in many.split("|")}


_UNITS: dict[str, tuple[Kind, Decimal]] = {
    **_table(
        "time",
        "ns|nsec|nanosecond|nanoseconds=1e-9 us|usec|usecs|microsecond|microseconds|micros=1e-6 "
        "ms|msec|msecs|millisecond|milliseconds|millis=1e-3 s|sec|secs|second|seconds=1",
    ),
    **_table("rate", "fps|qps|ips|hz=1"),
    **_table("energy", "uj=1e-6 mj|millijoule|millijoules=1e-3 j|joule|joules=1 kj=1e3"),
    **_table("energy", "wh=3600 mwh=3.6 kwh=3.6e6"),
    **_table("power", "uw=1e-6 mw|milliwatt|milliwatts=1e-3 w|watt|watts=1 kw=1e3"),
    **_table("bytes", "b|byte|bytes=1 kb=1e3 mb=1e6 gb=1e9 kib=1024 mib=1048576 gib=1073741824"),
    **_table("count", "k|thousand=1e3 m|mio|million|millions=1e6 g|bn|billion|billions=1e9 t=1e12"),
    **_table("share", "percent|pct=0.01"),
    **_table("pixels", "px|pixel|pixels=1"),
}
_COUNTED = re.compile(r"([kmgbt]?)_?(params?|macs?|flops?|ops|madds)")
_PREFIXES = {"": "1", "k": "1e3", "m": "1e6", "g": "1e9", "b": "1e9", "t": "1e12"}
_SAMPLES = frozenset(
    [
        "img",
        "image",
        "images",
        "im",
        "imgs",
        "sample",
        "samples",
        "item",
        "items",
        "frame",
        "frames",
        "example",
        "examples",
        "seq",
        "sequence",
        "sequences",
        "inp",
        "input",
        "inputs",
    ]
)
_CALLS = frozenset(
    [
        "batch",
        "batches",
        "call",
        "calls",
        "iter",
        "iters",
        "iteration",
        "iterations",
        "it",
        "step",
        "steps",
        "run",
        "runs",
        "query",
        "queries",
        "request",
        "requests",
        "forward",
    ]
)
_EITHER = frozenset(["inference", "inferences", "inf", "infer"])
"""Words for a call or for a sample; tables mean either by them."""
SAMPLES_AND_CALLS = _SAMPLES | _CALLS | _EITHER
_SECOND = frozenset({"s", "sec", "second"})


def plain(text: str) -> str:
    """A name or a unit with one spelling: lower case, words parted by underscores."""
    text = re.sub(r"<[^<>]{1,20}>", " ", text)  # `<br>` and `<sup>` of Markdown tables
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", text.strip())
    text = text.casefold().replace("\N{GREEK SMALL LETTER MU}", "u").replace("%", " percent ")
    text = text.replace("\N{MICRO SIGN}", "u").replace("#", " num ")
    return re.sub(r"[\W_]+", "_", text).strip("_")


def readable(name: str) -> str:
    """A column's name without the tags of HTML that tables of Markdown have, for people."""
    return " ".join(re.sub(r"<[^<>]{1,20}>", " ", name).split())


@lru_cache(maxsize=4096)
def unit_of(text: str) -> Unit | None:
    """The unit that a text is, and nothing else; None where it is none."""
    words = [word for word in plain(text.replace("/", " per ")).split("_") if word]
    if not words or len(words) > 5:  # noqa: PLR2004 - "milliseconds per image per batch" has five
        return None
    if "per" in words:
        place = words.index("per")
        return _quotient(words[:place], words[place + 1 :], text.strip())
    return _single("_".join(words), text.strip())


def _single(word: str, text: str) -> Unit | None:
    if word in _UNITS:
        kind, factor = _UNITS[word]
        return Unit(kind=kind, factor=factor, text=text)
    counted = _COUNTED.fullmatch(word)
    if counted is not None and counted[1]:
        return Unit(kind="count", factor=Decimal(_PREFIXES[counted[1]]), text=text)
    return None


def _quotient(above: list[str], below: list[str], text: str) -> Unit | None:
    if len(above) > 1 or len(below) != 1:
        return None
    if below[0] in _SECOND:
        return _rate(above[0] if above else "", text)
    unit = _single(above[0], text) if above else None
    if unit is None or unit.kind not in ("time", "energy"):
        return None
    if below[0] in _SAMPLES:
        return Unit(kind=unit.kind, factor=unit.factor, per="sample", text=text)
    if below[0] in _CALLS:
        return Unit(kind=unit.kind, factor=unit.factor, per="call", text=text)
    return unit if below[0] in _EITHER else None


def _rate(counted: str, text: str) -> Unit | None:
    if counted in _SAMPLES or counted in _EITHER or counted in ("", "1"):
        per: Per = "sample" if counted in _SAMPLES else ""
        return Unit(kind="rate", factor=Decimal(1), per=per, text=text)
    if counted in _CALLS:
        return Unit(kind="rate", factor=Decimal(1), per="call", text=text)
    return None
