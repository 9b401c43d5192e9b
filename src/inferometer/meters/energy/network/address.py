"""Where a network meter is, as a user writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import parse_qsl, unquote, urlsplit

from inferometer.core.errors import MeterError
from inferometer.core.shown import shown


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
        return shown(f"{self.kind}://{self.place}")

    @property
    def place(self) -> str:
        """Host and port, as URLs write them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPConnection.default_port else f"{host}:{self.port}"

    @property
    def name(self) -> str:
        """What tells it from another one: kind, place and options."""
        query = "&".join(f"{option}={value}" for option, value in self.options.items())
        return f"{self.kind}:{self.place}{'?' if query else ''}{query}"

    def number(self, option: str, default: int) -> int:
        """A small whole number among the options.

        Raises:
            MeterError: it is not one.
        """
        text = self.options.get(option)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 2):  # noqa: PLR2004 - channels
            raise MeterError(f"{self}: {option}={shown(text)} is not a number of a channel")
        return int(text)


def parse_address(target: str, kind: str, options: Sequence[str]) -> Address:
    """Read `HOST`, `HOST:PORT`, `USER:PASSWORD@HOST?option=value`, with or without `KIND://`.

    Raises:
        MeterError: it is not an address, or has an option that the kind does not know.
    """
    example = f"write it like {kind}://192.168.1.20 or {kind}://plug.local:8080"
    rest = target.strip().removeprefix(f"{kind}://")
    name = shown(f"{kind}://{rest.rpartition('@')[2]}")
    try:
        parts = urlsplit(f"{kind}://{rest}")
        host, port = parts.hostname or "", parts.port or HTTPConnection.default_port
        asked = dict(
            parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        )
    except ValueError as error:
        raise MeterError(
            f"{name} is not the address of a meter ({shown(error)}): {example}"
        ) from None
    if not host or parts.path.strip("/") or parts.fragment or not host.isprintable() or " " in host:
        raise MeterError(f"{name} is not the address of a meter: {example}")
    unknown = sorted(asked.keys() - set(options))
    if unknown:
        raise MeterError(
            f"{kind}://{shown(host)} has no option {shown(unknown[0])}: "
            f"it takes {', '.join(options)}"
        )
    return Address(
        kind=kind,
        host=host,
        port=port,
        user=unquote(parts.username or ""),
        password=None if parts.password is None else unquote(parts.password),
        options=asked,
    )
