"""Flags over a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from inferometer.core.errors import StudyError
from inferometer.core.options import RANGES
from inferometer.core.procedure import Procedure, checked, values_of_preset
from inferometer.core.ranges import check_device
from inferometer.core.shown import shown
from inferometer.core.sweep import MOST_WORKLOADS, Block, Study


def override(
    study: Study,
    *,
    models: Sequence[str] | None = None,
    backends: Sequence[str] | None = None,
    precisions: Sequence[str] | None = None,
    options: Sequence[str] | None = None,
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
        options: replace its options of backends.
        batches: replace the batch sizes of every block.
        sizes: replace the input sizes; None among them is the model's own. A size that the study
            has keeps its batch sizes, any other gets those of the first block.
        threads: replace the threads of each worker.
        device: replace the device.
        procedure: values by field name of `Procedure`; those that are None are left out.
        preset: `quick`, `standard` or `publish`: sets every value that any preset decides;
            `procedure` wins over it.

    Raises:
        StudyError: a list is empty, a value is unknown or beyond its limits, or the workloads are
            more than a run holds.
    """
    texts = {
        "models": models,
        "backends": backends,
        "precisions": precisions,
        "options": options,
    }
    changes: dict[str, Any] = {name: _texts(name, t) for name, t in texts.items() if t is not None}
    if threads is not None:
        changes["threads"] = threads
    if device is not None:
        changes["device"] = device
    blocks = _with_sizes(study.sweep.blocks, sizes)
    return checked_study(
        replace(
            study,
            sweep=replace(study.sweep, blocks=_with_batches(blocks, batches), **changes),
            procedure=_procedure(study.procedure, procedure or {}, preset),
        )
    )


def checked_study(study: Study) -> Study:
    """The study, with plain numbers, each within its limits (`core.options`).

    Raises:
        StudyError: one is not, or the workloads are more than a run holds.
    """
    sweep = study.sweep
    sweep.check()  # before each of them is looked at
    try:
        if sweep.threads is not None:
            sweep = replace(sweep, threads=RANGES["threads"].check("threads", sweep.threads))
        sweep = replace(
            sweep, device=check_device(sweep.device), blocks=tuple(map(_checked, sweep.blocks))
        )
        procedure = Procedure(**checked(asdict(study.procedure)))
    except ValueError as error:
        raise StudyError(str(error)) from error
    return replace(study, sweep=sweep, procedure=procedure)


def _checked(block: Block) -> Block:
    size, batch = RANGES["size"], RANGES["batch"]
    return Block(
        sizes=tuple(None if one is None else size.check("a size", one) for one in block.sizes),
        batches=tuple(batch.check("a batch size", one) for one in block.batches),
    )


def _with_sizes(blocks: tuple[Block, ...], sizes: Sequence[int | None] | None) -> tuple[Block, ...]:
    if sizes is None:
        return blocks
    having: dict[int | None, list[Block]] = {}
    once = [replace(block, batches=tuple(dict.fromkeys(block.batches))) for block in blocks]
    for block in once:
        for size in dict.fromkeys(block.sizes):
            having.setdefault(size, []).append(block)
    return tuple(
        Block(sizes=(size,), batches=block.batches)
        for size in _distinct("sizes", sizes)
        for block in having.get(size) or once[:1]
    )


def _with_batches(blocks: tuple[Block, ...], batches: Sequence[int] | None) -> tuple[Block, ...]:
    if batches is None:
        return blocks
    wanted = _distinct("batches", batches)
    sizes = dict.fromkeys(block.sizes for block in blocks)
    return tuple(Block(sizes=own, batches=wanted) for own in sizes)


def _procedure(base: Procedure, values: Mapping[str, Any], preset: str | None) -> Procedure:
    known = [field.name for field in fields(Procedure)]
    unknown = [name for name in values if name not in known]
    if unknown:
        raise StudyError(f"procedure has no {shown(unknown[0])}; it has {', '.join(known)}")
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return replace(
            base, **(({} if preset is None else values_of_preset(preset)) | checked(given))
        )
    except ValueError as error:
        raise StudyError(str(error)) from error


def _texts(name: str, values: Sequence[str]) -> tuple[str, ...]:
    texts = _distinct(name, values)
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise StudyError(f"{name} must be a list of texts, none of them blank")
    return texts


def _distinct(name: str, values: Sequence[Any]) -> tuple[Any, ...]:
    """Values of an axis, each once.

    Raises:
        StudyError: there are none, or more than a run holds workloads.
    """
    if isinstance(values, str) or not values:
        raise StudyError(f"{name} must be a list with at least one value")
    try:
        distinct = tuple(dict.fromkeys(values))
    except TypeError as error:
        raise StudyError(f"{name} must be a list of plain values: {error}") from error
    if len(distinct) > MOST_WORKLOADS:
        raise StudyError(f"{name} has {len(distinct):,} values; a run holds {MOST_WORKLOADS:,}")
    return distinct
