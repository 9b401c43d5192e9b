"""`inferometer roofline`: what this device attains at best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from inferometer.cli.options import json_option, write_json
from inferometer.cli.parameters import DEVICE, NAMES, within
from inferometer.core import units
from inferometer.core.errors import WorkloadError

if TYPE_CHECKING:
    from inferometer.core.roof import Roof


@click.command()
@click.option("--precisions", type=NAMES, default="fp32", show_default=True, help="fp32, bf16 …")
@click.option(
    "--threads",
    type=within("threads", "1,2,…", many=True),
    help="Numbers of threads, such as 1,2 [physical cores].",
)
@click.option(
    "--device", type=DEVICE, default="cpu", show_default=True, help="cpu, cuda, cuda:1, mps."
)
@click.option("--backend", default="torch", show_default=True, help="The runtime that probes.")
@json_option
def roofline(
    *,
    precisions: list[str],
    threads: list[int] | None,
    device: str,
    backend: str,
    json_path: str | None,
) -> int:
    """Measure what this device attains at best, for about four seconds a line.

    Arithmetic, memory, caches, and the start of an operator. The best repetition counts: other
    programs can only make it slower. Exit status: 0 done; 1 some precision cannot be probed.
    """
    from inferometer.host.cpus import physical_cores
    from inferometer.runner.phases.roofline import check_probe, probe_roof

    check_probe(backend, precisions)
    roofs: list[Roof] = []
    places = [(precision, n) for precision in precisions for n in threads or [physical_cores()]]
    for precision, count in places:
        try:
            roofs.append(probe_roof(backend, precision, device=device, threads=count))
        except WorkloadError as error:  # noqa: PERF203 - a probe takes seconds
            click.echo(f"{precision}: not measured: {error}", err=True)
    if json_path != "-" and roofs:
        click.echo("\n".join([*_table(roofs), *_details(roofs)]))
    if json_path is not None:
        write_json([roof.to_json() for roof in roofs], json_path)
    return 0 if len(roofs) == len(places) else 1


def _table(roofs: Sequence[Roof]) -> Iterator[str]:
    """A line for each roof."""
    yield _line("precision", "threads", "FLOP/s", "(median)", "memory", "caches", "ridge", "op")
    for roof in roofs:
        yield _line(
            roof.precision,
            str(roof.threads),
            units.quantity(roof.flops.best, "FLOP/s"),
            units.quantity(roof.flops.median, "FLOP/s"),
            units.quantity(roof.memory.best, "B/s"),
            units.quantity(None if roof.cache is None else roof.cache.best, "B/s"),
            units.number(roof.flops.best / roof.memory.best),
            units.seconds(roof.dispatch_s),
        )
    yield ""
    yield "memory, caches: the best rate at which bytes are read and written"
    yield "ridge: FLOP per byte below which the memory limits, and not the arithmetic"
    yield "op: time to start an operator that does next to nothing"


def _line(*cells: str) -> str:
    widths = (-9, 8, 14, 14, 11, 10, 6, 8)
    padded = (
        cell.ljust(-width) if width < 0 else cell.rjust(width)
        for cell, width in zip(cells, widths, strict=True)
    )
    return "".join(padded)


def _details(roofs: Sequence[Roof]) -> Iterator[str]:
    """Of each roof what was run, and how it compares with what the cores are built for."""
    for roof in roofs:
        yield ""
        yield f"{roof.precision}, {roof.threads} thread{'s' if roof.threads > 1 else ''}"
        parts = (("arithmetic", roof.flops), ("memory", roof.memory), ("caches", roof.cache))
        for name, part in parts:
            if part is not None:
                yield f"  {name:<11}{part.what}; the best of {part.repeats}"
        if roof.disturbed:
            share = units.percent(roof.granted)
            yield f"  disturbed  other programs ran: the probe had {share} of the processor;"
            yield "             the roofs may be too low"
        yield from (f"  {line}" for line in _plausibility(roof))


def _plausibility(roof: Roof) -> Iterator[str]:
    """How the arithmetic compares with what the cores could do by their construction."""
    from inferometer.host.cpus import physical_cores
    from inferometer.host.peak import peak

    known = peak(roof.precision) if roof.device == "cpu" else None
    if known is None:
        yield "in theory  not known of this device and precision"
        return
    cores = min(roof.threads, physical_cores())
    yield f"in theory  at most {known.per_cycle} FLOP a cycle and core; an estimate:"
    yield f"           {known.what}"
    clock = units.quantity(roof.flops.best / (known.per_cycle * cores), "Hz")
    yield f"           the measured rate needs that at {clock}"
    most = known.flops(cores)
    if most is None:
        yield "           the clock is not known here, so there is no peak to compare with"
    else:
        share = units.percent(roof.flops.best / most)
        yield f"           {share} of {units.quantity(most, 'FLOP/s')} at the highest clock"
