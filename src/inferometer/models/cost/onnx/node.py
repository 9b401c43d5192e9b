"""One node of an ONNX graph, with the shapes of what it takes and gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import InferometerError, WorkloadError, is_out_of_memory
from inferometer.core.shown import shown
from inferometer.models.cost.onnx.tensor import Tensor
from inferometer.models.failures import fault
from inferometer.models.guards.refusal import reason_of_reader

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

STANDARD = ("", "ai.onnx")
UNKNOWN = Tensor()

FILLED = ("ConstantFill", "GivenTensorFill")
"""Operators of opsets before 7 that make a tensor of the shape that an attribute says."""

_RANDOM = "Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike"
RANDOM = frozenset(_RANDOM.split())
"""Operators that give something else in each call, whatever they take."""


def operator_of(proto: NodeProto) -> str:
    """`Conv`, or with the domain where that is not the standard's: `com.microsoft.Gelu`."""
    domain = proto.domain
    return str(proto.op_type) if domain in STANDARD else f"{domain}.{proto.op_type}"


def needed(node: NodeProto) -> Iterator[str]:
    """Names that a node needs, those of the graphs inside of it too."""
    yield from filter(None, node.input)
    for body in bodies(node):
        yield from (value.name for value in body.output)
        for within in body.node:
            yield from needed(within)


def bodies(node: NodeProto) -> Iterator[GraphProto]:
    """The graphs inside of a node."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def real_inputs(graph: GraphProto) -> list[Any]:
    """Inputs that a caller gives; old files list their weights among them."""
    weights = {tensor.name for tensor in graph.initializer}
    weights |= {sparse.values.name for sparse in graph.sparse_initializer}
    return [value for value in graph.input if value.name not in weights]


class OnnxDamagedError(ValueError):
    """Something in a file is not what ONNX says; the message is the reason, without the file."""


@contextmanager
def library() -> Iterator[None]:
    """Turn what a library makes of a damaged file into a reason.

    Raises:
        OnnxDamagedError: the library raised, for any reason but missing memory.
    """
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise OnnxDamagedError(reason_of_reader(error)) from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what is wrong with a file into a failure that names it, and our own faults into ours.

    Raises:
        WorkloadError: (bad_model) the file is damaged; (crash) our own code failed.
    """
    try:
        yield
    except InferometerError:
        raise
    except (OnnxDamagedError, UnicodeDecodeError) as error:  # texts are decoded when they are read
        raise WorkloadError("bad_model", f"{shown(path)}: {shown(error)}") from error
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise fault(str(path), error) from error


class ShapeUnknown(Exception):  # noqa: N818 - not an error: the node is then named as unknown
    """A shape that is needed is not known, or an input is not given."""


@dataclass(frozen=True)
class Node:
    """A node where it stands.

    Attributes:
        proto: the node.
        tensors: what is known of the graph's tensors.
    """

    proto: NodeProto
    tensors: Mapping[str, Tensor]

    @property
    def operator(self) -> str:
        """The name of its operator."""
        return operator_of(self.proto)

    @property
    def outputs(self) -> list[Tensor]:
        """Its outputs."""
        return [self.tensors.get(name, UNKNOWN) for name in self.proto.output if name]

    def has(self, place: int) -> bool:
        """Whether it has that input."""
        return place < len(self.proto.input) and bool(self.proto.input[place])

    def dims(self, place: int) -> tuple[int, ...]:
        """Shape of an input.

        Raises:
            ShapeUnknown: it is not known, or there is no such input.
        """
        found = self.tensors.get(self.proto.input[place], UNKNOWN).dims if self.has(place) else None
        if found is None:
            raise ShapeUnknown
        return found

    def made(self, place: int = 0) -> tuple[int, ...]:
        """Shape of an output.

        Raises:
            ShapeUnknown: it is not known.
        """
        names = self.proto.output
        found = self.tensors.get(names[place], UNKNOWN).dims if place < len(names) else None
        if found is None:
            raise ShapeUnknown
        return found

    def attribute(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - a number, a text, a list
        """Value of an attribute."""
        from onnx import helper

        for one in self.proto.attribute:
            if one.name == name:
                with library():
                    value = helper.get_attribute_value(one)
                return value.decode(errors="replace") if isinstance(value, bytes) else value
        return default
