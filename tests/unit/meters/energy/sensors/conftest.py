"""Device trees with power sensors, and a world in which they move: files, a clock, commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from inferometer.meters.energy.surroundings import Ran, Surroundings

POWERCAP = "sys/class/powercap"
REAL = "sys/devices/virtual/powercap"
HWMON = "sys/class/hwmon"
SUPPLY = "sys/class/power_supply"
IIO = "sys/bus/iio/devices/iio:device0"
CLIENT_RANGE = 262143328850  # microjoules: 2^32 - 1 steps of 2^-14 J
SERVER_DRAM_RANGE = 65712999613  # 2^32 - 1 steps of 15.3 microjoules


class World:
    """A recorded tree whose files move with its clock, or refuse to be read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now_s = 1_750_000_000.0
        self.moving: dict[str, Callable[[float], object]] = {}
        self.refusing: dict[str, OSError] = {}
        self.asked: list[list[str]] = []

    def read(self, path: Path) -> bytes:
        name = str(path.relative_to(self.root))
        if name in self.refusing:
            raise self.refusing[name]
        if name in self.moving:
            return f"{self.moving[name](self.now_s)}\n".encode()
        return path.read_bytes()

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def run(self, command, _timeout_s) -> Ran:
        self.asked.append(list(command))
        raise AssertionError(f"a recorded tree must not run {command}")

    def counter(self, path: str, watts: float, *, start: int = 0, most: int = CLIENT_RANGE) -> None:
        """An energy file that counts microjoules at a constant power."""
        begin_s = self.now_s
        self.moving[path] = lambda now_s: (start + round(watts * (now_s - begin_s) * 1e6)) % most

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(
            root=self.root,
            read=self.read,
            run=self.run,
            clock=lambda: self.now_s,
            sleep=self.sleep,
        )


@pytest.fixture
def world(tmp_path) -> Callable[..., World]:
    """Write a tree: `world(files, links)`, where links lead from a path to a relative target."""

    def write(files: Mapping[str, str], links: Mapping[str, str] | None = None) -> World:
        root = tmp_path / "root"
        root.mkdir(exist_ok=True)
        for path, text in files.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        for path, target in (links or {}).items():
            link = root / path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
        return World(root)

    return write


@pytest.fixture
def live() -> Callable[..., Surroundings]:
    """The live machine with its files and commands replaced: `live(files, answers)`."""

    def build(files: Mapping[str, bytes], run: Callable[..., Ran]) -> Surroundings:
        def read(path: Path) -> bytes:
            try:
                return files[str(path).lstrip("/")]
            except KeyError:
                raise FileNotFoundError(2, "No such file or directory", str(path)) from None

        return Surroundings(read=read, run=run, clock=lambda: 5.0, sleep=lambda _: None)

    return build


def cpuinfo(vendor: str, family: int, model: int, flags: str = "fpu lm avx2") -> str:
    return (
        f"processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\n"
        f"model name\t: Some CPU\nflags\t\t: {flags}\n\n"
    )


def zone(name: str, energy: int, most: int = CLIENT_RANGE) -> dict[str, str]:
    return {"name": name, "energy_uj": str(energy), "max_energy_range_uj": str(most)}


def powercap(zones: Mapping[str, Mapping[str, str]]) -> tuple[dict[str, str], dict[str, str]]:
    """Files and links as the kernel has them: sub-zones lie inside their zone."""
    files, links = {}, {}
    for place, content in zones.items():
        control, *numbers = place.split(":")
        nested = "/".join(
            f"{control}:{':'.join(numbers[: depth + 1])}" for depth in range(len(numbers))
        )
        links[f"{POWERCAP}/{place}"] = f"../../../{REAL}/{control}/{nested}"
        for name, text in content.items():
            files[f"{REAL}/{control}/{nested}/{name}"] = f"{text}\n"
    return files, links


@pytest.fixture
def server(world) -> World:
    """Two Xeon sockets with memory; the MSR interface only."""
    files, links = powercap(
        {
            "intel-rapl:0": zone("package-0", 81234567890),
            "intel-rapl:0:0": zone("dram", 23456789012, SERVER_DRAM_RANGE),
            "intel-rapl:1": zone("package-1", 172345678901),
            "intel-rapl:1:0": zone("dram", 34567890123, SERVER_DRAM_RANGE),
        }
    )
    files["proc/cpuinfo"] = cpuinfo("GenuineIntel", 6, 106)
    built = world(files, links)
    built.counter(f"{POWERCAP}/intel-rapl:0/energy_uj", 100.0, start=81234567890)
    built.counter(f"{POWERCAP}/intel-rapl:1/energy_uj", 60.0, start=172345678901)
    for number, watts, start in ((0, 12.0, 23456789012), (1, 8.0, 34567890123)):
        path = f"{POWERCAP}/intel-rapl:{number}:0/energy_uj"
        built.counter(path, watts, start=start, most=SERVER_DRAM_RANGE)
    return built


@pytest.fixture
def laptop_cpu(world) -> World:
    """A Tiger Lake laptop: package, core and uncore, psys, and the package again over MMIO."""
    files, links = powercap(
        {
            "intel-rapl:0": zone("package-0", 5_000_000),
            "intel-rapl:0:0": zone("core", 3_000_000),
            "intel-rapl:0:1": zone("uncore", 1_000_000),
            "intel-rapl:1": zone("psys", 9_000_000),
            "intel-rapl-mmio:0": zone("package-0", 5_000_000),
        }
    )
    files["proc/cpuinfo"] = cpuinfo("GenuineIntel", 6, 140)
    built = world(files, links)
    for place, watts in (
        ("intel-rapl:0", 15.0),
        ("intel-rapl-mmio:0", 15.0),
        ("intel-rapl:1", 22.0),
    ):
        built.counter(f"{POWERCAP}/{place}/energy_uj", watts, start=5_000_000)
    return built


def board(model: str, *compatible: str) -> dict[str, str]:
    return {
        "proc/device-tree/model": f"{model}\0",
        "proc/device-tree/compatible": "".join(f"{word}\0" for word in compatible),
    }


def ina3221(number: int, *rails: tuple[str, int, int], shunts: bool = True) -> dict[str, str]:
    """A chip in hwmon: rails of label, millivolts and milliamperes, and the sum as channel 7."""
    folder = f"{HWMON}/hwmon{number}"
    files = {
        f"{folder}/name": "ina3221\n",
        f"{folder}/in7_label": "sum of shunt voltages\n",
        f"{folder}/in7_input": "11\n",
        f"{folder}/update_interval": "20\n",
    }
    for channel, (label, millivolts, milliamperes) in enumerate(rails, start=1):
        files[f"{folder}/in{channel}_label"] = f"{label}\n"
        files[f"{folder}/in{channel}_input"] = f"{millivolts}\n"
        files[f"{folder}/curr{channel}_input"] = f"{milliamperes}\n"
        files[f"{folder}/in{channel}_enable"] = "1\n"
        if shunts:
            files[f"{folder}/shunt{channel}_resistor"] = "5000\n"
    return files


@pytest.fixture
def nano_4gb() -> dict[str, str]:
    """JetPack 4: NVIDIA's driver, an IIO device."""
    rails = {"POM_5V_IN": 3146, "POM_5V_GPU": 283, "POM_5V_CPU": 1061}
    files = board(
        "NVIDIA Jetson Nano Developer Kit",
        "nvidia,p3449-0000-b00+p3448-0000-b00",
        "nvidia,jetson-nano",
        "nvidia,tegra210",
    )
    files[f"{IIO}/name"] = "ina3221x\n"
    for number, (label, milliwatts) in enumerate(rails.items()):
        files[f"{IIO}/rail_name_{number}"] = f"{label}\n"
        files[f"{IIO}/in_power{number}_input"] = f"{milliwatts}\n"
        files[f"{IIO}/in_voltage{number}_input"] = "5048\n"
        files[f"{IIO}/in_current{number}_input"] = f"{milliwatts * 1000 // 5048}\n"
    return files


@pytest.fixture
def nano_2gb() -> dict[str, str]:
    return board(
        "NVIDIA Jetson Nano 2GB Developer Kit",
        "nvidia,p3542-0000+p3448-0003",
        "nvidia,jetson-nano-2gb",
        "nvidia,tegra210",
    )


@pytest.fixture
def orin_nano() -> dict[str, str]:
    return {
        **board(
            "NVIDIA Jetson Orin Nano Developer Kit",
            "nvidia,p3768-0000+p3767-0005",
            "nvidia,p3767-0005",
            "nvidia,tegra234",
        ),
        **ina3221(1, ("VDD_IN", 4992, 1008), ("VDD_CPU_GPU_CV", 4984, 160), ("VDD_SOC", 4984, 304)),
    }


@pytest.fixture
def agx_orin() -> dict[str, str]:
    return {
        **board(
            "NVIDIA Jetson AGX Orin Developer Kit",
            "nvidia,p3737-0000+p3701-0005",
            "nvidia,tegra234",
        ),
        **ina3221(
            3, ("VDD_GPU_SOC", 19080, 160), ("VDD_CPU_CV", 19080, 40), ("VIN_SYS_5V0", 4968, 953)
        ),
        **ina3221(4, ("NC", 0, 0), ("VDDQ_VDD2_1V8AO", 4968, 80), ("NC", 0, 0)),
    }


@pytest.fixture
def thor() -> dict[str, str]:
    return {
        **board(
            "NVIDIA Jetson AGX Thor Developer Kit",
            "nvidia,p3971-0089+p3834-0008",
            "nvidia,tegra264",
        ),
        **ina3221(
            2, ("VDD_GPU", 12000, 900), ("VDD_CPU_SOC_MSS", 12000, 700), ("VIN_SYS_5V0", 5000, 1200)
        ),
        f"{HWMON}/hwmon5/name": "ina238\n",
        f"{HWMON}/hwmon5/in1_label": "VIN\n",
        f"{HWMON}/hwmon5/power1_input": "31250000\n",
    }


@pytest.fixture
def laptop() -> dict[str, str]:
    """On battery; the mouse has one too."""
    return {
        f"{SUPPLY}/AC/type": "Mains\n",
        f"{SUPPLY}/AC/online": "0\n",
        f"{SUPPLY}/hidpp_battery_0/type": "Battery\n",
        f"{SUPPLY}/hidpp_battery_0/scope": "Device\n",
        f"{SUPPLY}/hidpp_battery_0/status": "Discharging\n",
        f"{SUPPLY}/BAT0/type": "Battery\n",
        f"{SUPPLY}/BAT0/present": "1\n",
        f"{SUPPLY}/BAT0/status": "Discharging\n",
        f"{SUPPLY}/BAT0/power_now": "9876000\n",
        f"{SUPPLY}/BAT0/voltage_now": "11500000\n",
    }
