from __future__ import annotations

import pytest


@pytest.fixture
def counted(tmp_path):
    """Write an ONNX graph to a file and count it."""
    onnx = pytest.importorskip("onnx")
    from inferometer.models.cost.onnx.graph import count_onnx

    helper = onnx.helper

    def count(
        nodes, inputs, weights=(), outputs=None, *, batch=1, size=None, opset=21, ir=10, more=(),
        told=(), sparse=(), functions=(),
    ):  # fmt: skip
        outputs = outputs or [helper.make_tensor_value_info("y", 0, None)]
        graph = helper.make_graph(
            nodes, "g", inputs, outputs, list(weights), value_info=told, sparse_initializer=sparse
        )
        imports = [helper.make_opsetid("", opset), *more]
        model = helper.make_model(
            graph, opset_imports=imports, ir_version=ir, functions=list(functions)
        )
        onnx.save(model, tmp_path / "m.onnx")
        return count_onnx(tmp_path / "m.onnx", batch_size=batch, input_size=size)

    return count
