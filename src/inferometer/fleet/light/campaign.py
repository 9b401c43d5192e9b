"""A run on the board: replicates of interleaved rounds, a record for each workload, energy."""

import json
import math
import random
import sys
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

from inferometer.fleet.light.energy import (
    MIN_WINDOWS,
    SHARE,
    WindowPlan,
    after_lead,
    round_of_energy,
)
from inferometer.fleet.light.harness import Clock
from inferometer.fleet.light.plan import (
    TIMES,
    Task,
    half_width,
    median,
    plan_round,
    round_s,
    typical_s,
)
from inferometer.fleet.light.pool import Failed, Pool, Workload, variant_of
from inferometer.fleet.light.power import Sampler, find_sources, power_reason
from inferometer.fleet.light.results import Results, key_of

PRUDENCE = 0.9
CLOSING_S = 1.0
FEWEST_CALLS = 2
TOO_LARGE = {"out_of_memory": "ran out of memory", "timeout": "did not answer in time"}


class Standing:
    """How far one workload is.

    Attributes:
        figures: what its first warm-up showed.
        medians: of the rounds of each process that is over.
        calls: that count, in all processes.
        call_s: seconds of one call.
    """

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.key = key_of(workload)
        self.figures: Optional[Dict[str, Any]] = None
        self.medians: List[float] = []
        self.calls = 0
        self.call_s: Optional[float] = None

    def wants_more(self, procedure: Dict[str, Any]) -> bool:
        """Whether it gets another process: a planned one, or one that shortens its interval."""
        done, planned = len(self.medians), procedure["processes"]
        if done < planned:
            return True
        if planned == 1 or done >= TIMES * planned:
            return False
        return bool(half_width(self.medians, procedure["confidence"]) > procedure["target"])


class Campaign:
    """Measures the workloads that a file of results lacks.

    Args:
        agent: path of this program, which is also that of the workers.
        job: study, workloads, files and folders.
        results: where it goes.
        clock: of the rounds.
        tell: told what happens, a line each.
    """

    def __init__(
        self,
        agent: str,
        job: Dict[str, Any],
        results: Results,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        self.job = job
        self.procedure: Dict[str, Any] = job["study"]["procedure"]
        self.results = results
        self.clock = clock
        self.tell = tell
        budget_s = self.procedure.get("budget_s")
        self._whole_end = time.monotonic() + (budget_s or math.inf) - CLOSING_S
        self.sources = find_sources("/") if wants_energy(job) else []
        share = SHARE if self.sources else 0.0
        self.end = time.monotonic() + (1 - share) * (budget_s or math.inf) - CLOSING_S
        self.pool = Pool(agent, job, clock.offset_s, self.end)
        self.sampler = Sampler(self.sources, clock.now)
        seed, first = self.procedure["seed"], results.next_number
        order = f"{seed}, from {first}" if first else seed
        self.order = random.Random(order)  # noqa: S311 - an order, not a secret
        self.standing = [Standing(one) for one in job["workloads"]]
        self._alone: Set[str] = set()
        self._warm: Set[Tuple[str, int]] = set()
        self._broken: Dict[str, Dict[str, str]] = {}
        self._too_large: Dict[Tuple[str, Any], Tuple[int, str]] = {}
        self._recall()

    def run(self) -> None:
        """Measure all of it; workers are gone when it returns or raises."""
        try:
            waiting = [one for one in self.standing if one.key not in self.results.records]
            while waiting:
                waiting = self._replicate(waiting)
            self._measure_energy()
        finally:
            self.pool.close()
            self.sampler.close()
            self.results.flush()

    def _recall(self) -> None:
        """Take what earlier tries have measured into account."""
        for one in self.standing:
            by_process: Dict[int, List[Dict[str, Any]]] = {}
            variant = variant_of(one.workload)
            for seen in self.results.rounds.get(one.key, []):
                before = self.pool.processes.get(variant, 0)
                self.pool.processes[variant] = max(before, seen["process"] + 1)
                if seen["phase"] == "measure":
                    by_process.setdefault(seen["process"], []).append(seen)
            least = math.ceil(self.procedure["min_rounds"] / self.procedure["processes"])
            for process in sorted(by_process):
                rounds = by_process[process]
                one.calls += sum(seen["calls"] for seen in rounds)
                if len(rounds) >= least:
                    one.medians.append(median([seen["median_s"] for seen in rounds]))

    # Replicates

    def _replicate(self, waiting: List[Standing]) -> List[Standing]:
        """One more process for each waiting workload; gives those that need another one."""
        again: List[Standing] = []
        planned = self.procedure["processes"]
        lacking = max([planned - len(one.medians) for one in waiting] + [1])
        left_s = self.end - time.monotonic()
        until = time.monotonic() + left_s / lacking
        for group in self._groups(waiting):
            tasks = [task for one in group for task in self._prepared(one)]
            soft_end = min(until, self.end)
            self._interleave(tasks, soft_end)
            for task, one in tasks:
                if one.key in self.results.records:
                    continue
                if task.medians:
                    one.medians.append(median(task.medians))
                if one.wants_more(self.procedure) and self._affords(one):
                    again.append(one)
                else:
                    self._finish(one)
            self._close()
        again += [one for one in waiting if self._is_postponed(one, again)]
        return again

    def _is_postponed(self, one: Standing, again: List[Standing]) -> bool:
        return one.key in self._alone and one.key not in self.results.records and one not in again

    def _affords(self, one: Standing) -> bool:
        """Whether the budget has room for another process of a workload."""
        left_s = PRUDENCE * (self.end - time.monotonic())
        facts = self.pool.facts.get(variant_of(one.workload), {})
        rounds = self.procedure["min_rounds"] / self.procedure["processes"]
        needed_s = facts.get("load_s", 0.0) + rounds * round_s(one.call_s or 0.0, self.procedure)
        return left_s > needed_s or not one.calls

    def _groups(self, waiting: List[Standing]) -> Iterator[List[Standing]]:
        """Workloads whose workers memory holds side by side; the postponed ones by themselves."""
        together = [one for one in waiting if one.key not in self._alone]
        variants = list(dict.fromkeys(variant_of(one.workload) for one in together))
        while variants:
            admitted: List[str] = []
            while variants and (not admitted or self.pool.has_room()):
                variant = variants.pop(0)
                admitted.append(variant)
                first = next(o for o in together if variant_of(o.workload) == variant)
                self._load(first)
            if variants:
                self.tell(f"memory does not hold all models side by side: {len(admitted)} now")
            yield sorted(
                (one for one in together if variant_of(one.workload) in admitted), key=_work
            )
        for one in waiting:
            if one.key in self._alone:
                yield [one]

    def _load(self, one: Standing) -> None:
        try:
            self.pool.load(one.workload)
        except Failed as failed:
            self._give_up(one, failed.failure)

    def _prepared(self, one: Standing) -> List[Tuple[Task, Standing]]:
        """The task of a workload that was warmed up; none where it cannot be."""
        if one.key in self.results.records or self._hopeless(one):
            return []
        expected_s = one.call_s or self._foretold(one)
        if expected_s is not None and 2 * expected_s > self.end - time.monotonic():
            about = f"cut: about {expected_s:.3g} s per call do not fit into what is left of "
            self._cut(one, about + "the budget")
            return []
        if time.monotonic() > self.end:
            self._cut(one, "cut: it would not fit into the time left of the budget")
            return []
        try:
            call_s = self._warm_up(one)
        except Failed as failed:
            self._give_up(one, failed.failure)
            return []
        return [(Task(one.workload, call_s, self.procedure), one)]

    def _warm_up(self, one: Standing) -> float:
        answer = self.pool.warm_up(one.workload, one.call_s or 0.0)
        if one.figures is None:
            one.figures = dict(answer["figures"], started_at=iso(self.clock.now()))
        self._warm.add((one.key, self._process(one)))
        self._keep(one, answer["round"])
        one.call_s = typical_s(answer["round"])
        return one.call_s

    def _foretold(self, one: Standing) -> Optional[float]:
        """Seconds of a call in proportion to another shape of the variant; None without one."""
        variant = variant_of(one.workload)
        known = [
            other.call_s * _work(one) / _work(other)
            for other in self.standing
            if other.call_s is not None and variant_of(other.workload) == variant
        ]
        return min(known) if known else None

    # Rounds

    def _interleave(self, tasks: List[Tuple[Task, Standing]], soft_end: float) -> None:
        """Rounds in passes, each in a new random order, until each process has given enough."""
        open_tasks = list(tasks)
        while open_tasks:
            one_pass = list(open_tasks)
            self.order.shuffle(one_pass)
            for pair in one_pass:
                now, task = time.monotonic(), pair[0]
                late = now + round_s(task.call_s, self.procedure) > soft_end
                ended = now > self.end or (late and task.medians)
                if ended or not self._round(task, pair[1]) or task.enough():
                    open_tasks.remove(pair)

    def _round(self, task: Task, one: Standing) -> bool:
        """One round; whether the workload goes on."""
        try:
            if (one.key, self._process(one)) not in self._warm or not self.pool.is_alive(
                one.workload
            ):
                self._warm_up(one)
            plan = plan_round(task.call_s, self.procedure)
            expected_s = round_s(task.call_s, self.procedure)
            done = self.pool.measure(one.workload, plan, expected_s)
        except Failed as failed:
            self._give_up(one, failed.failure)
            return False
        task.add(done)
        one.calls += len(done["values_s"][done["settle"] :]) * done["calls_per_value"]
        self._keep(one, done)
        return True

    def _process(self, one: Standing) -> int:
        return self.pool.processes.get(variant_of(one.workload), 1) - 1

    def _keep(self, one: Standing, done: Dict[str, Any]) -> None:
        done["process"] = self._process(one)
        self.results.add_round(one.workload, done)

    def _close(self) -> None:
        self.pool.close()
        self._warm.clear()

    # Outcomes

    def _finish(self, one: Standing) -> None:
        """A record of a workload; its figures follow from its rounds, at the import."""
        if one.calls < FEWEST_CALLS:
            self._cut(one, f"cut: {one.calls} calls were timed when the budget ended")
            return
        figures = dict(self.pool.facts.get(variant_of(one.workload), {}))
        figures.update(one.figures or {})
        if not self.sources:
            figures["energy_reason"] = (
                power_reason("/") if wants_energy(self.job) else "energy was not asked for"
            )
        self.results.add_record(one.workload, "ok", None, figures)
        middle = f", {1e3 * median(one.medians):.4g} ms" if one.medians else ""
        self._say(one, f"done{middle}")

    def _cut(self, one: Standing, message: str) -> None:
        if one.calls >= FEWEST_CALLS:
            self._finish(one)
            return
        self._record(one, "skipped", {"stage": "measure", "kind": "budget", "message": message})

    def _give_up(self, one: Standing, failure: Dict[str, str]) -> None:
        """A process failed: a record, or another try without others beside it."""
        kind = failure["kind"]
        if kind == "budget":
            self._cut(one, failure["message"])
            return
        crowded = len({variant_of(other.workload) for other in self.standing}) > 1
        if kind == "out_of_memory" and one.key not in self._alone and crowded:
            self._alone.add(one.key)
            return
        if failure["stage"] == "load":
            self._broken[variant_of(one.workload)] = failure
        elif kind in TOO_LARGE and self.procedure.get("skip_larger", True):
            shape = (variant_of(one.workload), one.workload["input_size"])
            smallest = self._too_large.get(shape, (one.workload["batch_size"], kind))
            self._too_large[shape] = min(smallest, (one.workload["batch_size"], kind))
        self._record(one, "failed", failure)

    def _hopeless(self, one: Standing) -> bool:
        """Whether a workload need not be tried, given what happened to others; records it."""
        failure = self._broken.get(variant_of(one.workload))
        if failure is not None:
            self._record(one, "failed", failure)
            return True
        limit = self._too_large.get((variant_of(one.workload), one.workload["input_size"]))
        if limit is None or one.workload["batch_size"] <= limit[0]:
            return False
        message = f"batch {limit[0]} of this input size {TOO_LARGE[limit[1]]}"
        skipped = {"stage": "warmup", "kind": limit[1], "message": message}
        self._record(one, "skipped", skipped)
        return True

    def _record(self, one: Standing, status: str, failure: Dict[str, str]) -> None:
        facts = self.pool.facts.get(variant_of(one.workload), {})
        figures = dict(facts, **(one.figures or {}))
        self.results.add_record(one.workload, status, failure, figures)
        self._say(one, f"{status}: {failure['message']}")

    def _say(self, one: Standing, what: str) -> None:
        done, all_ = len(self.results.records), len(self.standing)
        self.tell(f"[{done}/{all_}] {label_of(one.workload)}: {what}")

    # Energy

    def _measure_energy(self) -> None:
        """Windows of work and idling of the workloads that lack them, one group after another."""
        self.pool.end = self.end = self._whole_end
        lacking = [one for one in self.standing if self._lacks_energy(one)]
        if not self.sources or not lacking:
            return
        plan = WindowPlan(self.sources[0].info, self.procedure.get("energy_window_s"))
        try:
            for group in self._groups(lacking):
                ready = [one for one in group if self._is_ready(one)]
                if ready:
                    self._windows(plan, ready)
                self._close()
        finally:
            for source in self.sources:
                self.results.add(source.document())

    def _lacks_energy(self, one: Standing) -> bool:
        rounds = self.results.rounds.get(one.key, [])
        windows = [seen["process"] for seen in rounds if seen["phase"] == "energy"]
        most = max([windows.count(process) for process in set(windows)] + [0])
        return self.results.records.get(one.key) == "ok" and most < MIN_WINDOWS

    def _is_ready(self, one: Standing) -> bool:
        try:
            self._warm_up(one)
        except Failed as failed:
            self._say(one, f"no energy: {failed.failure['message']}")
            return False
        return True

    def _windows(self, plan: WindowPlan, group: List[Standing]) -> None:
        """Idle, the device's warm-up, windows of all in an order by chance, idle."""
        call_s = {one.key: one.call_s or 0.0 for one in group}
        self.tell(f"energy of {len(group)} workloads, by {self.sources[0].info['name']}")
        self._rest(plan, group[0])
        self._work(group[0], plan.warm_up_s, "warmup")
        rested_at = time.monotonic()
        for _ in range(MIN_WINDOWS):
            self.order.shuffle(group)
            for one in list(group):
                needed_s = plan.round_s(call_s[one.key]) + 2 * plan.rest_s
                if time.monotonic() + needed_s > self.end:
                    return
                time.sleep(self.order.uniform(0, plan.gap_s))
                if not self._work(one, plan.window_s, "energy"):
                    group.remove(one)
                if group and time.monotonic() - rested_at > 10 * plan.rest_s:
                    self._rest(plan, group[0])
                    rested_at = time.monotonic()
        if group:
            self._rest(plan, group[0])

    def _work(self, one: Standing, seconds: float, phase: str) -> bool:
        plan = round_of_energy(one.call_s or 0.0, seconds)
        self.sampler.begin()
        try:
            done = self.pool.measure(one.workload, plan, plan["seconds"])
        except Failed as failed:
            self._say(one, f"no energy: {failed.failure['message']}")
            return False
        finally:
            self.sampler.end()
        done = dict(after_lead(done, one.call_s or 0.0), phase=phase)
        self._keep(one, done)
        return True

    def _rest(self, plan: WindowPlan, one: Standing) -> None:
        self.sampler.begin()
        started_at = self.clock.now()
        time.sleep(plan.rest_s)
        rested_s = self.clock.now() - started_at
        self.sampler.end()
        idle = {
            "phase": "idle",
            "started_at": started_at,
            "calls_per_value": 1,
            "settle": 0,
            "starts_s": [0.0],
            "values_s": [rested_s],
            "signals": None,
        }
        self._keep(one, idle)


def _work(one: Standing) -> float:
    """A number that grows with the cost of a call, among shapes of one model."""
    return float(one.workload["batch_size"] * (one.workload["input_size"] or 1) ** 2)


def wants_energy(job: Dict[str, Any]) -> bool:
    """Whether the study asks for energy."""
    return bool(job["study"]["procedure"].get("energy", True) and job.get("energy", True))


def label_of(workload: Workload) -> str:
    """For people: `resnet18 224/8`."""
    size = workload["input_size"] or "own"
    usual = ("torch", "fp32", "cpu")
    named = [workload[name] for name in ("backend", "precision", "device")]
    extra = [value for value, one in zip(named, usual) if value != one]
    extra += [f"{name}={value}" for name, value in sorted(workload.get("options", {}).items())]
    return " ".join([workload["model"]] + extra + [f"{size}/{workload['batch_size']}"])


def iso(unix_s: float) -> str:
    """A time as the records have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(unix_s))


def to_stderr(line: str) -> None:
    """Tell a person, in characters that any terminal has."""
    sys.stderr.write(json.dumps(line)[1:-1].replace('\\"', '"') + "\n")
    sys.stderr.flush()
