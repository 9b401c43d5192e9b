"""What boards have measured, into a store: each record once, however often it is collected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferometer.core.errors import ImportFileError
from inferometer.core.shown import shown
from inferometer.fleet.protocol import MIB
from inferometer.fleet.types import AnswerError, Board, Device, KnownJob

if TYPE_CHECKING:
    from inferometer.store import Store
    from inferometer.store.bundle import Bundle

MOST_UNPACKED = 512 * MIB


def bundle_from(board: Board, known: KnownJob) -> Bundle:
    """What a job has measured so far.

    Raises:
        AnswerError: it is no bundle, or of something else.
        FleetError: it cannot be had.
    """
    return checked(board.collect(known.status.job), board.device, known)


def checked(content: bytes, device: Device, known: KnownJob) -> Bundle:
    """A bundle, if it is of the job that was asked for.

    Raises:
        AnswerError: it is none, or of something else.
    """
    from inferometer.store.bundle import read_bundle

    name = shown(device.name)
    try:
        bundle = read_bundle(content, name, at_most=MOST_UNPACKED)
    except ImportFileError as error:
        raise AnswerError(f"{error}; nothing of it was kept") from error
    run = bundle.run
    if (run.id, run.device_name, run.study) != (known.status.job, device.name, known.study):
        raise AnswerError(
            f"{name}: it sent a run {shown(run.id, 20)} of {shown(run.study, 40)} on "
            f"{shown(run.device_name, 40)} for job {known.status.job} of {shown(known.study, 40)}; "
            "nothing of it was kept"
        )
    return bundle


def keep(store: Store, bundle: Bundle, device: Device, known: KnownJob) -> str:
    """Add what a bundle holds and a store does not; what came of it, in a few words.

    Raises:
        ImportFileError: the store has another run of its id.
    """
    if known.group:
        return _keep_part(store, bundle, device, known)
    from inferometer.runner.imported import take_in

    found = take_in(store, bundle)
    if found.is_nothing:
        return "nothing new"
    counts = {"record": len(found.records), "round": len(found.rounds)}
    parts = [f"{count:,} {what}{'' if count == 1 else 's'}" for what, count in counts.items()]
    return f"{' and '.join(parts)}{'' if found.is_new else ' more'}"


def _keep_part(store: Store, bundle: Bundle, device: Device, known: KnownJob) -> str:
    """A part of a run that several devices measure; it is added once it is whole."""
    from inferometer.fleet.engine.merge import add_part
    from inferometer.runner.imported import figured

    if known.status.state != "done":
        return f"a part of run {known.group}, which is taken when it is done"
    name = device.kind or device.name
    whole = figured(bundle) if bundle.raw else bundle
    facts = {} if device.price is None else {"price": device.price}
    run = add_part(store, whole, group=known.group, name=name, facts=facts)
    return "nothing new" if run is None else f"a part of run {run.id}"
