"""Flags that several commands have: each in the same words, with the same default."""

from __future__ import annotations

from pathlib import Path

import click

from inferometer.cli.options import Function
from inferometer.cli.parameters import BATCH, DEVICE, SEED, SIZE, help_of, within
from inferometer.core.shown import shown


def size_option(function: Function) -> Function:
    """`--size N|own`."""
    return click.option(
        "--size",
        type=SIZE,
        default="own",
        show_default=True,
        help="Input size: height and width of images, or length of sequences; `own` is the model's "
        "own.",
    )(function)


def batch_option(function: Function) -> Function:
    """`--batch N`."""
    return click.option(
        "--batch", type=BATCH, default=1, show_default=True, help="Batch size: samples in one call."
    )(function)


def device_option(function: Function) -> Function:
    """`--device DEVICE`."""
    return click.option(
        "--device", type=DEVICE, default="cpu", show_default=True, help=help_of("device")
    )(function)


def seed_option(function: Function) -> Function:
    """`--seed N`."""
    return click.option(
        "--seed",
        type=SEED,
        default=0,
        show_default=True,
        help="Seed of the random weights and the inputs.",
    )(function)


def meter_option(function: Function) -> Function:
    """`--meter KIND[://…]`, several times."""
    return click.option(
        "--meter",
        "meters",
        multiple=True,
        metavar="KIND[://…]",
        help="Power meter to read, such as rapl, nvml or shelly://HOST (docs/how-to/energy.md); "
        "may be given several times [default: those that are found].",
    )(function)


def estimate_option(function: Function) -> Function:
    """`--allow-estimate`."""
    return click.option(
        "--allow-estimate",
        is_flag=True,
        help="Accept --meter estimate://IDLE:BUSY, which only estimates; its figures are marked.",
    )(function)


def _device_tree(
    context: click.Context,  # noqa: ARG001 - click's own signature
    parameter: click.Parameter,
    root: Path,
) -> Path:
    """The folder, where it is this device or the recording of one.

    Raises:
        click.BadParameter: it is neither.
    """
    root = root.resolve()
    if root != Path("/") and not any((root / name).is_dir() for name in ("proc", "sys")):
        raise click.BadParameter(
            f"{shown(root)} holds neither proc/ nor sys/: it is not a recorded device tree, as "
            "`inferometer doctor --dump DIR` writes it",
            param=parameter,
        )
    return root


def root_option(function: Function) -> Function:
    """`--root DIRECTORY`."""
    return click.option(
        "--root",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        default=Path("/"),
        callback=_device_tree,
        help="Read the sensors and system files of another device: the folder that `doctor --dump` "
        "wrote there [default: this device].",
    )(function)


def gate_options(function: Function) -> Function:
    """`--fail-slower SHARE` and `--undecided pass|fail`."""
    undecided = click.option(
        "--undecided",
        type=click.Choice(["pass", "fail"]),
        default="pass",
        show_default=True,
        help="With --fail-slower: what becomes of a workload that may or may not be that much "
        "slower, since the limit lies within its interval.",
    )
    return click.option(
        "--fail-slower",
        type=within("fail_slower"),
        help="Exit with status 1 where a workload is slower by more than this, such as 5%, for "
        "sure (the whole interval lies beyond it), or has no figure any more.",
    )(undecided(function))
