from __future__ import annotations

import platform
from types import SimpleNamespace

import pytest

from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources.apple import find
from inferometer.meters.energy.surroundings import Surroundings

FIRST = {
    "cpu_total_mj": 1000, "efficiency_cores_mj": [400, 300], "performance_cores_mj": [300],
    "efficiency_cluster_mj": [900], "performance_cluster_mj": None, "dram_mj": 100, "gpu_mj": 50,
    "gpu_sram_mj": None, "ane_mj": 5,
}  # fmt: skip


@pytest.fixture
def mac(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")


def around(told=None, error=None, clock=lambda: 1.0):
    class Monitor:
        def get_cumulative_energy(self):
            if isinstance(told, Exception):
                raise told
            return SimpleNamespace(**told)

    def load(name):
        assert name == "zeus_apple_silicon"
        if error is not None:
            raise error
        return SimpleNamespace(AppleEnergyMonitor=Monitor)

    return Surroundings(load=load, clock=clock)


@pytest.mark.usefixtures("mac")
def test_the_parts_are_added_up_and_cores_are_not_counted_twice():
    told = dict(FIRST)
    (source,) = find(around(told)).sources
    told.update(cpu_total_mj=3000, gpu_mj=550, dram_mj=200, ane_mj=6, efficiency_cores_mj=[9e9])
    assert source.read().value == pytest.approx(2.0 + 0.5 + 0.1 + 0.001)
    info = source.info
    assert (info.kind, info.scope, info.method, info.quantity) == (
        "apple",
        "soc",
        "vendor_model",
        "energy",
    )
    assert info.where == "energy model of macOS: cpu, gpu, dram, ane"
    assert info.resolution == pytest.approx(0.004)


@pytest.mark.usefixtures("mac")
@pytest.mark.parametrize(
    ("change", "said"),
    [({"gpu_mj": None}, "is lost: TypeError"), ({"cpu_total_mj": 10}, "was reset")],
)
def test_a_part_that_goes_is_a_loss(change, said):
    told = dict(FIRST)
    (source,) = find(around(told)).sources
    told.update(change)
    with pytest.raises(SourceLostError, match=said):
        source.read()


@pytest.mark.usefixtures("mac")
def test_the_library_is_missing_or_fails():
    (absence,) = find(around(error=ImportError("x"))).absences
    assert absence.way_out == "Run pip install 'inferometer[apple]'."
    assert absence.relevant
    for wrong in (RuntimeError("no channels"), {**FIRST, "cpu_total_mj": None}):
        (absence,) = find(around(wrong)).absences
        assert "macOS tells no energy of this chip" in absence.reason
    assert "cannot be loaded" in find(around(error=OSError("bad image"))).absences[0].reason


def test_elsewhere_nobody_cares(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    found = find(around(FIRST))
    assert not found.sources
    assert not found.absences[0].relevant


@pytest.mark.usefixtures("mac")
def test_an_older_mac(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    (absence,) = find(around(FIRST)).absences
    assert absence.relevant
    assert "not for Apple silicon" in absence.reason


@pytest.mark.usefixtures("mac")
def test_nothing_is_asked_for_a_recorded_tree(tmp_path):
    assert not find(Surroundings(root=tmp_path)).sources
