"""RAPL: which counters count, how they are added up, and what is said where there is none."""

from __future__ import annotations

import errno

import pytest

from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources.rapl import UDEV_RULE, find

POWERCAP = "sys/class/powercap"
REAL = "sys/devices/virtual/powercap"
CLIENT_RANGE = 262143328850
DENIED = PermissionError(errno.EACCES, "Permission denied")
INTEL = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: {}\nflags\t\t: fpu lm{}\n\n"


def only(finding):
    assert not finding.absences
    (source,) = finding.sources
    return source


def energy(place: str) -> str:
    return f"{POWERCAP}/{place}/energy_uj"


def joules_in(source, world, seconds: float, step_s: float = 0.5) -> float:
    begin = source.read().value
    for _ in range(round(seconds / step_s)):
        world.now_s += step_s
        end = source.read().value
    return end - begin


def test_two_sockets_and_their_memory_are_one_source(server):
    source = only(find(server.surroundings))
    info = source.info
    assert (info.name, info.scope) == ("rapl:package-0+package-1+dram", "package+dram")
    assert (info.kind, info.quantity, info.method) == ("rapl", "energy", "measured")
    assert joules_in(source, server, 100.0) == pytest.approx(100 * (100 + 60 + 12 + 8), abs=1e-4)
    assert info.poll_s == pytest.approx(65712.999613 / 4000)  # that of the memory
    assert info.resolution == pytest.approx(61e-6, rel=0.01)
    source.close()
    source.close()


def test_every_counter_wraps_on_its_own(server):
    for place, watts in (("intel-rapl:0", 100.0), ("intel-rapl:1", 60.0)):
        server.counter(energy(place), watts, start=CLIENT_RANGE - round(watts * 3e6))
    source = only(find(server.surroundings))
    assert joules_in(source, server, 10.0) == pytest.approx(1800.0, abs=1e-4)


def test_psys_is_a_source_of_its_own_and_mmio_no_second_package(laptop_cpu):
    finding = find(laptop_cpu.surroundings)
    package, psys = finding.sources
    assert (package.info.name, package.info.scope) == ("rapl:package-0", "package")
    assert (psys.info.name, psys.info.scope) == ("rapl:psys", "psys")
    assert joules_in(package, laptop_cpu, 10.0) == pytest.approx(150.0, abs=1e-4)
    assert "contains the package, never add the two" in psys.info.where
    assert "not counted twice: /sys/class/powercap/intel-rapl-mmio:0" in package.info.where


def test_mmio_serves_where_there_is_no_msr(world, laptop_cpu):
    for place in ("intel-rapl:0", "intel-rapl:0:0", "intel-rapl:0:1", "intel-rapl:1"):
        (laptop_cpu.root / POWERCAP / place).unlink()
    source = only(find(laptop_cpu.surroundings))
    assert f"/{energy('intel-rapl-mmio:0')}" in source.info.where


@pytest.fixture
def threadripper(world):
    """Two dies; whether the second has a counter of its own is up to the test."""
    files = {"proc/cpuinfo": INTEL.format(8, "").replace("GenuineIntel", "AuthenticAMD")}
    for number, name in ((0, "package-0"), (1, "package-1")):
        folder = f"{POWERCAP}/intel-rapl:{number}"
        files[f"{folder}/name"] = f"{name}\n"
        files[f"{folder}/energy_uj"] = "1\n"
        files[f"{folder}/max_energy_range_uj"] = "65532610987\n"
    return world(files)


def test_mirrored_dies_count_once_and_it_is_said(threadripper):
    for number in (0, 1):
        threadripper.counter(energy(f"intel-rapl:{number}"), 90.0, start=4_000_000)
    source = only(find(threadripper.surroundings))
    assert source.info.name == "rapl:package-0"
    assert source.info.method == "vendor_model"
    assert "package-1 left out: repeats the counter of another package" in source.info.where
    assert joules_in(source, threadripper, 10.0) == pytest.approx(900.0, abs=1e-4)


def test_a_mirror_is_seen_though_the_counter_moves_while_it_is_read(threadripper):
    ticks = iter(range(10**6))

    def moving(_now_s):
        return 4_000_000 + 61 * next(ticks)

    threadripper.moving[energy("intel-rapl:0")] = moving
    threadripper.moving[energy("intel-rapl:1")] = moving
    assert only(find(threadripper.surroundings)).info.name == "rapl:package-0"


@pytest.mark.parametrize("apart_uj", [-3_000, -61, 61, 3_000])
def test_a_mirror_is_seen_though_it_was_read_a_moment_apart(threadripper, apart_uj):
    """As in a dump, whose counters stand still, and on dies whose copies lag behind."""
    for watts in (0.0, 90.0):
        threadripper.counter(energy("intel-rapl:0"), watts, start=4_000_000)
        threadripper.counter(energy("intel-rapl:1"), watts, start=4_000_000 + apart_uj)
        assert only(find(threadripper.surroundings)).info.name == "rapl:package-0"


@pytest.mark.parametrize(
    ("watts", "apart_uj", "name"),
    [(0.0, 3_000_000, "package-0"), (0.0, 30_000_000, "package-0+package-1"),
     (90.0, 3_000_000, "package-0+package-1")],
)  # fmt: skip
def test_a_dump_may_have_copied_files_between_the_two(threadripper, watts, apart_uj, name):
    threadripper.counter(energy("intel-rapl:0"), watts, start=4_000_000)
    threadripper.counter(energy("intel-rapl:1"), watts, start=4_000_000 + apart_uj)
    assert only(find(threadripper.surroundings)).info.name == f"rapl:{name}"


def test_two_dies_that_begin_alike_and_draw_unlike_are_two(threadripper):
    threadripper.counter(energy("intel-rapl:0"), 90.0, start=4_000_000)
    threadripper.counter(energy("intel-rapl:1"), 85.0, start=4_000_061)
    assert only(find(threadripper.surroundings)).info.name == "rapl:package-0+package-1"


def test_two_dies_of_the_same_power_are_two(threadripper):
    threadripper.counter(energy("intel-rapl:0"), 90.0, start=4_000_000)
    threadripper.counter(energy("intel-rapl:1"), 90.0, start=5_000_000)
    source = only(find(threadripper.surroundings))
    assert source.info.name == "rapl:package-0+package-1"
    assert joules_in(source, threadripper, 10.0) == pytest.approx(1800.0, abs=1e-4)


def test_processors_that_model_are_not_said_to_measure(server):
    (server.root / "proc/cpuinfo").write_text(INTEL.format(58, ""))  # Ivy Bridge
    assert only(find(server.surroundings)).info.method == "vendor_model"


def test_memory_that_does_not_count_is_left_out(server):
    server.moving[energy("intel-rapl:1:0")] = lambda _: 0
    source = only(find(server.surroundings))
    assert source.info.scope == "package"
    assert "memory left out: its counter shows 0" in source.info.where


def test_memory_that_may_not_be_read_is_left_out(server):
    server.refusing[energy("intel-rapl:0:0")] = DENIED
    assert only(find(server.surroundings)).info.scope == "package"


def test_a_counter_for_root_only_names_path_mode_cve_and_the_rule(laptop_cpu):
    for place in ("intel-rapl:0", "intel-rapl:1", "intel-rapl-mmio:0"):
        laptop_cpu.refusing[energy(place)] = DENIED
        (laptop_cpu.root / energy(place)).chmod(0o400)
    finding = find(laptop_cpu.surroundings)
    assert not finding.sources
    (absence,) = finding.absences
    for words in (f"/{energy('intel-rapl:0')} (mode 0400)", "CVE-2020-8694", "doctor", "udev rule"):
        assert words in absence.message
    assert absence.relevant


def test_one_closed_socket_withholds_the_sum(server):
    server.refusing[energy("intel-rapl:1")] = DENIED
    finding = find(server.surroundings)
    assert not finding.sources
    assert "intel-rapl:1" in finding.absences[0].reason


def test_the_udev_rule_opens_it_to_a_group_and_warns():
    rule = [line for line in UDEV_RULE.splitlines() if not line.startswith("#")]
    assert 'SUBSYSTEM=="powercap"' in rule[0]
    assert "chgrp energy /sys%p/energy_uj" in rule[1]
    assert "0440" in rule[1]
    assert "WARNING" in UDEV_RULE
    assert "CVE-2020-8694" in UDEV_RULE


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DENIED, "may no longer be read: permission was taken away"),
        (FileNotFoundError(errno.ENOENT, "No such file"), "is gone"),
        (OSError(errno.ENODEV, "No such device"), "is gone"),
        (OSError(errno.EINVAL, "Invalid argument"), "cannot be read: Invalid argument"),
    ],
)
def test_a_counter_lost_under_way_is_lost_not_0(server, error, words):
    source = only(find(server.surroundings))
    server.now_s += 1
    assert source.read().value > 0
    server.refusing[energy("intel-rapl:1")] = error
    with pytest.raises(SourceLostError, match=words) as caught:
        source.read()
    assert energy("intel-rapl:1") in str(caught.value)


def test_one_frozen_socket_is_found_beside_a_moving_one(server):
    source = only(find(server.surroundings))
    shown = server.moving[energy("intel-rapl:1")](server.now_s)
    server.moving[energy("intel-rapl:1")] = lambda _: shown
    with pytest.raises(SourceLostError, match=r"intel-rapl:1/energy_uj has stood still.*frozen"):
        joules_in(source, server, 5.0)


def test_a_reset_under_way_is_found(server):
    source = only(find(server.surroundings))
    server.now_s += 0.5
    source.read()
    server.counter(energy("intel-rapl:0"), 100.0)
    server.now_s += 0.5
    with pytest.raises(SourceLostError, match="reset"):
        source.read()


def test_text_that_is_no_number_is_lost(server):
    source = only(find(server.surroundings))
    server.moving[energy("intel-rapl:0")] = lambda _: "garbage"
    with pytest.raises(SourceLostError, match="holds 'garbage', which is not a whole number"):
        source.read()


def test_a_package_that_shows_0_is_no_source(laptop_cpu):
    laptop_cpu.moving[energy("intel-rapl:0")] = lambda _: 0
    finding = find(laptop_cpu.surroundings)
    assert [source.info.name for source in finding.sources] == ["rapl:psys"]
    assert "shows 0: the counter does not count" in finding.absences[0].reason


def test_a_range_that_is_not_told_is_no_source(server):
    (server.root / REAL / "intel-rapl/intel-rapl:0/max_energy_range_uj").unlink()
    assert "begins again" in find(server.surroundings).absences[0].reason


def absent(world, files, links=None):
    (absence,) = find(world(files, links).surroundings).absences
    return absence


def test_a_virtual_machine_names_its_hypervisor(world):
    files = {
        "proc/cpuinfo": INTEL.format(106, " hypervisor"),
        "sys/class/dmi/id/sys_vendor": "Amazon EC2\n",
    }
    absence = absent(world, files)
    assert "virtual machine on Amazon EC2" in absence.reason
    assert "bare metal" in absence.way_out
    unnamed = absent(world, {**files, "sys/class/dmi/id/sys_vendor": "Some\n"})
    assert "a hypervisor that does not name itself" in unnamed.reason


def test_a_missing_module_is_to_be_loaded(world):
    absence = absent(world, {"proc/cpuinfo": INTEL.format(140, "")})
    assert "sudo modprobe intel_rapl_msr" in absence.way_out


def test_links_that_lead_nowhere_are_a_masking_container(world):
    links = {f"{POWERCAP}/intel-rapl:0": "../../devices/virtual/powercap/intel-rapl/intel-rapl:0"}
    absence = absent(world, {"proc/cpuinfo": INTEL.format(140, "")}, links)
    assert "container" in absence.reason
    assert "systempaths=unconfined" in absence.way_out


@pytest.mark.parametrize(
    "sign", [{".dockerenv": ""}, {"proc/1/cgroup": "12:cpu:/kubepods/burstable/pod1\n"}]
)
def test_other_signs_of_a_container(world, sign):
    assert "container" in absent(world, {"proc/cpuinfo": INTEL.format(140, ""), **sign}).reason


def test_elsewhere_nobody_expects_rapl(world):
    arm = {"proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd\nCPU part\t: 0xd08\n"}
    assert not absent(world, arm).relevant
