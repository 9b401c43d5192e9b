"""`inferometer fleet`: a shelf of boards over SSH."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inferometer.cli.fleet_run import devices_option, run
from inferometer.cli.options import Function, json_option, store_option, tell_damage, write_json
from inferometer.cli.parameters import NAMES
from inferometer.core.shown import shown
from inferometer.store.address import Place

if TYPE_CHECKING:
    from inferometer.fleet.asking import Reply
    from inferometer.fleet.types import Board, Facts, KnownJob
    from inferometer.store import Store

CLOCK_S = 5.0
"""A clock that is wrong by more than that is told of."""
LITTLE_ROOM = 200 << 20
WIDTH = 80


@click.group()
def fleet() -> None:
    """Measure on several boards over SSH.

    A file, devices.yaml, lists the boards. Nothing listens on them but ssh, which takes your keys.

    \b
    Examples:
      inferometer fleet check                     which boards can be used
      inferometer fleet run taste                 measure on all of them
    """  # noqa: D301 - \b is click's sign to leave the lines as they are


fleet.add_command(run)


def devices_options(function: Function) -> Function:
    """`--devices FILE` and `--on A,B`."""
    on = click.option("--on", "names", type=NAMES, help="Only these boards [default: all].")
    return devices_option(on(function))


def boards_of(file: Path, names: Sequence[str] | None) -> list[Board]:
    """The boards of a file of devices, or those of them that are named.

    Raises:
        FleetError: the file is wrong, or there is none of a name.
    """
    from inferometer.fleet.devices import chosen, read_devices
    from inferometer.fleet.link.remote import board

    return [board(device) for device in chosen(read_devices(file), names or ())]


@fleet.command()
@devices_options
@json_option
def check(*, file: Path, names: list[str] | None, json_path: str | None) -> int:
    """Check which boards can be used.

    Shows whether they answer, what is installed there, and who measures on them.

    \b
    Examples:
      inferometer fleet check
      inferometer fleet check --devices lab.yaml --on nano

    Exit status: 0 all can be used; 1 some cannot.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.fleet.asking import ask_all

    replies = list(ask_all(boards_of(file, names), lambda board: board.check()))
    if json_path is not None:
        write_json([_checked(reply) for reply in replies], json_path)
    if json_path != "-":
        lines = (line for reply in replies for line in _check_lines(reply))
        click.echo("\n".join(row for line in lines for row in _wrapped(line)))
    return int(any(_problems(reply) for reply in replies))


@fleet.command()
@devices_options
@json_option
def status(*, file: Path, names: list[str] | None, json_path: str | None) -> int:
    """List the jobs on the boards, the latest first.

    \b
    Example:
      inferometer fleet status --on nano

    Exit status: 0 all boards answered; 1 some did not.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.fleet.asking import ask_all

    replies = list(ask_all(boards_of(file, names), lambda board: board.jobs()))
    if json_path is not None:
        write_json([_jobs(reply) for reply in replies], json_path)
    if json_path != "-":
        click.echo("\n".join(line for reply in replies for line in _job_lines(reply)))
    return int(any(reply.problem for reply in replies))


@fleet.command()
@click.argument("jobs", metavar="[JOB]...", nargs=-1)
@devices_options
@click.option("--everybody", is_flag=True, help="Also jobs that other people started.")
@store_option
def collect(
    *,
    jobs: tuple[str, ...],
    file: Path,
    names: list[str] | None,
    everybody: bool,
    store_path: Place,
) -> int:
    """Fetch what the boards have measured.

    Each record comes into the results database once.

    JOB is an id from `inferometer fleet status` [default: all jobs that you started from this
    machine]. A job that is still running gives what it has so far.

    \b
    Examples:
      inferometer fleet collect
      inferometer fleet collect --on nano --store results.db

    Exit status: 0 done; 1 some boards did not answer, or wrongly.
    """  # noqa: D301 - \b is click's sign to leave the lines as they are
    from inferometer.fleet.asking import ask_all
    from inferometer.store import open_store

    boards = boards_of(file, names)
    wanted = _Wanted(jobs, everybody=everybody)
    failed = False
    with open_store(store_path, tell=tell_damage) as store:
        for reply in ask_all(boards, lambda board: board.jobs()):
            if reply.answer is None:
                failed = _tell_failed(reply.problem)
            for known in filter(wanted.takes, reply.answer or ()):
                failed |= not _collected(reply.board, known, store)
    for job in wanted.left:
        failed = _tell_failed(f"no board that answered has a job {shown(job, 20)}")
    return int(failed)


def _collected(board: Board, known: KnownJob, store: Store) -> bool:
    """Fetch a job's results, and say what came; whether they could be had."""
    from inferometer.core.errors import InputError
    from inferometer.fleet.collecting import bundle_from, keep
    from inferometer.fleet.types import RefusedError

    try:
        came = keep(store, bundle_from(board, known), board.device, known)
    except InputError as error:
        click.echo(str(error), err=True)
        return isinstance(error, RefusedError) and error.code == "nothing_yet"
    name = shown(board.device.name, 40)
    click.echo(f"{known.status.job}: {shown(known.study, 40)} on {name}: {came}")
    return True


class _Wanted:
    """Which jobs are collected."""

    def __init__(self, jobs: Iterable[str], *, everybody: bool) -> None:
        from inferometer.host.lease import this_person

        self.left = set(jobs)
        self._named = set(jobs)
        self._everybody = everybody
        self._me = this_person()

    def takes(self, known: KnownJob) -> bool:
        """Whether a job is one of them."""
        job, holder = known.status.job, known.holder
        self.left.discard(job)
        if self._named:
            return job in self._named
        mine = (holder.user, holder.host) == (self._me.user, self._me.host)
        return self._everybody or mine


def _tell_failed(problem: object) -> bool:
    click.echo(str(problem), err=True)
    return True


def _checked(reply: Reply[Facts]) -> dict[str, Any]:
    """A board in the JSON of `check`."""
    device, facts = reply.board.device, reply.answer
    found = {
        "device_name": device.name,
        "class": device.kind,
        "ok": not _problems(reply),
        "problems": _problems(reply),
        "notes": [] if facts is None else _notes(facts),
    }
    return found if facts is None else {**found, **asdict(facts)}


def _problems(reply: Reply[Facts]) -> list[str]:
    """Why a board cannot be used now."""
    from inferometer.host.lease import held_words

    if reply.answer is None:
        return [str(reply.problem)]
    facts = reply.answer
    problems = [] if facts.is_writable else ["jobs cannot be kept there: no permission to write"]
    return problems + ([] if facts.holder is None else [held_words(facts.holder)])


def _notes(facts: Facts) -> list[str]:
    """What should be known of a board that can be used."""
    from inferometer import __version__
    from inferometer.core.units import byte_count, duration

    notes = []
    if abs(facts.clock_offset_s) > CLOCK_S:
        side = "ahead" if facts.clock_offset_s > 0 else "behind"
        notes.append(f"its clock is {duration(abs(facts.clock_offset_s))} {side}")
    if facts.free_bytes < LITTLE_ROOM:
        notes.append(f"only {byte_count(facts.free_bytes)} are free there")
    if facts.kind == "full" and facts.version != __version__:
        notes.append(f"it has inferometer {shown(facts.version, 20)}, here is {__version__}")
    return notes


def _check_lines(reply: Reply[Facts]) -> list[str]:
    facts, name = reply.answer, shown(reply.board.device.name, 40)
    if facts is None:
        return [f"{name}: cannot be used", f"  {reply.problem}"]
    problems = _problems(reply)
    kind = "light agent" if facts.kind == "agent" else f"inferometer {shown(facts.version, 20)}"
    about = [kind, f"Python {shown(facts.python, 20)}", shown(facts.device.get("name", "?"), 60)]
    runtimes, power = (
        ", ".join(shown(one, 40) for one in part) or "none"
        for part in (facts.backends, facts.power)
    )
    return [
        f"{name}: {'cannot be used now' if problems else 'ready'}: {', '.join(about)}",
        f"  backends: {runtimes}; power sources: {power}",
        *(f"  {one}" for one in (*problems, *_notes(facts))),
    ]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(
        line, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _jobs(reply: Reply[tuple[KnownJob, ...]]) -> dict[str, Any]:
    """A board in the JSON of `status`."""
    problem = None if reply.problem is None else str(reply.problem)
    jobs = [asdict(one) for one in reply.answer or ()]
    return {"device_name": reply.board.device.name, "problem": problem, "jobs": jobs}


def _job_lines(reply: Reply[tuple[KnownJob, ...]]) -> list[str]:
    name = shown(reply.board.device.name, 40)
    if reply.answer is None:
        return [str(reply.problem)]
    if not reply.answer:
        return [f"{name}: no jobs"]
    return [f"{name}:", *(line for one in reply.answer for line in _job_line(one))]


def _job_line(known: KnownJob) -> list[str]:
    one, who = known.status, known.holder
    failed = f", {one.failed} of them failed" if one.failed else ""
    line = (
        f"  {one.job}  {one.state}  {one.done} of {one.planned}{failed}  {shown(known.study, 40)}"
        f"  started by {shown(who.user, 40)} from {shown(who.host, 40)}"
    )
    return [line, f"    {shown(one.message, 500)}"] if one.message else [line]
