"""Continuous inference: one workload after the other, each for a fixed time, window by window."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

from inferometer.core.record import Round, Value
from inferometer.core.workload import Workload
from inferometer.runner.phases.latency.campaign import Campaign
from inferometer.runner.scheduling.replicates import Prepared
from inferometer.runner.scheduling.task import plan_round
from inferometer.runner.workers.harness import RoundPlan
from inferometer.runner.workers.parent import WorkerFailed

WINDOW_S = 1.0
EDGE_S = 60.0
"""The first and the last minute are compared; of a short run, its halves."""


class SustainedCampaign(Campaign):
    """Keeps the device busy with one workload at a time and watches its latency change."""

    shares_go_on = False  # what was interrupted was not without a pause

    def execute(self, workloads: Sequence[Workload]) -> None:
        """Run every workload for the whole time, or record why not."""
        self.waiting = list(workloads)
        self.foresight.learn_records(self.journal.finished())
        try:
            self._count_processes()
            for workload in workloads:
                self._sustain(workload)
                self.residents.end_all()
        finally:
            self.residents.end_all()
            self.journal.flush()

    def _sustain(self, workload: Workload) -> None:
        self._prepare(workload)
        prepared = self.prepared.get(workload)
        if prepared is None:
            return
        assert self.procedure.sustain_s is not None
        end = min(time.monotonic() + self.procedure.sustain_s, self.clock.end)
        try:
            while time.monotonic() < end:
                self._window(prepared)
        except WorkerFailed as failed:
            self._give_up(workload, failed.failure)
        if workload in self.prepared:
            self._finish(workload)

    def _window(self, prepared: Prepared) -> None:
        task = prepared.task
        self.teller.doing("sustaining", task.workload, calls=task.calls, mean_s=task.mean_s)
        per_value = plan_round(task.call_s, self.procedure).calls_per_value
        values = max(1, round(WINDOW_S / (per_value * max(task.call_s, 1e-9))))
        plan = RoundPlan(values=values, calls_per_value=per_value)
        answer = self.residents.measure(task.workload, plan, expected_s=WINDOW_S)
        task.add(self._keep(prepared, answer["round"]))

    def _more_figures(self, prepared: Prepared) -> dict[str, Value]:
        return sustained_figures(prepared.task.rounds)

    def _remaining_s(self) -> float | None:
        """Seconds until every workload has had its time."""
        each_s = self.procedure.sustain_s or 0.0
        now_s = sum(max(each_s - one.task.span_s, 0.0) for one in self.prepared.values())
        return now_s + each_s * len(self.waiting)


def sustained_figures(windows: Sequence[Round]) -> dict[str, Value]:
    """Median seconds per call at the beginning and at the end, and how long it lasted.

    Args:
        windows: rounds of one process in the order of time, at least one.
    """
    begin = windows[0].started_at
    ends = [one.started_at - begin + one.starts_s[-1] + one.values_s[-1] for one in windows]
    edge_s = min(EDGE_S, ends[-1] / 2)
    first = [one for one, end in zip(windows, ends, strict=True) if end <= edge_s] or windows[:1]
    last = [one for one in windows if one.started_at - begin >= ends[-1] - edge_s] or windows[-1:]
    return {
        "sustained_first_s": median(value for one in first for value in one.settled_s),
        "sustained_last_s": median(value for one in last for value in one.settled_s),
        "sustained_span_s": ends[-1],
    }
