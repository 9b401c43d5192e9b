"""Bring the arrays of an example to a batch size and an input size, or say why it cannot be."""

# ruff: noqa: ANN401 - an example nests as it likes

from __future__ import annotations

from typing import Any

from inferometer.core.errors import WorkloadError
from inferometer.core.nested import is_opaque, leaves
from inferometer.models.inputs.arrays import (
    IMAGE_AXES,
    TOKEN_AXES,
    is_array,
    is_floating,
    is_packed,
    is_whole,
    repeated,
    repeated_packed,
    resized,
)

WAY_OUT = "let the factory take batch_size and make its own inputs"


class Rows:
    """Brings the rows of an example to a batch size.

    Rows are those of its arrays and packed sequences.

    Args:
        example: arguments of a call, nested as they like.
        wanted: the batch size.
    """

    def __init__(self, example: Any, wanted: int) -> None:
        self.wanted = wanted
        self.own = batch_size_of(example)
        self._parts = list(leaves(example, "", whole=is_packed))

    @property
    def apply(self) -> bool:
        """Whether there are rows, or none are needed."""
        return self.wanted == self.own or any(_has_rows(leaf) for _, leaf in self._parts)

    def check(self) -> None:
        """See that every part of the example can be brought to the batch size.

        Raises:
            WorkloadError: (unsupported) one cannot.
        """
        if self.wanted == self.own:
            return
        problems = (self._problem(leaf).format(_named(path)) for path, leaf in self._parts)
        problem = next((one for one in problems if one), "")
        if problem:
            raise WorkloadError(
                "unsupported",
                f"batch size {self.wanted}: {problem}; {WAY_OUT}, or ask for the example's own "
                f"batch size, {self.own}",
            )

    def _problem(self, leaf: Any) -> str:
        rows = _row_count(leaf) if _has_rows(leaf) else None
        if rows not in (None, 1, self.own):
            return (
                f"{{}} has {rows} rows where the first of the example has {self.own}, so that how "
                "it grows with the batch cannot be told"
            )
        if rows is None and not is_array(leaf) and is_opaque(leaf):
            return f"{{}} is a {type(leaf).__name__}, which cannot be looked into"
        return ""

    def of(self, leaf: Any) -> Any:
        """A leaf with as many rows; what has one row for all samples keeps it.

        Raises:
            WorkloadError: (unsupported) it is of a kind whose rows cannot be chosen.
        """
        if self.wanted == self.own or not _has_rows(leaf) or _row_count(leaf) != self.own:
            return leaf
        other = (repeated_packed if is_packed(leaf) else repeated)(leaf, self.wanted)
        if not _has_rows(other) or _row_count(other) != self.wanted:
            raise WorkloadError(
                "unsupported",
                f"batch size {self.wanted}: rows of a {type(leaf).__name__} in the example cannot "
                f"be repeated; {WAY_OUT}",
            )
        return other


class Sizes:
    """Brings the images and sequences of an example to an input size.

    Args:
        example: arguments of a call, nested as they like.
        wanted: the input size; None leaves them as they are.
    """

    def __init__(self, example: Any, wanted: int | None) -> None:
        self.wanted = wanted
        self.sequences = set() if wanted is None else _token_shapes(example)

    def apply_to(self, leaf: Any) -> bool:
        """Whether a leaf has a size that can be changed."""
        if self.wanted is None or not is_array(leaf):
            return False
        return _is_image(leaf) or tuple(leaf.shape[1:]) in self.sequences

    def of(self, array: Any) -> Any:
        """An array of that size."""
        assert self.wanted is not None
        if _is_image(array):
            return resized(array, self.wanted)
        return array[:, [place % array.shape[1] for place in range(self.wanted)]]


def batch_size_of(example: object) -> int:
    """Rows of the first array in an example; 1 where it holds none."""
    found = (leaf for _, leaf in leaves(example, whole=is_packed) if _has_rows(leaf))
    return next(map(_row_count, found), 1)


def _row_count(value: Any) -> int:
    return int(value.batch_sizes[0]) if is_packed(value) else int(value.shape[0])


def _has_rows(leaf: Any) -> bool:
    return is_packed(leaf) or (is_array(leaf) and bool(leaf.shape))


def _named(path: str) -> str:
    """A part of an example in a message: `input[0].x` for `[0][0].x`, by name for a keyword."""
    return f"input{path[3:]}"


def _is_image(array: Any) -> bool:
    return is_floating(array) and len(array.shape) == IMAGE_AXES


def _token_shapes(inputs: object) -> set[tuple[int, ...]]:
    """Shapes, without the batch, of the sequences of token ids in the inputs."""
    return {
        tuple(leaf.shape[1:])
        for _, leaf in leaves(inputs)
        if is_array(leaf) and len(leaf.shape) == TOKEN_AXES and leaf.shape[1] and is_whole(leaf)
    }
