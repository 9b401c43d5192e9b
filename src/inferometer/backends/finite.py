"""NaN and infinity in what a model gives: tensors of torch, arrays of NumPy, plain numbers.

A copy is never made: the peak of memory is being watched while an output is looked at.
"""

# ruff: noqa: ANN401 - a tensor or an array

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from inferometer.core.nested import first_problem

PART = 1 << 18
"""Elements that are looked at one by one at a time, where there is something to be counted."""


class Counts(NamedTuple):
    """How many values of a leaf are not finite."""

    nan: int = 0
    above: int = 0
    below: int = 0
    of: int = 0


def non_finite(output: object) -> str | None:
    """Where an output holds NaN or plus infinity, in words; None where it holds neither."""
    return first_problem(output, _problem)


def minus_infinite(output: object) -> str | None:
    """Where an output holds minus infinity, in words; None where it holds none.

    It is legal: masked scores, and logarithms of 0.
    """
    return first_problem(output, _remark)


def _problem(leaf: object) -> str | None:
    found = _counts(leaf)
    bad = found.nan + found.above
    if not bad:
        return None
    if found.of == 1:
        return "nan" if found.nan else "inf"
    return f"{bad} of {found.of} values are NaN or infinite"


def _remark(leaf: object) -> str | None:
    found = _counts(leaf)
    return f"{found.below} of {found.of} values are minus infinity" if found.below else None


def _counts(leaf: Any) -> Counts:
    if isinstance(leaf, float | complex):
        whole = (leaf.real, leaf.imag) if isinstance(leaf, complex) else (leaf,)
        return Counts(
            nan=sum(map(math.isnan, whole)),
            above=whole.count(math.inf),
            below=whole.count(-math.inf),
            of=1,
        )
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(leaf, torch.Tensor):
        return _of_tensor(leaf)
    if getattr(getattr(leaf, "dtype", None), "kind", "") in ("f", "c"):
        return _of_array(leaf)
    return Counts()


def _of_tensor(tensor: Any) -> Counts:
    import torch

    if not (tensor.is_floating_point() or tensor.is_complex()) or tensor.is_meta:
        return Counts()
    if tensor.is_nested:
        return _added([_of_tensor(part) for part in tensor.unbind()])
    if tensor.layout == torch.sparse_coo:
        return _of_tensor(tensor._values())  # noqa: SLF001 - those of one that is not coalesced too
    if tensor.layout != torch.strided:  # compressed sparse ones have values, MKLDNN's have not
        sparse = str(tensor.layout).startswith("torch.sparse_")
        return _of_tensor(tensor.values() if sparse else tensor.to_dense())
    tensor = tensor.detach()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    if _surely_finite(tensor):
        return Counts(of=tensor.numel())
    return _added([_count_torch(part) for part in _pieces(tensor)])


def _surely_finite(tensor: Any) -> bool:
    """Whether all values surely are.

    NaN and infinity stay in a sum. That of small types might overflow, so there the largest tells.
    """
    import torch

    if not tensor.numel():
        return True
    if tensor.dtype in (torch.float32, torch.float64, torch.bfloat16):
        return bool(tensor.sum().isfinite())
    if tensor.dtype == torch.float16:
        return bool(torch.linalg.vector_norm(tensor, ord=math.inf).isfinite())
    return False


def _count_torch(part: Any) -> Counts:
    import torch

    if part.element_size() == 1:  # types of 8 bits have few operators
        part = part.float()
    return Counts(
        nan=int(torch.isnan(part).sum()),
        above=int(torch.isposinf(part).sum()),
        below=int(torch.isneginf(part).sum()),
        of=part.numel(),
    )


def _of_array(array: Any) -> Counts:
    import numpy as np

    array = np.asarray(array)
    if array.dtype.kind == "c":
        return _added([_of_array(array.real), _of_array(array.imag)])
    with np.errstate(all="ignore"):
        if np.isfinite(array.sum(dtype=np.float64)):  # a sum copies nothing
            return Counts(of=array.size)
        return _added(
            [
                Counts(
                    nan=int(np.isnan(part).sum()),
                    above=int(np.isposinf(part).sum()),
                    below=int(np.isneginf(part).sum()),
                    of=part.size,
                )
                for part in _pieces(array)
            ]
        )


def _pieces(array: Any) -> Iterator[Any]:
    """Views of an array or a tensor, none of them large."""
    elements = math.prod(array.shape)
    if elements <= PART or not array.shape:
        yield array
        return
    rows = len(array)
    if rows == 1:
        yield from _pieces(array[0])
        return
    step = max(1, rows * PART // elements)
    for begin in range(0, rows, step):
        piece = array[begin : begin + step]
        yield from _pieces(piece) if step == 1 else (piece,)


def _added(counts: list[Counts]) -> Counts:
    return Counts(*map(sum, zip(*counts, strict=True))) if counts else Counts()
