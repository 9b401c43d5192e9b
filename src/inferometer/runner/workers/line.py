"""The socket between the parent and a worker: nothing that a model made is ever unpickled."""

from __future__ import annotations

import socket


class Closed(Exception):  # noqa: N818 - not an error: the other side has gone
    """The other side has closed the line, or died."""


class Line:
    """A socket that carries one message a line."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._rest = b""

    def send(self, message: bytes) -> None:
        """Send one message, which holds no end of a line.

        Raises:
            Closed: nobody listens.
        """
        try:
            self.sock.sendall(message + b"\n")
        except OSError as error:
            raise Closed from error

    def receive(self, timeout_s: float | None = None) -> bytes | None:
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
        message, _, self._rest = self._rest.partition(b"\n")
        return message

    def close(self) -> None:
        """Hang up."""
        self.sock.close()
