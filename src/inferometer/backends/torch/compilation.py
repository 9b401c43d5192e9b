"""What torch's compiler did with a module, told from its own counters."""

from __future__ import annotations

import torch
from torch._dynamo import exc
from torch._dynamo.utils import counters
from torch._ops import OpOverload

INT8_KERNELS = ("qconv", "qlinear")
MEMORY = "the peak of memory is that of compiling, which was done in the first call"


class Compilation:
    """Watches the counters from now on, in a process that calls one model.

    Args:
        module: what is compiled.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        self._wanted_int8 = int8_operators(module)
        self._before = {name: counters[name].copy() for name in ("frames", "graph_break", "stats")}
        self._kernels = _int8_kernels()
        self._first_graphs = 0
        self._shapes: set[str] = set()

    def remarks(self, shape: str) -> list[str]:
        """What is worth a sentence, after calls of a shape."""
        is_new = shape not in self._shapes
        self._shapes.add(shape)
        graphs = self._since("stats")["unique_graphs"]
        self._first_graphs = self._first_graphs or graphs
        if not graphs:
            return ["nothing was compiled: the model's code runs eagerly"]
        found = [MEMORY, *self._left_in_eager_mode()]
        if graphs > self._first_graphs * len(self._shapes):
            found.append("torch.compile compiled again in later calls of the same shape")
        return [*found, *self._left_in_fp32()] if is_new else found

    def _left_in_eager_mode(self) -> list[str]:
        """Functions that were not compiled, and why graphs were broken."""
        frames, breaks = self._since("frames"), self._since("graph_break")
        found = []
        if frames["total"] > frames["ok"]:
            missed = frames["total"] - frames["ok"]
            found.append(f"{missed} functions were not compiled, and run eagerly")
        if breaks:
            reason = next(iter(breaks)).split("\n")[0]
            found.append(
                f"torch.compile broke the graph, and runs what is between eagerly: {reason}"
            )
        return found

    def _left_in_fp32(self) -> list[str]:
        """How many quantised operators did not become int8 kernels, since it was asked last."""
        before, self._kernels = self._kernels, _int8_kernels()
        wanted, done = self._wanted_int8, self._kernels - before
        if done >= wanted or counters["inductor"]["fxgraph_cache_hit"]:
            return []  # what comes out of the cache is not counted again
        return [f"{wanted - done} of {wanted} quantised operators run in fp32, not as int8 kernels"]

    def _since(self, name: str) -> dict[str, int]:
        return counters[name] - self._before[name]


def int8_operators(module: torch.nn.Module) -> int:
    """Convolutions and linear layers of a quantised graph that shall run in int8."""
    if not isinstance(module, torch.fx.GraphModule):
        return 0
    return sum(is_quantised(node) for node in module.graph.nodes)


def is_quantised(node: torch.fx.Node) -> bool:
    """Whether an operator with weights takes both of its operands from int8."""
    name = operator_of(node)
    if name not in WITH_WEIGHTS:
        return False
    return all(
        isinstance(one, torch.fx.Node) and operator_of(one).startswith("dequantize")
        for one in node.args[:2]
    )


WITH_WEIGHTS = (
    *("conv1d", "conv2d", "conv3d", "linear"),
    *("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
)
"""Operators with weights, as torch names them in exported programs."""


def operator_of(node: torch.fx.Node) -> str:
    """Name of the operator that a node calls, without library and overload; else empty."""
    target = node.target
    if isinstance(target, OpOverload):
        return str(target.overloadpacket.__name__)
    return ""


def is_refusal(error: BaseException) -> bool:
    """Whether it is torch's compiler that gave up, and not the model's code."""
    return isinstance(error, exc.TorchDynamoException | exc.FailOnRecompileLimitHit)


def _int8_kernels() -> int:
    """Int8 kernels that Inductor has chosen in this process."""
    return sum(
        count
        for name, count in counters["inductor"].items()
        if name.startswith(INT8_KERNELS) and name.endswith("_lower_count")
    )
