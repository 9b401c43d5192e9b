"""Which device is watched around the rounds of a session."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from inferometer.runner.workers.loading import watch_of


@pytest.fixture
def nvml(monkeypatch):
    module = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByUUID=lambda uuid: {"GPU-mine": 0x40, "GPU-other": 0x8}[uuid],
        nvmlDeviceGetCurrentClocksEventReasons=lambda gpu: gpu,
    )
    monkeypatch.setitem(sys.modules, "pynvml", module)


def signals(session, root):
    watch = watch_of(session, root, threads=1)
    watch.begin()
    return watch.end()


@pytest.mark.usefixtures("nvml")
def test_a_session_on_a_gpu_has_that_gpu_watched(tmp_path):
    session = SimpleNamespace(device="cuda:1", gpu_uuid=lambda: "mine")
    assert signals(session, tmp_path)["gpu_clock_event_bits"] == 0x40


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_a_session_elsewhere_never_loads_the_driver(tmp_path, device, monkeypatch):
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    assert "gpu_clock_event_bits" not in signals(SimpleNamespace(device=device), tmp_path)
    assert "pynvml" not in sys.modules


@pytest.mark.usefixtures("nvml")
def test_a_session_that_cannot_name_its_gpu_blames_none_of_several(tmp_path):
    assert "gpu_clock_event_bits" not in signals(SimpleNamespace(device="cuda"), tmp_path)
