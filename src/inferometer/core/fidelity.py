"""Where the outputs of a variant part from those of a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Change = Literal["left out", "inserted", "replaced"]


@dataclass(frozen=True, kw_only=True)
class OperatorError:
    """An operator whose output differs from the reference's.

    Attributes:
        name: of the node, else of its first output; of a module of torch its path.
        kind: of the operator, such as `Conv`.
        relative_error: of what it gives for the inputs that the reference gives its own: norm of
            the difference over the norm of the reference, over all samples; of whole numbers, the
            share that differs. Infinite where one side has another shape, NaN or infinities.
        accumulated_error: the same with its inputs as they are there; None where nobody knows.
        change: that one side lacks it; None where both have it.
    """

    name: str
    kind: str
    relative_error: float
    accumulated_error: float | None = None
    change: Change | None = None


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What leaving operators in fp32 gives back, and what it costs.

    Attributes:
        operators: their names in the quantised file.
        relative_error: of the outputs then.
        recovered: share of the error without them that has gone.
        latency_ratio: of a call then to one without them.
        ratio_low: lower end of its 95 % interval; None without one.
        ratio_high: upper end.
    """

    operators: tuple[str, ...]
    relative_error: float
    recovered: float
    latency_ratio: float
    ratio_low: float | None
    ratio_high: float | None
