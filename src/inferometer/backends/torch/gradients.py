"""Which mode without gradients a model bears: inference mode where it gives what no_grad gives.

Inference mode is the faster one, and not every model bears it: some differentiate inside, some
fail, some give other results. What it makes is not fit for training later, so that a model that
keeps what its calls make is called without it.
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inferometer.core.errors import in_one_line, is_out_of_memory
from inferometer.core.generators import generator_states, restore_generators
from inferometer.core.nested import leaves

INFERENCE, NO_GRAD = "inference_mode", "no_grad"

SAMPLED = 4096
"""Values of each tensor of an output that are compared."""
TOLERANCE = 1e-3
"""Of the largest value: the same operators give the same but for the order of their sums."""

KEPT = "measured under no_grad: the model keeps tensors that its calls make"
COMPILED = "measured under no_grad: a compiled module would be compiled once more for another mode"
FAILED = "measured under no_grad: under inference_mode it fails ({})"
DIFFERS = "measured under no_grad: under inference_mode its output differs"
UNREPEATABLE = (
    "measured under no_grad: its output differs from call to call, so that it cannot be compared "
    "with that under inference_mode"
)

Print = dict[str, NDArray[np.float64] | str]
"""What is compared of an output, by the paths of its leaves."""


class Trial:
    """Compares the first call of a process, under no_grad, with one under inference mode.

    Args:
        network: the model.
        chosen: told the mode that it bears.
    """

    def __init__(self, network: torch.nn.Module, chosen: Callable[[str], None]) -> None:
        self._network = network
        self._chosen = chosen
        self._states = generator_states()
        self._alive = {id(tensor): weakref.ref(tensor) for tensor in live_tensors()}
        self._first: Print = {}

    def saw(self, output: object) -> None:
        """Take down what the first call gave."""
        self._first = printed(output)

    def choose(self, call: Callable[[], Any]) -> str | None:
        """Choose the mode of all later calls; gives a note where it is not inference mode."""
        reason = self._reason(call)
        self._alive.clear()
        self._chosen(NO_GRAD if reason else INFERENCE)
        return reason

    def _reason(self, call: Callable[[], Any]) -> str | None:
        if is_compiled(self._network):
            return COMPILED
        if self._keeps():
            return KEPT
        try:
            with torch.inference_mode():
                second = self._again(call)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            return FAILED.format(in_one_line(error))
        if alike(self._first, second):
            return None
        with torch.no_grad():
            return DIFFERS if alike(self._first, self._again(call)) else UNREPEATABLE

    def _keeps(self) -> bool:
        """Whether a tensor is alive that was not there before the first call."""
        gc.collect()  # what is only held by itself is not kept
        known = self._alive
        return any(id(one) not in known or known[id(one)]() is not one for one in live_tensors())

    def _again(self, call: Callable[[], Any]) -> Print:
        """One more call, with the random numbers of the first."""
        restore_generators(self._states)
        return printed(call())


def is_compiled(network: torch.nn.Module) -> bool:
    """Whether a module or a part of it goes through torch's compiler."""
    if "torch._dynamo" not in sys.modules:
        return False
    return any(
        type(module).__name__ == "OptimizedModule"
        or getattr(module, "_compiled_call_impl", None) is not None
        or hasattr(getattr(module, "forward", None), "_torchdynamo_orig_callable")
        for module in network.modules()
    )


def live_tensors() -> list[torch.Tensor]:
    """Every tensor that Python code can reach, but those that were frozen (`gc.freeze`)."""
    return [one for one in gc.get_objects() if issubclass(type(one), torch.Tensor)]


def printed(output: object) -> Print:
    """Some values of each leaf of an output, and what else tells two of them apart."""
    return {path: _printed(leaf) for path, leaf in leaves(output)}


def _printed(leaf: object) -> NDArray[np.float64] | str:
    if isinstance(leaf, torch.Tensor):
        with torch.no_grad():
            return _sample(leaf.detach())
    if isinstance(leaf, np.ndarray):
        return _sample(torch.as_tensor(leaf)) if leaf.dtype.kind in "fiub" else str(leaf.dtype)
    if isinstance(leaf, float | complex):
        return np.array([leaf.real, leaf.imag], np.float64)
    return repr(leaf) if isinstance(leaf, int | str | bytes | type(None)) else type(leaf).__name__


def _sample(tensor: torch.Tensor) -> NDArray[np.float64] | str:
    """Values evenly through a tensor, no copy of it made; its type and shape where it has none."""
    if tensor.is_meta or tensor.is_nested or tensor.layout != torch.strided or tensor.is_quantized:
        return f"{tensor.dtype} {tensor.layout}"
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    if not tensor.dim():
        tensor = tensor.reshape(1)
    count = min(tensor.numel(), SAMPLED)
    if not count:
        return f"{tensor.dtype} {tuple(tensor.shape)}"
    places = np.unravel_index(np.linspace(0, tensor.numel() - 1, count, dtype=int), tensor.shape)
    taken = tensor[tuple(torch.as_tensor(place, device=tensor.device) for place in places)]
    values: NDArray[np.float64] = taken.reshape(-1).to(torch.float64).cpu().numpy().copy()
    return values


def alike(first: Print, second: Print) -> bool:
    """Whether two outputs are the same, as far as is compared."""
    return first.keys() == second.keys() and all(
        _alike(value, second[path]) for path, value in first.items()
    )


def _alike(one: NDArray[np.float64] | str, two: NDArray[np.float64] | str) -> bool:
    if isinstance(one, str) or isinstance(two, str):
        return isinstance(one, str) and isinstance(two, str) and one == two
    if one.shape != two.shape:
        return False
    finite = np.abs(one[np.isfinite(one)])
    largest = float(finite.max()) if finite.size else 0.0
    return bool(np.allclose(one, two, rtol=TOLERANCE, atol=TOLERANCE * largest, equal_nan=True))
