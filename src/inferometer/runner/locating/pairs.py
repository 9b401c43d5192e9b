"""Tensors of two graphs that should be equal, and which operator is to blame where they are not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from inferometer.core.fidelity import Change
from inferometer.runner.locating.graph import PASSIVE, QUANTISING, Graph, Operator
from inferometer.runner.locating.matching import Key, aligned

Operators = tuple[Operator, ...]
Tensors = Mapping[str, str]
"""From tensors of the file that is judged, inputs among them, to those of the reference."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A tensor of the file that is judged, and the one of the reference that it stands for.

    Attributes:
        ours: its name.
        theirs: that of the reference.
        name: of the operator that gives it, in the file that is judged.
        operators: from which it follows where all that are fed are given; none where it is fed.
        blamed: what is to blame where both differ; of the reference, unless it was inserted.
        change: what became of that; None where it is there, and computes something else.
    """

    ours: str
    theirs: str
    name: str
    operators: Operators
    blamed: Operator
    change: Change | None


class Matches:
    """What stands for what in two graphs.

    Args:
        bad: the graph that is judged.
        good: the reference.

    Attributes:
        tensors: those that stand for each other.
    """

    def __init__(self, bad: Graph, good: Graph) -> None:
        self._bad, self._good = bad, good
        ours, theirs = (
            [one for one in graph.operators if one.kind not in QUANTISING] for graph in (bad, good)
        )
        found = aligned([_key(one) for one in ours], [_key(one) for one in theirs])
        self._operators = [(ours[row], theirs[column]) for row, column in found]
        self._known = {id(one) for both in self._operators for one in both}
        self.tensors = dict(zip(bad.inputs, good.inputs, strict=False))
        self.tensors |= {name: name for name in bad.inputs if name in good.inputs}
        self.tensors |= {name: named for _, _, name, named in self._outputs()}

    def pairs(self, fed: Tensors) -> list[Pair]:
        """What is to be compared, in the order of the graph; outputs of the whole last.

        Args:
            fed: tensors that get the values of those of the reference.
        """
        found = [
            self._pair(name, named, fed, one, other) for one, other, name, named in self._outputs()
        ]
        for name, named in zip(self._bad.outputs, self._good.outputs, strict=False):
            producer = self._good.producers.get(named)
            if self.tensors.get(name) != named and producer and name in self._bad.producers:
                found.append(self._pair(name, named, fed, None, producer))
        return found

    def _outputs(self) -> Iterator[tuple[Operator, Operator, str, str]]:
        """Operators that stand for each other, with each output of both."""
        for one, other in self._operators:
            for name, named in zip(one.outputs, other.outputs, strict=False):
                if name and named:
                    there = self._normalised(named) if one.weights != other.weights else named
                    yield one, other, self._bad.rounded(name), self._good.rounded(there)

    def _normalised(self, named: str) -> str:
        """A tensor of the reference, after a batch normalisation that the other side lacks.

        Some tools fold it into the weights before, whose output keeps its name.
        """
        readers = self._good.readers(named)
        is_one = len(readers) == 1 and readers[0].kind == "BatchNormalization"
        return readers[0].outputs[0] if is_one and id(readers[0]) not in self._known else named

    def _pair(
        self, name: str, named: str, fed: Tensors, one: Operator | None, other: Operator
    ) -> Pair:
        ours = () if one is None and name in fed else _behind(self._bad, name, fed)
        theirs = _behind(self._good, named, {*fed.values(), *self._good.inputs})
        blamed, change = self._blamed(one, other, ours, theirs)
        return Pair(
            ours=name,
            theirs=named,
            name=next((at.name for at in reversed(ours) if at.kind not in PASSIVE), other.name),
            operators=ours,
            blamed=blamed,
            change=change,
        )

    def _blamed(
        self, one: Operator | None, other: Operator, ours: Operators, theirs: Operators
    ) -> tuple[Operator, Change | None]:
        """What is to blame: where both are the same, what stands before one of them alone."""
        left_out, inserted = self._unknown(theirs), self._unknown(ours)
        quantises = _quantises(ours) and not _quantises(theirs)
        is_same = one is None or (one.whole == other.whole and not quantises)
        if is_same and left_out:
            return left_out[0], "replaced" if inserted else "left out"
        if is_same and inserted:
            return inserted[0], "inserted"
        folded = [at for at in left_out if one and at.kind == one.kind != other.kind]
        return (*folded, other)[0], None

    def _unknown(self, operators: Operators) -> list[Operator]:
        """Those that stand for none of the other side, in the order of the graph."""
        return [one for one in operators if id(one) not in self._known and one.kind not in PASSIVE]


def _behind(graph: Graph, name: str, given: Collection[str]) -> Operators:
    """Operators that a tensor follows from where some are given, each after those it needs."""
    found: dict[int, Operator] = {}
    waiting = [graph.producers[name]] if name in graph.producers else []
    while waiting:
        one = waiting.pop()
        if id(one) not in found:
            found[id(one)] = one
            inner = (at for at in one.inputs if at not in given and at in graph.producers)
            waiting += [graph.producers[at] for at in inner]
    return tuple(sorted(found.values(), key=lambda one: one.place))


def _quantises(operators: Operators) -> bool:
    return any(one.kind in QUANTISING for one in operators)


def _key(one: Operator) -> Key:
    weights = f"{one.kind} {one.weights}" if one.weights else ""
    return Key(kind=one.kind, weights=weights, output=one.outputs[0], name=str(one.node.name))
