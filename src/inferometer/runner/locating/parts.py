"""Parts of an ONNX graph as sessions of ONNX Runtime that optimise nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from inferometer.backends.onnxruntime.options import session_options
from inferometer.backends.onnxruntime.providers import PROVIDERS
from inferometer.backends.onnxruntime.session import opened
from inferometer.models.cost.onnx.node import needed
from inferometer.runner.locating.graph import Graph, Operator

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto
    from onnxruntime import InferenceSession

LARGE = 1_500_000_000
"""Bytes of weights from which on they lie beside the file: a message of protobuf ends at 2 GB."""
GIVEN = " (given)"
OWN = " (own)"
SHAPE = " (shape)"
_OLDEST_IR = 4
"""Before it, weights had to be among the inputs."""


class Type(NamedTuple):
    """A type of elements that NumPy has.

    Attributes:
        onnx: its name in ONNX.
        array: its name in NumPy.
    """

    onnx: str
    array: str

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers, or truth values."""
        return "float" not in self.array


_WHOLE = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
TYPES = {
    "tensor(float)": Type("FLOAT", "float32"),
    "tensor(double)": Type("DOUBLE", "float64"),
    "tensor(float16)": Type("FLOAT16", "float16"),
    "tensor(bool)": Type("BOOL", "bool"),
    **{f"tensor({name})": Type(name.upper(), name) for name in _WHOLE},
}
"""Types by the names that the runtime has for them."""


def with_outputs(graph: Graph, names: Iterable[str], *, threads: int) -> InferenceSession:
    """The whole graph, with some of its tensors as outputs.

    Raises:
        WorkloadError: the runtime refuses it.
    """
    import onnx

    outputs = [onnx.ValueInfoProto(name=name) for name in dict.fromkeys(names)]
    return _session(graph, graph.behind(graph.outputs), graph.model.graph.input, outputs, threads)


def with_shapes(graph: Graph, names: Iterable[str], *, threads: int) -> InferenceSession:
    """The whole graph, with the shapes of some of its tensors as outputs.

    Raises:
        WorkloadError: the runtime refuses it.
    """
    import onnx

    chosen = list(dict.fromkeys(names))
    nodes = graph.behind(graph.outputs)
    nodes += [onnx.helper.make_node("Shape", [name], [name + SHAPE]) for name in chosen]
    outputs = [onnx.ValueInfoProto(name=name + SHAPE) for name in chosen]
    return _session(graph, nodes, graph.model.graph.input, outputs, threads)


def fed(
    graph: Graph,
    operators: Mapping[int, Operator],
    *,
    given: Mapping[str, str],
    wanted: Sequence[str],
    threads: int,
) -> InferenceSession:
    """Some operators, each of which gets given tensors, whatever those before it give.

    Args:
        graph: of which they are.
        operators: by their places in the order of the graph.
        given: types of tensors that are given, by their names, as the runtime calls them.
        wanted: tensors that are asked for; one that is given too is called `NAME (given)`.
        threads: of the session.

    Raises:
        WorkloadError: the runtime refuses it.
    """
    import onnx

    read = {name for one in operators.values() for name in one.inputs}
    inputs = [one for one in graph.model.graph.input if one.name in read and one.name not in given]
    inputs += [
        onnx.helper.make_tensor_value_info(
            name, onnx.TensorProto.DataType.Value(TYPES[kind].onnx), None
        )
        for name, kind in given.items()
        if name in read
    ]
    nodes = graph.behind(sorted(read & graph.constants))
    nodes += [_renamed(one.node, given) for _, one in sorted(operators.items())]
    outputs = [
        onnx.ValueInfoProto(name=name + GIVEN * (name in given)) for name in dict.fromkeys(wanted)
    ]
    return _session(graph, nodes, inputs, outputs, threads)


def disturbed(graph: Graph, names: Collection[str], *, threads: int) -> InferenceSession:
    """The whole graph, where a disturbance that is an input is added to each of some tensors.

    Args:
        graph: the whole.
        names: tensors in single precision; the input of each is called `NAME (given)`.
        threads: of the session.

    Raises:
        WorkloadError: the runtime refuses it.
    """
    import onnx

    nodes = list[Any]()
    for node in graph.behind(graph.outputs):
        nodes.append(_renamed(node, names, OWN))
        nodes += [
            onnx.helper.make_node("Add", [name + OWN, name + GIVEN], [name])
            for name in node.output
            if name in names
        ]
    inputs = list(graph.model.graph.input)
    inputs += [
        onnx.helper.make_tensor_value_info(name + GIVEN, onnx.TensorProto.FLOAT, None)
        for name in names
    ]
    return _session(graph, nodes, inputs, graph.model.graph.output, threads)


def _renamed(node: NodeProto, given: Collection[str], ending: str = GIVEN) -> NodeProto:
    """A node that gives its outputs other names, where those who read them get something else."""
    import onnx

    found = onnx.NodeProto()
    found.CopyFrom(node)
    found.output[:] = [name + ending * (name in given) for name in node.output]
    return found


def _session(
    graph: Graph,
    nodes: Sequence[NodeProto],
    inputs: Iterable[ValueInfoProto],
    outputs: Iterable[ValueInfoProto],
    threads: int,
) -> InferenceSession:
    import onnx

    read = {name for node in nodes for name in needed(node)}
    made = _model(graph.model, read)
    made.graph.node.extend(nodes)
    made.graph.input.extend(inputs)
    made.graph.output.extend(outputs)
    size = sum(len(one.raw_data) for one in made.graph.initializer)
    options = session_options({"graph_optimization": "disabled"}, threads)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "part.onnx"
        onnx.save(made, path, save_as_external_data=size > LARGE, location="weights")
        return opened(str(path), options, [(PROVIDERS["cpu"].name, {})])


def _model(whole: ModelProto, read: Collection[str]) -> ModelProto:
    """A model without nodes, with the weights that are read."""
    import onnx

    made = onnx.ModelProto(ir_version=max(whole.ir_version, _OLDEST_IR))
    made.opset_import.extend(whole.opset_import)
    made.functions.extend(whole.functions)
    made.graph.name = "part"
    made.graph.initializer.extend(one for one in whole.graph.initializer if one.name in read)
    made.graph.sparse_initializer.extend(
        one for one in whole.graph.sparse_initializer if one.values.name in read
    )
    return made
