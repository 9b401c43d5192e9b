"""Which sources a run uses on which device, and what it says where there is none."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from inferometer.core.energy import Absence, Reading, SourceInfo
from inferometer.core.errors import MeterError
from inferometer.core.registry import Plugin, Registry
from inferometer.meters.energy.selection import kinds
from inferometer.meters.energy.selection.detect import LONGEST_REASON, SWITCHED_OFF, detect
from inferometer.meters.energy.selection.named import connected
from inferometer.meters.energy.selection.survey import survey
from inferometer.meters.energy.surroundings import Finding, Surroundings

X86 = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 140\nflags\t\t: fpu lm\n\n"
VM = X86.replace("fpu lm", "fpu lm hypervisor")
HWMON = "sys/class/hwmon"
PI = {"proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0"}
PMIC = "  VDD_CORE_A current(7)=2.00000000A\n  VDD_CORE_V volt(15)=0.90000000V\n"
INA219 = {f"{HWMON}/hwmon2/name": "ina219\n", f"{HWMON}/hwmon2/power1_input": "4100000\n"}
CARD = {
    f"{HWMON}/hwmon4/name": "amdgpu\n",
    f"{HWMON}/hwmon4/power1_average": "38000000\n",
    f"{HWMON}/hwmon4/fan1_input": "900\n",
}


def names(detected) -> list[str]:
    return [source.info.name for source in detected.sources]


def refuse(server) -> None:
    for path in [*server.moving]:
        server.refusing[path] = PermissionError(13, "Permission denied", path)


class Stub:
    """A source of a third party that remembers whether it was closed."""

    def __init__(self, kind: str, scope: str, name: str = "") -> None:
        self.info = SourceInfo(
            name=name or f"{kind}:0",
            kind=kind,
            scope=scope,
            method="measured",
            quantity="power",
            period_s=0.1,
        )
        self.closed = 0

    def read(self) -> Reading:
        return Reading(at_s=0.0, value=1.0)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def table(monkeypatch):
    """Replace the kinds: `table(jtop=[Stub(…)])`, in the order of the project's own."""

    def replace(**found) -> None:
        plugins = {}
        for kind, sources in found.items():
            module = ModuleType(f"stub_{kind}")
            if callable(sources):
                module.connect = sources
            else:
                module.find = lambda _, finding=sources: (
                    finding if isinstance(finding, Finding) else Finding(sources=tuple(finding))
                )
            monkeypatch.setitem(sys.modules, module.__name__, module)
            plugins[kind] = Plugin(path=module.__name__)
        registry = Registry(what="power meter", group="inferometer.no_such_group", table=plugins)
        monkeypatch.setattr(kinds, "KINDS", registry)
        order = [*(k for k in kinds.FOUND if k in plugins), *plugins]
        looked_for = [kind for kind in order if not callable(found[kind])]
        monkeypatch.setattr(kinds, "FOUND", tuple(dict.fromkeys(looked_for)))

    return replace


def test_a_server_reads_its_packages_with_memory(server):
    found = detect(server.surroundings)
    assert names(found) == ["rapl:package-0+package-1+dram"]
    assert found.reason == ""
    assert found.unused == ()


def test_the_platform_stays_apart_and_comes_after_the_package(laptop_cpu):
    assert names(detect(laptop_cpu.surroundings)) == ["rapl:package-0", "rapl:psys"]


def test_a_graphics_card_stands_between_package_and_platform(laptop_cpu, world):
    world(CARD)
    found = detect(laptop_cpu.surroundings)
    assert names(found) == ["rapl:package-0", "hwmon:amdgpu@hwmon4", "rapl:psys"]


def test_for_work_on_the_card_the_card_comes_first(laptop_cpu, world):
    world(CARD)
    found = detect(laptop_cpu.surroundings, device="cuda")
    assert names(found)[0] == "hwmon:amdgpu@hwmon4"


def test_the_package_is_no_figure_for_work_on_a_card_of_its_own(server):
    found = detect(server.surroundings, device="cuda:0")
    assert found.sources == ()
    assert "GPU" in found.reason
    assert [info.scope for info in found.unused] == ["package+dram"]


def test_a_card_is_no_figure_for_work_on_the_processor(world):
    found = detect(world({"proc/cpuinfo": VM, **CARD}).surroundings)
    assert found.sources == ()
    assert "virtual machine" in found.reason
    assert [info.scope for info in found.unused] == ["gpu"]


def test_a_virtual_machine_with_a_card_measures_work_on_the_card(world):
    found = detect(world({"proc/cpuinfo": VM, **CARD}).surroundings, device="cuda")
    assert names(found) == ["hwmon:amdgpu@hwmon4"]


@pytest.mark.parametrize(
    ("board", "expected"),
    [
        ("nano_4gb", ["jetson:POM_5V_IN"]),
        ("orin_nano", ["jetson:VDD_IN"]),
        ("agx_orin", ["jetson:rails"]),
        ("thor", ["jetson:VIN", "jetson:rails"]),
    ],
)
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_jetsons_read_the_outermost_sensor_first(world, request, board, expected, device):
    tree = world(request.getfixturevalue(board))
    assert names(detect(tree.surroundings, device=device)) == expected


def test_a_module_of_the_users_comes_after_the_sensors_of_a_jetson(world, orin_nano):
    found = detect(world({**orin_nano, **INA219}).surroundings)
    assert names(found) == ["jetson:VDD_IN", "hwmon:ina219@hwmon2"]


def test_a_module_of_the_users_comes_before_the_chip_of_a_pi(world):
    tree = world({**PI, **INA219, "commands/vcgencmd_pmic_read_adc.txt": PMIC})
    found = detect(tree.surroundings)
    assert names(found) == ["hwmon:ina219@hwmon2", "pi_pmic:rails"]


def test_a_monitor_on_a_pc_is_used_only_where_it_is_named(world):
    tree = world({"proc/cpuinfo": X86, **INA219})
    found = detect(tree.surroundings)
    assert found.sources == ()
    assert [info.name for info in found.unused] == ["hwmon:ina219@hwmon2"]
    assert "(--meter hwmon)" in found.reason
    assert names(detect(tree.surroundings, chosen=["hwmon"])) == ["hwmon:ina219@hwmon2"]


def test_a_battery_is_used_only_with_long_windows_or_where_it_is_named(world, laptop):
    tree = world({"proc/cpuinfo": X86, **laptop})
    found = detect(tree.surroundings)
    assert found.sources == ()
    assert "battery:BAT0 (--meter battery), with windows of five minutes" in found.reason
    assert names(detect(tree.surroundings, window_s=300.0)) == ["battery:BAT0"]
    assert names(detect(tree.surroundings, chosen=["battery"])) == ["battery:BAT0"]


def test_closed_counters_say_so_with_the_way_out(server):
    refuse(server)
    found = detect(server.surroundings)
    assert found.sources == ()
    assert found.reason.startswith("/sys/class/powercap/intel-rapl:0/energy_uj (mode 0644) may be")
    assert "inferometer doctor" in found.reason
    assert found.absences[0].kind == "rapl"
    assert 'SUBSYSTEM=="powercap"' in found.absences[0].remedy


def test_a_nano_2gb_names_its_model_and_what_helps(world, nano_2gb):
    reason = detect(world(nano_2gb).surroundings).reason
    for part in ("Jetson Nano 2GB", "jtop cannot help", "--power-log", "shelly", "unaffected"):
        assert part in reason


def test_a_board_that_nobody_knows_is_told_what_was_looked_for(world):
    found = detect(world({"proc/device-tree/model": "Radxa ROCK 5B\0"}).surroundings)
    assert found.reason.startswith("No power sensor on this Radxa ROCK 5B (looked for jetson, ")
    assert not any(absence.relevant for absence in found.absences)


@pytest.mark.parametrize(
    "files",
    [
        {"proc/cpuinfo": VM},
        {"proc/cpuinfo": X86},
        {"proc/cpuinfo": X86, ".dockerenv": ""},
        {"proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0"},
        PI,
        {},
        {f"{HWMON}/hwmon4/name": "amdgpu\n"},
        {"sys/class/power_supply/BAT0/type": "Battery\n", "proc/cpuinfo": "processor: 0\n"},
    ],
)
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_every_reason_is_one_short_paragraph(world, files, device):
    reason = detect(world({"proc/version": "x", **files}).surroundings, device=device).reason
    assert 40 < len(reason) <= LONGEST_REASON
    assert "\n" not in reason
    assert reason[-1] in ".)"


def test_a_reason_of_a_third_party_is_cut(table, world):
    absence = Absence(kind="lamp", reason="because " * 100)
    table(lamp=Finding(absences=(absence,)))
    assert len(detect(world({}).surroundings).reason) <= LONGEST_REASON


def test_sensors_are_not_read_twice(table, world):
    table(
        jetson=[Stub("jetson", "module_input")],
        battery=[Stub("battery", "battery")],
        jtop=[Stub("jtop", "module_input")],
        powertop=[Stub("powertop", "battery")],
    )
    tree = world({}).surroundings
    assert names(survey(tree)) == ["jetson:0", "battery:0"]
    assert names(detect(tree, chosen=["jtop"])) == ["jtop:0", "jetson:0"]


def test_of_several_cards_the_one_that_works_comes_first(table, world):
    table(nvml=[Stub("nvml", "gpu", f"nvml:{number}") for number in (0, 1, 11)])
    tree = world({}).surroundings
    assert names(detect(tree, device="cuda"))[0] == "nvml:0"
    assert names(detect(tree, device="cuda:1"))[0] == "nvml:1"
    assert names(detect(tree, device="cuda:11"))[0] == "nvml:11"


def test_a_users_meter_comes_first_with_the_rest_beside_it(server, table):
    plug = Stub("plug", "wall")
    rail = Stub("rapl", "package")
    table(rapl=[rail], plug=lambda target, _: plug if target == "host" else None)
    found = detect(server.surroundings, chosen=["plug://host"])
    assert found.sources == (plug, rail)
    assert [plug.closed, rail.closed] == [0, 0]


def test_a_kind_or_a_name_picks_among_what_is_there(laptop_cpu):
    tree = laptop_cpu.surroundings
    assert names(detect(tree, chosen=["rapl:psys"])) == ["rapl:psys", "rapl:package-0"]
    assert names(detect(tree, chosen=["rapl"])) == ["rapl:package-0", "rapl:psys"]
    assert names(detect(tree, chosen=["rapl:psys", "rapl"])) == ["rapl:psys", "rapl:package-0"]


def test_what_is_not_used_is_closed(table, world):
    card = Stub("nvml", "gpu")
    table(nvml=[card])
    found = detect(world({}).surroundings)
    assert found.sources == ()
    assert card.closed == 1


def test_what_was_opened_is_closed_when_a_meter_fails(table, world):
    rail, plug = Stub("jetson", "module_input"), Stub("plug", "wall")
    table(jetson=[rail], plug=lambda *_: plug)
    with pytest.raises(MeterError, match="no power source is called 'jetson:other'"):
        detect(world({}).surroundings, chosen=["plug://x", "jetson:other"])
    assert [rail.closed > 0, plug.closed] == [True, 1]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (["joulescope"], "no power meter is called 'joulescope'; known: jetson, pi_pmic, rapl"),
        (["joulescope://x"], "no power meter is called 'joulescope'"),
        (["shelly"], "shelly needs more than a name: write shelly://HOST"),
        (["estimate"], "write estimate://IDLE:BUSY"),
        (["estimate://3"], "add --allow-estimate"),
        (["rapl://x"], "has no address: write --meter rapl"),
        (["csv"], "write csv://FILE, or --power-log FILE"),
        (["none", "rapl"], "leave the other meters out"),
        (["csv://a", "csv://b"], "only one power log"),
        (["battery"], "--meter battery cannot be used: No battery in /sys/class/power_supply."),
        (["rapl:core"], "of this kind there is rapl:package-0"),
        (["shelly://"], "shelly"),
    ],
)
def test_a_meter_that_cannot_be_used_is_refused(server, chosen, message):
    with pytest.raises(MeterError) as caught:
        detect(server.surroundings, chosen=chosen)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "chosen",
    ["o\ndd", "o\ndd://x", "rapl:o\ndd", "battery:o\ndd", "estimate:o\ndd", "shelly://o\ndd:x",
     "shelly://h?o%0Add=1", "tasmota://h?channel=o%0Add", "estimate://o\ndd", "csv:o\ndd"],
)  # fmt: skip
def test_a_name_does_not_break_the_line(server, chosen):
    with pytest.raises(MeterError) as caught:
        detect(server.surroundings, chosen=[chosen], allow_estimate=True)
    assert str(caught.value).isprintable()


def test_the_name_of_a_log_does_not_break_the_line(world):
    assert detect(world({}).surroundings, power_log="/tmp/o\ndd.csv").reason.isprintable()


def test_a_meter_that_is_not_readable_is_refused_though_another_one_is(laptop_cpu, world):
    world(CARD)
    refuse(laptop_cpu)
    with pytest.raises(MeterError, match="root only"):
        detect(laptop_cpu.surroundings, chosen=["rapl"])


def test_switched_off(server):
    found = detect(server.surroundings, chosen=["none"])
    assert (found.sources, found.reason) == ((), SWITCHED_OFF)


def test_an_estimate_runs_only_where_it_is_allowed(world):
    tree = world({"proc/stat": "cpu 1 1 1 1 1 1 1 1\n"}).surroundings
    found = detect(tree, chosen=["estimate://3"], allow_estimate=True)
    assert [source.info.method for source in found.sources] == ["estimate"]
    assert detect(tree, allow_estimate=True).sources == ()


@pytest.mark.parametrize("how", [{"chosen": ["csv:///tmp/log.csv"]}, {"power_log": "/tmp/log.csv"}])
def test_a_log_is_kept_for_later(world, how):
    found = detect(world({}).surroundings, **how)
    assert found.sources == ()
    assert found.log is not None
    assert found.log.endswith("/tmp/log.csv")
    assert "the energy comes from the power log" in found.reason


def test_a_reader_that_fails_does_not_hide_the_others(table, world):
    def broken(_):
        raise RuntimeError("boom")

    table(rapl=[Stub("rapl", "package")], lamp=[])
    sys.modules["stub_lamp"].find = broken
    found = survey(world({}).surroundings)
    assert names(found) == ["rapl:0"]
    assert [absence.reason for absence in found.absences] == [
        "Looking for lamp failed (RuntimeError: boom)."
    ]


def test_only_what_was_named_is_connected(laptop_cpu):
    tree = laptop_cpu.surroundings
    assert [source.info.name for source in connected(["rapl:psys"], tree)] == ["rapl:psys"]
    with pytest.raises(MeterError, match="nothing that can be read now"):
        connected(["csv://x"], tree)


def test_looking_for_kinds_imports_none_of_the_others(world):
    assert isinstance(world({}).surroundings, Surroundings)
    assert set(kinds.known()) >= {"rapl", "nvml", "shelly", "csv", "none"}
    assert not set(kinds.searched()) & {"shelly", "tasmota", "estimate"}
