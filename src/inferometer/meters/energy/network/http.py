"""Asking a network meter over HTTP, within limits. Does not know what the answers mean.

One GET at a time: at most 64 KiB are read, all of it before a deadline that a slow drip of bytes
does not move, and no redirect is followed. Proxies named in the environment are not used for any
host: meters stand on the local network, and a proxy would see their passwords. A password is sent
only after the meter has asked for it, and stands in no message.
"""

from __future__ import annotations

import io
import json
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from typing import Any, cast
from urllib.parse import urlsplit

from inferometer.core.errors import MeterError
from inferometer.core.shown import shown
from inferometer.meters.energy.network.address import Address
from inferometer.meters.energy.network.http_login import login_for

TIMEOUT_S = 2.0
"""A meter on the local network answers within tens of milliseconds."""
MOST_BYTES = 64 * 1024

_OK, _UNAUTHORISED = 200, 401
_REDIRECTS = range(300, 400)
_CONNECTIONS = {"http": HTTPConnection, "https": HTTPSConnection}

_WORDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    ((socket.gaierror, UnicodeError), "has no address that this device knows: is the name right?"),
    (ConnectionRefusedError, "refuses the connection: is the port right?"),
    (ConnectionError, "broke the connection off"),
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a meter answered.

    Attributes:
        status: HTTP status.
        body: at most 64 KiB.
        asks: what it asks for where the status is 401, one challenge each.
        moved: the host that a redirect names; empty where the answer is none.
    """

    status: int
    body: bytes
    asks: Sequence[str] = ()
    moved: str = ""


def get_json(
    address: Address, path: str, *, user: str = "", timeout_s: float = TIMEOUT_S
) -> dict[str, Any]:
    """The JSON object at a path of a meter.

    Args:
        address: the meter.
        path: path and query.
        user: whom to log in as where the address names nobody.
        timeout_s: seconds for each of the at most two requests.

    Raises:
        MeterError: there is no such object; the message is one sentence.
    """
    answer = get(address, path, user=user, timeout_s=timeout_s)
    if answer.status != _OK:
        raise MeterError(f"{address} answers with HTTP status {answer.status}")
    return to_object(address, answer)


def to_object(address: Address, answer: Answer) -> dict[str, Any]:
    """The JSON object that an answer holds.

    Raises:
        MeterError: it holds none.
    """
    try:
        found = json.loads(answer.body.decode())
    except (ValueError, RecursionError):
        raise MeterError(f"{address} does not answer in JSON: is it such a meter?") from None
    if not isinstance(found, dict):
        raise MeterError(f"{address} answers with JSON that is not an object")
    return found


def get(address: Address, path: str, *, user: str = "", timeout_s: float = TIMEOUT_S) -> Answer:
    """Answer of a meter, whatever its status, but for redirects and refused passwords.

    Raises:
        MeterError: there is none within the limits; the message is one sentence.
    """
    url = f"http://{address.place}{path}"
    name = address.user or user
    try:
        answer = fetch(url, timeout_s=timeout_s)
        if answer.status == _UNAUTHORISED:
            if address.password is None:
                way_out = f"{address.kind}://{shown(name) or 'USER'}:PASSWORD@{address.place}"
                raise MeterError(f"{address} asks for a password: write {way_out}")
            login = login_for(answer.asks, path, name, address.password)
            answer = fetch(url, {"Authorization": login}, timeout_s=timeout_s) if login else answer
    except (OSError, HTTPException, UnicodeError, ValueError) as error:
        raise MeterError(f"{address} {_in_words(error, timeout_s)}") from error
    if answer.status == _UNAUTHORISED:
        raise MeterError(f"{address} refuses the name or the password that was given")
    if answer.status in _REDIRECTS:
        elsewhere = f" to {shown(answer.moved)}" if answer.moved else ""
        raise MeterError(f"{address} redirects{elsewhere}, which is not followed: is it a meter?")
    return answer


def fetch(
    url: str, headers: Mapping[str, str] | None = None, *, timeout_s: float = TIMEOUT_S
) -> Answer:
    """One GET request, without redirects and proxies.

    The deadline holds for connecting to one address of the host and for everything after it; the
    look-up of its name is the system's own and is not bounded.

    Raises:
        OSError: no connection, or none in time (TimeoutError).
        HTTPException: the answer is not HTTP, or breaks off.
        ValueError: the URL is not of http or https, or more than 64 KiB came.
    """
    parts = urlsplit(url)
    if parts.scheme not in _CONNECTIONS or not parts.hostname:
        raise ValueError("is asked by http and https only")
    until = time.monotonic() + timeout_s
    link = _CONNECTIONS[parts.scheme](parts.hostname, parts.port, timeout=timeout_s)
    try:
        target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        link.request("GET", target, headers={"Connection": "close", **(headers or {})})
        response = HTTPResponse(cast("socket.socket", _Hurried(link.sock, until)), method="GET")
        with response:
            response.begin()
            body = response.read(MOST_BYTES + 1)
            if len(body) > MOST_BYTES:
                raise ValueError("answers with more than 64 KiB: is it a meter?")
            if response.length:  # what `read` with a limit does not mind
                raise IncompleteRead(body, response.length)
            return Answer(
                status=response.status,
                body=body,
                asks=response.headers.get_all("WWW-Authenticate") or (),
                moved=_host_of(response.headers.get("Location", "")),
            )
    finally:
        link.close()


class _Hurried(io.RawIOBase):
    """What `HTTPResponse` reads from: a socket, until a moment on the monotonic clock.

    A time-out of the socket alone starts anew with each byte that arrives.
    """

    def __init__(self, link: socket.socket, until: float) -> None:
        self._link = link
        self._until = until

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._link.settimeout(left_s)
        return self._link.recv_into(buffer)


def _host_of(location: str) -> str:
    """The host that a redirect names: neither its path nor its user are anybody's business."""
    try:
        return (urlsplit(location).hostname or "")[:80]
    except ValueError:
        return ""


def _in_words(error: Exception, timeout_s: float) -> str:
    """What came instead of an answer."""
    if isinstance(error, TimeoutError):
        return f"does not answer within {timeout_s:g} s: is it on, and in this network?"
    for kinds, words in _WORDS:
        if isinstance(error, kinds):
            return words
    if isinstance(error, HTTPException):
        return f"does not answer in HTTP ({type(error).__name__}): is it a meter?"
    if isinstance(error, OSError):
        return f"cannot be reached ({error.strerror or type(error).__name__})"
    return str(error)
