"""In a worker: which operators of an ONNX file differ from those of another, the worst first.

Each operator gets the inputs that the reference gives its own, so that a fault shows where it is,
and not in all that follows from it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inferometer.core.fidelity import OperatorError
from inferometer.core.model import Inputs
from inferometer.runner.locating.errors import Gap
from inferometer.runner.locating.graph import Graph, read_graph
from inferometer.runner.locating.pairs import Matches, Pair
from inferometer.runner.locating.parts import TYPES
from inferometer.runner.locating.running import Call, Runs, Side
from inferometer.runner.workers.messages import Located, LocateOperators
from inferometer.runner.workers.samples import load_samples

MOST_CALLS = 8
"""More change the order of the operators little."""
MOST_S = 60.0
MOST_BYTES = 256 << 20
"""Of tensors of the reference that are held at once; of a larger graph, a part after the other."""
ELEMENT_BYTES = 8


@dataclass(frozen=True)
class Gaps:
    """Of a pair of tensors.

    Attributes:
        pair: which they are.
        local: with the inputs that the reference has.
        gathered: with inputs in which errors have gathered.
    """

    pair: Pair
    local: Gap = field(default_factory=Gap)
    gathered: Gap = field(default_factory=Gap)


def locate(request: LocateOperators) -> Located:
    """Compare the operators of two files.

    Raises:
        WorkloadError: a file is damaged, or the runtime refuses it.
    """
    bad, good = (read_graph(Path(one)) for one in (request.bad, request.good))
    calls = load_samples(Path(request.inputs))[:MOST_CALLS]
    comparison = Comparison(bad, good, calls, threads=request.threads)
    return Located(operators=tuple(_ordered(comparison.gaps())))


class Comparison:
    """Two graphs on the same calls.

    Args:
        bad: the graph that is judged.
        good: the reference.
        calls: inputs of calls.
        threads: of the runtime.

    Attributes:
        bad: the graph that is judged, with the calls.
        good: the same of the reference.
    """

    def __init__(self, bad: Graph, good: Graph, calls: Sequence[Inputs], *, threads: int) -> None:
        self._matches = Matches(bad, good)
        tensors = self._matches.tensors
        self.bad = Side(bad, [*tensors, *bad.outputs], calls, threads=threads)
        self.good = Side(good, [*tensors.values(), *good.outputs], calls, threads=threads)
        self._shapes = self.good.shapes(self.good.types)
        self._fed = {
            one: other for one, other in tensors.items() if self._is_comparable(one, other)
        }

    def gaps(self) -> list[Gaps]:
        """What became of each pair, in the order of the graph."""
        try:
            return self._gaps()
        except Exception:  # noqa: BLE001 - an operator that does not take what the reference has
            ours, theirs = self.bad.shapes(self._fed), self._shapes
            self._fed = {one: self._fed[one] for one in ours if ours[one] == theirs[self._fed[one]]}
            return self._gaps()

    def _gaps(self) -> list[Gaps]:
        found: dict[int, Gaps] = {}
        for one in self.calls():
            gathered = one.gathered()
            for pair in one.pairs:
                gaps = found.setdefault(id(pair), Gaps(pair))
                gaps.local.add(one.expected[pair.theirs], one.local[pair.ours])
                if gathered:
                    gaps.gathered.add(one.expected[pair.theirs], gathered[pair.ours])
        return list(found.values())

    def calls(self) -> Iterator[Call]:
        """Calls of both, each as often as there are groups of pairs whose tensors memory holds."""
        pairs = self._matches.pairs(self._fed)
        groups = list(self._groups([at for at in pairs if self._is_comparable(at.ours, at.theirs)]))
        for group in groups:
            runs = Runs(self.bad, self.good, group, self._fed)
            end = time.monotonic() + MOST_S / len(groups)
            for number in range(len(self.good.calls)):
                if number and time.monotonic() > end:
                    break
                yield runs.call(number)

    def _is_comparable(self, name: str, named: str) -> bool:
        """Whether both are arrays, of whole numbers or not."""
        kinds = [
            TYPES.get(side.types.get(one, ""))
            for side, one in ((self.bad, name), (self.good, named))
        ]
        ours, theirs = kinds
        return ours is not None and theirs is not None and ours.is_whole == theirs.is_whole

    def _groups(self, pairs: Sequence[Pair]) -> Iterator[Sequence[Pair]]:
        """Those whose tensors may be held at once, in the order of the graph."""
        first = held = 0
        for at, pair in enumerate(pairs):
            size = ELEMENT_BYTES * math.prod(self._shapes[pair.theirs])
            if at > first and held + size > MOST_BYTES:
                yield pairs[first:at]
                first, held = at, 0
            held += size
        if pairs:
            yield pairs[first:]


def _ordered(gaps: Sequence[Gaps]) -> list[OperatorError]:
    """The worst error of each operator, the largest first; equal ones in the order of the graph."""
    worst: dict[str, OperatorError] = {}
    for one in gaps:
        blamed, error = one.pair.blamed, one.local.error
        if error and (blamed.name not in worst or worst[blamed.name].relative_error < error):
            worst[blamed.name] = OperatorError(
                name=blamed.name,
                kind=blamed.kind,
                relative_error=error,
                accumulated_error=one.gathered.error if one.gathered.calls else None,
                change=one.pair.change,
            )
    return sorted(worst.values(), key=lambda one: -one.relative_error)
