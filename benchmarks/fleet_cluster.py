"""A tiny study on a TLS Dask cluster of plain `dask worker` processes; who gets nothing of it.

    python benchmarks/fleet_cluster.py

Two workers stand for two hosts (127.0.0.1 and 127.0.0.2, each with its own lease and cache); the
certificates are made with the system's openssl. Then a peer in clear text, one without a
certificate and one whose certificate is signed by somebody else try the scheduler, and a scheduler
of somebody else is tried by us.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

PYTHON = sys.executable
STUDY = (
    *("--models", "./lab.py:quick,./lab.py:slow", "--backends", "python"),
    *("--batch", "1,2", "--size", "own", "--preset", "quick", "--no-energy"),
)
MODELS = """
import time

def quick():
    return (lambda x: time.sleep(0.002) or x), {"x": [1.0]}

def slow():
    return (lambda x: time.sleep(0.004) or x), {"x": [1.0]}
"""


def openssl(*arguments: str) -> None:
    """Run openssl."""
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def certificates(folder: Path) -> dict[str, str]:
    """A CA, and a certificate signed by it; their files."""
    folder.mkdir()
    ca, ca_key = str(folder / "ca.pem"), str(folder / "ca.key")
    cert, key, asked = (str(folder / name) for name in ("cert.pem", "key.pem", "asked.csr"))
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-subj", "/CN=CA", "-days", "2")
    openssl("req", *curve, "-keyout", key, "-out", asked, "-subj", "/CN=lab")
    openssl(
        *("x509", "-req", "-in", asked, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial"),
        *("-out", cert, "-days", "2"),
    )
    return {"ca": ca, "cert": cert, "key": key}


def flags(files: dict[str, str], names: tuple[str, str, str]) -> list[str]:
    """Certificates as flags."""
    return [part for name, file in zip(names, files.values(), strict=True) for part in (name, file)]


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def cluster(folder: Path, files: dict[str, str]) -> Iterator[str]:
    """A scheduler and two workers; the address."""
    port = free_port()
    tls = flags(files, ("--tls-ca-file", "--tls-cert", "--tls-key"))
    dask = [PYTHON, "-m", "dask"]
    address = f"tls://127.0.0.1:{port}"
    common = {**os.environ, "OMP_NUM_THREADS": "1", "INFEROMETER_STORE": ""}
    running = [
        subprocess.Popen(
            [
                *(*dask, "scheduler", "--protocol", "tls", "--host", "127.0.0.1"),
                *("--port", str(port), "--no-dashboard", "--dashboard-address", "127.0.0.1:0"),
                *tls,
            ],
            stderr=(folder / "scheduler.log").open("wb"),
        )
    ]
    for number in (1, 2):
        own = folder / f"host{number}"
        own.mkdir()
        running.append(
            subprocess.Popen(
                [
                    *(*dask, "worker", address, "--host", f"127.0.0.{number}", "--nthreads", "1"),
                    *("--no-nanny", "--no-dashboard", "--dashboard-address", "127.0.0.1:0"),
                    *("--local-directory", str(own), *tls),
                ],
                env={
                    **common,
                    "INFEROMETER_LEASE": str(own / "lease"),
                    "INFEROMETER_CACHE": str(own / "cache"),
                },
                stderr=(folder / f"worker{number}.log").open("wb"),
            )
        )
    try:
        yield address
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait(20)


def measure(folder: Path, address: str, files: dict[str, str], *how: str) -> tuple[int, str, int]:
    """Run `fleet run` there; exit status, what it said, sockets that it listened on."""
    command = [PYTHON, "-m", "inferometer", "fleet", "run", *STUDY, "--scheduler", address, *how]
    command += ["--store", str(folder / "r.db"), "--wait", "20s"]
    command += flags(files, ("--tls-ca", "--tls-cert", "--tls-key")) if files else []
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    listened = 0
    while process.poll() is None:
        try:
            mine = psutil.Process(process.pid).net_connections("inet")
            listened += sum(one.status == psutil.CONN_LISTEN for one in mine)
        except psutil.Error:
            break
        time.sleep(0.1)
    said, _ = process.communicate()
    return process.returncode, said, listened


def records(folder: Path) -> list[dict[str, object]]:
    """What the store has."""
    command = [PYTHON, "-m", "inferometer", "runs", "--store", str(folder / "r.db"), "--json", "-"]
    runs = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    found = []
    for run in runs:
        shown = [PYTHON, "-m", "inferometer", "show", run["run_id"], "--json", "-"]
        shown += ["--store", str(folder / "r.db")]
        found += json.loads(subprocess.run(shown, check=True, capture_output=True).stdout)
    return found


def strangers(address: str, own: dict[str, str], others: dict[str, str]) -> None:
    """Who gets nothing of the scheduler."""
    host, port = address.removeprefix("tls://").split(":")
    with socket.create_connection((host, int(port)), 5) as clear:
        clear.settimeout(3)
        clear.sendall(b"\x00" * 64)
        try:
            came = clear.recv(1000)
        except (TimeoutError, ConnectionError):
            came = b""
        what = "a TLS alert" if came.startswith(b"\x15") else str(came)
        print(f"in clear text: {len(came)} bytes, {what}")
    for name, files in (("no certificate", None), ("another CA's", others)):
        context = ssl.create_default_context(cafile=own["ca"])
        context.check_hostname = False
        if files is not None:
            context.load_cert_chain(files["cert"], files["key"])
        try:
            with socket.create_connection((host, int(port)), 5) as plain:
                wrapped = context.wrap_socket(plain)
                wrapped.settimeout(3)
                came = wrapped.recv(1000)  # TLS 1.3 says no after the handshake
            print(f"{name}: {len(came)} bytes")
        except (ssl.SSLError, OSError) as error:
            print(f"{name}: {type(error).__name__}: {error}")


def main() -> int:
    """Measure, and print what came."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lab.py").write_text(MODELS)
        own, others = certificates(folder / "own"), certificates(folder / "others")
        with cluster(folder, own) as address:
            for how in (("--any", "lab"), ("--on", "all")):
                begin = time.monotonic()
                status, said, listened = measure(folder, address, own, *how)
                print(
                    f"{' '.join(how)}: exit status {status}, listening sockets {listened}, ", end=""
                )
                print(f"{time.monotonic() - begin:.0f} s", flush=True)
                if status:
                    print(said)
                    print((folder / "worker1.log").read_text()[-3000:])
            found = records(folder)
            for one in sorted(found, key=lambda row: (str(row["run_id"]), str(row["workload"]))):
                print(one["run_id"], one["device_name"], one["devices"], one["model"], end=" ")
                print(one["batch_size"], one["status"], one["latency_median_s"], flush=True)
            strangers(address, own, others)
            for files, what in ((others, "our certificate signed by somebody else"), ({}, "none")):
                status, said, _ = measure(folder, address, files)
                print(f"{what}: exit status {status}: {said.strip()[-300:]}", flush=True)
            clear = address.replace("tls://127.0.0.1", "tcp://192.0.2.1")
            status, said, _ = measure(folder, clear, own)
            print(f"clear text beyond loopback: exit status {status}: {said.strip()}")
            hosts = {str(one["devices"] or one["device_name"]) for one in found}
            print(f"hosts: {sorted(hosts)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
