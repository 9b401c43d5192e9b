"""Lines of JSON between the parent and a worker: nothing that a model made is ever unpickled."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict
from typing import Any

from inferometer.core.record import Failure, Round, Stage

Message = dict[str, Any]


class Closed(Exception):  # noqa: N818 - not an error: the other side has gone
    """The other side has closed the line, or died."""


class Line:
    """A socket that carries one JSON object a line."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._rest = b""

    def send(self, message: Message) -> None:
        """Send one message.

        Raises:
            Closed: nobody listens.
        """
        try:
            self.sock.sendall(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        except OSError as error:
            raise Closed from error

    def receive(self, timeout_s: float | None = None) -> Message | None:
        """The next message; None where none was complete within the time.

        Raises:
            Closed: the other side has gone.
        """
        while b"\n" not in self._rest:
            self.sock.settimeout(timeout_s)
            try:
                part = self.sock.recv(1 << 16)
            except TimeoutError:
                return None
            except OSError as error:
                raise Closed from error
            if not part:
                raise Closed
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        message: Message = json.loads(line)
        return message

    def close(self) -> None:
        """Hang up."""
        self.sock.close()


def round_to_json(done: Round) -> Message:
    """A round as JSON; `round_from_json` reads it back exactly."""
    return asdict(done)


def round_from_json(data: Message) -> Round:
    """Read what `round_to_json` wrote."""
    return Round(
        **{
            **data,
            "starts_s": tuple(data["starts_s"]),
            "values_s": tuple(data["values_s"]),
        }
    )


def failure_to_json(failure: Failure) -> Message:
    """The answer of a worker to a request that failed."""
    return {"failure": asdict(failure)}


def failure_of(message: Message, stage: Stage) -> Failure | None:
    """The failure that an answer holds, at the stage that the parent knows; None if it has none."""
    data = message.get("failure")
    return Failure(**{**data, "stage": stage}) if data else None
