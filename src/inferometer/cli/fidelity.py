"""`inferometer fidelity`: how near the outputs of variants are to those of a reference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from inferometer.cli.flags import batch_option, seed_option, size_option
from inferometer.cli.options import json_option, told, write_json
from inferometer.cli.parameters import study_options, within
from inferometer.core.errors import InputError, WorkloadError
from inferometer.core.sweep import Block, Sweep

if TYPE_CHECKING:
    from inferometer.runner.fidelity import Compared, FidelityRequest

FAILED = 1


@click.command()
@click.argument("model")
@study_options("backends", "precisions", "options", "device", "threads", "data")
@size_option
@batch_option
@click.option(
    "--reference",
    metavar="MODEL|BACKEND",
    help="What to compare with: another model, or a backend such as onnxruntime or "
    "onnxruntime:int8 [default: torch at fp32; of a file its own runtime at fp32, not optimised].",
)
@click.option(
    "--samples",
    type=within("samples"),
    default=32,
    show_default=True,
    help="How many samples to compare.",
)
@click.option(
    "--min-cosine",
    type=within("cosine"),
    help="Exit with status 1 where the cosine of a variant is missing, or lower than this, such "
    "as 0.98.",
)
@study_options("timeout")
@seed_option
@json_option
def fidelity(
    *,
    model: str,
    backends: Sequence[str] | None,
    precisions: Sequence[str] | None,
    options: Sequence[str] | None,
    device: str | None,
    threads: int | None,
    data: str | None,
    size: int | None,
    batch: int,
    reference: str | None,
    samples: int,
    min_cosine: float | None,
    timeout_s: float | None,
    seed: int,
    json_path: str | None,
) -> int:
    """Check how close the outputs of variants of MODEL are to those of a reference.

    MODEL is a name, reference or file; see `inferometer models`.

    \b
    Examples:
      inferometer fidelity resnet18 --precisions bf16 --size 224
      inferometer fidelity resnet18 --backends onnxruntime,openvino
      inferometer fidelity new.onnx --reference old.onnx

    The JSON is an object: the fields of the first variant, its operators, and all variants.

    Exit status: 0 done; 1 a variant failed, or is below --min-cosine; 2 bad input.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.runner.fidelity import FidelityRequest, usual_backend

    sweep = Sweep(
        models=(model,),
        backends=tuple(backends) if backends else (usual_backend(model),),
        precisions=tuple(precisions) if precisions else ("fp32",),
        options=tuple(options or ()),
        blocks=(Block(sizes=(size,), batches=(batch,)),),
        device=device or "cpu",
        threads=threads,
    )
    limits = {} if timeout_s is None else {"timeout_s": timeout_s}
    request = FidelityRequest(
        sweep=sweep, reference=reference, samples=samples, data=data, seed=seed, **limits
    )
    found = _found(request, model)
    if json_path is not None:
        rows = [row(one) for one in found]
        write_json({**rows[0], "variants": rows}, json_path)
    if json_path != "-":
        from inferometer.report.terminal.fidelity import print_fidelity

        print_fidelity(found)
    return _status(found, min_cosine)


def row(one: Compared) -> dict[str, Any]:
    """A variant as a JSON object: its names, the record's fields of fidelity, and operators."""
    figures = one.fidelity.figures()
    return {
        **one.workload.to_json(),
        **figures,
        "fidelity_reason": None
        if one.fidelity.fidelity_reason is None
        else str(one.fidelity.fidelity_reason),
        "operators": [_finite(vars(operator)) for operator in one.operators],
        "recover": [_finite(vars(step)) for step in one.recover],
    }


def _finite(values: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON object, in which an infinite number is null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def _found(request: FidelityRequest, model: str) -> list[Compared]:
    """Compare, and make of a failure of the reference what the user did wrong or can do.

    Raises:
        InputError: it failed.
    """
    from inferometer.runner.fidelity import compare_variants

    def say(doing: str) -> None:
        click.echo(f"{doing} …", err=True)

    try:
        return compare_variants(request, say=say)
    except WorkloadError as error:
        raise InputError(told(error, model)) from error


def _status(found: Sequence[Compared], min_cosine: float | None) -> int:
    """The exit status: 1 where a variant failed, or is further off than the user allows."""
    if any(one.fidelity.fidelity_verdict is None for one in found):
        return FAILED
    if min_cosine is None:
        return 0
    cosines = [one.fidelity.fidelity_cosine for one in found]
    return FAILED if any(one is None or one < min_cosine for one in cosines) else 0
