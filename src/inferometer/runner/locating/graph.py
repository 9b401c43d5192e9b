"""An ONNX file as a row of operators, in an order that its structure alone decides."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING

from inferometer.models.cost.onnx.file import open_onnx
from inferometer.models.cost.onnx.node import needed, operator_of, real_inputs

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

QUANTISING = frozenset({"QuantizeLinear", "DequantizeLinear"})
"""Belong to the operator around which they stand."""
PASSIVE = QUANTISING | {"Cast", "Identity"}
"""Change nothing but types, so that nobody looks for a fault in them."""
TELLING = 8
"""Constant elements from which on an operator is known by them."""


@dataclass(frozen=True, kw_only=True)
class Operator:
    """A node whose outputs depend on the inputs of the graph.

    Attributes:
        place: in the order of the graph.
        name: of the node, else of its first output.
        kind: of the operator, such as `Conv`.
        inputs: tensors that it reads, those of the graphs inside of it too.
        outputs: tensors that it gives; empty names are outputs left out.
        weights: digest of its constants; empty where they are too few to know it by.
        whole: digest of its kind, attributes and constants.
        node: in the file.
    """

    place: int
    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weights: str
    whole: str
    node: NodeProto


class Graph:
    """The operators of a file.

    Attributes:
        model: the file, with its weights.
        inputs: names of the tensors that a caller gives.
        outputs: names of those that it gets.
        constants: names of tensors that depend on no input.
        operators: depth first from the outputs, each after those that it needs.
        producers: operators by the names of their outputs.
    """

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.inputs = tuple(str(one.name) for one in real_inputs(model.graph))
        self.outputs = tuple(str(one.name) for one in model.graph.output)
        self._nodes = {name: node for node in model.graph.node for name in node.output if name}
        self._digests: dict[str, tuple[str, int]] = {}
        for tensor in model.graph.initializer:
            self._digests[tensor.name] = _digest_of(tensor), math.prod(tensor.dims)
        for sparse in model.graph.sparse_initializer:
            text = hashlib.sha256(sparse.SerializeToString(deterministic=True)).hexdigest()
            self._digests[sparse.values.name] = text, math.prod(sparse.values.dims)
        ordered = enumerate(self.behind(self.outputs))
        self.operators = [one for one in starmap(self._operator, ordered) if one is not None]
        self.constants = frozenset(self._digests)
        self.producers = {name: one for one in self.operators for name in one.outputs if name}
        self._readers: dict[str, list[Operator]] = defaultdict(list)
        for one in self.operators:
            for name in one.inputs:
                self._readers[name].append(one)

    def readers(self, name: str) -> Sequence[Operator]:
        """Operators that read a tensor."""
        return self._readers.get(name, [])

    def rounded(self, name: str) -> str:
        """What is read of a tensor: where it is quantised, what comes out of both operators."""
        at = name
        for kind in ("QuantizeLinear", "DequantizeLinear"):
            readers = self.readers(at)
            if at in self.outputs or len(readers) != 1 or readers[0].kind != kind:
                return name
            at = readers[0].outputs[0]
        return at

    def behind(self, names: Iterable[str]) -> list[NodeProto]:
        """Nodes that give tensors, each after those that it needs.

        Without recursion, since graphs are deep.
        """
        found: list[NodeProto] = []
        entered: set[int] = set()
        waiting = [(name, False) for name in reversed(list(names))]
        while waiting:
            name, is_ready = waiting.pop()
            node = self._nodes.get(name)
            if node is not None and is_ready:
                found.append(node)
            elif node is not None and id(node) not in entered:  # hostile graphs go in circles
                entered.add(id(node))
                waiting.append((name, True))
                waiting += [(one, False) for one in reversed(list(needed(node)))]
        return found

    def _operator(self, place: int, node: NodeProto) -> Operator | None:
        """None for a node that gives constants, whose digests are noted."""
        outputs, inputs = tuple(map(str, node.output)), tuple(dict.fromkeys(needed(node)))
        constants = [self._digests[name] for name in inputs if name in self._digests]
        places = [self._digests.get(name, ("", 0))[0] for name in node.input]
        said = sorted(one.SerializeToString(deterministic=True) for one in node.attribute)
        elements = sum(count for _, count in constants)
        whole = _digest(repr((operator_of(node), places, said)))
        if not any(self._varies(name) for name in inputs):
            held = elements if inputs else sum(map(len, said))
            self._digests |= {name: (f"{whole}/{at}", held) for at, name in enumerate(outputs)}
            return None
        return Operator(
            place=place,
            name=str(node.name) or next(filter(None, outputs), ""),
            kind=operator_of(node),
            inputs=inputs,
            outputs=outputs,
            weights=_digest(repr(constants)) if elements >= TELLING else "",
            whole=whole,
            node=node,
        )

    def _varies(self, name: str) -> bool:
        """Whether a tensor depends on inputs; names of graphs inside of nodes are neither."""
        return name in self.inputs or (name in self._nodes and name not in self._digests)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read_graph(path: Path) -> Graph:
    """The graph of a file, with its weights; those in other files must lie in its folder.

    Raises:
        WorkloadError: the file is damaged, or too large.
    """
    import onnx

    open_onnx(path)
    return Graph(onnx.load_model(str(path)))


def _digest_of(tensor: TensorProto) -> str:
    from onnx import numpy_helper

    array = numpy_helper.to_array(tensor)
    found = hashlib.sha256(f"{array.dtype} {array.shape}".encode())
    found.update(array.tobytes())
    return found.hexdigest()
