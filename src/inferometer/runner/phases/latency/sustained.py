"""Continuous inference: one workload after the other, each for a fixed time, window by window."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

from inferometer.core.procedure import Procedure
from inferometer.core.record import Round, Value
from inferometer.core.workload import Workload
from inferometer.runner.phases.latency.apparatus import Apparatus
from inferometer.runner.phases.latency.stored import Stored
from inferometer.runner.phases.latency.warming import Warming
from inferometer.runner.scheduling.replicates import Prepared
from inferometer.runner.scheduling.task import plan_round, rule_of
from inferometer.runner.workers.messages import RoundPlan
from inferometer.runner.workers.parent import WorkerFailed

WINDOW_S = 1.0
EDGE_S = 60.0
"""The first and the last minute are compared; of a short run, its halves."""


class SustainedCampaign:
    """Keeps the device busy with one workload at a time and watches its latency change.

    Args:
        apparatus: what it measures with; the budget goes on since that was made.
    """

    def __init__(self, apparatus: Apparatus) -> None:
        self.apparatus = apparatus
        self.procedure = apparatus.procedure
        self.standing = apparatus.standing
        self.ending = apparatus.ending
        planner = _OneShare(self.procedure)
        self.stored = Stored(self.procedure, apparatus.journal, planner)
        self.warming = Warming(apparatus, self.stored, planner)
        apparatus.progress.remaining_s = self._remaining_s

    def execute(self, workloads: Sequence[Workload]) -> None:
        """Run every workload for the whole time, or record why not."""
        self.standing.waiting = list(workloads)
        self.apparatus.foresight.learn_records(self.apparatus.journal.finished())
        try:
            self.stored.number_processes(self.apparatus.pool, workloads)
            for workload in workloads:
                self._sustain(workload)
                self.apparatus.pool.end_all()
        finally:
            self.apparatus.close()

    def _sustain(self, workload: Workload) -> None:
        self.warming.prepare(workload)
        prepared = self.standing.prepared.get(workload)
        if prepared is None:
            return
        assert self.procedure.sustain_s is not None
        end = min(time.monotonic() + self.procedure.sustain_s, self.apparatus.clock.end)
        try:
            while time.monotonic() < end:
                self._window(prepared)
        except WorkerFailed as failed:
            self.ending.give_up(workload, failed.failure)
        if workload not in self.standing.prepared:
            return
        if prepared.task.rounds:
            self.ending.finish(workload, sustained_figures(prepared.task.rounds))
        else:  # the warm-up took all the time that was left
            self.ending.cut(prepared.task)

    def _window(self, prepared: Prepared) -> None:
        task, apparatus = prepared.task, self.apparatus
        apparatus.progress.doing("sustaining", task.workload, calls=task.calls, mean_s=task.mean_s)
        per_value = plan_round(task.call_s, self.procedure).calls_per_value
        values = max(1, round(WINDOW_S / (per_value * max(task.call_s, 1e-9))))
        plan = RoundPlan(values=values, calls_per_value=per_value)
        done = apparatus.pool.measure(task.workload, plan, expected_s=WINDOW_S)
        task.add(apparatus.keep(prepared, done))

    def _remaining_s(self) -> float | None:
        """Seconds until every workload has had its time."""
        each_s = self.procedure.sustain_s or 0.0
        prepared = self.standing.prepared.values()
        now_s = sum(max(each_s - one.task.span_s, 0.0) for one in prepared)
        return now_s + each_s * len(self.standing.waiting)


class _OneShare:
    """One process gives everything: what was interrupted was not without a pause.

    Args:
        procedure: how to measure.
    """

    def __init__(self, procedure: Procedure) -> None:
        self.procedure = procedure

    def given(self, prepared: Prepared) -> tuple[int, list[Round]]:  # noqa: ARG002
        """No share."""
        return 0, []

    def begin(self, prepared: Prepared, call_s: float) -> None:
        """Set what its process has to give."""
        prepared.begin_share(call_s, rule_of(self.procedure))


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
