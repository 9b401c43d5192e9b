"""`inferometer doctor --dump`: what was seen can be seen again, and nobody is named in it."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from inferometer.core.errors import InputError
from inferometer.host.conditions import conditions
from inferometer.host.files import read_bytes
from inferometer.host.identity import identify
from inferometer.host.memory import memory
from inferometer.host.sanitise import Sanitiser, private_names
from inferometer.meters.energy.recording import dump
from inferometer.meters.energy.selection.survey import close, survey
from inferometer.meters.energy.surroundings import Surroundings

SECRETS = (
    "annas-laptop",
    "anna",
    "Anna Schmidt",
    "10000000deadbeef",
    "1422919082257",
    "SERIAL123",
    "aa:bb:cc:dd:ee:ff",
    "192.168.1.77",
    "fe80::1ff:fe23:4567:890a",
    "0123456789abcdef",
    "lcy02-amd64-115",
)
PRIVATE = {
    "proc/sys/kernel/hostname": "annas-laptop\n",
    "etc/hostname": "annas-laptop\n",
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nanna:x:1000:1000:Anna Schmidt,,,:/home/anna:/bin/sh\n",
    "proc/device-tree/serial-number": "1422919082257\0",
    "sys/class/dmi/id/product_serial": "SERIAL123\n",
    "sys/class/dmi/id/sys_vendor": "Dell Inc.\n",
    "sys/class/dmi/id/product_name": "Latitude 7490\n",
    "sys/class/net/eth0/address": "aa:bb:cc:dd:ee:ff\n",
    "proc/version": "Linux version 5.15.153.1-wsl (anna@lcy02-amd64-115) (gcc 9) #45\n",
    "proc/self/status": "Name:\tanna\nUid:\t1000\nCpus_allowed_list:\t0\n",
    "proc/self/cgroup": "0::/user.slice/anna/0123456789abcdef\n",
    "sys/fs/cgroup/user.slice/anna/memory.max": "536870912\n",
    "proc/1/cgroup": "0::/docker/0123456789abcdef\n",
    "run/.containerenv": 'name="annas-laptop"\n',
    "proc/meminfo": "MemTotal: 2027000 kB\nMemAvailable: 300000 kB\nSwapTotal: 0 kB\n",
    "proc/loadavg": "1.70 0.9 0.5 3/400 1234\n",
    "etc/os-release": 'NAME="annas-laptop"\nPRETTY_NAME="Ubuntu 24.04"\n',
    "etc/nvpmodel.conf": "# by anna\n< POWER_MODEL ID=0 NAME=MAXN >\n",
    "var/lib/nvpmodel/status": "pmode:0000 from 192.168.1.77 fe80::1ff:fe23:4567:890a\n",
    "sys/class/power_supply/hid-aa:bb:cc:dd:ee:ff-battery/type": "Battery\n",
    "sys/class/power_supply/hid-aa:bb:cc:dd:ee:ff-battery/scope": "Device\n",
    "home/anna/.ssh/id": "0123456789abcdef\n",
}
PI5 = {
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "proc/cpuinfo": "processor\t: 0\nCPU part\t: 0xd0b\n\nSerial\t\t: 10000000deadbeef\nModel\t\t: Pi\n",
    "commands/vcgencmd_pmic_read_adc.txt": "on annas-laptop\n  VDD_CORE_A current(7)=2.00000000A\n"
    "  VDD_CORE_V volt(15)=0.90000000V\n",
}


def seen(surroundings: Surroundings) -> tuple:
    """What detection and the doctor see; paths under the root alone."""
    found = survey(surroundings)
    close(found.sources)
    root = surroundings.root
    infos = tuple(source.info for source in found.sources)
    return infos, found.absences, identify(root), conditions(root), memory(root)


def taken(world, tmp_path, name: str = "dump") -> Surroundings:
    dump(world.surroundings, tmp_path / name)
    return Surroundings(root=tmp_path / name, sleep=lambda _: None)


def texts(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    "files", ["nano_4gb", "nano_2gb", "orin_nano", "agx_orin", "thor", "laptop"]
)
def test_a_board_is_seen_again(world, request, tmp_path, files):
    built = world({**PRIVATE, **request.getfixturevalue(files)})
    before = seen(built.surroundings)
    after = taken(built, tmp_path)
    assert seen(after) == before
    again = tmp_path / "again"
    dump(after, again)
    assert seen(Surroundings(root=again)) == before


@pytest.mark.parametrize("files", ["server", "laptop_cpu"])
def test_counters_are_seen_again(request, tmp_path, files):
    built = request.getfixturevalue(files)
    assert seen(taken(built, tmp_path)) == seen(built.surroundings)


def test_modules_graphics_cards_and_their_addresses_are_seen_again(world, tmp_path):
    hwmon = "sys/class/hwmon"
    files = {
        f"{hwmon}/hwmon2/name": "ina219\n",
        f"{hwmon}/hwmon2/power1_input": "4100000\n",
        f"{hwmon}/hwmon2/shunt_resistor": "100000\n",
        f"{hwmon}/hwmon4/name": "amdgpu\n",
        f"{hwmon}/hwmon4/power1_average": "38000000\n",
        f"{hwmon}/hwmon4/pwm1": "0\n",
        "sys/devices/i2c/1-0040/name": "ina219\n",
    }
    built = world(files, {f"{hwmon}/hwmon2/device": "../../../devices/i2c/1-0040"})
    before = seen(built.surroundings)
    assert before[0][0].name == "hwmon:ina219@1-0040"
    after = taken(built, tmp_path)
    assert seen(after) == before
    dump(after, tmp_path / "again")
    assert seen(Surroundings(root=tmp_path / "again")) == before


def test_what_a_command_printed_is_seen_again_without_the_rest(world, tmp_path):
    built = world(PI5)
    after = taken(built, tmp_path)
    assert seen(after) == seen(built.surroundings)
    assert [source.info.name for source in survey(after).sources] == ["pi_pmic:rails"]
    recorded = after.root / "commands/vcgencmd_pmic_read_adc.txt"
    assert recorded.read_text().startswith("VDD_CORE_A")


def test_a_powertop_report_is_cut_to_the_discharge_rate(world, laptop, tmp_path, monkeypatch):
    report = "anna;1;firefox\nThe battery reports a discharge rate of:  12.3  W;\nanna;2\n"
    built = world({**laptop, "commands/powertop.csv": report})
    after = taken(built, tmp_path)
    assert seen(after) == seen(built.surroundings)
    text = (after.root / "commands/powertop.csv").read_text()
    assert text == "The battery reports a discharge rate of:  12.3  W;\n"


def test_closed_counters_stay_closed(server, tmp_path):
    for path in [*server.moving]:
        server.refusing[path] = PermissionError(13, "Permission denied", path)
    path = "sys/class/powercap/intel-rapl:0/energy_uj"
    (server.root / path).chmod(0o400)
    after = taken(server, tmp_path)
    assert f"0400 EACCES {path}\n" in (after.root / "unreadable.txt").read_text()
    found = survey(after).absences[0]
    assert "may be read by root only" in found.reason
    assert "(mode 0400)" in found.reason
    assert seen(after) == seen(server.surroundings)
    dump(after, tmp_path / "again")
    assert seen(Surroundings(root=tmp_path / "again")) == seen(after)


def test_nobody_is_named(world, tmp_path, laptop):
    after = taken(world({**laptop, **PRIVATE, **PI5}), tmp_path)
    found = texts(after.root)
    paths = "\n".join(str(path) for path in after.root.rglob("*"))
    for secret in SECRETS:
        assert secret not in paths
        assert not [path for path, text in found.items() if secret in text], secret
    assert found["proc/version"] == "Linux version 5.15.153.1-wsl"
    assert found["etc/os-release"] == 'PRETTY_NAME="Ubuntu 24.04"\n'
    assert memory(after.root).limit_bytes == 536870912


def test_nothing_that_is_not_on_the_lists_is_copied(world, tmp_path):
    after = taken(world({**PRIVATE, "sys/class/hwmon/hwmon0/uevent": "x"}), tmp_path)
    paths = texts(after.root).keys()
    for part in ("home/", "passwd", "hostname", "serial", "net/", "uevent"):
        assert not [path for path in paths if part in path]


def test_every_file_that_detection_reads_is_on_the_lists(world, tmp_path, orin_nano, laptop):
    files = {**PRIVATE, **orin_nano, **laptop, "proc/cpuinfo": "flags: fpu\n"}
    built = world({path: text for path, text in files.items() if "/hid-" not in path})
    asked = set()

    def read(path: Path) -> bytes:
        content = read_bytes(path)
        asked.add(str(path.relative_to(built.root)))
        return content

    close(survey(Surroundings(root=built.root, read=read)).sources)
    assert asked
    assert asked <= texts(taken(built, tmp_path).root).keys()


def test_links_that_lead_out_of_the_tree_are_not_followed(world, tmp_path):
    (tmp_path / "outside").write_text("secret of the live machine\n")
    built = world(PI5, {"proc/loadavg": "../../outside", "sys/class/hwmon/hwmon0": "/etc"})
    after = taken(built, tmp_path)
    assert not [path for path, text in texts(after.root).items() if "secret" in text]
    assert not (after.root / "proc/loadavg").exists()


def test_a_folder_with_something_in_it_is_refused(world, tmp_path):
    built = world(PI5)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("")
    with pytest.raises(InputError, match="full is there and not an empty folder"):
        dump(built.surroundings, tmp_path / "full")
    with pytest.raises(InputError, match="not an empty folder"):
        dump(built.surroundings, tmp_path / "full/x")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["x"]


def test_an_empty_folder_is_filled_and_nothing_is_left_beside_it(world, tmp_path):
    built = world(PI5)
    (tmp_path / "new").mkdir()
    said = dump(built.surroundings, tmp_path / "new")
    assert "Look through them before you send them" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "root"]


def test_a_tree_with_nothing_in_it(tmp_path):
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match="nothing to record"):
        dump(Surroundings(root=tmp_path / "bare"), tmp_path / "new")


def test_this_machine(tmp_path):
    dump(Surroundings(), tmp_path / "new")
    name = getpass.getuser()
    public = private_names(Path("/"), [name])
    assert (tmp_path / "new/proc/meminfo").exists()
    assert not [
        path for path in texts(tmp_path / "new") if name in public and name in path.split("/")
    ]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("at 10.0.0.7, up", "at 0.0.0.0, up"),
        ("load 1.70 0.9 0.5", "load 1.70 0.9 0.5"),
        ("fe80::1 and ::1", ":: and ::"),
        ("2001:db8:0:0:0:0:0:1", "::"),
        ("0-3,8", "0-3,8"),
        ("time 12:34:56", "time 12:34:56"),
        ("AA-BB-CC-DD-EE-FF", "00:00:00:00:00:01"),
        ("maria's box, marianne", "NAME's box, marianne"),
        ("intel-rapl:0:0", "intel-rapl:0:0"),
    ],
)
def test_tokens(text, clean):
    assert Sanitiser(["maria"]).line(text) == clean


def test_the_same_address_gets_the_same_name():
    sanitiser = Sanitiser([])
    names = [sanitiser.name(f"hid-{mac}-x") for mac in ("aa:bb:cc:dd:ee:ff", "11:22:33:44:55:66")]
    assert names == ["hid-00:00:00:00:00:01-x", "hid-00:00:00:00:00:02-x"]
    assert sanitiser.name("hid-AA:BB:CC:DD:EE:FF-x") == names[0]


def test_a_name_that_the_product_has_too_is_nobodys(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_text("Radxa ROCK 5B\0")
    (tmp_path / "etc/hostname").write_text("rock\n")
    assert private_names(tmp_path, ["carla", "pi", ""]) == {"carla"}
