"""Computes the small constants of an ONNX graph that its shapes depend on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import is_out_of_memory
from inferometer.models.cost.onnx.dialect import ALIGNED
from inferometer.models.cost.onnx.file import KEPT_ELEMENTS
from inferometer.models.cost.onnx.node import STANDARD, bodies, library, operator_of
from inferometer.models.cost.onnx.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

_FOLDED = (
    "Abs Add And Cast Ceil Concat ConstantOfShape Div Equal Expand Flatten Floor Gather Greater "
    "GreaterOrEqual Identity Less LessOrEqual Max Min Mod Mul Neg Not Or Pow Range ReduceMax "
    "ReduceMin ReduceProd ReduceSum Reshape Slice Sqrt Squeeze Sub Transpose Unsqueeze Where"
)
FOLDED = frozenset(_FOLDED.split())
"""Operators that make shapes out of shapes; computed where all their inputs are small constants."""

_PLAIN = {
    "value_int": "int64",
    "value_ints": "int64",
    "value_float": "float32",
    "value_floats": "float32",
}
"""Ways to write a constant without a tensor, and the type that it has then."""


def fold(model: ModelProto, known: Mapping[str, Tensor]) -> bool:
    """Put constants in the place of nodes that compute shapes; whether there were any.

    Args:
        model: changed in place.
        known: types and shapes so far.
    """
    graph = model.graph
    outputs = {value.name for value in graph.output}
    values = small_constants(graph)
    found: dict[str, NDArray[Any]] = {}
    for node in graph.node:
        made = None if node.output[0] in outputs else _value(node, values, known, model)
        if made is not None:
            found[node.output[0]] = values[node.output[0]] = made
    if found:
        _replace(graph, found)
    return bool(found)


def take_branches(graph: GraphProto) -> bool:
    """Put the branch that a constant condition takes in the place of its `If`; whether any was.

    Args:
        graph: changed in place.
    """
    values = small_constants(graph)
    nodes: list[NodeProto] = []
    changed = False
    for node in graph.node:
        is_condition = operator_of(node) == "If" and node.input
        condition = values.get(node.input[0]) if is_condition else None
        branch = None
        if condition is not None and condition.size:
            branch = _branch(node, bool(condition.ravel()[0]))
        if branch is None:
            nodes.append(node)
            continue
        changed = True
        nodes += _written_out(branch, node)
        graph.initializer.extend(branch.initializer)
        graph.sparse_initializer.extend(branch.sparse_initializer)
    if changed:
        _keep(graph, nodes)
    return changed


def _branch(node: NodeProto, condition: bool) -> GraphProto | None:  # noqa: FBT001 - what it says
    wanted = "then_branch" if condition else "else_branch"
    return next((one.g for one in node.attribute if one.name == wanted), None)


def _written_out(branch: GraphProto, node: NodeProto) -> list[NodeProto]:
    """The nodes of a branch, under names of their own, and its results as the graph knows them.

    Branches side by side may use the same names.
    """
    from onnx import helper

    own = {name for one in branch.node for name in one.output}
    own |= {tensor.name for tensor in _tensors(branch)}
    _rename(branch, {name: f"{node.output[0]}/{name}" for name in own if name})
    pairs = zip(branch.output, node.output, strict=False)
    results = [helper.make_node("Identity", [inside.name], [name]) for inside, name in pairs]
    return [*branch.node, *results]


def _tensors(graph: GraphProto) -> list[TensorProto]:
    """What a graph holds under a name; of sparse tensors, their values bear it."""
    return [*graph.initializer, *(sparse.values for sparse in graph.sparse_initializer)]


def _rename(graph: GraphProto, names: Mapping[str, str]) -> None:
    for value in (*_tensors(graph), *graph.output):
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for body in bodies(node):
            _rename(body, names)


def _keep(graph: GraphProto, nodes: Iterable[NodeProto]) -> None:
    """Leave only these nodes; copies, which do not vanish with the graph that held them."""
    kept = []
    for node in nodes:
        kept.append(type(node)())
        kept[-1].CopyFrom(node)
    del graph.node[:]
    graph.node.extend(kept)


def small_constants(graph: GraphProto) -> dict[str, NDArray[Any]]:
    """Values of the small tensors that are known before any input is."""
    import numpy as np
    from onnx import helper, numpy_helper

    tensors = [(tensor.name, tensor) for tensor in graph.initializer]
    plain: dict[str, NDArray[Any]] = {}
    for node in graph.node:
        for one in node.attribute if operator_of(node) == "Constant" else ():
            if one.name == "value":
                tensors.append((node.output[0], one.t))
            elif one.name in _PLAIN:
                with library():
                    value = helper.get_attribute_value(one)
                    plain[node.output[0]] = np.array(value, dtype=_PLAIN[one.name])
    with library():
        return plain | {
            name: numpy_helper.to_array(tensor)
            for name, tensor in tensors
            if math.prod(tensor.dims) <= KEPT_ELEMENTS and tensor.data_location != tensor.EXTERNAL
        }


def _value(
    node: NodeProto,
    values: Mapping[str, NDArray[Any]],
    known: Mapping[str, Tensor],
    model: ModelProto,
) -> NDArray[Any] | None:
    """What a node gives, where that is a small constant."""
    if node.domain not in STANDARD or len(node.output) != 1:
        return None
    if not node.input:
        return None
    if node.op_type in ("Shape", "Size"):
        return _asked(node, known.get(node.input[0], Tensor()).dims)
    if node.op_type not in FOLDED or any(name and name not in values for name in node.input):
        return None
    inputs = {name: values[name] for name in node.input if name}
    if not inputs or any(_is_no_shape(value) for value in inputs.values()) or _is_aligned(node):
        return None
    small = _stays_small(node, [values[name] for name in node.input if name])
    # Weights that are shared have other names, and stay one.
    shared = node.op_type == "Identity" and inputs[node.input[0]].dtype.kind == "f"
    return _computed(node, inputs, model) if small and not shared else None


def _is_no_shape(value: NDArray[Any]) -> bool:
    """Whether a constant is a quantised weight: what unpacks it is left where it is."""
    return value.dtype.kind not in "bfiu" or (value.dtype.kind in "iu" and value.itemsize == 1)


def _is_aligned(node: NodeProto) -> bool:
    """Whether an old operator lays its second operand somewhere that it does not lie today."""
    return node.op_type in ALIGNED and any(one.name == "axis" for one in node.attribute)


def _asked(node: NodeProto, dims: tuple[int, ...] | None) -> NDArray[Any] | None:
    """The shape or the size of a tensor, where it is known."""
    import numpy as np

    if dims is None:
        return None
    if node.op_type == "Size":
        return np.array(math.prod(dims), dtype=np.int64)
    ends = {attribute.name: int(attribute.i) for attribute in node.attribute}
    return np.array(dims[ends.get("start", 0) : ends.get("end")], dtype=np.int64)


def _stays_small(node: NodeProto, inputs: Sequence[NDArray[Any]]) -> bool:
    """Whether the output of a node surely is as small as its inputs."""
    if node.op_type in ("ConstantOfShape", "Expand"):
        return bool(0 <= math.prod(int(length) for length in inputs[-1].ravel()) <= KEPT_ELEMENTS)
    if node.op_type == "Range":
        if len(inputs) != len(("start", "limit", "delta")) or not all(one.size for one in inputs):
            return False
        start, limit, delta = (float(value.ravel()[0]) for value in inputs)
        return bool(delta) and (limit - start) / delta <= KEPT_ELEMENTS
    sizes = [value.size for value in inputs if value.size]
    together = sum(sizes) if node.op_type == "Concat" else math.prod(sizes)
    return together <= KEPT_ELEMENTS**2


def _computed(
    node: NodeProto, inputs: Mapping[str, NDArray[Any]], model: ModelProto
) -> NDArray[Any] | None:
    """Run one operator of the standard with the reference implementation."""
    from onnx import helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    initializers = [numpy_helper.from_array(value, name) for name, value in inputs.items()]
    output = helper.make_value_info(node.output[0], helper.make_tensor_type_proto(0, None))
    graph = helper.make_graph([node], "one", [], [output], initializers)
    try:
        one = helper.make_model(graph, opset_imports=model.opset_import)
        outputs: Any = ReferenceEvaluator(one).run(None, {})
        made: NDArray[Any] = outputs[0]
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return None  # what it cannot compute stays unknown
    return made if made.size <= KEPT_ELEMENTS else None


def _replace(graph: GraphProto, found: Mapping[str, NDArray[Any]]) -> None:
    """Put constants in the place of the nodes that would compute them."""
    from onnx import numpy_helper

    _keep(graph, [node for node in graph.node if node.output[0] not in found])
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in found.items())
