"""`inferometer roofline`: what this device attains at best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from inferometer.cli.flags import device_option
from inferometer.cli.options import json_option, write_json
from inferometer.cli.parameters import NAMES, within
from inferometer.core import units
from inferometer.core.errors import WorkloadError

if TYPE_CHECKING:
    from inferometer.core.roofline import Roofline


@click.command()
@click.option(
    "--precisions",
    type=NAMES,
    default="fp32",
    show_default=True,
    help="Number formats: fp32, bf16, fp16.",
)
@click.option(
    "--threads",
    type=within("threads", "1,2,…", many=True),
    help="Numbers of threads, such as 1,2 [default: one for each physical core].",
)
@device_option
@click.option(
    "--backend",
    metavar="NAME",
    default="torch",
    show_default=True,
    help="Runtime to measure with; see `inferometer backends`.",
)
@json_option
def roofline(
    *,
    precisions: list[str],
    threads: list[int] | None,
    device: str,
    backend: str,
    json_path: str | None,
) -> int:
    """Measure the best rates that this device attains: arithmetic, memory, caches.

    \b
    Examples:
      inferometer roofline
      inferometer roofline --precisions fp32,bf16 --threads 1,4

    Each precision and number of threads takes about four seconds. The best repetition counts, since
    other programs can only make it slower.

    Exit status: 0 done; 1 some precision cannot be measured; 2 bad input.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.host.cpus import physical_cores
    from inferometer.runner.phases.roofline import check_probe, probe_roofline

    check_probe(backend, precisions)
    rooflines: list[Roofline] = []
    places = [(precision, n) for precision in precisions for n in threads or [physical_cores()]]
    for precision, count in places:
        try:
            rooflines.append(probe_roofline(backend, precision, device=device, threads=count))
        except WorkloadError as error:  # noqa: PERF203 - a probe takes seconds
            click.echo(f"{precision}: not measured: {error}", err=True)
    if json_path != "-" and rooflines:
        click.echo("\n".join([*_table(rooflines), *_details(rooflines)]))
    if json_path is not None:
        write_json([roofline.to_json() for roofline in rooflines], json_path)
    return 0 if len(rooflines) == len(places) else 1


def _table(rooflines: Sequence[Roofline]) -> Iterator[str]:
    """A line for each roofline."""
    yield _line("precision", "threads", "FLOP/s", "(median)", "memory", "caches", "ridge", "op")
    for roofline in rooflines:
        yield _line(
            roofline.precision,
            str(roofline.threads),
            units.quantity(roofline.flops.best, "FLOP/s"),
            units.quantity(roofline.flops.median, "FLOP/s"),
            units.quantity(roofline.memory.best, "B/s"),
            units.quantity(None if roofline.cache is None else roofline.cache.best, "B/s"),
            units.number(roofline.flops.best / roofline.memory.best),
            units.seconds(roofline.dispatch_s),
        )
    yield ""
    yield "memory, caches: the best rate at which bytes are read and written"
    yield "ridge: FLOP per byte below which the memory limits, and not the arithmetic"
    yield "op: time to dispatch an operator that does next to nothing"


def _line(*cells: str) -> str:
    widths = (-9, 8, 14, 14, 11, 10, 6, 8)
    padded = (
        cell.ljust(-width) if width < 0 else cell.rjust(width)
        for cell, width in zip(cells, widths, strict=True)
    )
    return "".join(padded)


def _details(rooflines: Sequence[Roofline]) -> Iterator[str]:
    """Of each roofline what was run, and how it compares with what the cores are built for."""
    for roofline in rooflines:
        yield ""
        yield f"{roofline.precision}, {_threads(roofline.threads)}"
        parts = (
            ("arithmetic", roofline.flops),
            ("memory", roofline.memory),
            ("caches", roofline.cache),
        )
        for name, part in parts:
            if part is not None:
                yield f"  {name:<11}{part.what}; the best of {part.repeats}"
        if roofline.disturbed:
            share = units.percent(roofline.granted)
            yield f"  disturbed  other programs ran: the probe had {share} of the processor;"
            yield "             the rates may be too low"
        yield from (f"  {line}" for line in _plausibility(roofline))


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


def _plausibility(roofline: Roofline) -> Iterator[str]:
    """How the arithmetic compares with what the cores could do by their construction."""
    from inferometer.host.cpus import physical_cores
    from inferometer.host.peak import peak

    known = peak(roofline.precision) if roofline.device == "cpu" else None
    if known is None:
        yield "in theory  not known of this device and precision"
        return
    cores = min(roofline.threads, physical_cores())
    yield f"in theory  at most {known.per_cycle} FLOP a cycle and core; an estimate:"
    yield f"           {known.what}"
    clock = units.quantity(roofline.flops.best / (known.per_cycle * cores), "Hz")
    yield f"           the measured rate needs that at {clock}"
    most = known.flops(cores)
    if most is None:
        yield "           the clock is not known here, so there is no peak to compare with"
    else:
        share = units.percent(roofline.flops.best / most)
        yield f"           {share} of {units.quantity(most, 'FLOP/s')} at the highest clock"
