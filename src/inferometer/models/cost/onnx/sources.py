"""Follows the constants of an ONNX graph to the operators that use them, whatever unpacks them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferometer.models.cost.onnx.node import (
    FILLED,
    RANDOM,
    UNKNOWN,
    Node,
    OnnxDamagedError,
    bodies,
    operator_of,
)
from inferometer.models.cost.onnx.operators import RULES
from inferometer.models.cost.onnx.places import MASKS, PRODUCTS, SHAPING, STATISTICS, WEIGHTS
from inferometer.models.cost.onnx.tensor import Tensor, sparse_bytes
from inferometer.models.cost.onnx.values import is_marked

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, SparseTensorProto, TensorProto

UNPACKING = ("DequantizeLinear", "com.microsoft.DequantizeLinear")
PACKED = "com.microsoft.MatMulNBits"
"""Its matrix has several narrow elements in a byte."""

_PACKED_BITS = (1, 2, 4, 8)

RANGE = "Range"
MAKING = frozenset({*RANDOM, *FILLED, "ConstantOfShape", "EyeLike", RANGE})
"""Operators that make a tensor of a shape, or of its ends."""

SPREADING = ("Expand", "Tile")
"""These make a tensor of a single number."""

_PASSING = (
    "Cast CastLike Dropout Expand Flatten Identity Pad Reshape Slice Split Squeeze Tile Transpose "
    "Trilu Unsqueeze"
)
PASSING = frozenset(_PASSING.split()).union(UNPACKING)
"""Operators that give what they take in another form, however a call decides which part of it."""

BRANCHES = "If"

_PLAIN = {"value_float": 1, "value_floats": 1, "value_int": 7, "value_ints": 7}
"""Ways to write a constant without a tensor, and the number of the type that it has then."""


@dataclass(kw_only=True, eq=False)
class Source:
    """A constant tensor of a file, or one that an operator makes of nothing but a shape.

    Attributes:
        kind: number of its element type in ONNX.
        elements: how many it holds; of a sparse one those that are stored.
        size_bytes: as it is stored.
        rank: how many axes it has.
        is_mask: whether its values only hide and show.
        made: name of the result, where an operator makes it; else empty.
        is_range: whether it counts up, as positions do.
        origins: the single number that it repeats.
        roles: operators that take it, or `buffer`, `shape` or `mask`.
        uses: how many inputs it is.
        unpacked: whether it is quantised, and becomes floating numbers.
        multiplied: whether it ends in a matrix product, or the like.
        bits: of an element, where several share a byte; else None.
    """

    kind: int
    elements: int
    size_bytes: int
    rank: int
    is_mask: bool = False
    made: str = ""
    is_range: bool = False
    origins: tuple[Source, ...] = ()
    roles: set[str] = field(default_factory=set)
    uses: int = 0
    unpacked: bool = False
    multiplied: bool = False
    bits: int | None = None

    @property
    def is_stored(self) -> bool:
        """Whether the file holds it."""
        return not self.made


@dataclass(frozen=True, kw_only=True)
class MadeWeight:
    """A tensor that is a weight, and that operators make.

    Attributes:
        sources: what they make it of.
        kind: number of its element type in ONNX.
        elements: how many it holds.
    """

    sources: frozenset[Source]
    kind: int
    elements: int


@dataclass(kw_only=True)
class Trace:
    """Goes through a graph and the graphs in it, and notes what becomes of each constant.

    Attributes:
        tensors: what is known of the graph's tensors.
        sources: all constants, in the order of the graph.
        made: weights that operators make, each time one is used.
        made_sources: all that operators make.
    """

    tensors: Mapping[str, Tensor]
    sources: list[Source] = field(default_factory=list)
    made: list[MadeWeight] = field(default_factory=list)
    made_sources: list[Source] = field(default_factory=list)
    _known: dict[str, tuple[Source, ...]] = field(default_factory=dict)

    def graph(self, graph: GraphProto) -> None:
        """Follow what a graph holds."""
        for tensor in graph.initializer:
            self._store(tensor.name, _stored(tensor))
        for sparse in graph.sparse_initializer:
            self._store(sparse.values.name, _stored_sparse(sparse))
        for proto in graph.node:
            self._node(Node(proto, self.tensors))

    def _store(self, name: str, source: Source) -> None:
        self.sources.append(source)
        self._known[name] = (source,)

    def _node(self, node: Node) -> None:
        proto, operator = node.proto, node.operator
        names = [name for name in proto.input if name]
        known = all(name in self._known for name in names)
        first = self._known.get(proto.input[0]) if proto.input else None
        if operator == "Constant":
            self._written(proto)
        elif operator == BRANCHES:
            self._branches(node)
        elif operator in MAKING and proto.output:
            self._make(node, ())
        elif operator in SPREADING and first and sum(one.elements for one in first) == 1:
            self._make(node, first)
        elif operator in PASSING and first:
            self._pass(node, every=known)
        elif names and known and not list(bodies(proto)):
            self._pass(node, every=True)
        else:
            self._use(node)
            for body in bodies(proto):
                self._inside(body, operator)

    def _written(self, proto: NodeProto) -> None:
        """A constant that stands among the operators."""
        for one in proto.attribute:
            if one.HasField("t"):
                self._store(proto.output[0], _stored(one.t))
            elif one.HasField("sparse_tensor"):
                self._store(proto.output[0], _stored_sparse(one.sparse_tensor))
            elif one.name in _PLAIN:
                values = [*one.ints, *one.floats]
                known = Tensor(_PLAIN[one.name], (len(values),) if one.name.endswith("s") else ())
                self._store(proto.output[0], _plain(known))
            else:
                self._known.setdefault(proto.output[0], ())

    def _make(self, node: Node, origins: tuple[Source, ...]) -> None:
        """A tensor that an operator makes of a shape, or of a number."""
        name = next(filter(None, node.proto.output), "")
        tensor = self.tensors.get(name, UNKNOWN)
        made = Source(
            kind=tensor.kind,
            elements=tensor.elements,
            size_bytes=tensor.size_bytes,
            rank=len(tensor.dims or ()),
            made=name,
            is_range=node.operator == RANGE,
            origins=origins,
        )
        self._known[name] = (made,)
        self.made_sources.append(made)

    def _pass(self, node: Node, *, every: bool) -> None:
        """What a node gives is what it takes, in another form."""
        passed: list[Source] = []
        for place, name in enumerate(node.proto.input):
            role = _aside(node, place)
            found = self._known.get(name, ())
            if role is not None:
                _note(found, role)
            elif every or place == 0:
                passed += found
        for one in passed:
            one.unpacked |= node.operator in UNPACKING
        for name in filter(None, node.proto.output):
            self._known[name] = tuple(dict.fromkeys(passed))

    def _use(self, node: Node) -> None:
        """A node that a call computes: what it takes of constants is used as what it is there."""
        for place, name in enumerate(node.proto.input):
            found = self._known.get(name, ())
            role = _aside(node, place)
            if role is not None:
                _note(found, role)
            else:
                self._weigh(node, place, name, found)
            if node.operator == PACKED and place == 1:
                bits = node.attribute("bits", 4)
                if bits not in _PACKED_BITS:
                    raise OnnxDamagedError(f"{PACKED} has no weights of so many bits")
                for one in found:
                    one.bits = int(bits)

    def _weigh(self, node: Node, place: int, name: str, found: tuple[Source, ...]) -> None:
        """Something that is computed with: a weight, where it takes a weight's place."""
        stored = [one for one in found if one.is_stored and one.elements > 1]
        weights = [one for one in stored if not one.is_mask]
        _note(weights or stored, node.operator)
        if node.operator in RULES and RULES[node.operator].kind in PRODUCTS:
            for one in weights or stored:
                one.multiplied = True
        _note([one for one in stored if weights and one.is_mask], "mask")
        _note([one for one in found if one.is_stored and one.elements <= 1], node.operator)
        made = [one for one in found if not one.is_stored]
        if made and not weights and _is_weight(node, place, made):
            tensor = self.tensors.get(name, UNKNOWN)
            elements = max(tensor.elements, sum(one.elements for one in made))
            self.made.append(
                MadeWeight(sources=frozenset(made), kind=tensor.kind, elements=elements)
            )
        else:
            _note([one for single in made for one in single.origins], node.operator)

    def _branches(self, node: Node) -> None:
        """What either branch gives may be what the node gives."""
        self._use(node)
        results: list[list[Source]] = [[] for _ in node.proto.output]
        for body in bodies(node.proto):
            for place, found in enumerate(self._inside(body)[: len(results)]):
                results[place] += found
        for name, either in zip(node.proto.output, results, strict=True):
            if name and either:
                self._known[name] = tuple(dict.fromkeys(either))

    def _inside(self, body: GraphProto, role: str = "") -> list[tuple[Source, ...]]:
        """Follow a graph in a node; gives the constants behind its results.

        Graphs side by side may have constants of the same name, which are others.
        """
        around, self._known = self._known, dict(self._known)
        for value in body.input:
            self._known.pop(value.name, None)
        self.graph(body)
        found = [self._known.get(value.name, ()) for value in body.output]
        self._known = around
        if role:
            for one in found:
                _note(one, role)
        return found


def _aside(node: Node, place: int) -> str | None:
    """What an input is, where it is none of the operands; None for an operand."""
    if place in STATISTICS.get(node.operator, ()):
        return "buffer"
    if node.operator in SHAPING and place > 0:
        return "shape"
    return "mask" if place in MASKS.get(node.operator, ()) else None


def _is_weight(node: Node, place: int, made: Iterable[Source]) -> bool:
    """Whether what operators make is a weight where it stands."""
    places = WEIGHTS.get(node.operator, ())
    counts_up = any(one.is_range for one in made)
    return place in places and not (counts_up and place == 0)


def _note(sources: Iterable[Source], role: str) -> None:
    for one in sources:
        one.roles.add(role)
        one.uses += 1


def _stored(tensor: TensorProto) -> Source:
    known = Tensor(tensor.data_type, tuple(tensor.dims))
    return _plain(known, is_mask=is_marked(tensor))


def _plain(known: Tensor, *, is_mask: bool = False) -> Source:
    return Source(
        kind=known.kind,
        elements=known.elements,
        size_bytes=known.size_bytes,
        rank=len(known.dims or ()),
        is_mask=is_mask,
    )


def _stored_sparse(sparse: SparseTensorProto) -> Source:
    return Source(
        kind=sparse.values.data_type,
        elements=Tensor(0, tuple(sparse.values.dims)).elements,
        size_bytes=sparse_bytes(sparse),
        rank=len(sparse.dims),
        is_mask=is_marked(sparse.values),
    )


def sparse_tensors(graph: GraphProto) -> Iterator[SparseTensorProto]:
    """Every sparse constant of a graph, and of those in it."""
    yield from graph.sparse_initializer
    for node in graph.node:
        if operator_of(node) == "Constant":
            yield from (
                one.sparse_tensor for one in node.attribute if one.HasField("sparse_tensor")
            )
        for body in bodies(node):
            yield from sparse_tensors(body)
