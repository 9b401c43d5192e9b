"""Let calls on the meta device take the kernels that devices have. Knows no cost.

There torch takes attention and LSTM layers apart: all scores are written down, and every step of a
sequence is a dozen operators. Processors and GPUs have a kernel for each. Multiply-accumulates are
the same, memory and calls are not.
"""

# ruff: noqa: ANN401 - torch's operators take and give anything
# ruff: noqa: SLF001 - its kernels have no public names

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import _VF
from torch.nn import functional

ATTENTION_AXES = 4
ATTENTION_ARGUMENTS = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")

LSTM = 2
"""What the kernel for recurrent layers calls them."""

Pair = tuple[torch.Tensor, torch.Tensor]


@contextmanager
def fused() -> Iterator[None]:
    """Let attention and LSTM layers take one kernel each, where it takes their arguments."""
    with (
        _replaced(functional, "scaled_dot_product_attention", _attention),
        _replaced(_VF, "lstm", _recurrence),
    ):
        yield


@contextmanager
def _replaced(
    module: Any, name: str, other: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Iterator[None]:
    plain = getattr(module, name)
    setattr(module, name, other(plain))
    try:
        yield
    finally:
        setattr(module, name, plain)


def _as_they_lie() -> Any:
    """Tensors say that they are on the meta device, where they claim to be on another."""
    return torch._C.DisableTorchFunction()


def _attention(plain: Callable[..., Any]) -> Callable[..., Any]:
    def attention(*args: Any, **kwargs: Any) -> Any:
        given = {**dict(zip(ATTENTION_ARGUMENTS, args, strict=False)), **kwargs}
        with _as_they_lie():
            fits = _fits(given)
        return _attended(given) if fits else plain(*args, **kwargs)

    return attention


def _fits(given: Mapping[str, Any]) -> bool:
    """Whether the kernel takes these; it is the one that torch has for processors."""
    query, key, value = given["query"], given["key"], given["value"]
    return (
        query.is_meta
        and query.dim() == key.dim() == value.dim() == ATTENTION_AXES
        and key.shape[:2] == value.shape[:2]
        and query.shape[0] == key.shape[0]
        and (query.shape[1] == key.shape[1] or bool(given.get("enable_gqa")))
        and query.shape[-1] == key.shape[-1] == value.shape[-1]
        and not given.get("dropout_p")
        and not (given.get("is_causal") and given.get("attn_mask") is not None)
    )


def _attended(given: Mapping[str, Any]) -> torch.Tensor:
    kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    result: Pair = kernel(
        given["query"],
        given["key"],
        given["value"],
        is_causal=bool(given.get("is_causal")),
        attn_mask=given.get("attn_mask"),
        scale=given.get("scale"),
    )
    return result[0]


class Layers(NamedTuple):
    """LSTM layers, as torch calls them where sequences have one length."""

    input: torch.Tensor
    hidden: Pair
    weights: Sequence[torch.Tensor]
    biases: bool
    layers: int
    dropout: float
    train: bool
    both_ways: bool
    batch_first: bool

    def fit(self) -> bool:
        """Whether the kernel takes them; it has no projections."""
        states, cells = self.hidden
        return (
            self.input.is_meta
            and states.shape[-1] == cells.shape[-1]
            and not self.train
            and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        )

    def outputs(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of the last layer, and the last states and cells of each."""
        given = self.input.transpose(0, 1) if self.batch_first else self.input
        given = data = given.contiguous()  # kept to the end, as torch keeps it
        ways = 2 if self.both_ways else 1
        ends: list[Pair] = []
        for layer in range(self.layers):
            done = [
                self._passed(data, layer * ways + way, backwards=way > 0) for way in range(ways)
            ]
            data = torch.cat([one[0] for one in done], -1) if self.both_ways else done[0][0]
            ends += [(one[1][0], one[2][0]) for one in done]
        data = data.transpose(0, 1) if self.batch_first else data
        return data, torch.stack([one[0] for one in ends]), torch.stack([one[1] for one in ends])

    def _passed(
        self, data: torch.Tensor, number: int, *, backwards: bool
    ) -> Sequence[torch.Tensor]:
        """Outputs, last state and last cell of one layer in one direction."""
        each = 4 if self.biases else 2
        weights = list(self.weights[number * each : (number + 1) * each])
        if not self.biases:  # what the kernel gets instead is as large as the weights
            weights += [
                torch.zeros(one.shape, dtype=one.dtype, device=one.device) for one in weights
            ]
        state, cell = (part[number : number + 1] for part in self.hidden)
        options = (LSTM, state.shape[-1], 1, self.biases, False, False, False)
        kernel = torch.ops.aten.mkldnn_rnn_layer
        result: Sequence[torch.Tensor] = kernel(
            data, *weights, state, cell, backwards, [], *options
        )
        return result


def _recurrence(plain: Callable[..., Any]) -> Callable[..., Any]:
    def recurrence(*args: Any) -> Any:
        if isinstance(args[1], torch.Tensor):  # lengths: sequences have several
            return plain(*args)
        given = Layers(*args)
        with _as_they_lie():
            fit = given.fit()
        return given.outputs() if fit else plain(*args)

    return recurrence
