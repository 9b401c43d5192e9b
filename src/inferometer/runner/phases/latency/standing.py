"""How far the workloads of a campaign are, and what their processes took so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from inferometer.core.workload import Variant, Workload
from inferometer.runner.scheduling.forecast import CallTimes
from inferometer.runner.scheduling.replicates import Prepared


@dataclass(kw_only=True)
class Standing:
    """State that the parts of a campaign share.

    Attributes:
        waiting: workloads that have had no process in this replicate.
        prepared: workloads that were warmed up and have no record yet.
        alone: workloads that ran out of memory beside others, and get another try without them.
        call_times: seconds of their calls.
        load_s: seconds that the last loading of a variant took.
    """

    waiting: list[Workload] = field(default_factory=list)
    prepared: dict[Workload, Prepared] = field(default_factory=dict)
    alone: set[Workload] = field(default_factory=set)
    call_times: CallTimes = field(default_factory=CallTimes)
    load_s: dict[Variant, float] = field(default_factory=dict)

    def present(self, workloads: Iterable[Workload]) -> list[Prepared]:
        """Those of the workloads that are warmed up and have no record yet."""
        return [self.prepared[one] for one in workloads if one in self.prepared]

    def forget(self, workload: Workload) -> Prepared | None:
        """Take a workload off; gives what was known of it, None if it was never warmed up."""
        if workload in self.waiting:
            self.waiting.remove(workload)
        return self.prepared.pop(workload, None)
