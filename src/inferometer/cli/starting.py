"""What `inferometer run` says and asks before it begins: which study, how long, whether."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from inferometer.core.errors import InputError, ModelReferenceError, StudyError
from inferometer.core.references import quoted

if TYPE_CHECKING:
    from inferometer.core.sweep import Study
    from inferometer.store import Store

INTERRUPTED = 130
LONG_S = 300.0
"""A run that takes longer is not begun on a terminal before the user said so."""
OWN_SIZED = ("python", "file")
"""Sources of models whose inputs need not be images."""
UNITS = ("ms", "s", "sec", "seconds", "m", "min", "minutes", "h", "hours")
LOADING_S = 4.0
"""What a fresh process takes beside its calls, on a usual computer."""


def study_named(reference: str) -> Study:
    """A study by its name or file.

    Raises:
        StudyError: there is none; where it is a model that was named, the message has the command.
    """
    from inferometer.study import load_study

    try:
        return load_study(reference)
    except StudyError as error:
        if reference in UNITS:
            raise StudyError(
                f"{quoted(reference)} is not a study; write a time without a blank, such as 10m"
            ) from error
        if (model := _model_meant(reference)) is None:
            raise
        command = f"inferometer run --models {shlex.quote(model)}"
        if model == reference:
            said = f"is a model, not a study; measure it with: {command}"
        else:
            said = f"is neither a study nor a model; did you mean: {command}"
        raise StudyError(f"{quoted(reference)} {said}") from error


def own_sizes(given: Mapping[str, Any]) -> dict[str, Any]:
    """Flags that measure every model at its own size, where no size was asked for.

    The sizes of the lab are those of images; what a function or a file makes may take none.
    """
    from inferometer.models.reference import parse

    if "sizes" in given or not any(parse(one).source in OWN_SIZED for one in given["models"]):
        return {}
    return {"sizes": (None,)}


def _model_meant(reference: str) -> str | None:
    """The model that was named in the place of a study, or one of nearly that name."""
    from difflib import get_close_matches

    from inferometer.models import format_of
    from inferometer.models.catalogue import CATALOGUE
    from inferometer.models.reference import parse

    try:
        parsed = parse(reference)
        if parsed.source == "file":
            return reference if format_of(reference) is not None else None
    except (ModelReferenceError, OSError, ValueError):
        return None
    if parsed.source != "catalogue" or parsed.target in CATALOGUE:
        return reference
    from inferometer.study import builtin_studies

    known = [*CATALOGUE, *(study.name for study in builtin_studies())]
    close = get_close_matches(parsed.target[:100], known, n=1)
    return close[0] if close and close[0] in CATALOGUE else None


def estimated_s(study: Study) -> float:
    """About how long a study takes where a call takes milliseconds, seconds."""
    procedure, workloads = study.procedure, study.workloads()
    variants = len({one.variant for one in workloads})
    each_s = procedure.sustain_s or procedure.max_time_s
    total_s = len(workloads) * each_s + variants * procedure.processes * LOADING_S
    return min(total_s, procedure.budget_s or total_s)


def announce(study: Study, *, begins: bool) -> None:
    """Say what is going to be measured and how long it takes; ask before what takes long.

    Args:
        study: with its flags.
        begins: whether it begins without asking.

    Raises:
        click.exceptions.Exit: the answer was no.
    """
    from inferometer.core import units
    from inferometer.report.document.wording import joined, plural

    workloads, lasts_s = study.workloads(), estimated_s(study)
    shapes = len({one.shape for one in workloads})
    limit = ", longer where a call takes over a second (--budget 10m limits it)"
    click.echo(
        f"study {study.name}: {joined(list(study.sweep.models))} at {plural(shapes, 'shape')}, "
        f"{plural(len(workloads), 'workload')}; about {units.duration(lasts_s)}"
        + limit
        * (study.procedure.budget_s is None),
        err=True,
    )
    is_asked = lasts_s > LONG_S and sys.stdin.isatty() and sys.stderr.isatty()
    if is_asked and not begins and not _agreed():
        click.echo("Nothing was measured.", err=True)
        raise click.exceptions.Exit(INTERRUPTED)


def _agreed() -> bool:
    """Whether the user wants the run to begin."""
    try:
        return click.confirm("Begin?", default=True, err=True)
    except click.Abort:
        click.echo(err=True)  # what follows begins a line
        raise


def check_resumable(study: Study, store: Store, *, begins: bool) -> None:
    """Say that there is no run to go on with, where it is so.

    Args:
        study: with its flags.
        store: where its runs are.
        begins: whether a new run begins then, as the study was named.

    Raises:
        InputError: none begins.
    """
    from inferometer.runner.run import settled

    if not store.runs_like(settled(study).signature):
        nothing_to_resume(study, store, begins=begins)


def nothing_to_resume(study: Study, store: Store, *, begins: bool) -> None:
    """Say that there is no run of a study to go on with; see `check_resumable`.

    Raises:
        InputError: none begins.
    """
    from inferometer.core.shown import shown

    none = f"no run of the study {shown(study.name)} with these flags is there to resume"
    if not begins:
        raise InputError(
            f"{shown(store.place)}: {none}; `inferometer runs` lists what there is, and without "
            "--resume a new one begins"
        )
    click.echo(f"{none}: a new one begins", err=True)
