from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def _one_thread():
    """Tiny shapes: more threads would only wait for each other."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture
def run_once():
    """Call a loaded model once; gives its output."""

    def run(model, *, batch_size=1, input_size=None):
        import torch

        from inferometer.backends.torch.session import TorchSession

        inputs = model.inputs.make(batch_size=batch_size, input_size=input_size, seed=0)
        session = TorchSession(model.network, device="cpu", dtype=torch.float32)
        with torch.inference_mode():
            return session.bind(inputs)()

    return run
