"""OpenVINO's benchmark_app: its median. Another runtime, so that only its spread compares."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from common import THREADS, answer, left_s, network_and_image

MODEL = Path(__file__).resolve().parents[1] / ".envs" / "openvino" / "resnet18.xml"
RESERVE_S = 2.0
"""It reads and compiles the model outside the time that it is given."""


def prepare() -> None:
    """Convert the model where it is not there yet."""
    import openvino

    if MODEL.is_file():
        return
    network, image = network_and_image()
    model = openvino.convert_model(network, example_input=image, input=list(image.shape))
    openvino.save_model(model, MODEL, compress_to_fp16=False)


def main() -> None:
    seconds = max(1, int(left_s() - RESERVE_S))
    command = [str(Path(sys.executable).parent / "benchmark_app"), "-m", str(MODEL), "-d", "CPU"]
    command += ["-api", "sync", "-hint", "none", "-nthreads", str(THREADS), "-nstreams", "1"]
    command += ["-infer_precision", "f32", "-t", str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = re.search(r"Median:\s*([0-9.]+) ms", done.stdout)
    assert found is not None, done.stdout
    answer(float(found[1]) / 1e3, "median")


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare()
    else:
        main()
