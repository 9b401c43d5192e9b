"""A device whose power is known at every moment, behind sensors that know it less well.

Virtual time: a whole measurement is arrays, nothing sleeps. The device rests, warms up, works in
windows with gaps, and rests again. Its power is a sum of what it uses at rest (which steps once,
at a random moment during the work), what the work adds (a little different in each window), and
noise that changes every half second. The truth is what these were drawn around.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inferometer.meters.energy.sampler import COUNTER_PERIODS, MIN_POLLING_S
from inferometer.stats.energy import EnergyResult, energy_per_sample
from inferometer.stats.energy_windows import (
    Sensor,
    Window,
    needed_idle_s,
    needed_warm_up_s,
    needed_window_s,
)

READ_TAKES_S = 1e-4


@dataclass(frozen=True, kw_only=True)
class Device:
    """Parameters of a device; the noises are standard deviations over the mean.

    Attributes:
        idle_w: power at rest.
        added_w: what the work adds.
        input_s: time per input.
        window_noise: of what the work adds, from window to window.
        time_noise: of the time per input, from window to window.
        fast_noise: of all power, from half second to half second.
        idle_drift: of the power at rest, by its one step.
    """

    idle_w: float
    added_w: float
    input_s: float = 0.01
    window_noise: float = 0.01
    time_noise: float = 0.003
    fast_noise: float = 0.01
    idle_drift: float = 0.005

    @property
    def gross_j(self):
        return (self.idle_w + self.added_w) * self.input_s

    @property
    def net_j(self):
        return self.added_w * self.input_s


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A sensor and the device that it sits on.

    Attributes:
        sensor: what the method is told; its gain and offset bound the true ones.
        noise_w: of each power reading.
        wraps_at_j: range of a counter.
        device: what it sits on.
        late_s: how far a clock of its own may be off.
    """

    sensor: Sensor
    device: Device
    noise_w: float = 0.0
    wraps_at_j: float | None = None
    late_s: float = 0.0


LAPTOP = Device(idle_w=6.0, added_w=12.0)
SERVER = Device(idle_w=40.0, added_w=60.0)
GPU = Device(idle_w=50.0, added_w=180.0)
BOARD = Device(idle_w=2.5, added_w=3.5)

KINDS = {
    "rapl": Kind(
        sensor=Sensor(
            quantity="energy", period_s=1e-3, resolution=61e-6, gain=0.02, offset_w=0.05
        ),
        device=SERVER,
        wraps_at_j=65_532.6,
    ),
    "nvml": Kind(
        sensor=Sensor(quantity="energy", period_s=0.1, resolution=1e-3, gain=0.02, offset_w=1.0),
        device=GPU,
        wraps_at_j=2.0**64 / 1e3,
    ),
    "nvml average": Kind(
        sensor=Sensor(
            quantity="power", period_s=0.1, polling_s=0.1, window_s=1.0, resolution=1e-3,
            gain=0.02, offset_w=1.0,
        ),
        device=GPU,
        noise_w=1.0,
    ),
    "ina3221": Kind(
        sensor=Sensor(
            quantity="power", period_s=0.02, polling_s=0.05, resolution=0.04, gain=0.01,
            offset_w=0.02,
        ),
        device=BOARD,
        noise_w=0.05,
    ),
    "hwmon": Kind(
        sensor=Sensor(
            quantity="power", period_s=0.1, polling_s=0.1, window_s=0.1, resolution=1e-3, gain=0.03,
            offset_w=0.2,
        ),
        device=SERVER,
        noise_w=0.5,
    ),
    "battery": Kind(
        sensor=Sensor(
            quantity="power", period_s=5.0, polling_s=5.0, window_s=5.0, resolution=0.01, gain=0.01,
            offset_w=0.05,
        ),
        device=LAPTOP,
        noise_w=0.1,
    ),
    "plug": Kind(
        sensor=Sensor(
            quantity="power", period_s=1.0, polling_s=1.0, window_s=1.0, resolution=0.1, gain=0.01,
            offset_w=0.1,
        ),
        device=BOARD,
        noise_w=0.1,
    ),
    "csv": Kind(
        sensor=Sensor(
            quantity="power", period_s=1.0, polling_s=1.0, resolution=0.01, gain=0.005,
            offset_w=0.02,
        ),
        device=BOARD,
        noise_w=0.05,
        late_s=0.5,
    ),
}  # fmt: skip


def only_statistical(kind):
    """The same sensor, perfectly calibrated, of which nobody states the accuracy."""
    device = replace(kind.device, idle_drift=0.0)
    return replace(kind, device=device, sensor=replace(kind.sensor, gain=None, offset_w=None))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """When what happens, in seconds."""

    before: Window
    load: tuple[Window, ...]
    after: Window

    @property
    def windows(self):
        return (self.before, *self.load, self.after)


class Simulation:
    """One measurement of one device; the same seed gives the same one."""

    def __init__(self, kind, seed, windows=5):
        self.kind, self.device, self.sensor = kind, kind.device, kind.sensor
        self.rng = np.random.default_rng(seed)
        self.plan = self._plan(windows)
        self._edges, self._energy = self._power()

    def _plan(self, count):
        """Ten windows' worth of gaps would be dear: they are up to one period, as designed."""
        rng, device = self.rng, self.device
        length = needed_window_s(self.sensor)
        start = 1.7e9 % 1e6 + rng.uniform(0, 100)
        idle = needed_idle_s(self.sensor)
        before = Window(start_s=start, end_s=start + idle)
        now = before.end_s + needed_warm_up_s(self.sensor)
        load = []
        for _ in range(count):
            now += rng.uniform(0, self.sensor.tau_s)
            per_input = device.input_s * (1 + device.time_noise * rng.normal())
            inputs = int(np.ceil(length / per_input))
            end = now + inputs * per_input
            load.append(Window(start_s=now, end_s=end, inputs=inputs))
            now = end
        now += 0.5
        return Plan(before=before, load=tuple(load), after=Window(start_s=now, end_s=now + idle))

    def _power(self):
        """Moments at which power changes, and the energy used until each."""
        plan, rng, device = self.plan, self.rng, self.device
        warm = plan.load[0].start_s - needed_warm_up_s(self.sensor)
        stops = [plan.before.start_s - 60, plan.after.end_s + 60]
        step_at = rng.uniform(plan.load[0].start_s, plan.load[-1].end_s)
        fast = np.arange(stops[0], stops[1], 0.5)
        marks = [edge for window in plan.load for edge in (window.start_s, window.end_s)]
        edges = np.unique(np.concatenate([fast, marks, [warm, step_at]]))
        middle = (edges[1:] + edges[:-1]) / 2
        base = device.idle_w * (1 + device.idle_drift * rng.normal() * (middle > step_at))
        added = np.where((middle > warm) & (middle < plan.load[0].start_s), device.added_w, 0.0)
        for window in plan.load:
            inside = (middle > window.start_s) & (middle < window.end_s)
            added[inside] = device.added_w * (1 + device.window_noise * rng.normal())
        noise = rng.normal(0, device.fast_noise, fast.size)
        power = (base + added) * (1 + noise[np.searchsorted(fast, middle) - 1])
        return edges, np.concatenate([[0.0], np.cumsum(power * np.diff(edges))])

    def energy_until(self, at_s):
        return np.interp(at_s, self._edges, self._energy)

    def polls(self):
        """When the sampler reads: see `Sampler`."""
        times = []
        for window in self.plan.windows:
            if self.sensor.quantity == "energy":
                inner = np.arange(
                    window.start_s + self.sensor.period_s,
                    window.end_s,
                    min(max(MIN_POLLING_S, COUNTER_PERIODS * self.sensor.period_s), 1.0),
                )
                times.append(np.concatenate([[window.start_s], inner, [window.end_s]]))
            else:
                times.append(np.arange(window.start_s, window.end_s, self.sensor.polling_s))
        found = np.concatenate(times)
        return np.sort(found + self.rng.uniform(0, READ_TAKES_S, found.size))

    def readings(self):
        """When it was read and what the sensor said, with its own errors; counters unwrapped."""
        sensor, rng = self.sensor, self.rng
        gain = 1 + rng.uniform(-1, 1) * (sensor.gain or 0.0)
        offset = rng.uniform(-1, 1) * (sensor.offset_w or 0.0)
        polls = self.polls()
        at = polls + rng.uniform(-1, 1) * self.kind.late_s
        phase = rng.uniform(0, sensor.period_s)
        updated = np.floor((at - phase) / sensor.period_s) * sensor.period_s + phase
        if sensor.quantity == "energy":
            return polls, self._counter(gain * self.energy_until(updated) + offset * updated)
        over = max(sensor.window_s, 1e-3)
        mean = (self.energy_until(updated) - self.energy_until(updated - over)) / over
        distinct, which = np.unique(updated, return_inverse=True)
        noise = rng.normal(0, 1, distinct.size)[which] * self.kind.noise_w
        return polls, self._stepped(gain * mean + offset + noise)

    def _stepped(self, values):
        step = self.sensor.resolution
        return np.round(values / step) * step

    def _counter(self, joules):
        """What a 64-bit reader makes of a counter that begins anywhere and wraps."""
        wraps_at = self.kind.wraps_at_j
        raw = self._stepped(joules - joules[0] + self.rng.uniform(0, min(wraps_at, 1e6))) % wraps_at
        return unwrapped(raw, wraps_at)

    def result(self, at=None, values=None, lost=None):
        if at is None:
            at, values = self.readings()
        return energy_per_sample(
            self.sensor,
            at,
            values,
            self.plan.load,
            idle=(self.plan.before, self.plan.after),
            lost=lost,
        )


def unwrapped(raw, wraps_at):
    return np.concatenate([[0.0], np.cumsum(np.diff(raw) % wraps_at)])


FAULTS = ("reset", "frozen", "gone", "wrap missed")


def with_fault(simulation, fault, rng):
    """A measurement during which the sensor fails at a random moment: its result."""
    at, values = simulation.readings()
    plan = simulation.plan
    moment = rng.uniform(plan.before.start_s, plan.after.end_s)
    failed = at > moment
    if fault == "gone":
        return simulation.result(at[~failed], values[~failed], lost=None)
    if fault == "frozen":
        held = values.copy()
        held[failed] = values[~failed][-1] if (~failed).any() else values[0]
        return simulation.result(at, held)
    wraps_at = simulation.kind.wraps_at_j
    raw = (values + rng.uniform(0, wraps_at)) % wraps_at
    if fault == "reset":
        raw[failed] = values[failed] - values[failed][0] if failed.any() else raw[failed]
        return simulation.result(at, unwrapped(raw, wraps_at))
    broken = values.copy()
    broken[failed] -= wraps_at
    return simulation.result(at, broken)


@dataclass(frozen=True, kw_only=True)
class Hit:
    """Whether an interval held the truth, and what else there is to count."""

    held: bool
    held_by_2u: bool
    half: float
    share: dict


def judge(estimate, truth):
    error = abs(estimate.value - truth)
    total = sum(part.standard**2 for part in estimate.parts)
    return Hit(
        held=error <= estimate.half,
        held_by_2u=error <= 2 * estimate.standard,
        half=estimate.half / estimate.value,
        share={part.name: part.standard**2 / total for part in estimate.parts},
    )


def run(kind, seed) -> tuple[Simulation, EnergyResult]:
    simulation = Simulation(kind, seed)
    return simulation, simulation.result()
