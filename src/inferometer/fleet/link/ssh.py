"""The system's OpenSSH: how it is called, and what it means when it fails.

It brings the user's keys, agent, configuration and known hosts. What is fixed here comes before
what a file of devices says, and for OpenSSH the first value counts.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from inferometer.core.shown import shown
from inferometer.fleet.types import Device, LineError, LoginError

FIXED = (
    *("BatchMode=yes", "StrictHostKeyChecking=yes", "UpdateHostKeys=no"),
    *("ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes", "Tunnel=no"),
    *("PermitLocalCommand=no", "RequestTTY=no", "RemoteCommand=none", "EscapeChar=none"),
    "LogLevel=ERROR",
)
"""Nothing asks, nothing is forwarded, no host is believed that is not known."""

USUAL = ("ConnectTimeout=15", "ServerAliveInterval=10", "ServerAliveCountMax=3")
"""A line that was cut is noticed within half a minute; a file of devices may say otherwise."""

ALLOWED = (
    *("AddressFamily", "BindAddress", "BindInterface", "CertificateFile", "Ciphers"),
    *("Compression", "ConnectTimeout", "ConnectionAttempts", "ControlMaster", "ControlPath"),
    *("ControlPersist", "GlobalKnownHostsFile", "HostKeyAlgorithms", "HostKeyAlias", "HostName"),
    *("IPQoS", "IdentitiesOnly", "IdentityAgent", "IdentityFile", "KexAlgorithms", "MACs"),
    *("PreferredAuthentications", "ProxyJump", "PubkeyAcceptedAlgorithms", "RekeyLimit"),
    *("ServerAliveCountMax", "ServerAliveInterval", "TCPKeepAlive", "UserKnownHostsFile"),
)
"""Options that a file of devices may give: they run no program, and open nothing."""

OPTION = re.compile(r"([A-Za-z0-9]+)(?:\s*=\s*|\s+)(\S[^\x00-\x1f\x7f]*)")
TARGET = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_][\w.\\@+-]{0,63})@)?"
    r"(?:(?P<host>[A-Za-z0-9_][\w.-]{0,252})|\[(?P<address>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\])"
    r"(?::(?P<port>[0-9]{1,5}))?",
    re.ASCII,
)
LOCAL_FAILURE = 255
NO_COMMAND = (126, 127)


def command(device: Device, remote: Sequence[str]) -> list[str]:
    """The command that runs another on a device.

    Args:
        device: where.
        remote: program and arguments there; the shell there gets them quoted.
    """
    options = [*FIXED, *device.ssh_options, *USUAL]
    said = [part for one in options for part in ("-o", one)]
    port = [] if device.port is None else ["-p", str(device.port)]
    who = f"{device.user}@{device.host}" if device.user else device.host
    return ["ssh", "-T", "-a", "-x", *said, *port, "--", who, " ".join(map(_quoted, remote))]


def by_hand(device: Device) -> str:
    """The command with which a person connects."""
    port = "" if device.port is None else f"-p {device.port} "
    who = f"{device.user}@{device.host}" if device.user else device.host
    return f"ssh {port}{who}"


def explain(device: Device, status: int, errors: bytes) -> LineError:
    """What it means that a command on a device answered nothing.

    Args:
        device: where.
        status: exit status of `ssh`.
        errors: the beginning of its standard error.
    """
    said = errors.decode("utf-8", errors="replace")
    if status == LOCAL_FAILURE:
        return _of_login(device, said)
    if status in NO_COMMAND:
        return LoginError(
            f"{device.name}: there is no {shown(device.python)} on the board; say in the file of "
            "devices which Python to take (python: PATH)"
        )
    if "No module named" in said and not device.agent:
        return LoginError(
            f"{device.name}: {shown(device.python)} there has no inferometer with fleets: install "
            "it (pip install inferometer), or send the light agent (agent: true)"
        )
    last = last_line(said)
    told = f": {last}" if last else ""
    return LineError(f"{device.name}: the command there ended without an answer{told}")


def last_line(text: str) -> str:
    """The last line of what a program said, fit to be shown."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return shown(lines[-1]) if lines else ""


def _of_login(device: Device, said: str) -> LineError:
    name, hand = device.name, by_hand(device)
    if "IDENTIFICATION HAS CHANGED" in said:
        return LoginError(
            f"{name}: its host key is another than the known one: the board was set up anew, or "
            f"somebody stands between. If you know that it is new: ssh-keygen -R "
            f"'{_known_as(device)}', then connect once by hand ({hand}) and compare"
        )
    if "Host key verification failed" in said or "host key is known" in said:
        return LoginError(
            f"{name}: its host key is not known yet. Connect once by hand: {hand}, and compare the "
            "fingerprint with the board's own (there: ssh-keygen -lf "
            "/etc/ssh/ssh_host_ed25519_key.pub) before you say yes"
        )
    if "Permission denied" in said or "Too many authentication failures" in said:
        return LoginError(
            f"{name}: it takes none of your keys. Give it one (ssh-copy-id"
            f"{hand.removeprefix('ssh')}), and load a key with a passphrase beforehand (ssh-add): "
            "nothing is asked"
        )
    if "command-line" in said:
        return LoginError(f"{name}: ssh does not take its options: {last_line(said)}")
    return LineError(f"{name}: it cannot be reached: {last_line(said) or 'ssh failed'}")


def _known_as(device: Device) -> str:
    return device.host if device.port in (None, 22) else f"[{device.host}]:{device.port}"


def _quoted(word: str) -> str:
    """A word for the shell of the board; a home folder at its beginning stays one."""
    if word.startswith("~/"):
        return f"~/{shlex.quote(word[2:])}"
    return shlex.quote(word)
