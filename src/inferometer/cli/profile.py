"""`inferometer profile`: where the time of a call goes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inferometer.cli.flags import batch_option, device_option, seed_option, size_option
from inferometer.cli.options import json_option, told, write_json
from inferometer.cli.parameters import DEPTH, study_options, within
from inferometer.core.errors import InputError, WorkloadError
from inferometer.core.shown import shown

if TYPE_CHECKING:
    from inferometer.report.terminal.profile import By
    from inferometer.runner.profile import Profiled, ProfileRequest

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("model")
@size_option
@batch_option
@click.option(
    "--backend",
    metavar="NAME",
    default="torch",
    show_default=True,
    help="Runtime; see `inferometer backends`.",
)
@click.option(
    "--precision",
    metavar="NAME",
    default="fp32",
    show_default=True,
    help="Number format: fp32, bf16, fp16.",
)
@study_options("threads")
@device_option
@click.option(
    "--by", type=click.Choice(["operator", "module"]), help="Which table to show [default: both]."
)
@click.option(
    "--depth",
    type=DEPTH,
    help="Levels of nested modules to show; 0 is the whole model as one row [default: 2 in the "
    "table, all in files].",
)
@click.option(
    "--seconds",
    type=within("seconds"),
    default="5s",
    show_default=True,
    help="How long to repeat the call under the profiler.",
)
@study_options("timeout")
@seed_option
@click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="PATH",
    help="Draw the profile: a file that ends in .svg or .png.",
)
@click.option(
    "--trace",
    type=FILE,
    metavar="FILE",
    help="Write a trace of the last calls, which Perfetto or Chrome shows (JSON).",
)
@json_option
def profile(
    *,
    model: str,
    size: int | None,
    batch: int,
    backend: str,
    precision: str,
    threads: int | None,
    device: str,
    by: By | None,
    depth: int | None,
    seconds: float,
    timeout_s: float | None,
    seed: int,
    output: Path | None,
    trace: Path | None,
    json_path: str | None,
) -> None:
    """Show where the time of a call of MODEL goes, by operator and by module.

    MODEL is a name, reference or file; see `inferometer models`.

    \b
    Examples:
      inferometer profile resnet18 --size 224
      inferometer profile resnet18 --size 224 -o profile.svg --depth 2
      inferometer profile timm:vit_tiny_patch16_224 --by module

    Calls with and without the profiler alternate, which shows what the profiler itself adds.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.core.procedure import Procedure
    from inferometer.core.workload import Shape, Target, Variant, Workload
    from inferometer.host.cpus import physical_cores
    from inferometer.runner.profile import ProfileRequest

    _check_paths(output, trace)
    variant = Variant(model=model, backend=backend, precision=precision)
    workload = Workload(
        variant=variant,
        target=Target(device=device, threads=threads or physical_cores()),
        shape=Shape(batch_size=batch, input_size=size),
    )
    request = ProfileRequest(
        workload=workload,
        seconds=seconds,
        seed=seed,
        trace=trace,
        timeout_s=Procedure.timeout_s if timeout_s is None else timeout_s,
    )
    found = _found(request)
    _show(found, by=by, depth=depth, json_path=json_path)
    if output is not None:
        _draw(found, depth, output)
    for path in (output, trace):
        if path is not None:
            click.echo(shown(path), err=True)


def _check_paths(output: Path | None, trace: Path | None) -> None:
    """Refuse what cannot be written before anything is measured.

    Raises:
        InputError: no such folder, another kind of picture, or nothing to draw with.
    """
    for path in (output, trace):
        if path is not None and not Path(os.path.realpath(path)).parent.is_dir():
            raise InputError(f"{shown(path)}: its folder does not exist")
    if output is None:
        return
    from inferometer.report.plots.choice import FORMATS, missing

    if output.suffix.removeprefix(".") not in FORMATS:
        kinds = " or ".join(f".{kind}" for kind in FORMATS)
        raise InputError(f"{shown(output)}: expected a name that ends in {kinds}")
    absent = missing()
    if absent is not None:
        raise absent


def _found(request: ProfileRequest) -> Profiled:
    """Profile, and make of a failure what the user did wrong or can do.

    Raises:
        InputError: it failed.
    """
    from inferometer.runner.profile import profile_of

    try:
        return profile_of(request, say=lambda doing: click.echo(f"{doing} …", err=True))
    except WorkloadError as error:
        raise InputError(told(error, request.workload.variant.model)) from error


def _show(found: Profiled, *, by: By | None, depth: int | None, json_path: str | None) -> None:
    from inferometer.report.terminal.profile import print_profile, row

    if json_path != "-":
        print_profile(found, by=by, depth=depth)
    if json_path is not None:
        write_json(row(found, depth=depth), json_path)


def _draw(found: Profiled, depth: int | None, output: Path) -> None:
    from inferometer.core.filenames import write_whole
    from inferometer.report.plots.icicle import draw

    files = draw(found, depth=depth, name=output.stem)
    write_whole(files[output.name], output)
