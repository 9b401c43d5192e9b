"""Energy on the board: windows of work and idling, in which its power is read."""

import time
from typing import Any, List

from inferometer.fleet.light.apparatus import Apparatus
from inferometer.fleet.light.energy import (
    MIN_WINDOWS,
    WindowPlan,
    after_lead,
    round_of_energy,
)
from inferometer.fleet.light.pool import Failed
from inferometer.fleet.light.power import Sampler
from inferometer.fleet.light.standing import Standing


class EnergyWindows:
    """Measures the energy of the workloads that lack it, where there are power sources.

    Args:
        apparatus: of the run.
        sources: that are read, from now on: a counter may wrap within a minute.
    """

    def __init__(self, apparatus: Apparatus, sources: List[Any]) -> None:
        self._apparatus = apparatus
        self.sources = sources
        self.sampler = Sampler(sources, apparatus.clock.now)

    def run(self) -> None:
        """One group of workloads after another."""
        lacking = [one for one in self._apparatus.standing if self._lacks_energy(one)]
        if not self.sources or not lacking:
            return
        plan = WindowPlan(self.sources[0].info, self._apparatus.procedure.get("energy_window_s"))
        try:
            for group in self._apparatus.groups(lacking):
                ready = [one for one in group if self._is_ready(one)]
                if ready:
                    self._windows(plan, ready)
                self._apparatus.close()
        finally:
            for source in self.sources:
                self._apparatus.results.add(source.document())

    def close(self) -> None:
        """End the reading."""
        self.sampler.close()

    def _lacks_energy(self, one: Standing) -> bool:
        rounds = self._apparatus.results.rounds.get(one.key, [])
        windows = [seen["process"] for seen in rounds if seen["phase"] == "energy"]
        most = max([windows.count(process) for process in set(windows)] + [0])
        return self._apparatus.results.records.get(one.key) == "ok" and most < MIN_WINDOWS

    def _is_ready(self, one: Standing) -> bool:
        try:
            self._apparatus.warm_up(one)
        except Failed as failed:
            self._apparatus.outcomes.say(one, f"no energy: {failed.failure['message']}")
            return False
        return True

    def _windows(self, plan: WindowPlan, group: List[Standing]) -> None:
        """Idle, the device's warm-up, windows of all in an order by chance, idle."""
        call_s = {one.key: one.call_s or 0.0 for one in group}
        self._apparatus.tell(f"energy of {len(group)} workloads, by {self.sources[0].info['name']}")
        self._rest(plan, group[0])
        self._work(group[0], plan.warm_up_s, "warmup")
        rested_at = time.monotonic()
        for _ in range(MIN_WINDOWS):
            self._apparatus.order.shuffle(group)
            for one in list(group):
                needed_s = plan.round_s(call_s[one.key]) + 2 * plan.rest_s
                if time.monotonic() + needed_s > self._apparatus.end:
                    return
                time.sleep(self._apparatus.order.uniform(0, plan.gap_s))
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
            done = self._apparatus.pool.measure(one.workload, plan, plan["seconds"])
        except Failed as failed:
            self._apparatus.outcomes.say(one, f"no energy: {failed.failure['message']}")
            return False
        finally:
            self.sampler.end()
        done = dict(after_lead(done, one.call_s or 0.0), phase=phase)
        self._apparatus.keep(one, done)
        return True

    def _rest(self, plan: WindowPlan, one: Standing) -> None:
        self.sampler.begin()
        started_at = self._apparatus.clock.now()
        time.sleep(plan.rest_s)
        rested_s = self._apparatus.clock.now() - started_at
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
        self._apparatus.keep(one, idle)
