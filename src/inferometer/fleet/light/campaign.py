"""Latencies on the board: replicates of interleaved rounds, until each workload has enough."""

import math
import time
from typing import Any, Dict, List, Optional, Tuple

from inferometer.fleet.light.apparatus import Apparatus
from inferometer.fleet.light.plan import Task, median, plan_round, round_s
from inferometer.fleet.light.pool import Failed, variant_of
from inferometer.fleet.light.standing import Standing

PRUDENCE = 0.9


class Campaign:
    """Measures the workloads that a file of results lacks."""

    def __init__(self, apparatus: Apparatus) -> None:
        self._apparatus = apparatus
        self._procedure = apparatus.procedure
        self._recall()

    def run(self) -> None:
        """Measure all of it."""
        done = self._apparatus.results.records
        waiting = [one for one in self._apparatus.standing if one.key not in done]
        while waiting:
            waiting = self._replicate(waiting)

    def _recall(self) -> None:
        """Take what earlier tries have measured into account."""
        for one in self._apparatus.standing:
            by_process: Dict[int, List[Dict[str, Any]]] = {}
            variant = variant_of(one.workload)
            for seen in self._apparatus.results.rounds.get(one.key, []):
                before = self._apparatus.pool.processes.get(variant, 0)
                self._apparatus.pool.processes[variant] = max(before, seen["process"] + 1)
                if seen["phase"] == "measure":
                    by_process.setdefault(seen["process"], []).append(seen)
            least = math.ceil(self._procedure["min_rounds"] / self._procedure["processes"])
            for process in sorted(by_process):
                rounds = by_process[process]
                one.calls += sum(seen["calls"] for seen in rounds)
                if len(rounds) >= least:
                    one.medians.append(median([seen["median_s"] for seen in rounds]))

    def _replicate(self, waiting: List[Standing]) -> List[Standing]:
        """One more process for each waiting workload; gives those that need another one."""
        again: List[Standing] = []
        planned = self._procedure["processes"]
        lacking = max([planned - len(one.medians) for one in waiting] + [1])
        left_s = self._apparatus.end - time.monotonic()
        until = time.monotonic() + left_s / lacking
        for group in self._apparatus.groups(waiting):
            tasks = [task for one in group for task in self._prepared(one)]
            soft_end = min(until, self._apparatus.end)
            self._interleave(tasks, soft_end)
            for task, one in tasks:
                if one.key in self._apparatus.results.records:
                    continue
                if task.medians:
                    one.medians.append(median(task.medians))
                if one.wants_more(self._procedure) and self._affords(one):
                    again.append(one)
                else:
                    self._apparatus.outcomes.finish(one)
            self._apparatus.close()
        again += [one for one in waiting if self._is_postponed(one, again)]
        return again

    def _is_postponed(self, one: Standing, again: List[Standing]) -> bool:
        return (
            one.key in self._apparatus.outcomes.alone
            and one.key not in self._apparatus.results.records
            and one not in again
        )

    def _affords(self, one: Standing) -> bool:
        """Whether the budget has room for another process of a workload."""
        left_s = PRUDENCE * (self._apparatus.end - time.monotonic())
        facts = self._apparatus.pool.facts.get(variant_of(one.workload), {})
        rounds = self._procedure["min_rounds"] / self._procedure["processes"]
        needed_s = facts.get("load_s", 0.0) + rounds * round_s(one.call_s or 0.0, self._procedure)
        return left_s > needed_s or not one.calls

    def _prepared(self, one: Standing) -> List[Tuple[Task, Standing]]:
        """The task of a workload that was warmed up; none where it cannot be."""
        if one.key in self._apparatus.results.records or self._apparatus.outcomes.is_hopeless(one):
            return []
        expected_s = one.call_s or self._foretold(one)
        if expected_s is not None and 2 * expected_s > self._apparatus.end - time.monotonic():
            about = f"cut: about {expected_s:.3g} s per call do not fit into what is left of "
            self._apparatus.outcomes.cut(one, about + "the budget")
            return []
        if time.monotonic() > self._apparatus.end:
            said = "cut: it would not fit into the time left of the budget"
            self._apparatus.outcomes.cut(one, said)
            return []
        try:
            call_s = self._apparatus.warm_up(one)
        except Failed as failed:
            self._apparatus.outcomes.give_up(one, failed.failure)
            return []
        return [(Task(one.workload, call_s, self._procedure), one)]

    def _foretold(self, one: Standing) -> Optional[float]:
        """Seconds of a call in proportion to another shape of the variant; None without one."""
        variant = variant_of(one.workload)
        known = [
            other.call_s * one.work / other.work
            for other in self._apparatus.standing
            if other.call_s is not None and variant_of(other.workload) == variant
        ]
        return min(known) if known else None

    def _interleave(self, tasks: List[Tuple[Task, Standing]], soft_end: float) -> None:
        """Rounds in passes, each in a new random order, until each process has given enough."""
        open_tasks = list(tasks)
        while open_tasks:
            one_pass = list(open_tasks)
            self._apparatus.order.shuffle(one_pass)
            for pair in one_pass:
                now, task = time.monotonic(), pair[0]
                late = now + round_s(task.call_s, self._procedure) > soft_end
                ended = now > self._apparatus.end or (late and task.medians)
                if ended or not self._round(task, pair[1]) or task.enough():
                    open_tasks.remove(pair)

    def _round(self, task: Task, one: Standing) -> bool:
        """One round; whether the workload goes on."""
        try:
            if not self._apparatus.is_warm(one):
                self._apparatus.warm_up(one)
            plan = plan_round(task.call_s, self._procedure)
            expected_s = round_s(task.call_s, self._procedure)
            done = self._apparatus.pool.measure(one.workload, plan, expected_s)
        except Failed as failed:
            self._apparatus.outcomes.give_up(one, failed.failure)
            return False
        task.add(done)
        one.calls += len(done["values_s"][done["settle"] :]) * done["calls_per_value"]
        self._apparatus.keep(one, done)
        return True
