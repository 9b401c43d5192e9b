"""`inferometer datasets`: those that have a name, how to name others, and what one holds."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from inferometer.cli.options import json_option, write_json
from inferometer.cli.screen import show_doing
from inferometer.core.dataset import Role
from inferometer.core.shown import shown, visible

if TYPE_CHECKING:
    from inferometer.datasets.listing import KnownDataset
    from inferometer.datasets.pool import RoleDataset

WIDTH = 80
MOST_CLASSES = 20
"""Classes that have a line each."""
MOST_SKIPPED = 10
OPTIONS = (
    ("limit=500", "samples at the most, of all classes alike"),
    ("task=NAME", "classification, segmentation, detection, transcription, …"),
    ("metric=NAME", "a metric of the task, or FILE.py:FUNCTION"),
    ("preprocess=squash", "or crop, natural, none, mean=0.5,std=0.5, channels=1"),
    ("calibration=20%", "the share of a role: also validation, training, test"),
    ("classes=FILE", "names in the order of the model's classes, or a number"),
    ("skip=20%", "how many samples may be unusable; 10% by default"),
)
"""An option that may follow `?`, and what it does."""


@click.command()
@click.argument("reference", metavar="[DATASET]", required=False)
@json_option
def datasets(*, reference: str | None, json_path: str | None) -> None:
    """List the datasets that have a name, or describe DATASET: its task, classes and samples.

    \b
    Examples:
      inferometer datasets
      inferometer datasets digits
      inferometer datasets ./pictures
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.datasets import known

    if reference is not None:
        _show_one(reference, json_path)
        return
    every = known()
    if json_path is not None:
        write_json([asdict(one) for one in every], json_path)
    if json_path != "-":
        click.echo("\n".join(_list_lines(every)))


def _list_lines(every: list[KnownDataset]) -> Iterator[str]:
    yield f"{'DATASET':<20}{'SAMPLES':>8}  WHAT IT IS"
    for one in every:
        samples = "" if one.samples is None else f"{one.samples:,}"
        yield f"{one.name:<20}{samples:>8}  {one.about}"
    yield from ("", "Options, as DATASET?OPTION=VALUE&OPTION=VALUE:")
    yield from (f"  {option:<20}{meaning}" for option, meaning in OPTIONS)
    lacking = [one for one in every if one.install or one.problem]
    if lacking:
        yield from ("", "To install:")
        yield from (f"  {one.name}: {one.install or one.problem}" for one in lacking)


def _show_one(reference: str, json_path: str | None) -> None:
    from inferometer.datasets import open_roles
    from inferometer.models.torchvision_compat import make_importable

    make_importable()
    roles = open_roles(reference, on_progress=_tell)
    show_doing("")
    if json_path is not None:
        write_json(_row(reference, roles), json_path)
    if json_path != "-":
        click.echo("\n".join(_lines(roles)))


def _tell(done: int, total: int) -> None:
    """How far it is, on one line of a terminal."""
    if not done % max(1, total // 100):
        show_doing(f"looking at samples: {done:,} of {total:,}")


def _row(reference: str, roles: Mapping[Role, RoleDataset]) -> dict[str, object]:
    one = next(iter(roles.values()))
    return {
        "reference": reference,
        "name": one.name,
        "task": one.task,
        "kind": one.kind,
        "classes": list(one.classes),
        "sizes": one.sizes,
        "source": one.source,
        "roles": {
            role: {
                "samples": len(found),
                "digest": found.digest,
                "classes": _by_class(found),
                "skipped": [asdict(skipped) for skipped in found.skipped],
            }
            for role, found in roles.items()
        },
    }


def _lines(roles: Mapping[Role, RoleDataset]) -> Iterator[str]:
    one = next(iter(roles.values()))
    classes = f", {len(one.classes)} classes" if one.classes else ""
    yield f"{one.name}: {one.task}{classes}, {one.kind}s {one.sizes}".rstrip()
    yield from textwrap.wrap(visible(one.source), WIDTH)
    yield ""
    yield f"{'ROLE':<14}{'SAMPLES':>9}  DIGEST"
    for role, found in roles.items():
        yield f"{role:<14}{len(found):>9,}  {found.digest[:32]}"
    yield from _class_lines(roles)
    yield from _skipped_lines(roles)


def _class_lines(roles: Mapping[Role, RoleDataset]) -> Iterator[str]:
    counts = {role: _by_class(found) for role, found in roles.items()}
    classes = next(iter(roles.values())).classes
    if not any(counts.values()):
        return
    yield from ("", f"{'CLASS':<22}" + "".join(f"{role.upper():>13}" for role in roles))
    for name in classes[:MOST_CLASSES]:
        cells = "".join(f"{counts[role].get(name, 0):>13,}" for role in roles)
        yield f"{shown(name, 21):<22}{cells}"
    if len(classes) > MOST_CLASSES:
        yield f"and {len(classes) - MOST_CLASSES:,} more"


def _skipped_lines(roles: Mapping[Role, RoleDataset]) -> Iterator[str]:
    every = list(dict.fromkeys(one for found in roles.values() for one in found.skipped))
    if every:
        yield from ("", f"Skipped: {len(every):,}")
    for one in every[:MOST_SKIPPED]:
        yield from textwrap.wrap(
            visible(f"{one.name}: {one.why}"), WIDTH, initial_indent="  ", subsequent_indent="    "
        )
    if len(every) > MOST_SKIPPED:
        yield f"  and {len(every) - MOST_SKIPPED:,} more"


def _by_class(found: RoleDataset) -> dict[str, int]:
    """Samples of each class that has some; none where labels are no classes."""
    counts = Counter(entry.stratum for entry in found.entries if entry.stratum is not None)
    return {found.classes[number]: count for number, count in sorted(counts.items())}
