"""Count the operations and bytes of an ONNX file from its graph: nothing in it is run."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.cost import Cost, Kind, OperatorCost
from inferometer.models.cost.formulas import Work
from inferometer.models.cost.onnx_file import read_onnx
from inferometer.models.cost.onnx_node import Node
from inferometer.models.cost.onnx_operators import RULES, VIEWS
from inferometer.models.cost.onnx_parameters import count_tensors, precision_of
from inferometer.models.cost.onnx_shapes import Shaped, bodies, inside, needed, real_inputs, shaped
from inferometer.models.cost.onnx_tensor import Tensor
from inferometer.models.failures import building

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

METHOD = "from the graph of the ONNX file, constants that follow from its shapes left out"
BRANCHES = "If"
REPEATED = ("Loop", "Scan")
GATHERED = ("Gather", "GatherElements", "GatherND", "Slice")
"""These read as much of their table as they choose."""

SCOPES = "pkg.torch.onnx.name_scopes"
"""Where torch's exporter writes the modules that a node belongs to."""

LONGEST_SCOPES = 10_000
NO_WORK = Work(0)


@dataclass(frozen=True, kw_only=True)
class OnnxCost:
    """What an ONNX file costs.

    Attributes:
        cost: operations and bytes of one call.
        parameters: fields of `ParameterCount` that a file tells.
        precision: of most of its weights: `fp32`, `int8` …
        input_shape: for people.
        files: the file, and those that hold its weights.
        notes: what a reader of the figures should know.
    """

    cost: Cost
    parameters: Mapping[str, Any]
    precision: str
    input_shape: str
    files: tuple[str, ...]
    notes: tuple[str, ...]


def count_onnx(path: Path, *, batch_size: int, input_size: int | None) -> OnnxCost:
    """Count one call of an ONNX file.

    Args:
        path: the file; weights outside of it must lie in its folder.
        batch_size: inputs in the call.
        input_size: length of the axes that are open, besides the batch's; None where none is.

    Raises:
        WorkloadError: (bad_model) the file is damaged; (unsupported) it was made for another shape.
    """
    with building(str(path)):  # a damaged file breaks one of the libraries below somewhere
        model, files = read_onnx(path)
        found = shaped(model, path, batch_size=batch_size, input_size=input_size)
        return _counted(found, files)


def _counted(found: Shaped, files: tuple[str, ...]) -> OnnxCost:
    graph = found.model.graph
    walk = _Walk(found=found)
    inputs = [value.name for value in real_inputs(graph)]
    peak = walk.graph(graph)
    sizes = {name: tensor.size_bytes for name, tensor in found.tensors.items()}
    cost = Cost(
        operators=walk.operators(),
        input_bytes=sum(sizes.get(name, 0) for name in inputs),
        output_bytes=sum(sizes.get(value.name, 0) for value in graph.output),
        weight_bytes=sum(walk.read_weights.values()),
        activation_bytes=walk.written_bytes,
        activation_peak_bytes=peak,
        method=METHOD,
    )
    shapes = [(name, "x".join(map(str, found.tensors[name].dims or ()))) for name in inputs]
    one = len(shapes) == 1
    return OnnxCost(
        cost=cost,
        parameters=count_tensors(graph),
        precision=precision_of(graph),
        input_shape=", ".join(shape if one else f"{name}={shape}" for name, shape in shapes)
        or "none",
        files=files,
        notes=(*found.notes, *walk.notes()),
    )


@dataclass(kw_only=True)
class _Sum:
    """Calls of one operator in one module."""

    kind: Kind
    calls: int = 0
    macs: int = 0
    elementwise_flops: int = 0
    bytes_read: int = 0
    bytes_written: int = 0


@dataclass(kw_only=True)
class _Walk:
    """Goes through a graph and the graphs in it, and adds up.

    Attributes:
        found: shapes and constants.
        read_weights: bytes of each constant tensor that were read.
        written_bytes: of all results.
        repeated: names of loops, whose bodies were counted once.
        branches: how many conditions only a call decides.
    """

    found: Shaped
    read_weights: Counter[str] = field(default_factory=Counter)
    written_bytes: int = 0
    repeated: Counter[str] = field(default_factory=Counter)
    branches: int = 0
    _sums: dict[tuple[str, str, Kind], _Sum] = field(default_factory=dict)
    _weights: set[str] = field(default_factory=set)
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
        self._weights |= {tensor.name for tensor in graph.initializer}
        last = self._last_uses(graph)
        kept = {self._root(value.name) for value in graph.output}
        alive: dict[str, int] = {}
        live = peak = 0
        for place, proto in enumerate(graph.node):
            within = self._node(proto)
            if proto.op_type not in VIEWS and proto.op_type != "Constant":
                for name in filter(None, proto.output):
                    alive[name] = self._of(name).size_bytes
                    live += alive[name]
            peak = max(peak, live + within)
            for name in last[place]:
                if name not in kept:
                    live -= alive.pop(name, 0)
        return peak

    def _last_uses(self, graph: GraphProto) -> dict[int, list[str]]:
        """Which results nobody needs after each node; a view keeps what it looks at."""
        last: dict[str, int] = {}
        for place, proto in enumerate(graph.node):
            if proto.op_type in VIEWS and proto.input:
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
        return self.found.tensors.get(name, Tensor())

    def _node(self, proto: NodeProto) -> int:
        """Count a node; gives the most bytes that graphs inside of it hold alive."""
        if proto.op_type == "Constant":
            self._weights.update(proto.output)
            return 0
        graphs = list(bodies(proto))
        if proto.op_type == BRANCHES and graphs:
            return self._dearer(graphs)
        if proto.op_type in REPEATED and graphs:
            self.repeated[proto.op_type] += 1
            self._add(proto, "unknown")
            return self._body(graphs[0])
        node = Node(proto, self.found.tensors)
        rule = RULES.get(node.operator)
        work = None if rule is None else rule.of(node)
        if rule is None or work is None:
            self._add(proto, "unknown")
        else:
            self._add(proto, rule.kind, work)
        return 0

    def _dearer(self, branches: list[GraphProto]) -> int:
        """Count the branch that multiplies more: which one is taken, only a call decides."""
        self.branches += 1
        tries: list[tuple[int, int]] = []
        for number, branch in enumerate(branches):
            alone = _Walk(found=self.found, _weights=set(self._weights))
            alone._body(branch)
            tries.append((sum(one.macs for one in alone.operators()), number))
        return self._body(branches[max(tries)[1]])

    def _body(self, graph: GraphProto) -> int:
        """Count a graph in a node; gives the most bytes of its results alive at a time."""
        around = self.found
        self.found = inside(around, graph)
        try:
            return self.graph(self.found.model.graph)
        finally:
            self.found = around

    def _add(self, proto: NodeProto, kind: Kind, work: Work = NO_WORK) -> None:
        node = Node(proto, self.found.tensors)
        key = (node.operator, module_of(proto), kind)
        total = self._sums.setdefault(key, _Sum(kind=kind))
        total.calls += 1
        total.macs += work.macs
        total.elementwise_flops += work.elementwise_flops
        if proto.op_type in VIEWS:
            return
        written = sum(one.size_bytes for one in node.outputs)
        for name in dict.fromkeys(filter(None, proto.input)):
            whole = self._of(name).size_bytes
            read = min(whole, written) if proto.op_type in GATHERED else whole
            total.bytes_read += read
            if name in self._weights:
                self.read_weights[name] = min(whole, self.read_weights[name] + read)
        total.bytes_written += written
        self.written_bytes += written


def module_of(proto: NodeProto) -> str:
    """Dotted path of the module that a node came from, as its exporter wrote it down; else empty.

    torch's newer exporter keeps a list of scopes, the node itself last; the older one, and others,
    make paths of names: `/layer1/layer1.0/conv1/Conv`.
    """
    for entry in getattr(proto, "metadata_props", ()):
        if entry.key == SCOPES and len(entry.value) <= LONGEST_SCOPES:
            try:
                scopes = ast.literal_eval(entry.value)
                return str(scopes[-2])
            except (ValueError, SyntaxError, LookupError, TypeError, MemoryError, RecursionError):
                return ""
    path = ""
    for part in proto.name.split("/")[:-1]:
        inside = part.removeprefix(f"{path}.") if path else part
        path = ".".join(filter(None, (path, inside)))
    return path
