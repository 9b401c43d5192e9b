"""Texts: word and character error rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import groupby

import numpy as np

from inferometer.core.dataset import Floats, Kept
from inferometer.core.errors import MissingExtraError
from inferometer.core.nested import leaves
from inferometer.metrics.outputs import pick, unsupported
from inferometer.metrics.weighting import ratio, value_of_sums

Decode = Callable[[object], Sequence[str]]
"""From what a model gives for a batch to its texts."""

BLANKS = ("", "<blank>", "[blank]", "blank", "<pad>", "[PAD]", "ε")
"""Names of the class that stands for no character, best first."""
WORD_BREAK = "|"
"""Stands for a space in alphabets that have none."""


class ErrorRate:
    """Least insertions, deletions and substitutions of all samples over the length of the truths.

    Nothing is normalised: neither case, nor punctuation, nor the composition of letters.
    """

    higher_is_better = False
    is_share = False
    low: float | None = 0.0
    high: float | None = None

    def __init__(self, name: str, pieces: Callable[[str], Sequence[str]], decode: Decode) -> None:
        if find_spec("rapidfuzz") is None:
            raise MissingExtraError(f"the metric {name} needs rapidfuzz, which", "data")
        self.name = name
        self._pieces = pieces
        self._decode = decode

    def keep(self, outputs: object, labels: Sequence[object]) -> Kept:
        """Errors and pieces of the truth of each sample."""
        from rapidfuzz.distance import Levenshtein

        given = list(self._decode(outputs))
        if len(given) != len(labels):
            raise unsupported(f"the model gave {len(given)} texts for {len(labels)} samples")
        rows = np.zeros((len(labels), 2))
        for row, text, label in zip(rows, given, labels, strict=True):
            if not isinstance(text, str) or not isinstance(label, str):
                raise unsupported("texts and labels must be strings")
            truth = self._pieces(label)
            row[:] = Levenshtein.distance(truth, self._pieces(text)), len(truth)
        return Kept.of(rows)

    def value(self, kept: Kept, weights: Floats | None = None) -> float:
        """Errors over pieces."""
        return value_of_sums(self, kept, weights)

    def from_sums(self, sums: Floats, total: Floats) -> Floats:
        """Errors over pieces of each weighting."""
        del total
        return ratio(sums[..., 0], sums[..., 1])


def words(text: str) -> Sequence[str]:
    """What stands between spaces."""
    return text.split()


def characters(text: str) -> Sequence[str]:
    """Code points, spaces among them but for those around the text."""
    return text.strip()


def texts(outputs: object) -> Sequence[str]:
    """The strings that a model gave, if it is clear which: a list of them, or one of each sample.

    Raises:
        WorkloadError: (unsupported) there are none, or several lists.
    """
    lists = [
        [str(text) for text in leaf]
        for _, leaf in leaves(outputs, whole=_are_texts)
        if _are_texts(leaf)
    ]
    if len(lists) > 1:
        raise unsupported("the model gave several lists of texts; let it give one")
    if lists:
        return lists[0]
    single = [leaf for _, leaf in leaves(outputs) if isinstance(leaf, str)]
    if not single:
        raise unsupported(
            "the model gave no text; the metric needs a decoder of what it gives, such as a "
            "function of yours"
        )
    return single


def decoder_of(alphabet: Sequence[str]) -> Decode:
    """Greedy decoding of scores in time of an alphabet; without a blank in it, texts as given.

    The best class of each step; of those that follow each other unchanged, one; no blanks.

    Args:
        alphabet: names of the classes, by number.
    """
    blank = next((alphabet.index(name) for name in BLANKS if name in alphabet), None)
    if blank is None:
        return texts
    spells_space = " " not in alphabet

    def decode(outputs: object) -> Sequence[str]:
        wanted = f"scores of {len(alphabet)} characters, (samples, steps, {len(alphabet)})"
        _, scores = pick(outputs, {wanted: lambda a: a.shape[2:] == (len(alphabet),)})
        return [spelt(row) for row in scores.argmax(axis=2).tolist()]

    def spelt(best: list[int]) -> str:
        text = "".join(alphabet[step] for step, _ in groupby(best) if step != blank)
        return text.replace(WORD_BREAK, " ") if spells_space else text

    return decode


def _are_texts(value: object) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 1 and all(isinstance(part, str) for part in value.tolist())
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(isinstance(part, str) for part in value)
