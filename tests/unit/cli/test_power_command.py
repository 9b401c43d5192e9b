"""`inferometer power`: watts now, and what they come to."""

from __future__ import annotations

import json
import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from inferometer.cli import power as command
from inferometer.cli.main import main
from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.surroundings import Surroundings
from inferometer.meters.energy.watch import Watched, watch
from inferometer.report.terminal.power import line, sparkline, summary, table

ZONE = "sys/class/powercap/intel-rapl:0"
RANGE = 262143328850
FILES = {
    "proc/cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu lm\n\n",
    f"{ZONE}/name": "package-0\n",
    f"{ZONE}/max_energy_range_uj": f"{RANGE}\n",
    f"{ZONE}/energy_uj": "1000\n",
}


class World:
    """A recorded tree with a package that draws 15 W for two seconds and 25 W from then on."""

    def __init__(self, root) -> None:
        self.root = root
        self.now_s = 1_000.0
        self.interrupt_at_s = float("inf")
        self.gone_at_s = float("inf")
        for path, text in FILES.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def read(self, path) -> bytes:
        if path.name != "energy_uj":
            return path.read_bytes()
        if self.now_s >= self.gone_at_s:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        elapsed = self.now_s - 1_000.0
        joules = 15 * elapsed + 10 * max(0.0, elapsed - 2)
        return f"{(RANGE - 20_000_000 + round(joules * 1e6)) % RANGE}\n".encode()

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        if self.now_s >= self.interrupt_at_s:
            raise KeyboardInterrupt

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(
            root=self.root, read=self.read, clock=lambda: self.now_s, sleep=self.sleep
        )


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    built = World(tmp_path)
    monkeypatch.setattr(command, "surroundings_at", lambda _: built.surroundings)
    return built


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["power", *args])
    return int(caught.value.code or 0)


@pytest.mark.usefixtures("world")
def test_counters_become_watts_in_plain_lines(capsys):
    assert run("--for", "4s") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "rapl:package-0  package, measured"
    assert [row.split("rapl:package-0 ")[1] for row in out[1:6]] == [
        "\N{EN DASH}",
        "15.0 W",
        "15.0 W",
        "25.0 W",
        "25.0 W",
    ]
    assert out[6] == "rapl:package-0  mean 20.0 W (15.0 W to 25.0 W), 80.0 J in 4.00 s"
    assert len(out) == 7


@pytest.mark.usefixtures("world")
def test_json_alone_on_standard_output(capsys):
    assert run("--for", "4s", "--interval", "500ms", "--meter", "rapl", "--json", "-") == 0
    (row,) = json.loads(capsys.readouterr().out)["power"]
    assert row["name"] == "rapl:package-0"
    assert row["energy_j"] == pytest.approx(80.0)
    assert row["power_mean_w"] == pytest.approx(20.0)
    assert row["watts"] == pytest.approx([15.0] * 4 + [25.0] * 4)
    assert row["times_s"][0] == pytest.approx(1000.5)
    assert row["lost"] is None


def test_ctrl_c_ends_it_with_a_summary(world, capsys):
    world.interrupt_at_s = 1_002.5
    assert run() == 0
    assert "mean 15.0 W (15.0 W to 15.0 W), 30.0 J in 2.00 s" in capsys.readouterr().out


def test_a_source_that_goes_away_is_lost_not_0(world, capsys):
    world.gone_at_s = 1_001.5
    assert run("--for", "10s") == 1
    out = capsys.readouterr().out
    assert "mean 15.0 W (15.0 W to 15.0 W), 15.0 J in 1.00 s" in out
    assert re.search(r"lost: .*energy_uj is gone", out)
    assert " 0 W" not in out


def test_without_a_source_it_says_why(tmp_path, capsys):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("flags: fpu hypervisor\n")
    assert run("--root", str(tmp_path)) == 1
    said = capsys.readouterr()
    assert "virtual machine" in said.err
    assert said.out == ""
    assert run("--root", str(tmp_path), "--json", "-") == 1
    assert json.loads(capsys.readouterr().out)["power"] == []


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--meter", "lamp"], "no power meter is called 'lamp'"),
        (["--meter", "battery"], "--meter battery cannot be used"),
        (["--interval", "1ms"], "--interval must be at least 50ms"),
        (["--interval", "25h"], "--interval must be at most 24h"),
        (["--interval", "2m"], "--interval must be at most 66 s: the counter of rapl:package-0"),
        (["--for", "soon"], "is not a duration"),
        (["--meter", "estimate://3"], "--allow-estimate"),
    ],
)
def test_bad_usage(capsys, args, message):
    assert run(*args) == 2
    assert message in capsys.readouterr().err


class Scripted:
    """A source whose readings are given; an exception is raised."""

    def __init__(self, *script, quantity: str = "power") -> None:
        self.info = SourceInfo(
            name="x:1",
            kind="x",
            scope="wall",
            method="measured",
            quantity=quantity,
            period_s=1.0,
        )
        self.script = list(script)

    def read(self) -> Reading:
        said = self.script.pop(0)
        if isinstance(said, Exception):
            raise said
        return Reading(at_s=said[0], value=said[1])


def watched(*sources, for_s: float) -> tuple[list[Watched], list[float]]:
    now = [0.0]
    found: list[Watched] = []
    shown: list[float] = []
    watch(
        sources,
        show=lambda _, elapsed_s: shown.append(elapsed_s),
        interval_s=1.0,
        for_s=for_s,
        clock=lambda: now[0],
        sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
        watched=found,
    )
    return found, shown


def test_power_is_integrated_by_trapezoids():
    (found,), shown = watched(Scripted((0, 2.0), (1, 4.0), (3, 4.0)), for_s=2.0)
    assert found.joules == pytest.approx(3 + 8)
    assert found.mean_w == pytest.approx(11 / 3)
    assert shown == [0.0, 1.0, 2.0]


def test_the_last_wait_is_cut_to_the_end():
    _, shown = watched(Scripted(*[(k, 1.0) for k in range(4)]), for_s=2.5)
    assert shown == [0.0, 1.0, 2.0, 2.5]


def test_one_source_that_is_lost_leaves_the_other():
    lost = Scripted((0, 1.0), SourceLostError("unplugged"))
    odd = Scripted((0, 1.0), ValueError("odd"))
    nan = Scripted((0, float("nan")))
    good = Scripted(*[(k, 3.0) for k in range(4)])
    found, _ = watched(lost, odd, nan, good, for_s=3.0)
    assert [one.lost for one in found] == [
        "unplugged",
        "the source failed: ValueError: odd",
        "the source gave a reading that is not a finite number",
        "",
    ]
    assert found[3].joules == pytest.approx(9.0)
    assert "lost" in line(found, 3.0)
    assert summary(found)[0] == "x:1  lost: unplugged"


class Slow(Scripted):
    """A source that answers only when it is let."""

    def __init__(self, *script) -> None:
        super().__init__(*script)
        self.let = threading.Event()

    def read(self) -> Reading:
        assert self.let.wait(30)
        return super().read()


def test_a_source_that_takes_long_delays_no_other_and_is_waited_for_in_the_end():
    slow, good = Slow((0, 5.0)), Scripted(*[(k, 3.0) for k in range(4)])
    now, seen = [0.0], []

    def show(sources, elapsed_s):
        seen.append((elapsed_s, *(len(one.watts) for one in sources)))

    def sleep(seconds):
        now[0] += seconds
        if now[0] > 0.025:
            slow.let.set()

    watch(
        [slow, good], show=show, interval_s=0.01, for_s=0.03, clock=lambda: now[0], sleep=sleep,
        watched=[],
    )  # fmt: skip
    assert seen == [(0.0, 0, 1), (0.01, 0, 2), (0.02, 0, 3), (0.03, 1, 4)]


def test_a_reading_that_stands_still_in_time_says_nothing_new():
    (found,), _ = watched(Scripted((5, 2.0), (5, 9.0), (4, 9.0), (6, 2.0)), for_s=3.0)
    assert found.watts == [2.0, 2.0]
    assert found.joules == pytest.approx(2.0)


def test_too_short_for_a_figure():
    found, _ = watched(Scripted((0, 2.0), quantity="energy"), for_s=0.0)
    assert summary(found) == ["x:1  too short for a figure"]


def test_the_live_table():
    found, _ = watched(Scripted((0, 1.0), (1, 2.0), (2, 3.0)), for_s=2.0)
    console = Console(width=80, record=True, force_terminal=False)
    with console.capture() as caught:
        console.print(table(found))
    assert caught.get().split() == ["x:1", "3.00", "W", "mean", "2.00", "W", "▁▅█"]


@given(st.lists(st.floats(0, 1e6), max_size=100))
def test_a_sparkline_has_its_extremes_where_the_values_do(values):
    shown = sparkline(values)
    kept = values[-40:]
    assert len(shown) == len(kept)
    if kept and max(kept) > min(kept):
        assert shown[kept.index(max(kept))] == "█"
        assert shown[kept.index(min(kept))] == "▁"
