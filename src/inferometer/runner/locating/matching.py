"""Which operator of one graph is which of another: the best alignment of both rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_CELLS = 50_000_000
"""Of the table of all pairs; of larger graphs the names of outputs alone count."""


class Key(NamedTuple):
    """What an operator is known by; empty texts say nothing.

    Attributes:
        kind: of the operator.
        weights: digest of its kind and constants.
        output: name of its first output.
        name: of the node.
    """

    kind: str
    weights: str
    output: str
    name: str


LIKENESS = (2, 20, 4, 1)
"""What each of these weighs. Weights are not the same by chance; names may be numbers, which one
operator more shifts; an output keeps its name where an operator is folded into the one before."""


def aligned(ours: Sequence[Key], theirs: Sequence[Key]) -> list[tuple[int, int]]:
    """Places of operators that stand for each other, in the order of both rows.

    The alignment of the greatest likeness in total, as of Needleman and Wunsch (J. Mol. Biol. 48,
    1970), where leaving an operator out costs nothing.
    """
    if len(ours) * len(theirs) > MOST_CELLS:
        places = {key.output: place for place, key in enumerate(theirs)}
        pairs = [(row, places.get(key.output, -1)) for row, key in enumerate(ours)]
        return [pair for pair in pairs if pair[1] >= 0 and ours[pair[0]][0] == theirs[pair[1]][0]]
    alike = _Likeness(ours, theirs)
    best = np.zeros((len(ours) + 1, len(theirs) + 1), dtype=np.int32)
    for row in range(len(ours)):
        matched = np.maximum(best[row, 1:], best[row, :-1] + alike.row(row))
        best[row + 1, 1:] = np.maximum.accumulate(matched)
    found, row, column = list[tuple[int, int]](), len(ours), len(theirs)
    while row and column:
        score = alike.row(row - 1)[column - 1]
        if score and best[row, column] == best[row - 1, column - 1] + score:
            row, column = row - 1, column - 1
            found.append((row, column))
        elif best[row, column] == best[row - 1, column]:
            row -= 1
        else:
            column -= 1
    return found[::-1]


class _Likeness:
    """How alike operators are, for all pairs of one of ours at a time."""

    def __init__(self, ours: Sequence[Key], theirs: Sequence[Key]) -> None:
        self._codes: dict[str, int] = {}
        self._ours, self._theirs = self._table(ours, empty=-1), self._table(theirs, empty=-2)

    def row(self, place: int) -> NDArray[np.int32]:
        """The likeness of each of theirs to one of ours."""
        found: NDArray[np.int32] = (self._theirs == self._ours[place]) @ LIKENESS
        return found

    def _table(self, keys: Sequence[Key], *, empty: int) -> NDArray[np.int32]:
        """Numbers in place of texts: comparing these takes a tenth of the time."""
        numbers = [
            [self._codes.setdefault(text, len(self._codes)) if text else empty for text in key]
            for key in keys
        ]
        return np.array(numbers, dtype=np.int32).reshape(-1, len(LIKENESS))
