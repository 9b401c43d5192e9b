"""optimum-benchmark: its mean of the forward pass, of a ResNet-18 in the layout of transformers.

The model is saved by `prepare` beforehand: the tool loads from a folder, and the network is off.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from common import SIZE, THREADS, WARMUP_CALLS, answer, left_s

FOLDER = Path(__file__).resolve().parents[1] / ".envs" / "optimum_benchmark" / "resnet18"


def prepare() -> None:
    """Save the model where it is not there yet."""
    from transformers import ResNetConfig, ResNetForImageClassification

    if (FOLDER / "model.safetensors").is_file():
        return
    labels: dict[str, Any] = {"num_labels": 1000}
    config = ResNetConfig(
        embedding_size=64,
        hidden_sizes=[64, 128, 256, 512],
        depths=[2, 2, 2, 2],
        layer_type="basic",
        **labels,
    )
    ResNetForImageClassification(config).save_pretrained(FOLDER)


def main() -> None:
    import optimum_benchmark as ob  # type: ignore[import-not-found]
    import torch

    torch.set_num_threads(THREADS)
    config = ob.BenchmarkConfig(
        name="resnet18",
        launcher=ob.InlineConfig(),
        scenario=ob.InferenceConfig(
            iterations=10,
            duration=int(max(1, left_s() - RESERVE_S)),
            warmup_runs=WARMUP_CALLS,
            latency=True,
            memory=False,
            input_shapes={"batch_size": 1, "num_channels": 3, "height": SIZE, "width": SIZE},
        ),
        backend=ob.PyTorchConfig(
            model=str(FOLDER), task="image-classification", device="cpu", no_weights=False
        ),
    )
    report = ob.Benchmark.launch(config)
    answer(report.forward.latency.mean, "mean")


RESERVE_S = 3.0
"""It loads and warms up within the call."""

if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    if sys.argv[1] == "prepare":
        prepare()
    else:
        main()
