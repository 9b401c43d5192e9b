"""The calls of one shape: made so that what is timed is the work of the model, all of it.

What a call gives is completed where it is a promise; inputs that a model changes are made anew for
each call, outside the timing.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from inferometer.core.finish import Finisher
from inferometer.core.model import Inputs
from inferometer.core.nested import leaves, mapped
from inferometer.core.protocols import Session
from inferometer.models.inputs.arrays import copied as copied_array
from inferometer.models.inputs.arrays import is_array, is_tensor
from inferometer.runner.workers.loop import timed_fresh_values, timed_values

SUMMED_BYTES = 64 << 20
"""Of arrays up to this size in all, the content tells whether they were changed; of larger tensors
torch's own counter does, which does not see what goes past it."""

Call = Callable[[], Any]


@dataclass(kw_only=True)
class Manner:
    """How a model has to be called.

    Attributes:
        finish: completes what a call gives; None where a call returns when it is done.
        fresh: whether each call gets inputs of its own.
    """

    finish: Finisher | None = None
    fresh: bool = False


class Calls:
    """Makes the calls of a shape.

    Args:
        session: what is called.
        placed: inputs that were placed, and that nobody else holds.
        manner: how the model has to be called; the first calls may still change it.
    """

    def __init__(self, session: Session, placed: Inputs, manner: Manner) -> None:
        self._session = session
        self._placed = placed
        self._manner = manner

    def one(self) -> Call:
        """A call with the inputs, or with inputs of its own where the model changes them."""
        return self._bound(copied(self._placed) if self._manner.fresh else self._placed)

    def time(self, starts: array[int], ends: array[int], calls_per_value: int) -> None:
        """Time as many values as the arrays are long, nanoseconds."""
        if self._manner.fresh:
            timed_fresh_values(self.one, starts, ends, calls_per_value)
        else:
            timed_values(self.one(), starts, ends, calls_per_value)

    def _bound(self, inputs: Inputs) -> Call:
        call, finish = self._session.bind(inputs), self._manner.finish
        return call if finish is None else lambda: finish(call())


class Marks:
    """What inputs are like, to see whether a call changed them.

    Args:
        inputs: of the calls.
        summed: whether the content is looked at where nothing else tells; it takes its time.
    """

    def __init__(self, inputs: Inputs, *, summed: bool) -> None:
        self._inputs = inputs
        self._summed = summed and _bytes_of(inputs) <= SUMMED_BYTES
        self._before = self._look()

    def changed(self) -> bool:
        """Whether they are other than before."""
        return self._look() != self._before

    def _look(self) -> list[tuple[str, object]]:
        nested = self._inputs.args, self._inputs.kwargs
        return [(path, self._mark(leaf)) for path, leaf in leaves(nested, "")]

    def _mark(self, leaf: Any) -> object:  # noqa: ANN401 - any leaf
        if isinstance(leaf, bool | int | float | str | bytes | bytearray | type(None)):
            return repr(leaf)
        if is_tensor(leaf):
            version = None if leaf.is_inference() else leaf._version  # noqa: SLF001 - no public one
            return id(leaf), version, tuple(leaf.shape), self._sum(_bytes_in(leaf))
        if is_array(leaf):
            return id(leaf), leaf.shape, self._sum(_bytes_in(leaf))
        return id(leaf)

    def _sum(self, content: Any) -> int | None:  # noqa: ANN401 - a buffer
        return zlib.adler32(content) if self._summed and content is not None else None


def copied(inputs: Inputs) -> Inputs:
    """The same inputs in memory that nobody else holds."""
    args, kwargs = mapped((inputs.args, dict(inputs.kwargs)), copied_array)
    return replace(inputs, args=args, kwargs=kwargs)


def _bytes_of(inputs: Inputs) -> int:
    nested = inputs.args, inputs.kwargs
    return sum(int(leaf.nbytes) for _, leaf in leaves(nested, "") if is_array(leaf))


def _bytes_in(leaf: Any) -> Any:  # noqa: ANN401 - a tensor or an array
    """The content of an array in the processor's memory; None where it cannot be had as it lies."""
    try:
        if is_tensor(leaf):
            torch = sys.modules["torch"]
            if leaf.device.type != "cpu" or not leaf.is_contiguous():
                return None
            leaf = leaf.detach().reshape(-1).view(torch.uint8).numpy()
        return memoryview(leaf).cast("B") if leaf.flags.c_contiguous else None
    except (RuntimeError, TypeError, ValueError, NotImplementedError):
        return None
