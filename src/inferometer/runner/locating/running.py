"""Calls of two graphs: what the reference gives everywhere, and what the other makes of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from inferometer.backends.onnxruntime.session import OnnxRuntimeSession
from inferometer.core.model import Inputs
from inferometer.runner.locating import parts
from inferometer.runner.locating.graph import Graph
from inferometer.runner.locating.pairs import Pair, Tensors

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession

Arrays = dict[str, "NDArray[Any]"]
Shape = tuple[int, ...]


class Side:
    """A graph, and inputs of calls for it.

    Args:
        graph: of a file.
        names: tensors to look at, whose types are found out.
        calls: inputs.
        threads: of its sessions.

    Attributes:
        types: of the tensors, as the runtime calls them.
        calls: the inputs as the file takes them.
    """

    def __init__(
        self, graph: Graph, names: Iterable[str], calls: Sequence[Inputs], *, threads: int
    ) -> None:
        self.graph, self.threads = graph, threads
        chosen = [name for name in names if name in graph.producers]
        session = parts.with_outputs(graph, chosen, threads=threads)
        self.types = {one.name: str(one.type) for one in session.get_outputs()}
        self.calls = [dict(OnnxRuntimeSession(session).place(one).kwargs) for one in calls]

    def shapes(self, names: Iterable[str]) -> dict[str, Shape]:
        """Shapes of tensors in the first call; none where the graph does not run."""
        session = parts.with_shapes(self.graph, names, threads=self.threads)
        with suppress(Exception):
            found = called(session, self.calls[0])
            return {
                name.removesuffix(parts.SHAPE): tuple(shape.tolist())
                for name, shape in found.items()
            }
        return {}


@dataclass(frozen=True)
class Call:
    """What a call of both graphs gave.

    Attributes:
        number: of the call.
        pairs: of tensors that were looked at.
        expected: tensors of the reference.
        local: ours, where each operator gets those of the reference.
        gathered: gives ours as they are; none where the graph does not run.
    """

    number: int
    pairs: Sequence[Pair]
    expected: Arrays
    local: Arrays
    gathered: Callable[[], Arrays]


class Runs:
    """Sessions that give what pairs of tensors are compared by.

    Args:
        bad: the graph that is judged.
        good: the reference.
        pairs: to compare.
        fed: tensors that get the values of those of the reference.
    """

    def __init__(self, bad: Side, good: Side, pairs: Sequence[Pair], fed: Tensors) -> None:
        self._bad, self._good, self._pairs, self._fed = bad, good, pairs, fed
        self._local = parts.fed(
            bad.graph,
            {one.place: one for pair in pairs for one in pair.operators},
            given={name: bad.types[name] for name in fed},
            wanted=[pair.ours for pair in pairs if pair.operators],
            threads=bad.threads,
        )
        self._given = [one.name for one in self._local.get_inputs() if one.name in fed]
        self._handed = [pair.ours for pair in pairs if not pair.operators]
        names = [pair.theirs for pair in pairs]
        names += [fed[name] for name in (*self._given, *self._handed)]
        self._theirs = parts.with_outputs(good.graph, names, threads=good.threads)
        ours = [pair.ours for pair in pairs]
        self._gathered = parts.with_outputs(bad.graph, ours, threads=bad.threads)

    def call(self, number: int) -> Call:
        """Call both graphs."""
        feed = self._bad.calls[number]
        expected = called(self._theirs, self._good.calls[number])
        given = {name: self._as_ours(name, expected[self._fed[name]]) for name in self._given}
        found = called(self._local, {**feed, **given})
        local = {name.removesuffix(parts.GIVEN): array for name, array in found.items()}
        local |= {name: expected[self._fed[name]] for name in self._handed}
        return Call(number, self._pairs, expected, local, partial(self._own, feed))

    def _as_ours(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        """Values of the reference in the type of our tensor."""
        return array.astype(parts.TYPES[self._bad.types[name]].array, copy=False)

    def _own(self, feed: Arrays) -> Arrays:
        """Our tensors as they are; none where the graph does not run."""
        with suppress(Exception):
            return called(self._gathered, feed)
        return {}


def called(session: InferenceSession, feed: Mapping[str, NDArray[Any]]) -> Arrays:
    """Outputs by their names; inputs that are not asked for are left out."""
    names = [one.name for one in session.get_outputs()]
    asked = {one.name: feed[one.name] for one in session.get_inputs()}
    return dict(zip(names, session.run(names, asked), strict=True))
