"""How near outputs are to those of a reference, and what that amounts to.

What the thresholds rest on is in docs/method/fidelity.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Outputs = Sequence[Sequence[Array]]
"""The arrays that a model gives, in its order, of each sample."""
Verdict = Literal["same", "close", "different", "unknown"]
Reason = Literal[
    "no_samples",
    "other_outputs",
    "other_shapes",
    "nan",
    "infinite",
    "nan_in_reference",
    "vanishing",
    "no_signal",
]

SCORES = 2
"""Axes of class scores: batch, classes."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Largest relative errors of a precision.

    Attributes:
        same: what its rounding alone does.
        close: what its users put up with.
    """

    same: float
    close: float


LIMITS: Mapping[str, Limits] = {
    "fp32": Limits(same=1e-4, close=1e-3),
    "fp16": Limits(same=5e-3, close=2e-2),
    "bf16": Limits(same=4e-2, close=0.1),
    "int8": Limits(same=5e-2, close=0.2),
}
VANISHING = 1e-6
"""Root mean square below which outputs vanish: half precision has a few steps for them, or 0."""
FAINT = 1e-3
"""Signal below which outputs do not depend on the sample, for what anybody sees."""
SMALL, MASKED = 8.0, 2.0
"""An error may be so many times smaller than the signal at the least, to be the same and close."""


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """Outputs against those of a reference; of several outputs, the worst of each figure.

    Attributes:
        verdict: what the difference amounts to.
        reason: why it is unknown, or different whatever the errors are; None elsewhere.
        values: what the reason is about.
        samples: that were compared.
        relative_error: norm of the difference over the norm of the reference; of whole numbers,
            the share that differs. None where the reference is all zeros.
        max_abs: largest absolute difference.
        cosine: of the angle between both.
        snr_db: signal to noise, 20 lg of the inverse of the relative error; None where both are
            equal.
        agreeing: samples with the same highest class score; None where there are no scores.
        signal: relative error of a constant answer, the reference's own mean.
    """

    verdict: Verdict
    reason: Reason | None = None
    values: Mapping[str, str | int | float] = field(default_factory=dict)
    samples: int
    relative_error: float | None = None
    max_abs: float | None = None
    cosine: float | None = None
    snr_db: float | None = None
    agreeing: int | None = None
    signal: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """One output.

    Attributes:
        error: relative; it may be infinite.
        max_abs: largest absolute difference.
        cosine: None where one side is all zeros, and of whole numbers.
        signal: relative error of a constant answer.
        vanishes: whether the reference is too small to be judged.
    """

    error: float
    max_abs: float
    cosine: float | None
    signal: float
    vanishes: bool = False

    def verdict(self, limits: Limits) -> Verdict:
        """What the error amounts to; unknown where a constant answer is hardly further off."""
        if not self.vanishes and self.error > limits.close:
            return "different"
        if self.vanishes or self.signal < max(FAINT, MASKED * self.error):
            return "unknown"
        is_small = self.error <= limits.same and SMALL * self.error <= self.signal
        return "same" if is_small else "close"


def limits_of(precision: str) -> Limits:
    """The limits of a precision; of one that is not known, those of int8."""
    return LIMITS.get(precision, LIMITS["int8"])


def compare(reference: Outputs, variant: Outputs, precision: str) -> Fidelity:
    """Outputs against those of the reference on the same samples.

    Args:
        reference: its outputs.
        variant: those that are judged; where there are fewer or more samples, the first count.
        precision: name of the variant's precision.
    """
    samples = min(len(reference), len(variant))
    pairs = list(zip(reference, variant, strict=False))
    if not samples:
        return Fidelity(verdict="unknown", reason="no_samples", samples=0)
    misfit = _misfit(pairs)
    if misfit is not None:
        return Fidelity(verdict="different", reason=misfit[0], values=misfit[1], samples=samples)
    ours, theirs = (list(zip(*side, strict=True)) for side in zip(*pairs, strict=True))
    broken = _not_finite(ours, theirs)
    if broken is not None:
        verdict: Verdict = "unknown" if broken[0] == "nan_in_reference" else "different"
        return Fidelity(verdict=verdict, reason=broken[0], values=broken[1], samples=samples)
    found = [_compared(one, other) for one, other in zip(ours, theirs, strict=True)]
    return _judged(found, limits_of(precision), samples, _agreeing(ours, theirs))


def _judged(
    found: Sequence[_Compared], limits: Limits, samples: int, agreeing: int | None
) -> Fidelity:
    """The worst of all outputs; one that cannot be judged counts where no other can."""
    verdicts = [one.verdict(limits) for one in found]
    verdict = max(verdicts, key=("unknown", "same", "close", "different").index)
    error, signal = max(one.error for one in found), max(one.signal for one in found)
    cosines = [one.cosine for one in found if one.cosine is not None]
    why: Reason | None = None
    if verdict == "unknown":
        why = "vanishing" if any(one.vanishes for one in found) else "no_signal"
    return Fidelity(
        verdict=verdict,
        reason=why,
        values={"signal": signal, "error": error} if why == "no_signal" else {},
        samples=samples,
        relative_error=error if math.isfinite(error) else None,
        max_abs=max(one.max_abs for one in found),
        cosine=min(cosines) if cosines else None,
        snr_db=-20 * math.log10(error) if 0 < error < math.inf else None,
        agreeing=agreeing,
        signal=signal,
    )


Pairs = Sequence[tuple[Sequence[Array], Sequence[Array]]]
Found = tuple[Reason, dict[str, str | int | float]]


def _misfit(pairs: Pairs) -> Found | None:
    """Where outputs cannot be laid against each other."""
    for one, other in pairs:
        if len(one) != len(other) or not one:
            return "other_outputs", {"expected": len(one), "found": len(other)}
        for number, (ours, theirs) in enumerate(zip(one, other, strict=True)):
            if ours.shape != theirs.shape:
                shapes = {"expected": _shape(ours), "found": _shape(theirs)}
                return "other_shapes", {"output": number, **shapes}
    return None


def _shape(array: Array) -> str:
    return "x".join(map(str, array.shape)) or "scalar"


def _not_finite(ours: Sequence[Sequence[Array]], theirs: Sequence[Sequence[Array]]) -> Found | None:
    """NaN on either side, and infinities that the other side has not.

    The same infinity on both sides is legal: scores are masked by it.
    """
    for number, (reference, variant) in enumerate(zip(ours, theirs, strict=True)):
        nan = [
            sum(int(np.isnan(_float(one)).sum()) for one in side) for side in (reference, variant)
        ]
        total = sum(one.size for one in variant)
        if nan[0]:
            return "nan_in_reference", {"output": number, "nan": nan[0], "of": total}
        if nan[1]:
            return "nan", {"output": number, "nan": nan[1], "of": total}
        other = sum(_infinities_apart(a, b) for a, b in zip(reference, variant, strict=True))
        if other:
            return "infinite", {"output": number, "infinite": other, "of": total}
    return None


def _infinities_apart(ours: Array, theirs: Array) -> int:
    a, b = _float(ours), _float(theirs)
    return int(((np.isinf(a) | np.isinf(b)) & (a != b)).sum())


def _float(array: Array) -> NDArray[np.float64]:
    """Values in double precision; complex ones as pairs."""
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], axis=-1)
    return np.asarray(array, dtype=np.float64)


def _finite(array: Array) -> NDArray[np.float64]:
    """Values with 0 for infinities, which are the same on both sides."""
    values = _float(array)
    return np.where(np.isinf(values), 0.0, values)


def _compared(ours: Sequence[Array], theirs: Sequence[Array]) -> _Compared:
    if all(one.dtype.kind in "biu" for one in (*ours, *theirs)):
        return _whole_numbers(ours, theirs)
    squares = other_squares = products = differences = largest = 0.0
    for one, other in zip(ours, theirs, strict=True):
        a, b = _finite(one).ravel(), _finite(other).ravel()
        squares += float(a @ a)
        other_squares += float(b @ b)
        products += float(a @ b)
        apart = a - b
        differences += float(apart @ apart)
        largest = max(largest, float(np.abs(apart).max(initial=0.0)))
    scale = math.sqrt(squares * other_squares)
    return _Compared(
        error=_ratio(differences, squares),
        max_abs=largest,
        cosine=min(1.0, max(-1.0, products / scale)) if scale else None,
        signal=_signal(ours, squares),
        vanishes=squares < VANISHING**2 * sum(one.size for one in ours) or not squares,
    )


def _whole_numbers(ours: Sequence[Array], theirs: Sequence[Array]) -> _Compared:
    """Shares that differ: from the other side, and from the first sample."""
    total = sum(one.size for one in ours)
    pairs = list(zip(ours, theirs, strict=True))
    differing = sum(int((a != b).sum()) for a, b in pairs)
    apart = [np.abs(_float(a) - _float(b)).max(initial=0.0) for a, b in pairs]
    alike = all(one.shape == ours[0].shape for one in ours)
    moving = sum(int((one != ours[0]).sum()) for one in ours) if alike else total
    return _Compared(
        error=differing / total if total else 0.0,
        max_abs=float(max(apart)),
        cosine=None,
        signal=moving / total if total else 0.0,
    )


def _signal(ours: Sequence[Array], squares: float) -> float:
    """Relative error of the mean over the samples, as if it were every sample's output."""
    if not squares:
        return 0.0
    if any(one.shape != ours[0].shape for one in ours):
        return 1.0
    mean = sum(_finite(one) for one in ours) / len(ours)
    return _ratio(sum(float(((_finite(one) - mean) ** 2).sum()) for one in ours), squares)


def _ratio(differences: float, squares: float) -> float:
    """The root of a ratio of sums of squares."""
    if not differences:
        return 0.0
    return math.sqrt(differences / squares) if squares else math.inf


def _agreeing(ours: Sequence[Sequence[Array]], theirs: Sequence[Sequence[Array]]) -> int | None:
    """Samples whose highest score is of the same class, in the first output of class scores."""
    for reference, variant in zip(ours, theirs, strict=True):
        if all(_is_scores(one) for one in reference):
            pairs = zip(reference, variant, strict=True)
            return sum(bool((a.argmax(1) == b.argmax(1)).all()) for a, b in pairs)
    return None


def _is_scores(array: Array) -> bool:
    return array.dtype.kind == "f" and array.ndim == SCORES and array.shape[1] >= SCORES
