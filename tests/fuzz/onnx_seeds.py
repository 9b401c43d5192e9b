"""Small ONNX models, which inputs start from: most of what can be in a file."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def onnx_seeds() -> tuple[bytes, ...]:
    """Files: a network, computed shapes, a branch, a loop, a function, weights outside, an LSTM."""
    import numpy as np
    import onnx
    from onnx import helper as h
    from onnx import numpy_helper as n

    def value(name: str, shape: Any, kind: int = onnx.TensorProto.FLOAT) -> Any:
        return h.make_tensor_value_info(name, kind, shape)

    def weight(name: str, *shape: int) -> Any:
        return n.from_array(np.zeros(shape, np.float32), name)

    def whole(nodes: Any, inputs: Any, weights: Any, **more: Any) -> bytes:
        graph = h.make_graph(nodes, "g", inputs, [value("y", None)], weights)
        imports = [h.make_opsetid("", 21), *more.pop("imports", ())]
        return bytes(
            h.make_model(graph, opset_imports=imports, ir_version=10, **more).SerializeToString()
        )

    image, shape = value("x", ["N", 3, 16, 16]), n.from_array(np.array([0, -1]), "s")
    node = h.make_node
    plain = whole(
        [
            node("Conv", ["x", "w", "b"], ["a"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
            node("BatchNormalization", ["a", "b", "b", "b", "b"], ["n"]),
            node("Relu", ["n"], ["r"]), node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
            node("Reshape", ["p", "s"], ["f"]), node("Gemm", ["f", "g"], ["h"], transB=1),
            node("Softmax", ["h"], ["y"], axis=-1),
        ],
        [image], [weight("w", 4, 3, 3, 3), weight("b", 4), weight("g", 5, 256), shape],
    )  # fmt: skip
    dynamic = whole(
        [
            node("Shape", ["x"], ["d"]), node("Gather", ["d", "i"], ["c"]),
            node("Unsqueeze", ["c", "z"], ["u"]), node("Concat", ["u", "m"], ["t"], axis=0),
            node("Reshape", ["x", "t"], ["v"]), node("MatMul", ["v", "k"], ["q"]),
            node("Transpose", ["q"], ["e"], perm=[1, 0]), node("Slice", ["e", "z", "o"], ["l"]),
            node("Einsum", ["l"], ["y"], equation="ij->ji"),
        ],
        [image],
        [
            n.from_array(np.array(0), "i"), n.from_array(np.array([0]), "z"),
            n.from_array(np.array([2]), "o"), n.from_array(np.array([-1]), "m"), weight("k", 768, 7),
        ],
    )  # fmt: skip
    branch = h.make_graph([node("Relu", ["x"], ["t"])], "then", [], [value("t", None)])
    other = h.make_graph([node("Sigmoid", ["x"], ["o"])], "else", [], [value("o", None)])
    forked = whole([node("If", ["c"], ["y"], then_branch=branch, else_branch=other)],
                   [image, value("c", [], onnx.TensorProto.BOOL)], [])  # fmt: skip
    body = h.make_graph(
        [node("Identity", ["c"], ["c2"]), node("Add", ["s0", "s0"], ["s1"])], "body",
        [value("i", [], 7), value("c", [], 9), value("s0", ["N", 3])],
        [value("c2", [], 9), value("s1", ["N", 3])],
    )  # fmt: skip
    loop = whole([node("Loop", ["t", "", "x"], ["y"], body=body)], [value("x", ["N", 3])],
                 [n.from_array(np.array(4), "t")])  # fmt: skip
    function = h.make_function(
        "local", "F", ["a"], ["b"], [node("Relu", ["a"], ["b"])], [h.make_opsetid("", 21)]
    )
    called = whole([node("F", ["x"], ["m"], domain="local"), node("F", ["m"], ["y"], domain="local")],
                   [image], [], functions=[function], imports=[h.make_opsetid("local", 1)])  # fmt: skip
    outside = onnx.TensorProto(name="w", data_type=1, dims=[4, 3, 3, 3], data_location=1)
    for key, text in (("location", "w.bin"), ("offset", "0"), ("length", "432")):
        outside.external_data.add(key=key, value=text)
    external = whole([node("Conv", ["x", "w"], ["y"])], [image], [outside])
    recurrent = whole(
        [node("LSTM", ["x", "w", "r"], ["y"], hidden_size=4),
         node("TopK", ["x", "t"], ["v", "j"], axis=-1), node("ConstantOfShape", ["t"], ["q"])],
        [value("x", [7, "N", 3])],
        [weight("w", 1, 16, 3), weight("r", 1, 16, 4), n.from_array(np.array([1]), "t")],
    )  # fmt: skip
    return plain, dynamic, forked, loop, called, external, recurrent
