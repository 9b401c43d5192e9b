"""Flags over a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from inferometer.core.errors import StudyError
from inferometer.core.procedure import PRESETS, Procedure
from inferometer.core.sweep import Block, Study

PRESET_FIELDS = frozenset(name for preset in PRESETS.values() for name in preset)
"""Fields of `Procedure` that a preset decides, be it by leaving the default."""


def override(
    study: Study,
    *,
    models: Sequence[str] | None = None,
    backends: Sequence[str] | None = None,
    precisions: Sequence[str] | None = None,
    batches: Sequence[int] | None = None,
    sizes: Sequence[int | None] | None = None,
    threads: int | None = None,
    device: str | None = None,
    procedure: Mapping[str, Any] | None = None,
    preset: str | None = None,
) -> Study:
    """The study with other values; what is None stays as it is.

    Args:
        study: what is changed; itself it stays as it is.
        models: replace the study's models.
        backends: replace its backends.
        precisions: replace its precisions.
        batches: replace the batch sizes of every block.
        sizes: replace the input sizes; None among them is the model's own. A size that the study
            has keeps its batch sizes, any other gets those of the first block.
        threads: replace the threads of each worker.
        device: replace the device.
        procedure: values by field name of `Procedure`; those that are None are left out.
        preset: `quick`, `standard` or `publish`: sets every value that any preset decides;
            `procedure` wins over it.

    Raises:
        StudyError: a list is empty, or a value is unknown or out of its range.
    """
    axes = {"models": models, "backends": backends, "precisions": precisions}
    changes: dict[str, Any] = {name: _filled(name, a) for name, a in axes.items() if a is not None}
    if threads is not None:
        changes["threads"] = _positive("threads", threads)
    if device is not None:
        changes["device"] = device
    blocks = _with_sizes(study.sweep.blocks, sizes)
    return replace(
        study,
        sweep=replace(study.sweep, blocks=_with_batches(blocks, batches), **changes),
        procedure=_procedure(study.procedure, procedure or {}, preset),
    )


def _with_sizes(blocks: tuple[Block, ...], sizes: Sequence[int | None] | None) -> tuple[Block, ...]:
    if sizes is None:
        return blocks
    changed: list[Block] = []
    for size in _filled("sizes", sizes):
        if size is not None:
            _positive("a size", size)
        having = [block for block in blocks if size in block.sizes] or [blocks[0]]
        changed += [Block(sizes=(size,), batches=block.batches) for block in having]
    return tuple(changed)


def _with_batches(blocks: tuple[Block, ...], batches: Sequence[int] | None) -> tuple[Block, ...]:
    if batches is None:
        return blocks
    checked = tuple(_positive("a batch size", batch) for batch in _filled("batches", batches))
    return tuple(dict.fromkeys(replace(block, batches=checked) for block in blocks))


def _procedure(base: Procedure, values: Mapping[str, Any], preset: str | None) -> Procedure:
    known = [field.name for field in fields(Procedure)]
    unknown = [name for name in values if name not in known]
    if unknown:
        raise StudyError(f"procedure has no {unknown[0]}; it has {', '.join(known)}")
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return replace(base, **(_preset(preset) | given))
    except ValueError as error:
        raise StudyError(str(error)) from error


def _preset(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    if name not in PRESETS:
        raise StudyError(f"no preset is called {name!r}; known: {', '.join(PRESETS)}")
    default = Procedure()
    return {field: getattr(default, field) for field in PRESET_FIELDS} | PRESETS[name]


def _filled(name: str, values: Sequence[Any]) -> tuple[Any, ...]:
    if isinstance(values, str) or not values:
        raise StudyError(f"{name} must be a list with at least one value")
    return tuple(values)


def _positive(what: str, value: int) -> int:
    if value < 1:
        raise StudyError(f"{what} must be at least 1, not {value}")
    return value
