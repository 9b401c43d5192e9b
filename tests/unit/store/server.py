"""A PostgreSQL server of the tests' own: in a temporary folder, on a Unix socket, for nobody else."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

_SETTINGS = {
    "listen_addresses": "",
    # Nothing here has to outlive a cut of the power.
    **dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit"), "off"),
    "max_connections": "40",
    "shared_buffers": "16MB",
}
_ACCESS = """
local all guarded scram-sha-256
local all banned  reject
local all all     trust
"""
_LOCAL = "host all all 127.0.0.1/32 trust\n"
_NOWHERE = " -c listen_addresses="


def programs() -> Path | None:
    """The folder of the server's programs; None where there is none, or no driver for it."""
    if find_spec("psycopg") is None:
        return None
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = [Path(on_path)] if on_path else debian[-1:]
    return found[0].resolve().parent if found else None


@contextmanager
def running(folder_of_programs: Path, *, port: int | None = None) -> Iterator[str]:
    """A server, started, on a port of this machine too if one is named; gives its socket's folder."""
    # Names of sockets are short, and the server, which no root may run, must reach its folder.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    user = _user()
    if user is not None:
        shutil.chown(folder, user)
    data, access = folder / "data", folder / "access"
    try:
        _run(user, folder_of_programs / "initdb", *_initial(data))
        access.write_text(_ACCESS + (_LOCAL if port else ""))
        access.chmod(0o644)
        settings = {**_SETTINGS, "unix_socket_directories": folder, "hba_file": access}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items() if value != "")
        options += f" -c listen_addresses=127.0.0.1 -c port={port}" if port else _NOWHERE
        control = (folder_of_programs / "pg_ctl", "-D", data, "-l", folder / "log", "-s", "-w")
        _run(user, *control, "-o", options, "start")
        try:
            yield str(folder)
        finally:
            _run(user, *control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def address(socket: str, database: str, user: str = "tester", password: str = "") -> str:
    """The address of a database of a server."""
    who = f"{user}:{quote(password, safe='')}" if password else user
    return f"postgresql://{who}@/{database}?host={quote(socket)}"


def _initial(data: Path) -> tuple[object, ...]:
    return ("-D", data, "-U", "tester", "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync")


def _run(user: str | None, *command: object) -> None:
    subprocess.run(
        list(map(str, command)), user=user, cwd="/", check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, extra_groups=None if user is None else [],
        group=None if user is None else pwd.getpwnam(user).pw_gid,
    )  # fmt: skip


def _user() -> str | None:
    """Somebody else, where we are root; None where we are not."""
    if os.getuid() != 0:
        return None
    names = {one.pw_name for one in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
