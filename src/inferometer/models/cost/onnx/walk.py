"""Goes through an ONNX graph with shapes and adds up what its operators cost."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from inferometer.core.cost import Kind, OperatorCost
from inferometer.models.cost.formulas import Work
from inferometer.models.cost.onnx.node import (
    FILLED,
    RANDOM,
    STANDARD,
    UNKNOWN,
    Node,
    bodies,
    needed,
    operator_of,
)
from inferometer.models.cost.onnx.operators import RULES, VIEWS
from inferometer.models.cost.onnx.shapes import Shaped, inside
from inferometer.models.cost.onnx.tensor import Tensor, sparse_bytes

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

BRANCHES = "If"
REPEATED = ("Loop", "Scan")
EMBEDDING = "com.microsoft.EmbedLayerNormalization"
FROM_SHAPES = ("EyeLike", "Shape", "Size")
"""What these give follows from the shape of what they take."""

KNOWN_DOMAINS = (*STANDARD, "com.microsoft")
GATHERED = ("Gather", "GatherElements", "GatherND", "Slice", EMBEDDING)
"""These read as much of their table as they choose."""

SCOPES = "pkg.torch.onnx.name_scopes"
"""Where torch's exporter writes the modules that a node belongs to."""

LONGEST = 10_000
"""Letters of a name, or of scopes, that are looked at."""

DEEPEST = 100
"""Modules in a path; one of more is none."""

NO_WORK = Work(0)


@dataclass(kw_only=True)
class _Sum:
    """Calls of one operator in one module."""

    kind: Kind
    calls: int = 0
    macs: int = 0
    elementwise_flops: int = 0
    bytes_read: int = 0
    bytes_written: int = 0


class _Constant(NamedTuple):
    """A constant tensor: of which graph, in the order of visits, and how large as it is kept."""

    graph: int
    name: str
    size_bytes: int
    elements: int


@dataclass(kw_only=True)
class Walk:
    """Goes through a graph and the graphs in it, and adds up.

    Attributes:
        found: shapes and constants.
        is_closed: whether the graph has no inputs; its products are then all that a call does.
        made_weights: results of operators that make weights, which are kept between calls.
        read_weights: bytes of each constant tensor that were read.
        written_bytes: of all results.
        repeated: names of loops, whose bodies were counted once.
        branches: how many conditions only a call decides.
        graphs: how many graphs were visited.
    """

    found: Shaped
    made_weights: frozenset[str] = frozenset()
    is_closed: bool = False
    read_weights: Counter[_Constant] = field(default_factory=Counter)
    written_bytes: int = 0
    repeated: Counter[str] = field(default_factory=Counter)
    branches: int = 0
    graphs: int = 0
    _sums: dict[tuple[str, str, Kind], _Sum] = field(default_factory=dict)
    _constants: dict[str, tuple[_Constant, ...]] = field(default_factory=dict)
    _memory: dict[str, str] = field(default_factory=dict)

    def operators(self) -> tuple[OperatorCost, ...]:
        """Everything counted so far."""
        return tuple(
            OperatorCost(operator=name, module=module, **vars(total))
            for (name, module, _), total in self._sums.items()
        )

    def notes(self) -> tuple[str, ...]:
        """What could not be decided from the file."""
        loops = [
            f"the body of {name} is counted once, however often it runs ({times} in the graph)"
            for name, times in self.repeated.items()
        ]
        if not self.branches:
            return tuple(loops)
        both = "a condition depends on values: the branch that multiplies more is counted"
        return (*loops, f"{both} ({self.branches} in the graph)")

    def graph(self, graph: GraphProto) -> int:
        """Count a graph; gives the most bytes of its results alive at a time."""
        self.graphs += 1
        for tensor in graph.initializer:
            self._keep(tensor.name)
        for sparse in graph.sparse_initializer:
            self._keep(sparse.values.name, sparse_bytes(sparse))
        last = self._last_uses(graph)
        kept = {self._root(value.name) for value in graph.output}
        alive: dict[str, int] = {}
        live = peak = 0
        for place, proto in enumerate(graph.node):
            peak = max(peak, live + self._node(proto))
            for name in filter(None, proto.output):
                if operator_of(proto) not in VIEWS and name not in self._constants:
                    alive[name] = self._of(name).size_bytes
                    live += alive[name]
            peak = max(peak, live)
            for name in last[place]:
                if name not in kept:
                    live -= alive.pop(name, 0)
        return peak

    def _last_uses(self, graph: GraphProto) -> dict[int, list[str]]:
        """Which results nobody needs after each node; a view keeps what it looks at."""
        last: dict[str, int] = {}
        for place, proto in enumerate(graph.node):
            if operator_of(proto) in VIEWS and proto.input:
                self._memory[proto.output[0]] = self._root(proto.input[0])
            for name in [*needed(proto), *proto.output]:
                last[self._root(name)] = place
        places: dict[int, list[str]] = defaultdict(list)
        for name, place in last.items():
            places[place].append(name)
        return places

    def _root(self, name: str) -> str:
        """The tensor whose memory a name stands for."""
        return self._memory.get(name, name)

    def _of(self, name: str) -> Tensor:
        return self.found.tensors.get(name, UNKNOWN)

    def _keep(self, name: str, size_bytes: int | None = None) -> None:
        """Take a tensor for a constant of its own, unless it is one of a graph around."""
        if name not in self._constants:
            tensor = self._of(name)
            kept = tensor.size_bytes if size_bytes is None else size_bytes
            self._constants[name] = (_Constant(self.graphs, name, kept, tensor.elements),)

    def _node(self, proto: NodeProto) -> int:
        """Count a node; gives the most bytes alive at a time while graphs inside of it run."""
        node = Node(proto, self.found.tensors)
        graphs = list(bodies(proto))
        if node.operator == "Constant":
            sparse = [one.sparse_tensor for one in proto.attribute if one.HasField("sparse_tensor")]
            for name in proto.output:
                self._keep(name, sparse_bytes(sparse[0]) if sparse else None)
        elif node.operator == BRANCHES and graphs:
            return self._dearer(graphs)
        elif node.operator in REPEATED and graphs:
            self.repeated[proto.op_type] += 1
            self._add(node, "unknown")
            return self.body(graphs[0]) + sum(one.size_bytes for one in node.outputs)
        else:
            self._plain(node)
        return 0

    def _plain(self, node: Node) -> None:
        if self._is_made(node):
            for name in filter(None, node.proto.output):
                self._keep(name)
            return
        rule = RULES.get(node.operator)
        work = None if rule is None else rule.of(node)
        products = bool(work and work.macs)
        if self._follows(node) and not (products and self.is_closed):
            self._derive(node, products=products)
        elif rule is None or work is None:
            self._add(node, "unknown")
        else:
            self._add(node, rule.kind, work)

    def _is_made(self, node: Node) -> bool:
        """Whether a node makes a weight, or something that follows from a shape that is known."""
        if node.operator in FROM_SHAPES and node.has(0):
            return self._of(node.proto.input[0]).dims is not None
        return node.operator in FILLED or not self.made_weights.isdisjoint(node.proto.output)

    def _follows(self, node: Node) -> bool:
        """Whether a node takes constants and nothing else: a runtime computes it once.

        What operators of others do nobody knows.
        """
        names = [name for name in node.proto.input if name]
        constant = bool(names) and all(name in self._constants for name in names)
        foreign = node.operator not in RULES and node.proto.domain not in KNOWN_DOMAINS
        return constant and node.operator not in RANDOM and not foreign

    def _derive(self, node: Node, *, products: bool) -> None:
        """Take the outputs of a node for constants.

        Where the node unpacks or turns some, such as narrow weights that become floating numbers,
        these are what is read; where it makes more of them, multiplies, chooses or reduces them,
        it is what is left.
        """
        taken = [name for name in node.proto.input if name]
        if node.operator in VIEWS:
            taken = taken[:1]
        stored = dict.fromkeys(one for name in taken for one in self._constants[name])
        size_bytes = sum(one.size_bytes for one in stored)
        elements = sum(one.elements for one in stored)
        for name in filter(None, node.proto.output):
            found = self._of(name)
            if not products and size_bytes <= found.size_bytes and found.elements <= elements:
                self._constants[name] = tuple(stored)
            else:
                self._keep(name)

    def _dearer(self, branches: list[GraphProto]) -> int:
        """Count the branch that multiplies more: which one is taken, only a call decides."""
        self.branches += 1
        tries = [self._apart() for _ in branches]
        peaks = [walk.body(branch) for walk, branch in zip(tries, branches, strict=True)]
        macs = [sum(one.macs for one in walk.operators()) for walk in tries]
        dearest = macs.index(max(macs))
        vars(self).update(vars(tries[dearest]))
        return peaks[dearest]

    def _apart(self) -> Walk:
        """A walk that goes on from here, and leaves this one where it is."""
        return replace(
            self,
            read_weights=Counter(self.read_weights),
            repeated=Counter(self.repeated),
            _sums=deepcopy(self._sums),
        )

    def body(self, graph: GraphProto) -> int:
        """Count a graph in a node; gives the most bytes of its results alive at a time.

        Graphs side by side may use the same names for other tensors.
        """
        around = self.found, self._constants, self._memory
        self.found = inside(self.found, graph)
        self._constants, self._memory = dict(self._constants), dict(self._memory)
        try:
            return self.graph(self.found.model.graph)
        finally:
            self.found, self._constants, self._memory = around

    def _add(self, node: Node, kind: Kind, work: Work = NO_WORK) -> None:
        key = (node.operator, module_of(node.proto), kind)
        total = self._sums.setdefault(key, _Sum(kind=kind))
        total.calls += 1
        total.macs += work.macs
        total.elementwise_flops += work.elementwise_flops
        if node.operator in VIEWS:
            return
        written = sum(one.size_bytes for one in node.outputs)
        total.bytes_read += self._read(node, written if node.operator in GATHERED else None)
        total.bytes_written += written
        self.written_bytes += written

    def _read(self, node: Node, most: int | None) -> int:
        """Bytes that a node reads, of each tensor this many at most; notes those of constants."""
        names = dict.fromkeys(filter(None, node.proto.input))
        constants = dict.fromkeys(one for name in names for one in self._constants.get(name, ()))
        sizes = [self._of(name).size_bytes for name in names if name not in self._constants]
        read = sum(size if most is None else min(most, size) for size in sizes)
        for one in constants:
            taken = one.size_bytes if most is None else min(most, one.size_bytes)
            self.read_weights[one] = min(one.size_bytes, self.read_weights[one] + taken)
            read += taken
        return read


def module_of(proto: NodeProto) -> str:
    """Dotted path of the module that a node came from, as its exporter wrote it down; else empty.

    torch's newer exporter keeps a list of scopes, the node itself last; the older one, and others,
    make paths of names: `/layer1/layer1.0/conv1/Conv`.
    """
    for entry in getattr(proto, "metadata_props", ()):
        if entry.key == SCOPES and len(entry.value) <= LONGEST:
            try:
                return _if_meant(str(ast.literal_eval(entry.value)[-2]))
            except (ValueError, SyntaxError, LookupError, TypeError, MemoryError, RecursionError):
                return ""
    path = ""
    for part in proto.name[:LONGEST].split("/")[:-1]:
        inside = part.removeprefix(f"{path}.") if path else part
        path = ".".join(filter(None, (path, inside)))
    return _if_meant(path)


def _if_meant(path: str) -> str:
    """A path that may be one of modules; nothing for one that is far too deep."""
    return path if path.count(".") < DEEPEST else ""
