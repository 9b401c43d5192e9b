"""One line of text → a hypothesis. Knows no data.

    FIGURE increases with FACTOR          also: rises, grows; decreases, falls, shrinks
    FIGURE scales linearly with FACTOR
    X is faster than Y                    also: slower; by at least 20%
    X is at least 2 times as fast as Y
    X uses less energy than Y             also: more; memory
    FIGURE at X is at most half of Y      also: at least; a third, a quarter, twice, 0.8 times, 80%

X and Y are two values of one axis: models, precisions, backends, devices.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches

from inferometer.core.hypothesis import FACTORS, FIGURES, Hypothesis
from inferometer.core.shown import shown

FORMS = (
    "FIGURE increases with FACTOR; FIGURE scales linearly with FACTOR; X is faster than Y; "
    "X is at least 2 times as fast as Y; X uses less energy than Y; FIGURE at X is at most half "
    "of Y"
)

_WORDS = {"half": 1 / 2, "a third": 1 / 3, "a quarter": 1 / 4, "a tenth": 1 / 10, "twice": 2.0}
_ALIASES = {
    "batch": "batch_size",
    "size": "input_size",
    "params": "parameters",
    "parameter count": "parameters",
    "the number of parameters": "parameters",
}
_SMALLEST = 1e-9
_SHOWN = 20

LONGEST = 1000
"""Characters of a hypothesis; the time to tell the forms apart grows with their square."""

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_AMOUNT = rf"{'|'.join(_WORDS)}|{_NUMBER} ?%|{_NUMBER} times|{_NUMBER}"
_UP, _DOWN = "increases|rises|grows", "decreases|falls|shrinks"


def parse_hypothesis(text: str) -> Hypothesis:
    """Read a hypothesis.

    Args:
        text: one line; blanks at its ends and a full stop do not count.

    Raises:
        ValueError: it has none of the known forms, is too long, or names an unknown figure or
            factor.
    """
    line = " ".join(text.split()).removesuffix(".")
    if len(line) > LONGEST:
        raise ValueError(
            f"'{shown(line, _SHOWN)}' has {len(line):,} characters; a hypothesis has at most "
            f"{LONGEST:,}"
        )
    for pattern, read in _READERS.items():
        match = re.fullmatch(pattern, line, re.IGNORECASE)
        if match:
            return read(text, match.groupdict(default=""))
    raise ValueError(
        f"'{shown(line)}' is not a hypothesis that can be tested; the forms are: {FORMS}"
    )


def _trend(text: str, part: dict[str, str]) -> Hypothesis:
    rises = re.fullmatch(_UP, part["verb"], re.IGNORECASE) is not None
    return Hypothesis(
        text=text,
        kind="trend",
        figure=_figure(part["figure"]),
        factor=_factor(part["factor"]),
        rises=rises,
    )


def _linear(text: str, part: dict[str, str]) -> Hypothesis:
    figure, factor = _figure(part["figure"]), _factor(part["factor"])
    return Hypothesis(text=text, kind="linear", figure=figure, factor=factor)


def _faster(text: str, part: dict[str, str]) -> Hypothesis:
    faster = part["word"].lower() == "faster"
    by = _amount(part["by"]) if part["by"] else 0.0
    if faster and by >= 1:
        raise ValueError(
            f"nothing is faster by {part['by']}: it would take no time; "
            "write 'X is at least 2 times as fast as Y'"
        )
    return _bounded(text, part, "latency", 1 - by if faster else 1 + by, at_most=faster)


def _times_as_fast(text: str, part: dict[str, str]) -> Hypothesis:
    return _bounded(text, part, "latency", 1 / _amount(part["amount"]), at_most=True)


def _uses(text: str, part: dict[str, str]) -> Hypothesis:
    less = part["word"].lower() == "less"
    return _bounded(text, part, part["figure"].lower(), 1.0, at_most=less)


def _ratio(text: str, part: dict[str, str]) -> Hypothesis:
    bound, at_most = _amount(part["amount"]), part["word"].lower() == "most"
    return _bounded(text, part, _figure(part["figure"]), bound, at_most=at_most)


def _bounded(
    text: str, part: dict[str, str], figure: str, bound: float, *, at_most: bool
) -> Hypothesis:
    left, right = part["left"], part["right"]
    if left == right:
        raise ValueError(f"'{shown(left)}' cannot be compared with itself")
    return Hypothesis(
        text=text, kind="ratio", figure=figure, left=left, right=right, bound=bound, at_most=at_most
    )


_UP_OR_DOWN = f"{_UP}|{_DOWN}"
_READERS: dict[str, Callable[[str, dict[str, str]], Hypothesis]] = {
    f"(?P<figure>.+?) (?P<verb>{_UP_OR_DOWN}) with (?P<factor>.+)": _trend,
    "(?P<figure>.+?) scales linearly with (?P<factor>.+)": _linear,
    f"(?P<left>.+?) is at least (?P<amount>{_AMOUNT}) as fast as (?P<right>.+)": _times_as_fast,
    "(?P<left>.+?) is (?P<word>faster|slower) than (?P<right>.+?)"
    f"(?: by at least (?P<by>{_NUMBER} ?%))?": _faster,
    "(?P<left>.+?) (?:uses|needs|takes) (?P<word>less|more) (?P<figure>energy|memory) than "
    "(?P<right>.+)": _uses,
    f"(?P<figure>.+?) at (?P<left>.+?) is at (?P<word>most|least) (?P<amount>{_AMOUNT})"
    "(?: of| that of| that at)? (?P<right>.+)": _ratio,
}


def _figure(text: str) -> str:
    return _one_of(text.lower(), tuple(FIGURES), "figure")


def _factor(text: str) -> str:
    name = text.lower()
    name = _ALIASES.get(name, name.replace(" ", "_").replace("-", "_"))
    return _one_of(name, FACTORS, "factor")


def _one_of(name: str, known: tuple[str, ...], what: str) -> str:
    if name in known:
        return name
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise ValueError(
        f"no {what} is called '{shown(name, 2 * _SHOWN)}'; {hint}known: {', '.join(known)}"
    )


def _amount(text: str) -> float:
    """`half` → 0.5, `80 %` → 0.8, `2 times` → 2.

    Raises:
        ValueError: it is 0, or beyond all measure.
    """
    word = text.lower()
    if word in _WORDS:
        return _WORDS[word]
    number = float(re.sub(r"[ %]|times", "", word))
    value = number / 100 if word.endswith("%") else number
    if not _SMALLEST <= value <= 1 / _SMALLEST:
        few = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        raise ValueError(f"an amount of {few} cannot be compared with")
    return value
