"""Power sensors that the light agent reads: those of the full instrument, and tegrastats."""

from __future__ import annotations

import pytest

from inferometer.fleet.light.power import Sampler, Source, find_sources, watts_told
from inferometer.meters.energy.sources import jetson, rapl
from inferometer.meters.energy.surroundings import Surroundings

IIO = "sys/bus/iio/devices/iio:device0"
HWMON = "sys/class/hwmon/hwmon3"
RAPL = "sys/class/powercap/intel-rapl:0"
CPU = "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 158\nflags\t\t: fpu\n"
TEGRA = {"proc/device-tree/compatible": "nvidia,p3450-0000\0nvidia,tegra210"}
TREES = {
    "nano": {
        **TEGRA,
        f"{IIO}/rail_name_0": "POM_5V_IN",
        f"{IIO}/in_power0_input": "2532",
        f"{IIO}/in_voltage0_input": "5060",
        f"{IIO}/rail_name_1": "POM_5V_GPU",
        f"{IIO}/in_power1_input": "320",
    },
    "orin": {
        **TEGRA,
        f"{HWMON}/name": "ina3221",
        f"{HWMON}/in1_label": "VDD_IN",
        f"{HWMON}/in1_input": "5000",
        f"{HWMON}/curr1_input": "900",
        f"{HWMON}/in2_label": "NC",
        f"{HWMON}/in2_input": "1",
        f"{HWMON}/curr2_input": "1",
        f"{HWMON}/shunt1_resistor": "5000",
    },
    "rails": {
        **TEGRA,
        f"{HWMON}/name": "ina3221",
        **{f"{HWMON}/in{n}_label": f"VDD_{n}" for n in (1, 2, 3)},
        **{f"{HWMON}/in{n}_input": "5000" for n in (1, 2, 3)},
        **{f"{HWMON}/curr{n}_input": str(100 * n) for n in (1, 2, 3)},
    },
    "laptop": {
        "proc/cpuinfo": CPU,
        f"{RAPL}/name": "package-0",
        f"{RAPL}/energy_uj": "1000000",
        f"{RAPL}/max_energy_range_uj": "262143328850",
        f"{RAPL}:0/name": "dram",
        f"{RAPL}:0/energy_uj": "500000",
        f"{RAPL}:0/max_energy_range_uj": "65712999613",
    },
}


@pytest.fixture
def written(tmp_path):
    def write(files):
        for path, text in files.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n")
        return tmp_path

    return write


@pytest.mark.parametrize("name", TREES)
def test_the_source_is_that_of_the_full_instrument(written, name):
    root = written(TREES[name])
    full = (rapl if name == "laptop" else jetson).find(Surroundings(root=root)).sources[0]
    (light,) = find_sources(str(root))
    for key in ("name", "kind", "scope", "method", "quantity", "window_s"):
        assert light.info[key] == getattr(full.info, key), key
    assert light.info["period_s"] == pytest.approx(full.info.period_s, abs=0.05)
    light.read(lambda: 1.0)
    assert light.values == [pytest.approx(full.read().value)]


def test_a_counter_is_unwrapped(written):
    root = written(TREES["laptop"])
    (source,) = find_sources(str(root))
    source.read(lambda: 1.0)
    written({f"{RAPL}/energy_uj": "3000000", f"{RAPL}:0/energy_uj": "400000"})
    source.read(lambda: 2.0)
    assert source.lost is not None  # memory drew 65 kJ at once: it was reset
    written({f"{RAPL}:0/energy_uj": "65712900000", f"{RAPL}/energy_uj": "3000000"})
    (source,) = find_sources(str(root))
    source.read(lambda: 1.0)
    written({f"{RAPL}:0/energy_uj": "100000", f"{RAPL}/energy_uj": "4000000"})
    source.read(lambda: 2.0)
    assert source.values[-1] == pytest.approx(1.0 + (65712999613 - 65712900000 + 100000) * 1e-6)


def test_a_sensor_that_is_gone_is_lost_with_its_reason(written):
    root = written(TREES["nano"])
    (source,) = find_sources(str(root))
    written({f"{IIO}/in_power0_input": "gone"})
    source.read(lambda: 1.0)
    assert "holds no number any more" in source.document()["readings"]["lost"]


@pytest.mark.parametrize(
    ("line", "watts"),
    [
        ("RAM 1200/1979MB CPU [5%@1428] POM_5V_IN 2532/2532 POM_5V_GPU 40/40", 2.532),
        ("RAM 4722/7620MB SWAP 0/3810MB VDD_IN 4840mW/4840mW VDD_CPU_GPU_CV 530mW/530mW", 4.84),
        ("RAM 1/2MB VDD_GPU_SOC 1000mW/900mW VDD_CPU_CV 500mW/1mW", 1.5),
        ("RAM 1200/1979MB CPU [5%@1428]", None),
    ],
)
def test_what_tegrastats_prints(line, watts):
    assert watts_told(line) == (None if watts is None else pytest.approx(watts))


def test_a_window_begins_and_ends_with_a_reading():
    count = iter(range(1000))
    info = {"name": "x", "quantity": "energy", "period_s": 5.0}
    source = Source(info, lambda: float(next(count)))
    sampler = Sampler([source], lambda: 7.0)
    before = len(source.values)
    sampler.begin()
    sampler.end()
    sampler.close()
    assert len(source.values) >= before + 2
