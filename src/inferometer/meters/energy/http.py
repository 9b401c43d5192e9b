"""Asking a network meter over HTTP, within limits. Does not know what the answers mean.

One GET at a time: at most 64 KiB are read, all of it before a deadline that a slow drip of bytes
does not move, and no redirect is followed. Proxies named in the environment are not used for any
host: meters stand on the local network, and a proxy would see their passwords. A password is sent
only after the meter has asked for it, and stands in no message.
"""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import socket
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit
from urllib.request import parse_http_list, parse_keqv_list

from inferometer.core.errors import MeterError

TIMEOUT_S = 2.0
"""A meter on the local network answers within tens of milliseconds."""
MOST_BYTES = 64 * 1024

_UNQUOTABLE = set('"\\\r\n')
_OK, _UNAUTHORISED = 200, 401
_REDIRECTS = range(300, 400)
_HASHES = {"MD5": "md5", "SHA-256": "sha256"}
_CONNECTIONS = {"http": HTTPConnection, "https": HTTPSConnection}

_WORDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    ((socket.gaierror, UnicodeError), "has no address that this device knows: is the name right?"),
    (ConnectionRefusedError, "refuses the connection: is the port right?"),
    (ConnectionError, "broke the connection off"),
)


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a network meter is.

    Attributes:
        kind: the family, as in `shelly://…`.
        host: name or IP address.
        port: TCP port.
        user: name to log in with; empty for the one that the kind prescribes.
        password: its password; None where none was given.
        options: what followed `?`.
    """

    kind: str
    host: str
    port: int
    user: str = ""
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """As the user wrote it, without name, password and options."""
        return f"{self.kind}://{self.place}"

    @property
    def place(self) -> str:
        """Host and port, as URLs write them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPConnection.default_port else f"{host}:{self.port}"

    def number(self, option: str, default: int) -> int:
        """A small whole number among the options.

        Raises:
            MeterError: it is not one.
        """
        text = self.options.get(option)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 2):  # noqa: PLR2004 - channels
            raise MeterError(f"{self}: {option}={text} is not a number of a channel")
        return int(text)


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


def parse_address(target: str, kind: str, options: Sequence[str]) -> Address:
    """Read `HOST`, `HOST:PORT`, `USER:PASSWORD@HOST?option=value`, with or without `KIND://`.

    Raises:
        MeterError: it is not an address, or has an option that the kind does not know.
    """
    example = f"write it like {kind}://192.168.1.20 or {kind}://plug.local:8080"
    rest = target.strip().removeprefix(f"{kind}://")
    shown = f"{kind}://{rest.rpartition('@')[2]}"
    try:
        parts = urlsplit(f"{kind}://{rest}")
        host, port = parts.hostname or "", parts.port or HTTPConnection.default_port
        asked = dict(
            parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        )
    except ValueError as error:
        raise MeterError(f"{shown} is not the address of a meter ({error}): {example}") from None
    if not host or parts.path.strip("/") or parts.fragment or not host.isprintable() or " " in host:
        raise MeterError(f"{shown} is not the address of a meter: {example}")
    unknown = sorted(asked.keys() - set(options))
    if unknown:
        raise MeterError(
            f"{kind}://{host} has no option {unknown[0]}: it takes {', '.join(options)}"
        )
    return Address(
        kind=kind,
        host=host,
        port=port,
        user=unquote(parts.username or ""),
        password=None if parts.password is None else unquote(parts.password),
        options=asked,
    )


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
                way_out = f"write {address.kind}://{name or 'USER'}:PASSWORD@{address.place}"
                raise MeterError(f"{address} asks for a password: {way_out}")
            login = _login(answer.asks, path, name, address.password)
            answer = fetch(url, {"Authorization": login}, timeout_s=timeout_s) if login else answer
    except (OSError, HTTPException, UnicodeError, ValueError) as error:
        raise MeterError(f"{address} {_in_words(error, timeout_s)}") from error
    if answer.status == _UNAUTHORISED:
        raise MeterError(f"{address} refuses the name or the password that was given")
    if answer.status in _REDIRECTS:
        elsewhere = f" to {answer.moved}" if answer.moved else ""
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


def _login(asks: Sequence[str], path: str, user: str, password: str) -> str | None:
    """The header that answers the first challenge that we can; Digest goes before Basic."""
    for challenge in sorted(asks, key=lambda ask: not ask.lower().startswith("digest")):
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "digest":
            wanted = parse_keqv_list([pair for pair in parse_http_list(rest) if "=" in pair])
            if (login := _digest(wanted, path, user, password)) is not None:
                return login
        if scheme.lower() == "basic":
            return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
    return None


def _digest(wanted: Mapping[str, str], path: str, user: str, password: str) -> str | None:
    """Answer to a Digest challenge (RFC 7616, section 3.4), with `auth` or without protection.

    `urllib` knows no SHA-256, which second-generation Shellys ask for.
    """
    algorithm = wanted.get("algorithm", "MD5").upper()
    qualities = [quality.strip() for quality in wanted.get("qop", "auth").split(",")]
    if algorithm not in _HASHES or "auth" not in qualities:
        return None

    def hashed(*parts: str) -> str:
        return hashlib.new(_HASHES[algorithm], ":".join(parts).encode()).hexdigest()

    realm, nonce, own = wanted.get("realm", ""), wanted.get("nonce", ""), secrets.token_hex(8)
    count = "00000001"
    response = hashed(hashed(user, realm, password), nonce, count, own, "auth", hashed("GET", path))
    quoted = {
        "username": user,
        "realm": realm,
        "nonce": nonce,
        "uri": path,
        "cnonce": own,
        "response": response,
    }
    if "opaque" in wanted:
        quoted["opaque"] = wanted["opaque"]
    if any(not value.isascii() or _UNQUOTABLE & set(value) for value in quoted.values()):
        return None
    listed = ", ".join(f'{key}="{value}"' for key, value in quoted.items())
    return f"Digest {listed}, algorithm={algorithm}, qop=auth, nc={count}"
