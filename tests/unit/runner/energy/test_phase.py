"""The energy phase on a device of known power, in virtual time: no worker, no sensor, no waiting."""

from __future__ import annotations

import csv
import errno
import math
import os
import random
import re

import pytest

from inferometer.core.energy import Reading, SourceInfo
from inferometer.core.errors import InputError, MeterError, SourceLostError
from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure, Record, Round
from inferometer.core.statement import Statement
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.meters.energy.logs.reading import read_log
from inferometer.meters.energy.sampler import Sampler
from inferometer.meters.energy.sources import estimate, rapl
from inferometer.meters.energy.surroundings import Surroundings
from inferometer.runner.journal import Journal
from inferometer.runner.phases.energy.attach import attach
from inferometer.runner.phases.energy.fitting import fitting, in_turns, said_before_run
from inferometer.runner.phases.energy.marks import Marks
from inferometer.runner.phases.energy.measurement import (
    EnergyMeasurement,
    EnergyRequest,
    lacking,
)
from inferometer.runner.phases.energy.windows import (
    LONG_CALL_S,
    SWITCH_S,
    WindowPlan,
    plan_windows,
    round_of,
    work_window,
)
from inferometer.runner.workers.messages import WarmedUp
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.store import open_store

REST_W, WORK_W = 5.0, 15.0
CALL_S = 0.02
BATCH = 4
STUDY = Study(
    name="energy",
    sweep=Sweep(models=("a", "b"), blocks=(Block(sizes=(None,), batches=(BATCH, 8)),), threads=1),
    procedure=Procedure(),
)


class World:
    """A device: its clock, and what it has used so far."""

    def __init__(self):
        self.now = 1_000_000.0
        self.used_j = 0.0
        self.sampler = None
        self.trace = []

    def clock(self):
        return self.now

    def advance(self, seconds, power_w):
        """Time passes in steps of 0.1 s, in each of which every source is read."""
        end = self.now + seconds
        while self.now < end - 1e-9:
            step = min(0.1, end - self.now)
            self.now += step
            self.used_j += step * power_w
            self.trace.append((self.now, power_w))
            for poller in self.sampler.pollers if self.sampler else ():
                if poller._inside:
                    poller._read()

    def sleep(self, seconds):
        self.advance(seconds, REST_W)


class Source:
    """A counter of that device."""

    def __init__(self, world, name="rapl:package-0", *, factor=1.0, dies_at=math.inf, **info):
        self.world, self.factor, self.dies_at = world, factor, dies_at
        self.info = SourceInfo(
            **{
                "name": name, "kind": "rapl", "scope": "package", "method": "measured",
                "quantity": "energy", "period_s": 0.001, "resolution": 1e-6, "gain": 0.01,
                "offset_w": 0.0,
            } | info
        )  # fmt: skip

    def read(self):
        if self.world.now > self.dies_at:
            raise SourceLostError("the counter is gone")
        return Reading(at_s=self.world.now, value=self.factor * self.world.used_j)

    def close(self):
        pass


class Workers:
    """Stands for the workers: calls of a known length at a known power."""

    def __init__(self, world, *, slower=1.0, fails=None, left_s=math.inf, unsteady=None):
        self.world, self.slower, self.fails = world, slower, fails
        self.unsteady, self.power_w = unsteady, WORK_W
        self.processes, self.on_wait = {}, None
        self.clock = type("C", (), {"left_s": left_s})()

    def has_room(self):
        return True

    def end_all(self):
        pass

    def is_warm(self, workload):
        return True

    def warm_up(self, workload, *, call_s):
        self.processes[workload.variant] = self.processes.get(workload.variant, 0) + 1
        return WarmedUp(first_call_s=CALL_S, round=self._round(10, 1, CALL_S), input_shape="1")

    def measure(self, workload, plan, *, expected_s):
        if self.fails == workload.variant.model:
            failure = Failure(stage="measure", kind="crash", message="It died.")
            raise WorkerFailed(failure)
        unsteady = self.unsteady == workload.variant.model
        self.power_w = WORK_W * (0.94 if self.power_w > WORK_W else 1.06) if unsteady else WORK_W
        value_s = CALL_S * self.slower * plan.calls_per_value
        values = math.ceil(plan.seconds / value_s)
        return self._round(values, plan.calls_per_value, CALL_S * self.slower)

    def _round(self, values, per_value, call_s):
        started = self.world.now
        value_s = call_s * per_value
        self.world.advance(values * value_s, self.power_w)
        return Round(
            index=0, process=0, phase="measure", started_at=started, calls_per_value=per_value,
            settle=0, starts_s=tuple(i * value_s for i in range(values)),
            values_s=(call_s,) * values,
        )  # fmt: skip


@pytest.fixture
def world():
    return World()


@pytest.fixture
def harness(tmp_path, world):
    """A run whose latencies are there, and what measures its energy."""
    with open_store(tmp_path / "x.db") as store:
        run = store.create_run(STUDY, planned=4, device={"name": "board"}, software={})
        for workload in STUDY.workloads():
            figures = {
                "latency_median_s": CALL_S, "latency_mean_s": CALL_S,
                "energy_reason": Statement("energy_not_reached"), "pending": ["energy"],
            }  # fmt: skip
            store.put_record(run.id, Record(workload=workload, status="ok", figures=figures))
        journal = Journal(store=store, run=run, done=4, listener=lambda _: None)

        def measure(workers, **request):
            told = EnergyRequest(sleep=world.sleep, clock=world.clock, **request)
            world.sampler = Sampler(told.sources, told.clock)
            phase = EnergyMeasurement(Procedure(), journal, workers, told, world.sampler)
            # its threads are not started: the virtual device itself has every source read
            phase.execute(lacking(store.records(run.id)))
            if told.marks is not None:
                told.marks.close()
            return store.records(run.id, with_rounds=True)

        measure.store, measure.run = store, run
        yield measure


def test_energy_per_sample_is_power_times_time_over_inputs(harness, world):
    records = harness(Workers(world), sources=[Source(world)])
    for record in records:
        truth = WORK_W * CALL_S / record.workload.batch_size
        figures = record.figures
        assert figures["energy_per_inference_j"] == pytest.approx(truth, rel=5e-3)
        assert figures["energy_net_per_inference_j"] == pytest.approx(truth * 2 / 3, rel=1e-2)
        assert abs(figures["energy_per_inference_j"] - truth) <= figures["energy_uncertainty_j"]
        assert figures["power_mean_w"] == pytest.approx(WORK_W, rel=5e-3)
        assert figures["power_idle_w"] == pytest.approx(REST_W, rel=5e-3)
        assert figures["energy_latency_s"] == pytest.approx(CALL_S)
        assert (figures["energy_source"], figures["energy_scope"]) == ("rapl:package-0", "package")
        assert (figures["energy_method"], figures["energy_reason"]) == ("measured", None)
        assert figures["energy_windows"] == 5


def test_a_processors_counter_from_its_file_to_the_record(harness, world, tmp_path):
    """The reader of RAPL on a synthetic tree whose counter wraps on the way."""
    zone = tmp_path / "sys/class/powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    wraps_uj = 2_000_000_000

    def read(path):
        if path.name != "energy_uj":
            return path.read_bytes()
        return f"{round((world.used_j + 1900) * 1e6) % wraps_uj}\n".encode()

    (zone / "name").write_text("package-0\n")
    (zone / "max_energy_range_uj").write_text(f"{wraps_uj}\n")
    surroundings = Surroundings(root=tmp_path, read=read, clock=world.clock)
    (source,) = rapl.find(surroundings).sources
    for record in harness(Workers(world), sources=[source]):
        truth = WORK_W * CALL_S / record.workload.batch_size
        assert record["energy_source"] == "rapl:package-0", record["energy_reason"]
        assert record["energy_per_inference_j"] == pytest.approx(truth, rel=5e-3)
        assert record["energy_net_per_inference_j"] == pytest.approx(truth * 2 / 3, rel=2e-2)
    assert world.used_j + 1900 > wraps_uj / 1e6
    source.close()


def test_the_windows_are_kept_and_make_no_latency(harness, world):
    record = harness(Workers(world), sources=[Source(world)])[0]
    phases = [done.phase for done in record.rounds if done.phase != "idle"]
    assert phases == ["warmup", "warmup", *["energy"] * 5]
    assert record.figures["latency_median_s"] == CALL_S
    for done in record.rounds:
        if done.phase == "energy":
            window = work_window(done, BATCH, SWITCH_S)
            assert 1 <= window.duration_s <= 1.5
            assert done.signals["power_w rapl:package-0"] == pytest.approx(WORK_W, rel=1e-3)


def test_workloads_take_turns_between_idle_windows_that_they_share(harness, world):
    records = harness(Workers(world), sources=[Source(world)])
    rounds = [(done, one.workload) for one in records for done in one.rounds]
    ordered = sorted(rounds, key=lambda pair: pair[0].index)
    work = [workload for done, workload in ordered if done.phase == "energy"]
    for turn in range(5):
        assert len(set(work[4 * turn : 4 * turn + 4])) == 4
    idle = [done.index for done, _ in ordered if done.phase == "idle"]
    inner = [done.index for done, _ in ordered if done.phase == "energy"]
    assert len(idle) == 2
    assert idle[0] < inner[0] < inner[-1] < idle[1]


def test_the_target_decides_the_number_of_windows(harness, world):
    records = harness(Workers(world, unsteady="a"), sources=[Source(world)])
    for record in records:
        share = record["energy_uncertainty_j"] / record["energy_per_inference_j"]
        unsteady = record.workload.variant.model == "a"
        assert (record["energy_windows"] > 5) == unsteady
        assert share <= 0.05


def test_calls_that_become_slower_lengthen_nothing(harness, world):
    """Forty times slower than the warm-up: rounds go by the clock, and the windows still suffice."""
    begin = world.now
    record = harness(Workers(world, slower=40), sources=[Source(world)])[0]
    assert record.figures["energy_per_inference_j"] == pytest.approx(
        40 * WORK_W * CALL_S / BATCH, rel=2e-2
    )
    plan = plan_windows(Source(world).info, Procedure())
    assert world.now - begin < 1.5 * (4 * plan.total_s(40 * CALL_S) + plan.idle_share_s(0))


def test_several_sources_stand_beside_each_other_and_are_not_added(harness, world):
    second = Source(world, "rapl:psys", factor=2.0, scope="psys")
    record = harness(Workers(world), sources=[Source(world), second])[0]
    assert record.figures["energy_per_inference_j"] == pytest.approx(0.075, rel=5e-3)
    (other,) = record["energy_others"]
    assert other.startswith("rapl:psys (psys, measured): 150.")


def test_a_source_that_is_lost_gives_no_figure_and_another_takes_its_place(harness, world):
    dying = Source(world, "rapl:psys", dies_at=world.now + 60)
    record = harness(Workers(world), sources=[dying, Source(world)])[0]
    assert record["energy_source"] == "rapl:package-0"
    assert record["energy_others"] == [
        "rapl:psys (package, measured): withheld: the counter is gone"
    ]


def test_a_source_that_is_lost_alone_leaves_its_reason(harness, world):
    records = harness(Workers(world), sources=[Source(world, dies_at=world.now + 60)])
    for record in records:
        assert record["energy_per_inference_j"] is None
        assert record["energy_source"] is None
        assert record["energy_reason"] == "rapl:package-0: withheld: the counter is gone"


def test_a_sensor_whose_windows_would_be_too_short_is_named_beside(harness, world):
    slow = Source(world, "battery:BAT0", period_s=3.0, scope="battery")
    record = harness(Workers(world), sources=[Source(world), slow])[0]
    assert "withheld: the window lasted" in record["energy_others"][0]


def test_a_worker_that_dies_meanwhile_leaves_its_latency(harness, world):
    records = harness(Workers(world, fails="a"), sources=[Source(world)])
    assert {one.status for one in records} == {"ok"}
    reasons = {one.workload.variant.model: one["energy_reason"] for one in records}
    assert reasons == {"a": "energy was not measured: It died. (crash)", "b": None}


def test_what_does_not_fit_into_the_budget_says_so(harness, world):
    records = harness(Workers(world, left_s=30.0), sources=[Source(world)])
    assert {one["energy_source"] for one in records} == {None}
    assert all("more than the budget had left" in one["energy_reason"] for one in records)


def test_windows_without_a_source_are_marked_for_a_meter_that_logs_by_itself(
    harness, world, tmp_path
):
    marks = Marks(tmp_path / "marks.csv")
    record = harness(Workers(world), marks=marks)[0]
    assert "energy attach" in record["energy_reason"]
    with (tmp_path / "marks.csv").open() as file:
        rows = list(csv.DictReader(file))
    work = [row for row in rows if row["kind"] == "work" and row["workload"] == "a own size/4"]
    assert len(work) == 5
    for row in work:
        seconds = float(row["end_unix_s"]) - float(row["start_unix_s"])
        assert seconds >= 100, "a meter that logs once a second needs a hundred"
        assert int(row["inputs"]) == pytest.approx(seconds / CALL_S * BATCH, rel=1e-6)
        assert row["start"].endswith("+00:00")


@pytest.mark.parametrize("seed", range(3))
def test_a_log_on_another_clock_is_joined_later(harness, world, tmp_path, seed):
    harness(Workers(world), marks=Marks(tmp_path / "marks.csv"))
    rng = random.Random(seed)
    offset = rng.uniform(-8, 8)
    lines = [
        f"{at - offset:.3f},{watts + rng.gauss(0, 0.3):.2f}"
        for at, watts in world.trace[:: 10]  # once a second
    ]  # fmt: skip
    (tmp_path / "log.csv").write_text("\n".join(["timestamp,watts", *lines]))
    log = read_log(str(tmp_path / "log.csv"), gain=0.01)
    found = attach(harness.store, harness.run.id, log)
    assert found.offset_s == pytest.approx(offset, abs=1.0)
    for record in harness.store.records(harness.run.id):
        truth = WORK_W * CALL_S / record.workload.batch_size
        assert record["energy_per_inference_j"] == pytest.approx(truth, rel=0.02)
        assert record["energy_source"] == "csv:log.csv"
        assert record["energy_scope"] == "wall"
        assert record["energy_uncertainty_j"] > 0


def logged(world, path, watts_of=lambda watts: watts):
    """What a meter at the wall wrote down ten times a second."""
    lines = [f"{at:.3f},{watts_of(watts)}" for at, watts in world.trace]
    path.write_text("\n".join(["timestamp,watts", *lines]))
    return read_log(str(path))


def test_a_log_leaves_the_figure_of_the_counter_beside_its_own(harness, world, tmp_path):
    record = harness(Workers(world), sources=[Source(world)], logged=True)[0]
    log = logged(world, tmp_path / "log.csv", lambda watts: 2 * watts)
    for _ in range(2):  # joined twice: the second takes the place of the first
        attach(harness.store, harness.run.id, log, offset_s=0.0)
        found = harness.store.records(harness.run.id)[0]
        assert found["energy_source"] == "csv:log.csv"
        assert found["energy_per_inference_j"] == pytest.approx(
            2 * record["energy_per_inference_j"], rel=1e-2
        )
        (other,) = found["energy_others"]
        assert re.fullmatch(
            r"rapl:package-0 \(package, measured\): 75\.0\d* ± \S+ mJ per sample, "
            r"50\.0\d* ± \S+ mJ above idle, 15\.0 W",
            other,
        )


def test_a_log_that_gives_nothing_leaves_the_figure_of_the_counter(harness, world, tmp_path):
    record = harness(Workers(world), sources=[Source(world)], logged=True)[0]
    log = logged(world, tmp_path / "log.csv")
    told = attach(harness.store, harness.run.id, log, offset_s=1e6)
    missed = "he log begins 277 h 46 min after the first window did; it covers 0 of "
    assert f"T{missed}20 windows of work." in told.notes
    assert told.notes[-1] == (
        "The log gives no figure for 4 of 4 workloads, whose earlier one stays: "
        f"t{missed}5 windows of work of this workload"
    )
    found = harness.store.records(harness.run.id)[0]
    unchanged = record.figures.keys() - {"energy_others"}
    assert {k: found.figures[k] for k in unchanged} == {k: record.figures[k] for k in unchanged}
    assert found["energy_others"] == [
        f"csv:log.csv (wall, measured): withheld: t{missed}5 windows of work of this workload"
    ]


def test_stated_watts_are_energy_too_though_they_never_move(harness, world):
    constant = estimate.connect("estimate://7.5", Surroundings(clock=world.clock))
    for record in harness(Workers(world), sources=[constant]):
        truth = 7.5 * CALL_S / record.workload.batch_size
        assert record["energy_per_inference_j"] == pytest.approx(truth)
        assert record["energy_method"] == "estimate"
        assert record["energy_net_per_inference_j"] is None
        assert record["energy_reason"] == "no net figure: not distinguishable from idle"


def test_a_run_without_windows_and_a_log_without_steps_are_refused(harness, world, tmp_path):
    (tmp_path / "log.csv").write_text(
        "timestamp,watts\n" + "".join(f"{world.now + i},7.0\n" for i in range(2000))
    )
    log = read_log(str(tmp_path / "log.csv"))
    with pytest.raises(MeterError, match=r"no windows.*run --mark FILE"):
        attach(harness.store, harness.run.id, log)
    harness(Workers(world), marks=Marks(tmp_path / "marks.csv"))
    with pytest.raises(MeterError, match=r"--offset SECONDS"):
        attach(harness.store, harness.run.id, log)


def test_marks_never_overwrite(tmp_path):
    (tmp_path / "marks.csv").write_text("mine")
    with pytest.raises(InputError, match="the file exists"):
        Marks(tmp_path / "marks.csv")
    with pytest.raises(InputError, match="cannot be written"):
        Marks(tmp_path / "none" / "marks.csv")


def test_the_cheapest_shape_of_every_variant_comes_first():
    records = [Record(workload=one, status="ok") for one in STUDY.workloads()]
    order = [(r.workload.variant.model, r.workload.batch_size) for r in in_turns(records[::-1])]
    assert sorted(order[:2]) == [("a", 4), ("b", 4)]
    assert sorted(order[2:]) == [("a", 8), ("b", 8)]


def test_marks_on_a_full_disk_end_in_a_sentence(harness, world, tmp_path, monkeypatch):
    marks = Marks(tmp_path / "marks.csv")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"marks\.csv: .*no space left.*--resume"):
        harness(Workers(world), marks=marks)
    marks.close()


@pytest.mark.parametrize("call_s", [1e-6, 1e-3, 0.3, 7.0])
def test_a_round_of_work_holds_its_window_for_any_call(call_s):
    plan = round_of(call_s, 10.0, 1.2)
    value_s = call_s * plan.calls_per_value
    values = math.ceil(plan.seconds / value_s)
    assert values <= 2000
    done = Round(
        index=0, process=0, phase="energy", started_at=0.0, calls_per_value=plan.calls_per_value,
        settle=0,
        starts_s=tuple(i * value_s for i in range(values)), values_s=(call_s,) * values,
    )  # fmt: skip
    window = work_window(done, 3)
    assert window.duration_s >= 10.0
    assert window.end_s <= values * value_s - 1.2 + 1e-6
    assert window.inputs == pytest.approx(3 * window.duration_s / call_s, rel=1e-6)
    assert work_window(done, 3, values * value_s) is None


@pytest.mark.parametrize("call_s", [LONG_CALL_S, 7.0])
def test_a_long_call_is_a_window_of_its_own(call_s):
    plan = plan_windows(Source(World()).info, Procedure())
    assert plan.margin_of(call_s) == 0
    asked = round_of(call_s, plan.window_s, plan.margin_of(call_s))
    assert (asked.values, asked.seconds) == (1, plan.window_s)
    done = Round(
        index=0, process=0, phase="energy", started_at=5.0, calls_per_value=1, settle=0,
        starts_s=(0.0,), values_s=(call_s,),
    )  # fmt: skip
    window = work_window(done, 3, 0.0)
    assert (window.start_s, window.end_s, window.inputs) == (5.0, 5.0 + call_s, 3)


@pytest.mark.parametrize(
    ("asked_s", "window_s"),
    [(None, 100.0), (15.0, 15.0), (5.0, 11.0), (60.0, 100.0), (200.0, 200.0)],
)
@pytest.mark.parametrize("beside", [True, False])
def test_windows_for_a_log_suit_its_meter_whatever_else_is_read(asked_s, window_s, beside):
    info = Source(World()).info if beside else None
    plan = plan_windows(info, Procedure(energy_window_s=asked_s), logged=True)
    assert (plan.window_s, plan.gap_s) == (window_s, 1.0)


def test_windows_are_as_long_as_the_sensor_and_the_user_ask():
    def window_s(period_s, **procedure):
        info = Source(World(), period_s=period_s).info
        return plan_windows(info, Procedure(**procedure)).window_s

    assert window_s(0.001) == 1.0
    assert window_s(1.0) == 41.0
    assert window_s(0.001, energy_window_s=60.0) == 60.0
    assert window_s(1.0, energy_window_s=15.0) == 41.0
    plan = WindowPlan(window_s=10.0, idle_s=10.0, warm_up_s=10.0, gap_s=0.0)
    assert 60 < plan.total_s(0.01) < 70
    assert plan.total_s(60.0) > 5 * 60 * 3


def records_of(call_s, count=44):
    sweep = Sweep(models=tuple(map(str, range(count))), threads=1)
    workloads = Study(name="lab", sweep=sweep, procedure=Procedure()).workloads()
    figures = {"latency_median_s": call_s, "latency_mean_s": call_s}
    return [Record(workload=one, status="ok", figures=figures) for one in workloads]


def test_what_fits_is_known_before_anything_is_measured():
    plug = Source(World(), quantity="power", period_s=1.0, window_s=1.0, name="shelly:plug").info
    plan = plan_windows(plug, Procedure())
    fit = fitting(plan, records_of(0.01), 600.0)
    assert 5 <= len(fit) <= 10
    said = said_before_run(plan, Procedure(budget_s=600 / 0.45), 44, "shelly:plug")
    assert f"at most {len(fit)} of 44 workloads fit" in str(said)
    assert len(fitting(plan, records_of(0.01), math.inf)) == 44
    assert "takes at least 5" in str(said_before_run(plan, Procedure(), 44, "shelly:plug"))
    rapl_plan = plan_windows(Source(World()).info, Procedure())
    assert len(fitting(rapl_plan, records_of(0.1), 600.0)) == 44
    assert said_before_run(rapl_plan, Procedure(budget_s=1500.0), 44, "rapl") is None


def test_one_long_workload_leaves_room_for_the_short_ones():
    records = [*records_of(100.0, 1), *records_of(0.1, 3)[1:]]
    plan = plan_windows(Source(World()).info, Procedure())
    assert fitting(plan, records, 120.0) == records[1:]
