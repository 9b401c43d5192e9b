"""What every peer measures: ResNet-18 of random weights, one image of 224 by 224, two threads.

Runs in the peer's environment: it imports nothing of inferometer but one file without company.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

BEGIN = time.perf_counter()
ROOT = Path(__file__).resolve().parents[2]
THREADS = 2
SIZE = 224
WARMUP_CALLS = 10


def network_and_image() -> tuple[Any, Any]:
    """The model in evaluation mode, and its input."""
    import torch

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    models = _torchvision().models
    return models.resnet18(weights=None).eval(), torch.rand(1, 3, SIZE, SIZE)


def call() -> Callable[[], Any]:
    """One forward pass, without gradients."""
    import torch

    network, image = network_and_image()

    def forward() -> Any:  # noqa: ANN401 - a tensor
        with torch.inference_mode():
            return network(image)

    return forward


def left_s() -> float:
    """Seconds of the budget that are left; it counts from the first line of the process."""
    return max(1.0, float(sys.argv[1]) - (time.perf_counter() - BEGIN))


def answer(value_s: float, what: str) -> None:
    """Print what the tool says a call takes, as the last line."""
    spent_s = time.perf_counter() - BEGIN
    print(json.dumps({"value_s": value_s, "what": what, "spent_s": spent_s}), flush=True)


def _torchvision() -> Any:  # noqa: ANN401 - a module
    """Torchvision, also beside a torch that its operators were not compiled for."""
    file = ROOT / "src" / "inferometer" / "models" / "torchvision_compat.py"
    spec = spec_from_file_location("torchvision_compat", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.import_torchvision()
