"""Make an environment for each peer, so that none decides which packages another one gets.

They lie in `benchmarks/.envs`, one to two gigabytes each; one that is complete is left alone.
Repeat with: python benchmarks/peers/setup.py [PEER…]
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / "benchmarks" / ".envs"
CONSTRAINTS = ROOT / "constraints.txt"
NETWORK = ("torch==2.13.0", "torchvision")

PEERS: dict[str, tuple[str, ...]] = {
    "torch_timer": NETWORK,
    "pyperf": (*NETWORK, "pyperf"),
    "pytorch_benchmark": (*NETWORK, "pytorch-benchmark==0.3.6", "setuptools<81"),
    "optimum_benchmark": (
        "torch==2.13.0",
        "optimum-benchmark==0.6.0",
        "transformers==4.57.6",
        "datasets==4.8.5",
    ),
    "loadgen": (*NETWORK, "mlcommons-loadgen==6.0.17"),
    "openvino": (*NETWORK, "openvino"),
}
"""Peer → what its environment holds. `optimum-benchmark` refuses newer transformers."""

PREPARED = ("optimum_benchmark", "openvino")  # they load the model from a file, made once

UNCONSTRAINED = {"optimum_benchmark"}  # it needs older packages than the project's own


def python_of(peer: str) -> Path:
    """Interpreter of a peer's environment."""
    return ENVIRONMENTS / peer / "bin" / "python"


def is_ready(peer: str) -> bool:
    """Whether the environment was made to its end."""
    return (ENVIRONMENTS / peer / ".ready").is_file()


def make(peer: str) -> None:
    """Make one environment.

    Raises:
        subprocess.CalledProcessError: a package could not be installed.
    """
    folder = ENVIRONMENTS / peer
    venv.create(folder, with_pip=True, clear=True)
    pins = ROOT / "benchmarks" / "peers" / "torch.txt" if peer in UNCONSTRAINED else CONSTRAINTS
    command = [str(python_of(peer)), "-m", "pip", "install", "--quiet", "-c", str(pins)]
    subprocess.run([*command, *PEERS[peer]], check=True)
    if peer in PREPARED:
        script = ROOT / "benchmarks" / "peers" / f"{peer}_.py"
        subprocess.run([str(python_of(peer)), str(script), "prepare"], check=True)
    (folder / ".ready").touch()


def main(chosen: list[str]) -> None:
    """Make the environments that are missing; one that fails does not stop the others."""
    for peer in chosen or PEERS:
        if is_ready(peer):
            print(f"{peer}: is there")
            continue
        print(f"{peer}: …", flush=True)
        try:
            make(peer)
        except subprocess.CalledProcessError as error:
            print(f"{peer}: could not be made ({error})")


if __name__ == "__main__":
    main(sys.argv[1:])
