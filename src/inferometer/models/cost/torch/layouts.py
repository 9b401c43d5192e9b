"""What of a tensor lies in memory: a sparse one keeps its values and their places. Counts nothing.

Imports no runtime: formulas, which know tensors by their methods only, need it too.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from inferometer.core.errors import WorkloadError

if TYPE_CHECKING:
    import torch


WRAPS = "__tensor_flatten__"
"""The method of tensors that are objects around others: it names these."""


@cache
def _places() -> dict[Any, tuple[str, ...]]:
    """The methods that give the places of the stored values, by sparse layout."""
    import torch

    return {
        torch.sparse_coo: ("_indices",),
        **dict.fromkeys((torch.sparse_csr, torch.sparse_bsr), ("crow_indices", "col_indices")),
        **dict.fromkeys((torch.sparse_csc, torch.sparse_bsc), ("ccol_indices", "row_indices")),
    }


def is_sparse(tensor: torch.Tensor) -> bool:
    """Whether a tensor stores some of its elements only."""
    return tensor.layout in _places()


def is_wrapper(tensor: torch.Tensor) -> bool:
    """Whether a tensor is an object around others, which do its work: a ragged one, say."""
    return hasattr(tensor, WRAPS)


def values_of(tensor: torch.Tensor) -> torch.Tensor:
    """The stored values of a sparse tensor, zeros that fill its blocks among them."""
    plain = tensor.detach()
    # of this layout, places may repeat; kernels take all of them
    return plain._values() if plain.is_sparse else plain.values()  # noqa: SLF001


def parts_of(tensor: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The tensors that hold the elements of one, values last; of a plain tensor, itself."""
    if is_sparse(tensor):
        plain = tensor.detach()
        places = (getattr(plain, name)() for name in _places()[tensor.layout])
        return (*places, values_of(tensor))
    if is_wrapper(tensor):
        names, _ = tensor.__tensor_flatten__()  # type: ignore[attr-defined]
        return tuple(part for name in names for part in parts_of(getattr(tensor, name)))
    return (tensor,)


def elements_of(tensor: torch.Tensor) -> int:
    """Elements that are computed with: of a sparse tensor, those that it stores."""
    return values_of(tensor).numel() if is_sparse(tensor) else tensor.numel()


def bytes_of(tensor: torch.Tensor) -> int:
    """Bytes of what is stored of a tensor."""
    return sum(part.numel() * part.element_size() for part in parts_of(tensor))


def stands_for(tensor: torch.Tensor) -> torch.Tensor:
    """A plain tensor of the shape and type of a sparse one, on the meta device."""
    import torch

    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")


def kind_of(tensor: torch.Tensor) -> str | None:
    """What keeps a tensor off the meta device, for people; None for plain and sparse ones."""
    if is_wrapper(tensor):
        return type(tensor).__name__
    if tensor.is_nested:
        return "nested"
    if tensor.is_quantized:
        return "quantised"
    return "opaque" if tensor.is_mkldnn else None


def require_shapes(tensors: Iterable[torch.Tensor]) -> None:
    """Refuse parameters of lazy modules that were never called.

    Raises:
        WorkloadError: (bad_model) one has no shape yet.
    """
    if any(hasattr(tensor, "materialize") for tensor in tensors):
        raise WorkloadError(
            "bad_model",
            "it has lazy modules, whose parameters get their shape in a first call; make that call "
            "before the model is handed over",
        )
