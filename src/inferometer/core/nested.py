"""Outputs of models are tensors in tuples, lists, mappings and objects, nested as they like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping


def leaves(output: object, path: str = "output") -> Iterator[tuple[str, object]]:
    """Every leaf of a nested output, with a path to it such as `output.logits[0]`."""
    if isinstance(output, Mapping):
        for key, value in output.items():
            yield from leaves(value, f"{path}.{key}")
    elif isinstance(output, list | tuple):
        for index, value in enumerate(output):
            yield from leaves(value, f"{path}[{index}]")
    else:
        yield path, output


def first_problem(output: object, problem: Callable[[object], str | None]) -> str | None:
    """What is wrong with the first leaf that has something wrong, and where; None if none has."""
    for path, leaf in leaves(output):
        found = problem(leaf)
        if found:
            return f"{path}: {found}"
    return None
