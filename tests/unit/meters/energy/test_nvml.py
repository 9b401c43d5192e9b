from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources.nvml import find
from inferometer.meters.energy.surroundings import Surroundings

NOT_SUPPORTED, GPU_IS_LOST, DRIVER_NOT_LOADED, UNKNOWN = 3, 15, 9, 999


class NVMLError(Exception):
    def __init__(self, value):
        super().__init__(value)
        self.value = value

    def __str__(self):
        return {3: "Not Supported", 15: "GPU is lost", 9: "Driver Not Loaded"}.get(self.value, "?")


class Nvml:
    """The part of pynvml that is used; each answer may be an error code below 0."""

    NVMLError = NVMLError

    def __init__(self, *gpus, init=None):
        self.gpus = gpus
        self.init = init
        self.opened = 0

    def nvmlInit(self):
        if self.init is not None:
            raise NVMLError(self.init)
        self.opened += 1

    def nvmlShutdown(self):
        assert self.opened > 0
        self.opened -= 1

    def _open(self):
        if not self.opened:
            raise NVMLError(1)

    def nvmlDeviceGetCount(self):
        self._open()
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index):
        if "lost" in self.gpus[index]:
            raise NVMLError(GPU_IS_LOST)
        return self.gpus[index]

    def nvmlDeviceGetName(self, gpu):
        return gpu.get("name", b"NVIDIA Test")

    def _value(self, gpu, key):
        self._open()
        value = gpu.get(key, -NOT_SUPPORTED)
        if value < 0:
            raise NVMLError(-value)
        return value

    def nvmlDeviceGetTotalEnergyConsumption(self, gpu):
        return self._value(gpu, "energy_mj")

    def nvmlDeviceGetPowerUsage(self, gpu):
        return self._value(gpu, "usage_mw")

    def nvmlDeviceGetFieldValues(self, gpu, fields):
        assert fields == [186]
        value = gpu.get("instant_mw", -NOT_SUPPORTED)
        return [
            SimpleNamespace(nvmlReturn=max(-value, 0), value=SimpleNamespace(uiVal=max(value, 0)))
        ]


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def around(nvml=None, files=None, clock=None, error=None):
    """The live machine, as it would look with these files and this library."""

    def read(path):
        if str(path) in (files or {}):
            return (files or {})[str(path)]
        raise FileNotFoundError(path)

    def load(name):
        assert name == "pynvml"
        if error is not None:
            raise error
        if nvml is None:
            raise ImportError(name)
        return nvml

    return Surroundings(read=read, load=load, clock=clock or Clock())


DRIVER = {"/proc/driver/nvidia/version": b"NVRM version: 550\n"}
DEVICE = {"/proc/bus/pci/devices": b"0000\t80862918\t0\n0100\t10DE2684\t10\n"}
TEGRA = {"/proc/device-tree/compatible": b"nvidia,p3768\0nvidia,p3767\0nvidia,tegra234\0"}


def test_the_energy_counter_in_joules_since_it_was_opened():
    gpu = {"energy_mj": 5_000_000, "instant_mw": 1, "usage_mw": 1}
    nvml, clock = Nvml(gpu), Clock()
    found = find(around(nvml, clock=clock))
    (source,) = found.sources
    assert not found.absences
    assert source.read().value == 0.0
    gpu["energy_mj"] += 12_345
    clock.now = 1001.5
    reading = source.read()
    assert (reading.value, reading.at_s) == (pytest.approx(12.345), 1001.5)
    info = source.info
    assert (info.name, info.scope, info.quantity, info.method) == (
        "nvml:0",
        "gpu",
        "energy",
        "measured",
    )
    assert (info.period_s, info.window_s, info.resolution) == (0.1, 0.0, 0.001)
    assert "NVIDIA Test" in info.where
    source.close()
    source.close()
    assert nvml.opened == 0
    with pytest.raises(SourceLostError, match="closed"):
        source.read()


@pytest.mark.parametrize(
    ("gpu", "watts", "window_s"),
    [
        ({"instant_mw": 71_500, "usage_mw": 60_000}, 71.5, 0.1),
        ({"usage_mw": 60_250}, 60.25, 1.0),
        ({"energy_mj": -UNKNOWN, "usage_mw": 60_250}, 60.25, 1.0),
    ],
)
def test_power_where_there_is_no_counter(gpu, watts, window_s):
    (source,) = find(around(Nvml(gpu))).sources
    assert source.info.quantity == "power"
    assert source.info.window_s == window_s
    assert source.read().value == watts


def test_a_library_without_field_values():
    nvml = Nvml({"usage_mw": 1000})
    nvml.nvmlDeviceGetFieldValues = None
    assert find(around(nvml)).sources[0].read().value == 1.0


def test_each_gpu_is_a_source_of_its_own():
    nvml = Nvml({"energy_mj": 1}, {"name": "GeForce GT 710"}, {"usage_mw": 9000}, {"lost": True})
    found = find(around(nvml))
    assert [source.info.name for source in found.sources] == ["nvml:0", "nvml:2"]
    old, lost = found.absences
    assert "GeForce GT 710 (NVMLError: Not Supported)" in old.message
    assert "GPU is lost" in lost.message
    assert nvml.opened == 2
    found.sources[0].close()
    assert found.sources[1].read().value == 9.0


@pytest.mark.parametrize("gpus", [[{}], [{}, {}]])
def test_on_tegra_the_driver_runs_and_answers_nothing(gpus):
    nvml = Nvml(*gpus)
    found = find(around(nvml, TEGRA))
    assert not found.sources
    absence = found.absences[0]
    assert absence.relevant
    assert "runs on this Jetson, but answers no question about power" in absence.reason
    assert "Not Supported" in absence.reason
    assert "pip" not in absence.message
    assert nvml.opened == 0


def test_on_tegra_nobody_is_told_to_install_the_library():
    (absence,) = find(around(None, {**TEGRA, **DRIVER})).absences
    assert not absence.relevant
    assert "pip" not in absence.message


@pytest.mark.parametrize("files", [DRIVER, DEVICE])
def test_the_library_is_missing_though_there_is_a_gpu(files):
    (absence,) = find(around(None, files)).absences
    assert absence.relevant
    assert "pip install 'inferometer[nvidia]'" in absence.way_out


@pytest.mark.parametrize("nvml", [None, Nvml(init=DRIVER_NOT_LOADED)])
@pytest.mark.parametrize("files", [{}, {"/proc/bus/pci/devices": b"0000\t808610de\t0\n10de\t1\n"}])
def test_without_a_gpu_nobody_cares(nvml, files):
    found = find(around(nvml, files))
    assert not found.sources
    assert not found.absences[0].relevant


def test_a_gpu_without_a_driver():
    (absence,) = find(around(Nvml(init=DRIVER_NOT_LOADED), DEVICE)).absences
    assert "its driver is not loaded (NVMLError: Driver Not Loaded)" in absence.reason
    assert absence.relevant


def test_a_driver_that_does_not_answer():
    (absence,) = find(around(Nvml(init=UNKNOWN), DRIVER)).absences
    assert "does not answer" in absence.reason
    assert "--gpus all" in absence.way_out


def test_a_driver_without_gpus_and_a_broken_library():
    assert "names no GPU" in find(around(Nvml(), DRIVER)).absences[0].reason
    (absence,) = find(around(error=RuntimeError("odd\nthing"))).absences
    assert "cannot be loaded (RuntimeError: odd thing)" in absence.reason


def test_nothing_is_asked_for_a_recorded_tree(tmp_path):
    def load(_):
        raise AssertionError("asked")

    found = find(Surroundings(root=tmp_path, load=load))
    assert not found.sources
    assert not found.absences[0].relevant
    assert isinstance(tmp_path, Path)


def counter():
    gpu, clock = {"energy_mj": 1000}, Clock()
    (source,) = find(around(Nvml(gpu), clock=clock)).sources
    return gpu, clock, source


def test_a_counter_that_was_reset_is_a_loss():
    gpu, _, source = counter()
    gpu["energy_mj"] = 999
    with pytest.raises(SourceLostError, match="nvml:0 was reset"):
        source.read()


def test_a_gpu_that_is_gone_is_a_loss():
    gpu, _, source = counter()
    gpu["energy_mj"] = -GPU_IS_LOST
    with pytest.raises(SourceLostError, match="nvml:0 is lost: NVMLError: GPU is lost"):
        source.read()


def test_a_counter_that_stands_still_is_a_loss_after_a_while():
    gpu, clock, source = counter()
    clock.now += 4.9
    assert source.read().value == 0.0
    gpu["energy_mj"] = 1001
    clock.now += 0.1
    assert source.read().value == pytest.approx(0.001)
    clock.now += 5.0
    with pytest.raises(SourceLostError, match="has not moved for 5 s"):
        source.read()


def test_a_field_that_fails_later_is_a_loss():
    gpu = {"instant_mw": 5000}
    (source,) = find(around(Nvml(gpu))).sources
    gpu["instant_mw"] = -GPU_IS_LOST
    with pytest.raises(SourceLostError, match="GPU is lost"):
        source.read()
