"""What the pages of the documentation need that this machine lacks: boards, meters, a server.

    python tools/scenes.py SCENE [NAME …]      in the folder where a page's commands run

    tree orin laptop        folders as `doctor --dump` writes them on such devices
    log um25c.csv …         logs of meters, from tests/data/power_logs.py
    bundle nano 1e5dc0e4    the table nano.csv as a run of that id: nano.bundle.gz
    plug 8020               a Shelly at that port of this machine
    meter usb.txt           a USB meter that writes a log
    rack watts              an agent that writes watts to a file
    boards pi-1:pi nano:    an sshd for each, and devices.yaml: names with classes, or light agents
    postgres 54329          a server with a role `ana`, at that port of this machine

The last five stay until the folder is gone, and leave the folder of recorded commands alone. The
simulated meters tell 2.6 W, and 4 W for each program of this folder that is at work.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import json
import os
import random
import runpy
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
IDLE_W, WORK_W, NOISE_W = 2.6, 4.0, 0.05
"""Of a simulated meter, whose readings are as unsteady as those of a real one."""
READY = ".ready-"
CPU = (
    "processor\t: {0}\nmodel name\t: {1}\nphysical id\t: 0\ncore id\t\t: {0}\n"
    "vendor_id\t: {2}\ncpu family\t: 6\nmodel\t\t: 140\nflags\t\t: {3}\n\n"
)
ARM = (
    "processor\t: {0}\nBogoMIPS\t: 62.50\nFeatures\t: fp asimd asimdhp asimddp\n"
    "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: 0xd42\n\n"
)
MEMORY = "MemTotal: {0} kB\nMemFree: 2000000 kB\nMemAvailable: {1} kB\nSwapTotal: 0 kB\n"
HWMON, SUPPLY = "sys/class/hwmon/hwmon1", "sys/class/power_supply"
TREES = {
    "orin": {
        "proc/cpuinfo": "".join(map(ARM.format, range(6))),
        "proc/meminfo": MEMORY.format(7_600_000, 5_900_000),
        "proc/device-tree/model": "NVIDIA Jetson Orin Nano Developer Kit\0",
        "proc/device-tree/compatible": "nvidia,p3768-0000+p3767-0005\0nvidia,tegra234\0",
        "sys/devices/system/cpu/online": "0-5\n",
        f"{HWMON}/name": "ina3221\n",
        f"{HWMON}/update_interval": "20\n",
        **{
            f"{HWMON}/{file}": f"{value}\n"
            for number, (label, volts, amperes) in enumerate(
                [("VDD_IN", 4992, 1008), ("VDD_CPU_GPU_CV", 4984, 160), ("VDD_SOC", 4984, 304)], 1
            )
            for file, value in {
                f"in{number}_label": label,
                f"in{number}_input": volts,
                f"curr{number}_input": amperes,
                f"shunt{number}_resistor": 5000,
            }.items()
        },
    },
    "laptop": {
        "proc/cpuinfo": "".join(
            CPU.format(n, "11th Gen Intel(R) Core(TM) i7-1165G7", "GenuineIntel", "avx2 avx512f")
            for n in range(4)
        ),
        "proc/meminfo": MEMORY.format(16_000_000, 9_000_000),
        "sys/devices/system/cpu/online": "0-3\n",
        f"{SUPPLY}/AC/type": "Mains\n",
        f"{SUPPLY}/AC/online": "0\n",
        f"{SUPPLY}/BAT0/type": "Battery\n",
        f"{SUPPLY}/BAT0/present": "1\n",
        f"{SUPPLY}/BAT0/status": "Discharging\n",
        f"{SUPPLY}/BAT0/power_now": "9876000\n",
        f"{SUPPLY}/BAT0/voltage_now": "11500000\n",
    },
}


def tree(*names: str) -> None:
    """Device trees."""
    for name in names:
        for path, text in TREES[name].items():
            file = Path(name, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


def log(*names: str) -> None:
    """Logs of meters."""
    known = runpy.run_path(str(ROOT / "tests" / "data" / "power_logs.py"))["ALL"]
    for name in names:
        Path(name).write_text(known[name], encoding="utf-8")


def bundle(name: str, run: str) -> None:
    """A run that came from a table, under an id that a page can name."""
    told = [sys.executable, "-m", "inferometer"]
    with tempfile.TemporaryDirectory() as folder:
        store = ("--store", f"{folder}/one.db")
        told_of = ("backend=torch", "precision=fp32")
        said = [word for one in told_of for word in ("--constant", one)]
        subprocess.run([*told, "import", f"{name}.csv", *said, *store], check=True)
        export = [*told, "export", "latest", "--bundle", *store]
        text = subprocess.run(export, check=True, capture_output=True).stdout
    lines = text.splitlines(keepends=True)[:-1]
    first = json.loads(lines[0])
    first["run"] |= {"id": run, "created_at": 0.0, "finished_at": 1.0}
    lines[0] = f"{json.dumps(first)}\n".encode()
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    end = json.dumps({"end": {"lines": len(lines), "sha256": digest}}).encode()
    Path(f"{name}.bundle.gz").write_bytes(gzip.compress(b"".join([*lines, end, b"\n"])))


class Load:
    """The power that a simulated meter tells, by what the programs of this folder do."""

    def __init__(self) -> None:
        self._folder = str(Path.cwd())
        self._looked_s = 0.0
        self._known: set[psutil.Process] = set()

    def watts(self) -> float:
        """Power now."""
        if time.monotonic() - self._looked_s > 1:
            self._looked_s = time.monotonic()
            self._known.update(filter(self._is_here, psutil.process_iter()))
        steady = IDLE_W + WORK_W * sum(map(self._is_at_work, self._known))
        return steady + random.gauss(0, NOISE_W)

    def _is_here(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            return process.pid != os.getpid() and process.cwd() == self._folder
        return False

    @staticmethod
    def _is_at_work(process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            return process.status() == psutil.STATUS_RUNNING
        return False


def plug(port: str) -> None:
    """A Shelly."""
    load = Load()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = {"id": 0, "output": True, "apower": round(load.watts(), 1)}
            content = json.dumps(status if "Switch" in self.path else {"gen": 2}).encode()
            self.send_response(200 if "PM1" not in self.path else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stay("plug")


def meter(name: str) -> None:
    """What an FNB58 with its logger writes, twenty rows a second."""
    head = "sample_in_packet voltage_V current_A dp_V dn_V temp_C_ema energy_Ws capacity_As"
    with Path(name).open("w") as rows:
        rows.write(f"\ntimestamp {head}\n")

        def tell(watts: float) -> None:
            rows.write(f"{time.time():.3f} 0 5.10000 {watts / 5.1:.5f} 0.6 0.6 30.5 0.0 0.0\n")
            rows.flush()

        tell_watts("meter", tell)


def rack(name: str) -> None:
    """The file of the example of a power source."""

    def tell(watts: float) -> None:
        Path(f".{name}").write_text(f"{watts:.2f}\n")
        Path(f".{name}").replace(name)

    tell_watts("rack", tell)


def tell_watts(scene: str, tell: Callable[[float], object]) -> None:
    """Tell the power twenty times a second until the folder is gone."""
    load, ready = Load(), Path(f"{READY}{scene}").absolute()
    while is_there(ready.parent):
        time.sleep(0.05)
        with contextlib.suppress(FileNotFoundError):
            tell(load.watts())
            ready.touch()
    shutil.rmtree(ready.parent, ignore_errors=True)


def boards(*names: str) -> None:
    """Boards behind an sshd each, and the file that lists them."""
    made = runpy.run_path(str(ROOT / "tests" / "system" / "boards.py"))
    made["why_not"]()
    (folder := Path("shelf")).mkdir()
    shelf = made["Shelf"](folder.resolve(), len(names))
    try:
        text = shelf.devices_file().read_text()
        for board, said in zip(shelf.boards, names, strict=True):
            name, _, kind = said.partition(":")
            before, found, after = text.partition(f"name: {board.name}\n")
            after = after.replace("class: board", f"class: {kind}" if kind else "agent: true", 1)
            text = f"{before}name: {name}{found[-1:]}{after}"
        Path("devices.yaml").write_text(text)
        stay("boards")
    finally:
        shelf.close()


def postgres(port: str) -> None:
    """A PostgreSQL server, and who may use it."""
    server = runpy.run_path(str(ROOT / "tests" / "unit" / "store" / "server.py"))
    with server["running"](server["programs"](), port=int(port)) as socket:
        roles = "CREATE ROLE ana LOGIN CREATEDB; CREATE ROLE reader LOGIN"
        address = server["address"](socket, "postgres") + f"&port={port}"
        subprocess.run(["psql", "-q", address, "-c", roles], check=True)
        stay("postgres")


def stay(scene: str) -> None:
    """Say that a scene is there, and wait for the end of the page."""
    folder = Path.cwd()
    (folder / f"{READY}{scene}").touch()
    while is_there(folder):
        time.sleep(0.2)


def is_there(folder: Path) -> bool:
    """Whether the page is still at work; its store goes first, whatever is written meanwhile."""
    return (folder / "inferometer.db").exists()


SCENES: dict[str, Callable[..., None]] = {"tree": tree, "log": log, "bundle": bundle}
STAYING: dict[str, Callable[..., None]] = {
    "plug": plug, "meter": meter, "rack": rack, "boards": boards, "postgres": postgres,
}  # fmt: skip


def main(scene: str, *names: str) -> int:
    """Make a scene."""
    if scene in SCENES:
        SCENES[scene](*names)
    elif scene == "--stay":
        STAYING[names[0]](*names[1:])
    elif Path.cwd().name != "recorded":
        with Path(f"{scene}.log").open("w") as said:
            process = subprocess.Popen(
                [sys.executable, __file__, "--stay", scene, *names],
                stdout=said, stderr=said, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        while not Path(f"{READY}{scene}").exists():
            if process.poll() is not None:
                sys.stderr.write(Path(f"{scene}.log").read_text())
                return 1
            time.sleep(0.05)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
