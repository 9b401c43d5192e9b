"""`inferometer power`: what the device draws now."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inferometer.cli.flags import estimate_option, meter_option, root_option
from inferometer.cli.options import json_option, write_json
from inferometer.cli.parameters import DURATION

if TYPE_CHECKING:
    from inferometer.core.protocols import PowerSource
    from inferometer.meters.energy.surroundings import Surroundings
    from inferometer.meters.energy.watch import Watched

LEAST_INTERVAL_S = 0.05
MOST_INTERVAL_S = 86400.0

Show = Callable[[Sequence["Watched"], float], None]


@click.command()
@meter_option
@estimate_option
@click.option(
    "--for", "for_s", type=DURATION, help="How long, such as 10s [default: until Ctrl-C]."
)
@click.option(
    "--interval",
    "interval_s",
    type=DURATION,
    default="1s",
    show_default=True,
    help="Time between two readings, at least 50ms.",
)
@root_option
@json_option
def power(
    *,
    meters: tuple[str, ...],
    allow_estimate: bool,
    for_s: float | None,
    interval_s: float,
    root: Path,
    json_path: str | None,
) -> int:
    """Show the power that this device draws, of each power source, until Ctrl-C.

    \b
    Examples:
      inferometer power
      inferometer power --meter shelly://192.168.1.20 --for 10s

    Exit status: 0 done; 1 there is no power source, or none answered; 2 bad input.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.meters.energy.selection.survey import close
    from inferometer.meters.energy.watch import watch

    if interval_s < LEAST_INTERVAL_S:
        raise click.UsageError(f"--interval must be at least {1000 * LEAST_INTERVAL_S:g}ms")
    if interval_s > MOST_INTERVAL_S:
        raise click.UsageError(f"--interval must be at most {MOST_INTERVAL_S / 3600:g}h")
    surroundings = surroundings_at(root.resolve())
    sources, reason = _sources(meters, surroundings, allow_estimate=allow_estimate)
    if not sources:
        click.echo(reason, err=True)
        if json_path is not None:
            write_json({"power": [], "reason": reason}, json_path)
        return 1
    watched: list[Watched] = []
    try:
        _check_interval(interval_s, sources)
        with _shown(sources, quiet=json_path == "-") as show:
            watch(
                sources,
                show=show,
                interval_s=interval_s,
                for_s=math.inf if for_s is None else for_s,
                clock=surroundings.clock,
                sleep=surroundings.sleep,
                watched=watched,
            )
    except KeyboardInterrupt:
        pass  # how a display that has no end is ended
    finally:
        close(sources)
    return _ended(watched, json_path)


def _check_interval(interval_s: float, sources: Sequence[PowerSource]) -> None:
    """Refuse an interval in which a counter may wrap unseen."""
    for source in sources:
        limit_s = source.info.poll_s
        if limit_s is not None and interval_s > limit_s:
            raise click.UsageError(
                f"--interval must be at most {limit_s:.0f} s: the counter of {source.info.name} "
                "may begin again within longer ones"
            )


def surroundings_at(root: Path) -> Surroundings:
    """What the sources read and ask; tests replace it."""
    from inferometer.meters.energy.surroundings import Surroundings

    return Surroundings(root=root)


def _sources(
    meters: Sequence[str], surroundings: Surroundings, *, allow_estimate: bool
) -> tuple[Sequence[PowerSource], str]:
    """The sources, and why there are none.

    Raises:
        MeterError: a meter that the user named cannot be used.
    """
    from inferometer.meters.energy.selection import kinds
    from inferometer.meters.energy.selection.detect import why_none
    from inferometer.meters.energy.selection.named import connected
    from inferometer.meters.energy.selection.survey import survey

    if meters:
        return connected(meters, surroundings, allow_estimate=allow_estimate), ""
    found = survey(surroundings)
    for absence in found.absences if found.sources else ():
        if absence.relevant and absence.kind not in kinds.FOUND:  # another package's
            click.echo(absence.message, err=True)
    return found.sources, why_none(found.absences, surroundings)


@contextmanager
def _shown(sources: Sequence[PowerSource], *, quiet: bool) -> Iterator[Show]:
    """A live display in a terminal, plain lines elsewhere, nothing where JSON is on its way."""
    from rich.live import Live

    from inferometer.report.terminal.output import Output
    from inferometer.report.terminal.power import described, line, table

    if quiet:
        yield lambda _watched, _elapsed_s: None
        return
    console = Output()
    for source in sources:
        console.print(described(source.info), soft_wrap=True, markup=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield lambda watched, elapsed_s: click.echo(line(watched, elapsed_s))
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield lambda watched, _elapsed_s: live.update(table(watched), refresh=True)


def _ended(watched: Sequence[Watched], json_path: str | None) -> int:
    """Say what was seen; 1 where no source answered to the end."""
    from inferometer.report.terminal.power import summary

    if json_path != "-":  # first: should the file fail, what was seen is shown yet
        click.echo("\n".join(summary(watched)))
    if json_path is not None:
        write_json({"power": [_row(one) for one in watched], "reason": None}, json_path)
    return 1 if watched and all(one.lost for one in watched) else 0


def _row(one: Watched) -> dict[str, Any]:
    return {
        **asdict(one.info),
        "power_mean_w": one.mean_w,
        "power_min_w": min(one.watts, default=None),
        "power_max_w": max(one.watts, default=None),
        "energy_j": one.joules if one.seconds else None,
        "seconds": one.seconds,
        "lost": one.lost or None,
        "times_s": one.times_s,
        "watts": one.watts,
    }
