"""`inferometer history`: workloads over time and versions, and whether one became slower."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inferometer.cli.flags import gate_options
from inferometer.cli.options import (
    STANDARD_OUTPUT,
    TARGET,
    check_target,
    json_option,
    open_existing,
    store_option,
    write_json,
)
from inferometer.cli.parameters import BATCH, Parsed, within
from inferometer.cli.screen import put_bytes
from inferometer.core.errors import InputError
from inferometer.core.filenames import FileProblemError, write_whole
from inferometer.core.ranges import value_text
from inferometer.core.references import did_you_mean
from inferometer.core.shown import shown
from inferometer.core.workload import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferometer.analysis.history.course import History
    from inferometer.analysis.history.gate import HistoryGate
    from inferometer.analysis.history.points import Series, Wanted
    from inferometer.store import Store

SLOWER = 1
PLOTS = (".svg", ".png")


def _time(text: str) -> float:
    """Unix time of a date, or of a date with a time; without a zone in that of this machine."""
    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"expected a date such as 2026-11-30 or 2026-11-30T08:00, found {value_text(text)}"
        ) from None


def _plot(text: str) -> Path:
    if Path(text).suffix.lower() not in PLOTS:
        raise ValueError(f"expected a file that ends with {' or '.join(PLOTS)}")
    check_target(text)
    return Path(text)


@click.command()
@click.argument("models", metavar="MODEL…", nargs=-1, required=True)
@click.option(
    "--since", type=Parsed("DATE", _time), help="Only runs since then, such as 2026-11-30."
)
@click.option("--last", type=within("last"), help="Only the latest N runs of each workload.")
@click.option(
    "--device-name",
    metavar="NAME",
    help="Only runs of this device, as `inferometer runs` names it.",
)
@click.option("--backend", metavar="NAME", help="Only workloads of this runtime.")
@click.option("--precision", metavar="NAME", help="Only workloads at this precision, such as fp32.")
@click.option("--batch", type=BATCH, help="Only workloads at this batch size.")
@click.option("--size", type=within("size"), help="Only workloads at this input size.")
@click.option(
    "--control",
    default=CONTROL,
    show_default=True,
    metavar="MODEL",
    help="Model of the same runs that shows how fast the machine was.",
)
@click.option(
    "--pool",
    is_flag=True,
    help="Treat all devices as one, such as a pool of hosted CI runners; their usual differences "
    "widen the intervals.",
)
@gate_options
@click.option(
    "--junit", type=TARGET, metavar="FILE|-", help="Write JUnit XML, which CI systems show."
)
@click.option("--markdown", type=TARGET, metavar="FILE|-", help="Write a summary in Markdown.")
@click.option(
    "--plot", type=Parsed("FILE", _plot), help="Draw the history: a file that ends in .svg or .png."
)
@store_option
@json_option
def history(
    *,
    models: tuple[str, ...],
    since: float | None,
    last: int | None,
    device_name: str | None,
    backend: str | None,
    precision: str | None,
    batch: int | None,
    size: int | None,
    control: str,
    pool: bool,
    fail_slower: float | None,
    undecided: str,
    junit: str | None,
    markdown: str | None,
    plot: Path | None,
    store_path: Path,
    json_path: str | None,
) -> int:
    """Show the latency of each MODEL over time, and when it changed.

    MODEL is the name or reference that was measured, such as resnet18 or net.py:build.

    \b
    Examples:
      inferometer run nightly.yaml --control              each night
      inferometer history resnet18                        on all devices
      inferometer history resnet18 --last 365 --fail-slower 5%

    With --fail-slower, a workload fails where a change was found since an earlier level and it is
    slower by that much, or where it failed in its latest run; --undecided also decides where
    nothing tells a slower model from a slower machine (see `inferometer run --control`).

    Exit status: 0 done; 1 --fail-slower failed; 2 bad input.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.analysis.history.course import histories
    from inferometer.analysis.history.gate import gate
    from inferometer.analysis.history.points import Wanted

    _check_outputs(json_path, junit, markdown)
    wanted = Wanted(
        since=since,
        last=last,
        device_name=device_name,
        backend=backend,
        precision=precision,
        batch_size=batch,
        input_size=size,
        control=control,
        pool=pool,
    )
    with open_existing(store_path) as store:
        found = histories(_series(store, models, wanted))
    gated = None if fail_slower is None else gate(found, fail_slower, undecided=undecided == "pass")
    _write(found, gated, json_path=json_path, junit_path=junit, markdown_path=markdown, plot=plot)
    if STANDARD_OUTPUT not in (json_path, junit, markdown):
        from inferometer.report.terminal.history import print_histories

        print_histories(found)
    return _status(found, gated)


def _check_outputs(*paths: str | None) -> None:
    if sum(path == STANDARD_OUTPUT for path in paths) > 1:
        raise click.UsageError("only one of --json, --junit and --markdown goes to standard output")


def _series(store: Store, models: Sequence[str], wanted: Wanted) -> list[Series]:
    """The series of the models.

    Raises:
        InputError: a model is in no run of the store, or nothing of it is wanted.
    """
    from inferometer.analysis.history.points import series_of

    names = list(dict.fromkeys(models))
    mine = store.records_of(names, among=wanted.takes_run, where=wanted.columns)
    beside = store.records_of([wanted.control], among=wanted.takes_run)
    found = series_of(mine, beside, wanted)
    known = {record.workload.variant.model for _, record in mine}
    for name in names:
        if name not in known and name not in store.models():
            raise InputError(_unknown(store, name))
    if not found:
        raise InputError(
            f"{shown(store.place)}: no workload of {', '.join(map(shown, names))} is left by "
            "--since, --device-name, --backend, --precision, --batch and --size"
        )
    return found


def _unknown(store: Store, name: str) -> str:
    """What is said of a model that is in no run."""
    from inferometer.report.document.wording import few

    known = store.models()
    return (
        f"{shown(store.place)}: no run has the model {shown(repr(name))}"
        f"{did_you_mean(name, known)}; it has {few(list(map(shown, known))) or 'none'}"
    )


def _write(
    found: Sequence[History],
    gated: HistoryGate | None,
    *,
    json_path: str | None,
    junit_path: str | None,
    markdown_path: str | None,
    plot: Path | None,
) -> None:
    """Write what was asked for.

    Raises:
        InputError: a file cannot be written, or matplotlib is missing.
    """
    from inferometer.analysis.history.rows import to_json
    from inferometer.report.document.history_files import junit, markdown

    if json_path is not None:
        write_json(to_json(found, gated), json_path)
    if junit_path is not None:
        _put(junit(found, gated), junit_path)
    if markdown_path is not None:
        _put(markdown(found, gated).encode(), markdown_path)
    if plot is not None:
        _draw(found, plot)


def _put(content: bytes, path: str) -> None:
    if path == STANDARD_OUTPUT:
        put_bytes(content, is_text=True)
    else:
        write_whole(content, path)


def _draw(found: Sequence[History], path: Path) -> None:
    """Draw the histories.

    Raises:
        InputError: matplotlib is missing, or no workload has a latency.
    """
    from inferometer.report.plots.choice import missing

    if absent := missing():
        raise absent
    if not any(one.series.points for one in found):
        raise FileProblemError(path, "there is no plot to draw: no run has a latency")
    from inferometer.report.plots.history import draw_histories

    drawn = draw_histories(found, "history")
    write_whole(drawn[f"history{path.suffix.lower()}"], path)


def _status(found: Sequence[History], gated: HistoryGate | None) -> int:
    """The exit status, with a sentence that says why; 0 where no limit was given."""
    if gated is None:
        return 0
    from inferometer.report.document.history import gate_sentence

    click.echo(gate_sentence(found, gated), err=True)
    return 0 if gated.passes else SLOWER
