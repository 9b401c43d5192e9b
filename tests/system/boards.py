"""A shelf of boards on this machine: an sshd each, with its own keys, home folder and address.

As root, and where the kernel allows it, each board is a network namespace behind a bridge, so that
its line can be cut as if the cable were pulled; else it is a port of the loopback interface, and a
cut line is an sshd that is gone with all of its connections.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from inferometer.fleet.types import Device

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
SSHD_FOLDER = Path("/run/sshd")


def why_not() -> str:
    """Why there can be no boards here; empty where there can."""
    if not Path(SSHD).is_file() or shutil.which("ssh") is None:
        return "no OpenSSH server or client is installed"
    if os.geteuid() == 0 and not SSHD_FOLDER.is_dir():
        try:
            SSHD_FOLDER.mkdir()  # where sshd does what needs no rights
        except OSError as error:
            return f"{SSHD_FOLDER} cannot be made: {error}"
    return ""


def run(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True, timeout=30)


def can_have_namespaces():
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("nsenter") is None:
        return False
    name = f"ifm-{os.getpid()}-try"
    made = run("ip", "netns", "add", name, check=False).returncode == 0
    linked = made and run("ip", "link", "add", name[:13], "type", "bridge", check=False)
    if linked and linked.returncode == 0:
        run("ip", "link", "del", name[:13], check=False)
    if made:
        run("ip", "netns", "del", name, check=False)
    return bool(linked and linked.returncode == 0)


@dataclass
class Network:
    """A bridge, with a namespace for each board."""

    prefix: str = ""
    bridge: str = ""
    made: list[str] = field(default_factory=list)

    def open(self) -> None:
        for number in range(1, 250):
            self.prefix = f"198.18.{(os.getpid() + number) % 250}"  # a network for benchmarks
            if self.prefix not in run("ip", "-o", "addr").stdout:
                break
        self.bridge = f"ifm{os.getpid()}"[:15]
        run("ip", "link", "add", self.bridge, "type", "bridge")
        run("ip", "addr", "add", f"{self.prefix}.1/24", "dev", self.bridge)
        run("ip", "link", "set", self.bridge, "up")

    def add(self, number: int) -> tuple[str, str, str]:
        """A namespace; its name, its end of the cable on this side, its address."""
        name, cable = f"ifm-{os.getpid()}-{number}", f"v{os.getpid()}-{number}"[:15]
        address = f"{self.prefix}.{number + 10}"
        run("ip", "netns", "add", name)
        self.made.append(name)
        peer = f"p{os.getpid()}-{number}"[:15]
        run("ip", "link", "add", cable, "type", "veth", "peer", "name", peer)
        run("ip", "link", "set", peer, "netns", name)
        run("ip", "link", "set", cable, "master", self.bridge, "up")
        inside = ("ip", "-n", name)
        run(*inside, "addr", "add", f"{address}/24", "dev", peer)
        run(*inside, "link", "set", peer, "up")
        run(*inside, "link", "set", "lo", "up")
        return name, cable, address

    def close(self) -> None:
        for name in self.made:
            run("ip", "netns", "del", name, check=False)
        if self.bridge:
            run("ip", "link", "del", self.bridge, check=False)


@dataclass
class SshBoard:
    """One board: where it is, and what can be done to it."""

    number: int
    folder: Path
    address: str
    port: int
    key: Path
    namespace: str = ""
    cable: str = ""
    python: str = sys.executable
    server: subprocess.Popen | None = None

    @property
    def name(self) -> str:
        return f"board-{self.number}"

    @property
    def spool(self) -> Path:
        return self.folder / "cache" / "fleet"

    @property
    def lease(self) -> Path:
        return self.folder / "lease"

    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "INFEROMETER_CACHE": str(self.folder / "cache"),
            "INFEROMETER_LEASE": str(self.lease),
            "OMP_NUM_THREADS": "1",
        }

    def device(self, **changes) -> Device:
        options = (
            *(f"IdentityFile={self.key}", "IdentitiesOnly=yes", "IdentityAgent=none"),
            *(f"UserKnownHostsFile={self.key.parent / 'known_hosts'}", "ConnectTimeout=2"),
            *("GlobalKnownHostsFile=/dev/null", "ServerAliveInterval=1", "ServerAliveCountMax=2"),
        )
        return Device(
            **{
                "name": self.name,
                "host": self.address,
                "user": getpass.getuser(),
                "port": self.port,
                "python": self.python,
                "ssh_options": options,
                **changes,
            }
        )

    def start(self) -> None:
        """Make its keys, once, and start its sshd."""
        self.folder.mkdir(exist_ok=True)
        host_key = self.folder / "host_key"
        if not host_key.exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(host_key))
            (self.folder / "sshd_config").write_text(self._config(host_key))
        command = [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        if self.namespace:
            command = ["nsenter", f"--net=/run/netns/{self.namespace}", *command]
        log = (self.folder / "sshd.log").open("ab")
        self.server = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        self.wait_until_there()

    def wait_until_there(self) -> None:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                socket.create_connection((self.address, self.port), 0.5).close()
                return
            assert self.server.poll() is None, (self.folder / "sshd.log").read_text()
            time.sleep(0.02)
        raise AssertionError(f"{self.name} does not answer")

    def know(self) -> None:
        """Put its host key among the known ones."""
        kind, key, *_ = (self.folder / "host_key.pub").read_text().split()
        line = f"[{self.address}]:{self.port} {kind} {key}\n"
        with (self.key.parent / "known_hosts").open("a") as file:
            file.write(line)

    def cut(self) -> None:
        """Pull the cable; processes on the board go on."""
        if self.cable:
            run("ip", "link", "set", self.cable, "down")
            return
        self.stop()

    def mend(self) -> None:
        """Plug it in again."""
        if self.cable:
            run("ip", "link", "set", self.cable, "up")
            self.wait_until_there()
            return
        self.start()

    def stop(self) -> None:
        """End its sshd with all connections."""
        if self.server is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            main = psutil.Process(self.server.pid)
            for one in [*main.children(recursive=True), main]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    if "sshd" in one.name() or one.pid == main.pid:
                        one.kill()
        self.server.wait()
        self.server = None

    def measuring(self) -> int | None:
        """Process of the job that has the lease."""
        for path in self.spool.glob("jobs/*/state.json"):
            with contextlib.suppress(OSError, ValueError, KeyError, psutil.NoSuchProcess):
                pid = json.loads(path.read_text())["pid"]
                if any("inferometer.fleet" in one for one in psutil.Process(pid).cmdline()):
                    return pid
        return None

    def kill_job(self) -> bool:
        """Kill the process of its job with all that belongs to it; whether there was one."""
        pid = self.measuring()
        if pid is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            main = psutil.Process(pid)
            family = [*main.children(recursive=True), main]
            for one in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.send_signal(signal.SIGKILL)
            psutil.wait_procs(family, timeout=10)
        return True

    def close(self) -> None:
        self.stop()
        self.kill_job()

    def _config(self, host_key: Path) -> str:
        said = " ".join(f'"{name}={value}"' for name, value in self.environment().items())
        lines = (
            f"Port {self.port}",
            f"ListenAddress {self.address}",
            f"HostKey {host_key}",
            f"AuthorizedKeysFile {self.key}.pub",
            f"PidFile {self.folder / 'sshd.pid'}",
            f"SetEnv {said}",
            *("StrictModes no", "UsePAM no", "PasswordAuthentication no", "PrintMotd no"),
            *("KbdInteractiveAuthentication no", "AllowTcpForwarding no", "X11Forwarding no"),
            *("PermitRootLogin prohibit-password", "LogLevel ERROR", "MaxStartups 100"),
        )
        return "\n".join(lines) + "\n"


class Shelf:
    """So many boards, all of them known to the user."""

    def __init__(self, folder: Path, count: int, *, namespaces: bool | None = None) -> None:
        self.folder = folder
        self.key = folder / "user_key"
        self.network = None
        self.boards: list[SshBoard] = []
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key))
        try:
            if can_have_namespaces() if namespaces is None else namespaces:
                self.network = Network()
                self.network.open()
            for number in range(count):
                self.add(number)
        except BaseException:
            self.close()
            raise

    def add(self, number: int) -> SshBoard:
        """One more board."""
        folder, namespace, cable = self.folder / f"board-{number}", "", ""
        if self.network is None:
            address, port = "127.0.0.1", _free_port()
        else:
            namespace, cable, address = self.network.add(number)
            port = 2222
        board = SshBoard(
            number, folder, address, port, self.key, namespace=namespace, cable=cable
        )  # fmt: skip
        self.boards.append(board)
        board.start()
        board.know()
        return board

    def devices_file(self, **changes) -> Path:
        """A file of devices with all boards."""
        path = self.folder / "devices.yaml"
        lines = ["devices:"]
        for board in self.boards:
            device = board.device(**changes)
            lines += [
                f"  - name: {device.name}",
                f"    ssh: {device.user}@{device.host}:{device.port}",
                f"    python: {json.dumps(device.python)}",
                f"    class: {device.kind or 'board'}",
                "    ssh_options:",
                *(f"      - {json.dumps(one)}" for one in device.ssh_options),
            ]
        path.write_text("\n".join(lines) + "\n")
        return path

    def close(self) -> None:
        for board in self.boards:
            board.close()
        if self.network is not None:
            self.network.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
