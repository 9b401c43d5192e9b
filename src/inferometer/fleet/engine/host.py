"""What runs on a worker of a team's cluster: the verbs of a board, and what keeps the worker busy.

Tasks are named functions of this file with texts, numbers and bytes as arguments; nothing else.
"""

from __future__ import annotations

import asyncio
import sys
import time

from inferometer.core.errors import FleetError
from inferometer.fleet.link.conversation import Conversation
from inferometer.fleet.protocol import Limits
from inferometer.host.lease import holder_now

LOOK_S = 1.0
START_S = 120.0
"""How long a job may take to get the lease, its files sent, before the worker is let go."""


async def talk_aside(
    arguments: list[str], request: bytes, total_bytes: int, seconds: float
) -> tuple[int, bytes, bytes]:
    """Ask this host something, beside whatever task the worker is at.

    Returns:
        Exit status, standard output and standard error.
    """
    return await asyncio.to_thread(talk, arguments, request, total_bytes, seconds)


def talk(
    arguments: list[str], request: bytes, total_bytes: int, seconds: float
) -> tuple[int, bytes, bytes]:
    """Ask this host something, as a coordinator asks a board over SSH."""
    limits = Limits(total_bytes=total_bytes, seconds=seconds)
    conversation = Conversation([sys.executable, *arguments], [request], limits, name="this host")
    try:
        output = b"\n".join(conversation.lines())
    except FleetError as error:
        return 1, b"", str(error).encode()
    return conversation.status or 0, output, conversation.errors


def hold(job: str, begun: str) -> None:
    """Keep a worker from other tasks for as long as a job measures on its host.

    Args:
        job: its id, by which the lease is known.
        begun: name of the event that says that the worker is kept.
    """
    from distributed import Event, get_client

    Event(begun, client=get_client()).set()
    end, measured = time.monotonic() + START_S, False
    while measured or time.monotonic() < end:
        holder = holder_now()
        here = holder is not None and holder.job == job
        if measured and not here:
            return
        measured = measured or here
        time.sleep(LOOK_S)
