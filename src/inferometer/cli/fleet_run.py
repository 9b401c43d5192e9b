"""`inferometer fleet run`: measure a study on many devices."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inferometer.cli.flags import estimate_option
from inferometer.cli.layout import Sectioned
from inferometer.cli.options import Function, json_option, store_option, tell_damage, write_json
from inferometer.cli.parameters import NAMES, study_options, within
from inferometer.core.shown import shown
from inferometer.store.address import Place

if TYPE_CHECKING:
    from inferometer.fleet.engine.resuming import Earlier
    from inferometer.fleet.engine.run import Plan, Result
    from inferometer.fleet.engine.session import Event
    from inferometer.fleet.types import Board
    from inferometer.report.terminal.fleet import FleetScreen
    from inferometer.store import Store

INTERRUPTED = 130
FILE = "devices.yaml"
ALL = "all"
USUAL_WAIT_S = 600.0
CLUSTER = "cluster"
"""What the hosts of a Dask cluster are called as a class, where nobody calls them anything."""


def devices_option(function: Function) -> Function:
    """`--devices FILE`."""
    return click.option(
        "--devices",
        "file",
        type=click.Path(path_type=Path),
        default=FILE,
        show_default=True,
        help="File that lists the boards.",
    )(function)


@click.command(cls=Sectioned)
@click.argument("study", required=False)
@study_options()
@devices_option
@click.option(
    "--on",
    type=NAMES,
    metavar="all|A,B,…",
    help="Measure the whole study on each of these boards [default: all].",
)
@click.option("--each", type=NAMES, metavar="A,B,…", help="The same as --on.")
@click.option(
    "--any",
    "spread",
    metavar="CLASS",
    help="Spread the study over the boards of this class, each workload on one of them.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with your latest run of this study and flags: fetch what the boards have measured, "
    "and measure only what is missing.",
)
@click.option(
    "--wait",
    "wait_s",
    type=within("duration"),
    default=USUAL_WAIT_S,
    metavar="TIME",
    help="How long to wait for a board that does not answer, or on which somebody else measures "
    "[default: 10m].",
)
@click.option(
    "--scheduler",
    metavar="tls://HOST:PORT",
    help="Measure on the hosts of this Dask cluster instead of on boards.",
)
@click.option(
    "--tls-ca",
    type=click.Path(path_type=Path),
    help="With --scheduler: file with the certificate of the authority.",
)
@click.option(
    "--tls-cert",
    type=click.Path(path_type=Path),
    help="With --scheduler: file with your certificate.",
)
@click.option(
    "--tls-key",
    type=click.Path(path_type=Path),
    help="With --scheduler: file with the private key of your certificate.",
)
@click.option("--no-energy", is_flag=True, help="Do not measure energy.")
@estimate_option
@store_option
@json_option
def run(
    *,
    study: str | None,
    file: Path,
    on: list[str] | None,
    each: list[str] | None,
    spread: str | None,
    resume: bool,
    wait_s: float,
    scheduler: str | None,
    tls_ca: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    no_energy: bool,
    allow_estimate: bool,
    store_path: Place,
    json_path: str | None,
    **flags: Any,  # noqa: ANN401 - the axes and limits of a study
) -> int:
    """Measure STUDY on several boards at the same time.

    STUDY is a built-in study (lab, taste) or a YAML file [default: lab]. Flags replace what it
    says, as in `inferometer run`.

    \b
    Examples:
      inferometer fleet run taste                 on every board of devices.yaml
      inferometer fleet run study.yaml --on nano,pi5
      inferometer fleet run study.yaml --any pi5-8gb

    Ctrl-C ends the command; the boards go on, and the same command with --resume goes on with
    them, or `inferometer fleet collect` fetches their results.

    Exit status: 0 done; 1 some workloads or boards failed; 2 bad input; 130 interrupted.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.cli.run import study_of_flags
    from inferometer.fleet.engine import needed

    if scheduler is None:
        _listed(file, _names(on, each, spread), spread)  # before what takes seconds to import
    needed()
    from inferometer.fleet.engine.drive import Pace
    from inferometer.fleet.engine.run import Plan
    from inferometer.fleet.engine.scheduler import Certificates
    from inferometer.fleet.jobs import files_of
    from inferometer.store import open_store

    names = _names(on, each, spread)
    given = {name: value for name, value in flags.items() if value is not None}
    wanted = study_of_flags(study, given)
    _check(wanted)
    certificates = Certificates(ca=tls_ca, cert=tls_cert, key=tls_key)
    is_usual = study is None and "models" not in given  # nobody said what to measure
    with _boards(file, names, spread, scheduler, certificates) as boards:
        plan = Plan(
            study=wanted,
            boards=boards,
            spread=spread or "",
            files=files_of(wanted),
            energy=not no_energy,
            allow_estimate=allow_estimate,
            pace=Pace(patience_s=wait_s),
        )
        create = not resume or not is_usual
        with open_store(store_path, create=create, tell=tell_damage) as store:
            if resume:
                plan = replace(plan, earlier=_earlier(plan, store, begins=not is_usual))
            result = _measured(plan, store)
            if scheduler is not None:
                _end(result, boards)
            again = "" if scheduler else _collecting(file, store_path)
            return _show(result, store, again, json_path)


def _earlier(plan: Plan, store: Store, *, begins: bool) -> Earlier:
    """What is gone on with.

    Raises:
        InputError: there is nothing, and none begins.
    """
    from inferometer.cli.starting import nothing_to_resume
    from inferometer.fleet.engine.resuming import find
    from inferometer.host.lease import this_person

    found = find(plan.study, plan.boards, plan.spread, store, this_person())
    if found.is_nothing and len(found.silent) < len(plan.boards):
        nothing_to_resume(plan.study, store, begins=begins)
    return found


def _end(result: Result, boards: Sequence[Board]) -> None:
    """End the jobs that go on at hosts of a cluster: nothing could fetch them later."""
    from inferometer.core.errors import FleetError

    by_name = {board.device.name: board for board in boards}
    for job, name in result.going_on.items():
        with suppress(FleetError):
            by_name[name].cancel(job)
    result.going_on.clear()


def _collecting(file: Path, store_path: Place) -> str:
    """The command that fetches what boards have measured."""
    return (
        f"inferometer fleet collect --devices {shlex.quote(str(file))} "
        f"--store {shlex.quote(str(store_path))}"
    )


def _names(on: list[str] | None, each: list[str] | None, spread: str | None) -> tuple[str, ...]:
    """The devices that are named; none for all."""
    asked = [flag for flag, one in (("--on", on), ("--each", each), ("--any", spread)) if one]
    if len(asked) > 1:
        raise click.UsageError(f"{' and '.join(asked)} do not go together: give one of them")
    named = tuple(on or each or ())
    return () if named == (ALL,) else named


def _check(study: Any) -> None:  # noqa: ANN401 - a Study, whose imports come late
    """Refuse what cannot work on any device; runtimes need not be installed here."""
    from inferometer.core.errors import MissingExtraError
    from inferometer.runner import check

    try:
        check(study)
    except MissingExtraError:
        return


@contextmanager
def _boards(
    file: Path,
    names: Sequence[str],
    spread: str | None,
    scheduler: str | None,
    certificates: Any,  # noqa: ANN401 - Certificates, which load Dask
) -> Iterator[list[Board]]:
    """The devices that take part.

    Raises:
        FleetError: there are none, or the cluster is not there.
    """
    if scheduler is None:
        yield _listed(file, names, spread)
        return
    from inferometer.fleet.engine.scheduler import connect, hosts

    with connect(scheduler, certificates) as client:
        found = hosts(client)
        unknown = set(names) - {board.device.name for board in found}
        if unknown:
            there = ", ".join(shown(board.device.name, 40) for board in found)
            raise click.UsageError(
                f"no host of the cluster is called {shown(min(unknown))}; there are: {there}"
            )
        yield [board for board in found if not names or board.device.name in names]


def _listed(file: Path, names: Sequence[str], spread: str | None) -> list[Board]:
    """Devices of the file.

    Raises:
        FleetError: there are none of that class, or of a name.
    """
    from inferometer.core.errors import FleetError
    from inferometer.fleet.devices import chosen, read_devices
    from inferometer.fleet.link.remote import board

    devices = chosen(read_devices(file), names)
    if spread is not None:
        known = sorted({one.kind for one in devices if one.kind})
        devices = tuple(one for one in devices if one.kind == spread)
        if not devices:
            raise FleetError(
                f"{shown(file)}: no device is of class {shown(spread)}; classes: "
                f"{', '.join(map(shown, known)) or 'none; give some devices the same class'}"
            )
    return [board(one) for one in devices]


def _measured(plan: Plan, store: Store) -> Result:
    from inferometer.fleet.engine.run import run_fleet
    from inferometer.report.terminal.fleet import fleet_screen

    with fleet_screen() as screen:
        return run_fleet(plan, store, listener=lambda event: _tell(event, screen))


def _tell(event: Event, screen: FleetScreen) -> None:
    from inferometer.fleet.engine.session import Outcome, Said

    if isinstance(event, Said):
        status = event.status
        screen.device(event.device, status.done, status.planned, status.state)
    elif isinstance(event, Outcome):
        if event.ending in ("failed", "partial"):
            screen.note(f"{event.message}: not measured")
    else:
        screen.note(event.message)


def _show(result: Result, store: Store, again: str, json_path: str | None) -> int:
    """Print what came; the exit status."""
    from inferometer.report.terminal.table import print_run

    records = [(store.run(one), store.records(one)) for one in result.runs]
    if json_path is not None:
        write_json([one.row() for _, mine in records for one in mine], json_path)
    if json_path != "-":
        for one, mine in records:
            print_run(one, mine)
    if result.interrupted:
        names = [f"{shown(name, 40)} (job {job})" for job, name in result.going_on.items()]
        left = (
            f"; {', '.join(names)} go on, and what they have comes with: {again}" if names else ""
        )
        click.echo(
            f"Interrupted. What came is kept; the same command with --resume goes on{left}",
            err=True,
        )
        return INTERRUPTED
    if result.failures and again:
        click.echo(f"What boards that were lost have yet comes with: {again}", err=True)
    failed = any(one.status == "failed" for _, mine in records for one in mine)
    measured = any(one.status == "ok" for _, mine in records for one in mine)
    return 1 if failed or result.failures or not measured else 0
