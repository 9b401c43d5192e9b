"""Whether the interval holds the truth; `benchmarks/energy_coverage.py` runs the same at length."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sampler import Poller
from inferometer.runner.phases.energy.windows import sensor_of
from inferometer.stats.energy import energy_per_sample
from inferometer.stats.energy_windows import Window


def load_virtual():
    name = "inferometer_virtual_device"
    spec = spec_from_file_location(name, Path(__file__).with_name("virtual.py"))
    module = sys.modules[name] = module_from_spec(spec)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


virtual = load_virtual()
SEEDS = 60
FAULTY_SEEDS = 15


def hits(kind, seeds):
    gross, net = [], []
    for seed in range(seeds):
        _, found = virtual.run(kind, seed)
        assert found.reason is None
        assert found.net_reason is None
        gross.append(virtual.judge(found.gross_j, kind.device.gross_j).held)
        net.append(virtual.judge(found.net_j, kind.device.net_j).held)
    return sum(gross), sum(net)


@pytest.mark.parametrize("name", virtual.KINDS)
def test_about_95_of_100_intervals_hold_the_truth(name):
    low, high = binom.ppf(1e-4, SEEDS, 0.93), binom.ppf(1 - 1e-4, SEEDS, 0.97)
    for count in hits(virtual.KINDS[name], SEEDS):
        assert low <= count <= high


@pytest.mark.parametrize("name", ["nvml", "plug"])
def test_the_statistical_part_alone_holds_it_as_often(name):
    for count in hits(virtual.only_statistical(virtual.KINDS[name]), SEEDS):
        assert count >= binom.ppf(1e-4, SEEDS, 0.93)


@pytest.mark.parametrize("fault", virtual.FAULTS)
@pytest.mark.parametrize("name", virtual.KINDS)
def test_a_sensor_that_fails_gives_no_wrong_figure(name, fault):
    kind = virtual.KINDS[name]
    if kind.wraps_at_j is None and fault in ("reset", "wrap missed"):
        return  # counters only
    for seed in range(FAULTY_SEEDS):
        found = virtual.with_fault(
            virtual.Simulation(kind, seed), fault, np.random.default_rng(seed)
        )
        assert (found.gross_j is None) == (found.reason is not None)
        assert (found.net_j is None) == (found.net_reason is not None)
        for estimate, truth in (
            (found.gross_j, kind.device.gross_j),
            (found.net_j, kind.device.net_j),
        ):
            if estimate is not None:
                assert abs(estimate.value / truth - 1) < 0.1


class Behind:
    """A virtual sensor as a source, on virtual time: what a reader would be."""

    def __init__(self, kind, power_w, now):
        sensor = kind.sensor
        self.info = SourceInfo(
            name="virtual", kind="virtual", scope="wall", method="measured",
            quantity=sensor.quantity, period_s=sensor.period_s, window_s=sensor.window_s,
            resolution=sensor.resolution, gain=sensor.gain, offset_w=sensor.offset_w, poll_s=200.0,
        )  # fmt: skip
        self.power_w, self.now = power_w, now
        self.used_j, self.until = 0.0, now[0]
        self.raw_j = self.last = 65_000.0  # wraps at 65 532 J, soon
        self.total_j = 0.0
        self.permitted = True

    def pass_time(self):
        self.used_j += self.power_w[0] * (self.now[0] - self.until)
        self.until = self.now[0]

    def read(self):
        if not self.permitted:
            raise SourceLostError("the counter may no longer be read")
        self.pass_time()
        if self.info.quantity == "power":
            return Reading(at_s=self.now[0], value=self.power_w[0])
        raw = (65_000.0 + self.used_j) % 65_532.0
        self.total_j += (raw - self.last) % 65_532.0
        self.last = raw
        return Reading(at_s=self.now[0], value=self.total_j)

    def close(self):
        pass


def measure(kind, fail_in=None):
    """The whole way: source, poller, arithmetic."""
    now, power_w = [1.7e9], [40.0]
    source = Behind(kind, power_w, now)
    poller = Poller(source, clock=lambda: now[0])
    windows = []
    for number, watts in enumerate([40.0, *[100.0] * 5, 40.0]):
        source.pass_time()
        power_w[0] = watts
        start, end = now[0], now[0] + 30.0
        poller.begin()
        source.permitted = number != fail_in
        while (wait := poller.sample_once()) is not None and now[0] + wait <= end:
            now[0] += max(wait, 1e-4)
            source.pass_time()
        now[0] = end
        poller.end()
        windows.append(Window(start_s=start, end_s=end, inputs=3000))
        now[0] += 0.05
    series = poller.series
    return energy_per_sample(
        sensor_of(source.info), series.at_s, series.values, windows[1:-1],
        idle=(windows[0], windows[-1]), lost=series.lost,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["rapl", "nvml", "nvml average", "hwmon"])
def test_the_poller_feeds_the_arithmetic_across_wraps(name):
    found = measure(virtual.KINDS[name])
    assert found.gross_j.value == pytest.approx(1.0, rel=1e-3)
    assert found.net_j.value == pytest.approx(0.6, rel=1e-3)


@pytest.mark.parametrize("name", ["rapl", "hwmon"])
@pytest.mark.parametrize("fail_in", [0, 3, 6])
def test_permission_lost_on_the_way_withholds_all(name, fail_in):
    found = measure(virtual.KINDS[name], fail_in)
    assert found.reason == "the counter may no longer be read"
    assert found.gross_j is None
    assert found.net_j is None
    assert found.idle_w is None
