"""What a device shows around a round, from recorded trees."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from inferometer.host.signals import Watch

OWN = {
    "canary_loop_s",
    "canary_compute_s",
    "wall_s",
    "own_cpu_s",
    "involuntary_switches",
    "major_faults",
}
"""Not files: always of this process."""
CPUS = "sys/devices/system/cpu"
PI = "sys/devices/platform/soc/soc:firmware/get_throttled"
PRESSURE = "some avg10=0.00 avg60=0.00 avg300=0.00 total={}\nfull avg10=0.00 total=7\n"
STAT = "cpu  {user} 0 100 {idle} 0 0 0 {steal} 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 1\n"


@pytest.fixture
def around(tree):
    """The signals of a round that begins with some files and ends with others."""

    def watch(before, after=None):
        seen = Watch(tree(before))
        seen.begin()
        tree(after or {})
        return seen.end()

    return watch


def test_an_empty_tree_shows_nothing_but_this_process(around):
    assert set(around({})) == OWN


def explained():
    page = Path(__file__).parents[3] / "docs" / "method" / "verdicts.md"
    table = page.read_text(encoding="utf-8").partition("## The signals of a round")[2]
    return set(re.findall(r"^\| `(\w+)` \| \S+ \| .+ \| .+ \|$", table, re.MULTILINE))


def test_the_live_machine_has_signals_that_the_documentation_explains():
    watch = Watch(threads=2)
    watch.begin()
    found = watch.end()
    assert OWN <= set(found) <= explained()
    assert 0 < found["canary_loop_s"] < 1
    assert 0 < found["canary_compute_s"] < 1
    assert found["wall_s"] > 0


def test_swap(around):
    found = around(
        {"proc/vmstat": "nr_free_pages 9\npswpin 10\npswpout 20\npswpin_extra 5\n"},
        {"proc/vmstat": "nr_free_pages 9\npswpin 13\npswpout 24\npswpin_extra 50\n"},
    )
    assert (found["swap_in_pages"], found["swap_out_pages"]) == (3, 4)


@pytest.mark.parametrize("what", ["cpu", "memory", "io"])
def test_pressure(around, what):
    path = f"proc/pressure/{what}"
    found = around({path: PRESSURE.format(1_000_000)}, {path: PRESSURE.format(1_250_000)})
    assert found[f"pressure_{what}_s"] == pytest.approx(0.25)
    assert set(found) == OWN | {f"pressure_{what}_s"}


def test_processors_with_others_and_stolen_time(around):
    tick = 1 / os.sysconf("SC_CLK_TCK")
    found = around(
        {"proc/stat": STAT.format(user=1000, idle=5000, steal=10)},
        {"proc/stat": STAT.format(user=7000, idle=5500, steal=30)},
    )
    assert found["steal_s"] == pytest.approx(20 * tick)
    assert found["all_cpu_s"] == pytest.approx(6520 * tick)
    assert found["other_cpu_s"] + found["own_cpu_s"] == pytest.approx(6000 * tick)


def test_a_stat_of_many_cpus_is_read_in_its_first_line(around):
    many = "".join(f"cpu{n} 100 0 50 900 0 0 0 0 0 0\n" for n in range(1024))
    first = "cpu  {} 0 51200 921600 0 0 0 0 0 0\n"
    found = around({"proc/stat": first.format(100) + many}, {"proc/stat": first.format(200) + many})
    assert found["all_cpu_s"] == pytest.approx(100 / os.sysconf("SC_CLK_TCK"))


def test_the_waits_of_all_threads_are_added_up(around):
    task = "proc/self/task/{}/schedstat"
    found = around(
        {task.format(11): "5 1000000000 3\n", task.format(12): "5 2000000000 3\n"},
        {
            task.format(11): "5 1100000000 3\n",
            task.format(12): "5 2200000000 3\n",
            task.format(13): "5 300000000 1\n",  # began in the round
        },
    )
    assert found["run_delay_s"] == pytest.approx(0.6)
    assert set(found) == OWN | {"run_delay_s"}


def test_a_thread_that_ended_takes_nothing_away(tree):
    paths = [f"proc/self/task/{number}/schedstat" for number in (11, 12)]
    root = tree({paths[0]: "5 1000000000 3\n", paths[1]: "5 9000000000 3\n"})
    watch = Watch(root)
    watch.begin()
    (root / paths[1]).unlink()
    (root / paths[1]).parent.rmdir()
    (root / paths[0]).write_text("5 1500000000 3\n")
    assert watch.end()["run_delay_s"] == pytest.approx(0.5)


def test_the_clock_is_that_of_the_fastest_cpu_at_both_ends(around):
    clock = CPUS + "/cpu{}/cpufreq/scaling_cur_freq"
    online = {f"{CPUS}/online": "0-1\n"}
    found = around(
        {**online, clock.format(0): "800000\n", clock.format(1): "3000000\n"},
        {clock.format(0): "2400000\n", clock.format(1): "800000\n"},
    )
    assert (found["frequency_min_hz"], found["frequency_max_hz"]) == (2.4e9, 3.0e9)


def test_throttling_of_x86_and_jetson(around):
    core = f"{CPUS}/cpu0/thermal_throttle/core_throttle_count"
    jetson = "sys/class/hwmon/hwmon3/oc1_event_cnt"
    online = {f"{CPUS}/online": "0\n"}
    found = around({**online, core: "4\n", jetson: "1\n"}, {core: "6\n", jetson: "2\n"})
    assert found["throttle_events"] == 3


@pytest.mark.parametrize(
    ("before", "after", "bits"),
    [
        ("0x0", "0x0", 0),
        ("50000", "50000", 0),  # it happened before we looked
        ("0x50005", "0x50000", 0x5),
        ("0x10000", "0x50000", 0x40000),
        ("0", "f000f", 0xF000F),
    ],
)
def test_throttling_of_a_raspberry_pi(around, before, after, bits):
    assert around({PI: before + "\n"}, {PI: after + "\n"})["throttled_bits"] == bits


def test_bits_below_zero_are_not_observable(around):
    assert set(around({PI: "-1\n"})) == OWN


def test_the_highest_believable_temperature(around):
    zone = "sys/class/thermal/thermal_zone{}/temp"
    hwmon = "sys/class/hwmon/hwmon{}/{}"
    found = around(
        {
            zone.format(0): "45000\n",
            zone.format(1): "-273000\n",
            hwmon.format(0, "name"): "coretemp\n",
            hwmon.format(0, "temp1_input"): "61000\n",
            hwmon.format(1, "name"): "nvme\n",  # a disk
            hwmon.format(1, "temp1_input"): "90000\n",
        },
        {zone.format(0): "52000\n"},
    )
    assert found["temperature_c"] == 61.0


FILES = {
    "proc/stat": STAT.format(user=9, idle=9, steal=9),
    "proc/vmstat": "pswpin 10\npswpout 20\n",
    "proc/pressure/cpu": PRESSURE.format(5),
    "proc/self/task/1/schedstat": "5 9000 3\n",
    f"{CPUS}/online": "0\n",
    f"{CPUS}/cpu0/cpufreq/scaling_cur_freq": "1000000\n",
    f"{CPUS}/cpu0/thermal_throttle/core_throttle_count": "9\n",
    PI: "0x0\n",
    "sys/class/thermal/thermal_zone0/temp": "50000\n",
}


@pytest.mark.parametrize(
    "garbage",
    ["", "\n", "x", "-", "0x", "cpu", "cpu a b c d e f g h", "some total=", "9" * 40, "\0\xff"],
)
def test_garbage_is_not_observable(around, garbage):
    assert set(around(dict.fromkeys(FILES, garbage))) <= OWN


@pytest.mark.parametrize("garbage", ["", "x", "-1"])
def test_files_that_turn_into_garbage_are_not_observable(around, garbage):
    levels = {"frequency_min_hz", "frequency_max_hz", "throttled_bits", "temperature_c"}
    found = around(FILES, {path: garbage for path in FILES if not path.endswith("online")})
    assert set(found) <= OWN | levels


def test_counters_that_go_backwards_are_not_observable(around):
    less = {
        "proc/vmstat": "pswpin 9\npswpout 19\n",
        "proc/pressure/cpu": PRESSURE.format(4),
        "proc/self/task/1/schedstat": "5 8000 3\n",
        f"{CPUS}/cpu0/thermal_throttle/core_throttle_count": "8\n",
        "proc/stat": STAT.format(user=1, idle=1, steal=1),
    }
    found = around(FILES, less)
    assert not {"swap_in_pages", "pressure_cpu_s", "run_delay_s", "throttle_events"} & set(found)
    assert not {"steal_s", "other_cpu_s", "all_cpu_s"} & set(found)


def test_links_out_of_the_tree_are_not_followed(tree, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("pswpin 10\npswpout 20\n")
    root = tree({"proc/x": ""})
    (root / "proc/vmstat").symlink_to(outside)
    (root / "proc/self").symlink_to("/proc/self")
    watch = Watch(root)
    watch.begin()
    assert set(watch.end()) == OWN


def test_a_loop_of_links_is_not_observable(tree):
    root = tree({"proc/x": ""})
    (root / "proc/stat").symlink_to(root / "proc/stat")
    (root / "sys").symlink_to(root / "sys")
    watch = Watch(root)
    watch.begin()
    assert set(watch.end()) == OWN


def test_folders_in_place_of_files_are_not_observable(tree):
    root = tree({"proc/stat/x": "", "proc/vmstat/x": "", "proc/pressure/cpu/x": ""})
    watch = Watch(root)
    watch.begin()
    assert set(watch.end()) == OWN


def test_the_gpu_is_read_at_both_ends_of_a_round(tree):
    bits = iter([0x1, 0x20])
    watch = Watch(tree({}), gpu=lambda: next(bits))
    watch.begin()
    assert watch.end()["gpu_clock_event_bits"] == 0x21


def test_a_gpu_that_does_not_answer_is_not_observable(tree):
    watch = Watch(tree({}), gpu=lambda: None)
    watch.begin()
    assert set(watch.end()) == OWN


def test_the_files_are_closed_with_the_watch(tree):
    def open_files():
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    root = tree(FILES)
    before = open_files()
    watch = Watch(root)
    assert open_files() > before
    del watch
    assert open_files() == before
