"""A team's Dask cluster: its hosts as boards, asked over Dask's own encrypted connections.

A host is asked what a board is asked over SSH, by the same verbs, in lines of JSON. While it
measures, a task keeps its worker busy, so that Dask gives that worker nothing else.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distributed import Client, Event, Future
from distributed.security import Security

from inferometer.core.errors import FleetError, InputError
from inferometer.core.shown import shown
from inferometer.fleet.engine.host import hold, talk_aside
from inferometer.fleet.link.remote import RemoteBoard
from inferometer.fleet.protocol import Limits
from inferometer.fleet.types import Device, Job, LineError

CLEAR, ENCRYPTED = ("tcp", "ws", "ucx", "inproc"), ("tls", "wss")
CONNECT_S = 20.0
HOLD_S = 60.0
"""How long a worker may be busy with other tasks before it is taken for away."""


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """Files with which both ends of a connection show who they are.

    Attributes:
        ca: certificate of whoever signs those of the team.
        cert: our own.
        key: its private key.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @property
    def are_whole(self) -> bool:
        """Whether all are given."""
        return None not in (self.ca, self.cert, self.key)


def connect(address: str, certificates: Certificates) -> Client:
    """A client of a scheduler.

    Raises:
        InputError: the connection would be in clear text, or a file is missing.
        FleetError: there is no scheduler, or it does not accept us.
    """
    check_address(address, certificates)
    security = None
    if certificates.are_whole:
        security = Security(
            tls_ca_file=str(certificates.ca),
            tls_client_cert=str(certificates.cert),
            tls_client_key=str(certificates.key),
            require_encryption=True,
        )
    try:
        return Client(address, security=security, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise FleetError(
            f"{shown(address)}: no scheduler that accepts us: {_reason(error)}. Does it run, and "
            "are its certificate and yours signed by the same --tls-ca?"
        ) from error


def check_address(address: str, certificates: Certificates) -> None:
    """Refuse what others on the network could read, or take part in.

    Raises:
        InputError: it is so, or no address.
    """
    scheme, found, rest = address.partition("://")
    if not found or scheme not in (*CLEAR, *ENCRYPTED) or not rest:
        raise InputError(f"--scheduler {shown(address)}: write tls://HOST:PORT")
    if scheme in CLEAR and not _is_loopback(rest):
        raise InputError(
            f"--scheduler {shown(address)}: in clear text anybody on the network could read it and "
            "run programs on its workers. Start scheduler and workers with --protocol tls "
            "--tls-ca-file CA --tls-cert CERT --tls-key KEY, and give --scheduler tls://… --tls-ca "
            "CA --tls-cert CERT --tls-key KEY (docs/how-to/fleet.md)"
        )
    if scheme in ENCRYPTED and not certificates.are_whole:
        raise InputError(
            f"--scheduler {shown(address)}: both ends show who they are: give --tls-ca, --tls-cert "
            "and --tls-key"
        )
    for flag in ("ca", "cert", "key"):
        file: Path | None = getattr(certificates, flag)
        if file is not None and not os.access(file, os.R_OK):
            raise InputError(f"--tls-{flag} {shown(file)}: it cannot be read; give another file")


def hosts(client: Client) -> list[HostBoard]:
    """A board for each host of a cluster, whatever the number of its workers.

    Raises:
        FleetError: there is no worker.
    """
    workers: dict[str, dict[str, Any]] = client.scheduler_info()["workers"]
    first = {str(one["host"]): address for address, one in sorted(workers.items(), reverse=True)}
    if not first:
        raise FleetError("the scheduler has no workers: start some (dask worker …)")
    found, names = [], set[str]()
    for host, address in sorted(first.items()):
        own = host
        with suppress(FleetError):  # told when it is to measure
            facts = HostBoard(client, address, Device(name=host, host=host)).check()
            own = str(facts.device.get("name") or host)
        name = own if own not in names else f"{own} {host}"
        names.add(name)
        found.append(HostBoard(client, address, Device(name=name, host=host)))
    return found


class HostBoard(RemoteBoard):
    """A host of a cluster; see `types.Board`.

    Args:
        client: of the cluster's scheduler.
        address: of the worker on the host.
        device: what it is called.
    """

    def __init__(self, client: Client, address: str, device: Device) -> None:
        super().__init__(device, line=self._line_to)
        self._client = client
        self._address = address
        self._held: dict[str, Future[Any]] = {}

    def start(self, job: Job) -> None:
        """Take the worker, and start a job on its host.

        Raises:
            LineError: the worker is gone, or busy with other tasks.
        """
        if self.status(job.id).state not in ("running", "done"):  # what a job has, it keeps
            self._hold(job.id)
        try:
            super().start(job)
        except FleetError:
            if job.id in self._held:
                self._held.pop(job.id).cancel()
            raise

    def _hold(self, job: str) -> None:
        """Keep the worker from other tasks until the job is over.

        Raises:
            LineError: it does not come to it.
        """
        before = self._held.get(job)
        if before is not None and not before.done():
            return
        begun = f"inferometer-{job}"
        future = self._client.submit(
            hold,
            job,
            begun,
            key=f"inferometer-{job}-{len(self._held)}",
            workers=[self._address],
            allow_other_workers=False,
            pure=False,
            priority=1,
        )
        event = Event(begun, client=self._client)
        is_kept = event.wait(HOLD_S)
        event.clear()
        if not is_kept:
            future.cancel()
            raise LineError(
                f"{self.device.name}: its worker is gone, or is busy with other tasks of the "
                "cluster"
            )
        self._held[job] = future

    def _line_to(
        self, device: Device, remote: list[str], request: Iterable[bytes], limits: Limits
    ) -> _Answered:
        """Run a verb on the host, beside the task that keeps the worker."""
        try:
            found = self._client.run(
                talk_aside,
                remote[1:],
                b"".join(request),
                limits.total_bytes,
                limits.seconds,
                workers=[self._address],
            )[self._address]
        except (OSError, TimeoutError, ValueError, KeyError) as error:
            raise LineError(
                f"{device.name}: its worker does not answer: {_reason(error)}"
            ) from error
        status, output, errors = found
        return _Answered(status=status, output=output, errors=errors)


@dataclass(kw_only=True)
class _Answered:
    """A conversation that is over; see `conversation.Conversation`."""

    status: int
    output: bytes = field(repr=False)
    errors: bytes = field(repr=False)

    def lines(self) -> Iterator[bytes]:
        """The lines of the answer."""
        yield from self.output.splitlines()


def _is_loopback(place: str) -> bool:
    host = place.rsplit(":", 1)[0].strip("[]") if not place.endswith("]") else place.strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reason(error: BaseException) -> str:
    return shown(" ".join(str(error).split()) or type(error).__name__, 200)
