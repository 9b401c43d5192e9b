"""Look at one model of the zoo with the tool's own code, in a process that ends afterwards."""

# ruff: noqa: ANN401 - models take and give anything

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import torch
from torch.backends import mha
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode, flop_registry
from zoo_table import ASKED

import inferometer as im
from inferometer.backends.finite import non_finite
from inferometer.core.errors import WorkloadError, in_one_line
from inferometer.core.model import Inputs, InputSpec, LoadedModel
from inferometer.core.nested import leaves
from inferometer.models import load

BATCHES = (1, 2)
LIMITS: Mapping[str, Any] = {
    "min_calls": 10,
    "min_rounds": 2,
    "round_s": 0.005,
    "span_s": 0.0,
    "max_time_s": 0.05,
    "target": 0.9,
}
SLOW_S = 0.02
"""Calls that take longer are not measured once more at the other batch size."""
HEAVY_MACS = 2_000_000_000
"""Models that do more are run at a smaller input size, where they take another than their own."""
KNOWN = {str(operator).replace("::", ".") for operator in flop_registry}
"""Operators that torch's counter knows; of attention it knows the parts."""


HERE = "- on this machine "
LACKING = "compiled operators, which do not load beside this torch"
"""In the message about a build of torchvision that does not fit this torch."""


class AtShape:
    """Inputs of one shape, whatever is asked for; fits `core.model.InputSpec`."""

    def __init__(self, inputs: InputSpec, batch_size: int, input_size: int | None) -> None:
        self._inputs = inputs
        self._input_size = input_size
        self.batch_size = batch_size

    def make(self, *, batch_size: int, input_size: int | None, seed: int) -> Inputs:
        """Inputs of one call."""
        del batch_size, input_size
        size = self._input_size
        return self._inputs.make(batch_size=self.batch_size, input_size=size, seed=seed)


def look(reference: str) -> dict[str, Any]:
    """What is asked of a model: `yes`, `-` where it cannot be asked, or why not."""
    found: dict[str, Any] = dict.fromkeys(ASKED, "-")
    try:
        model = load(reference, seed=0)
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        return {**found, "opens": _why(error)}
    found |= {"opens": "yes", "parameters": sum(one.numel() for one in model.network.parameters())}
    before = portrait(model.network)
    costs = _answer(found, "counts", lambda: _counted(model, None))
    size = None if costs is None else _lighter(model, costs[0])
    if costs is not None:
        found |= {"macs": [one.macs for one in costs], "size": size}
        if costs[0].unknown_operators:
            found["counts"] = f"unknown operators: {', '.join(costs[0].unknown_operators)}"
    found |= _run(model, size, before)
    if costs is not None:
        found["equals torch's"] = _compared(model, size)
    elif "without running it" in found["counts"]:
        found["counts"] = _counted_by_a_call(model, found["counts"])
    found["trains"] = _trains(model, reference, size)
    return found


def _answer(found: dict[str, Any], question: str, work: Callable[[], Any]) -> Any:
    """What work gives; where it fails, the answer is why, and None is given."""
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        found[question] = _why(error)
        return None
    found[question] = "yes"
    return result


def _why(error: Exception) -> str:
    if isinstance(error, WorkloadError):
        return f"{HERE * (LACKING in str(error))}{error.kind}: {error}"
    return in_one_line(error)


def _counted(model: LoadedModel, size: int | None) -> list[Any]:
    shapes = [AtShape(model.inputs, batch, size) for batch in BATCHES]
    return [im.cost(model.network, shape, batch=shape.batch_size).cost for shape in shapes]


def _counted_by_a_call(model: LoadedModel, why: str) -> str:
    """Whether a call counts what depends on values."""
    try:
        im.cost(model.network, model.inputs, may_run=True)
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        return _why(error)
    return f"- but in a call: {why}"


def _lighter(model: LoadedModel, cost: Any) -> int | None:
    """An input size at which a heavy model is quick, where it takes another than its own."""
    specs = getattr(model.inputs, "tensors", ())
    own: int | None = next((spec.shape[axis] for spec in specs for axis in spec.size_axes), None)
    if own is None or cost.macs < HEAVY_MACS:
        return None
    size = own // 2 if cost.macs < 8 * HEAVY_MACS else own // 4
    try:
        im.cost(model.network, AtShape(model.inputs, BATCHES[0], size))
    except Exception:  # noqa: BLE001 - then it is called at its own
        return None
    return size


def _call(model: LoadedModel, shape: AtShape) -> Any:
    inputs = shape.make(batch_size=shape.batch_size, input_size=None, seed=0)
    with torch.no_grad():
        return model.network(*inputs.args, **inputs.kwargs)


def _run(model: LoadedModel, size: int | None, before: dict[str, str]) -> dict[str, Any]:
    """What measuring one sample and two shows, and whether the model is left as it was before.

    A slow model is called once with two instead.
    """
    found: dict[str, Any] = {"runs": "yes", "finite": "yes"}
    one, two = (AtShape(model.inputs, batch, size) for batch in BATCHES)
    try:
        record = im.measure(model.network, one, **LIMITS)
        found["notes"] = record["notes"]
        found["left as it was"] = _difference(before, portrait(model.network))
        if (record.number("latency_median_s") or 0.0) < SLOW_S:
            im.measure(model.network, two, **LIMITS)
            found["left as it was"] = _difference(before, portrait(model.network))
        elif problem := non_finite(_call(model, two)):
            found["finite"] = problem
    except WorkloadError as error:
        not_finite = error.kind == "non_finite_output"
        found |= {"finite": str(error)} if not_finite else {"runs": _why(error), "finite": "-"}
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        found |= {"runs": _why(error), "finite": "-"}
    return found


def portrait(network: torch.nn.Module) -> dict[str, str]:
    """What a network holds, by path: parameters, buffers, modes and all attributes."""
    return dict(_portrait(network))


def _portrait(network: torch.nn.Module) -> Iterator[tuple[str, str]]:
    for name, module in network.named_modules():
        for key, value in vars(module).items():
            try:
                found = list(leaves(value, f"{name}.{key}"))
            except Exception:  # noqa: BLE001 - attributes of theirs may raise what they like
                found = [(f"{name}.{key}", type(value))]
            for path, leaf in found:
                if not isinstance(leaf, torch.ScriptMethod):  # kept wherever one was looked at
                    yield path, _mark(leaf)


def _mark(leaf: Any) -> str:
    if isinstance(leaf, torch.Tensor):
        about = f"{leaf.dtype} {tuple(leaf.shape)} {leaf.requires_grad} {leaf.is_inference()}"
        return f"{about} {leaf.device} {_sum(leaf)}"
    plain = isinstance(leaf, bool | int | float | str | bytes | type(None))
    return repr(leaf) if plain else type(leaf).__name__


def _sum(tensor: torch.Tensor) -> int | str:
    try:
        return zlib.adler32(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    except (RuntimeError, TypeError):  # no plain memory: sparse, quantised, on another device
        return str(tensor.layout)


def _difference(before: dict[str, str], after: dict[str, str]) -> str:
    other = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    return f"other: {', '.join(sorted(other)[:3])}" if other else "yes"


def _compared(model: LoadedModel, size: int | None) -> str:
    """Whether torch's own counter, beside one real call, counts the same."""
    if any(isinstance(module, torch.nn.RNNBase) for module in model.network.modules()):
        return "- it does not look into recurrent layers"
    shape = AtShape(model.inputs, BATCHES[0], size)
    cost = im.cost(model.network, shape).cost
    unlike = {
        one.operator
        for one in cost.operators
        if one.macs and one.kind != "attention" and one.operator not in KNOWN
    }
    if unlike:
        return f"- it does not know {', '.join(sorted(unlike))}"
    try:
        theirs = _flops(model, shape) // 2
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        return f"- its call fails: {in_one_line(error)}"
    return (
        "yes" if theirs == cost.macs else f"it counts {theirs:,} MACs, and this tool {cost.macs:,}"
    )


def _flops(model: LoadedModel, shape: AtShape) -> int:
    """What torch counts in a real call, in parts that it knows."""
    counter = FlopCounterMode(display=False)
    fast = mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.callback(mha.set_fastpath_enabled, fast)
        mha.set_fastpath_enabled(False)
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.enter_context(counter)
        _call(model, shape)
    return int(counter.get_total_flops())


def _trains(model: LoadedModel, reference: str, size: int | None) -> str:
    """Whether gradients flow, or do not in an untouched twin either."""
    problem = _gradient_problem(model, size)
    if not problem:
        return "yes"
    alike = _gradient_problem(load(reference, seed=0), size) == problem
    return f"- an untouched twin does not either: {problem}" if alike else problem


def _gradient_problem(model: LoadedModel, size: int | None) -> str:
    inputs = model.inputs.make(batch_size=2, input_size=size, seed=0)
    try:
        output = model.network(*inputs.args, **inputs.kwargs)
        floating = [
            leaf.float().sum()
            for _, leaf in leaves(output)
            if isinstance(leaf, torch.Tensor) and leaf.requires_grad
        ]
        sum(floating, torch.zeros(())).backward()  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        return in_one_line(error)
    flows = any(one.grad is not None for one in model.network.parameters())
    return "" if flows else "no parameter gets a gradient"
