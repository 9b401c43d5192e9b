"""What becomes of workloads: a record of each that is done, cut or failed."""

from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from inferometer.fleet.light.plan import median
from inferometer.fleet.light.pool import Pool, variant_of
from inferometer.fleet.light.results import Results
from inferometer.fleet.light.standing import Standing, label_of

FEWEST_CALLS = 2
TOO_LARGE = {"out_of_memory": "ran out of memory", "timeout": "did not answer in time"}


class Outcomes:
    """Writes records.

    Args:
        results: where they go.
        pool: knows the facts of each variant.
        standing: all workloads.
        skips_larger: whether shapes larger than one that failed are not tried.
        no_energy: why there is no energy; None where it is measured.
        tell: told of each record, a line each.

    Attributes:
        alone: keys of workloads that are tried without others beside them.
    """

    def __init__(
        self,
        results: Results,
        pool: Pool,
        standing: List[Standing],
        *,
        skips_larger: bool,
        no_energy: Optional[str],
        tell: Callable[[str], None],
    ) -> None:
        self.alone: Set[str] = set()
        self._results = results
        self._pool = pool
        self._standing = standing
        self._skips_larger = skips_larger
        self._no_energy = no_energy
        self._tell = tell
        self._broken: Dict[str, Dict[str, str]] = {}
        self._too_large: Dict[Tuple[str, Any], Tuple[int, str]] = {}

    def finish(self, one: Standing) -> None:
        """A record of a workload; its figures follow from its rounds, at the import."""
        if one.calls < FEWEST_CALLS:
            self.cut(one, f"cut: {one.calls} calls were timed when the budget ended")
            return
        figures = dict(self._pool.facts.get(variant_of(one.workload), {}))
        figures.update(one.figures or {})
        if self._no_energy is not None:
            figures["energy_reason"] = self._no_energy
        self._results.add_record(one.workload, "ok", None, figures)
        middle = f", {1e3 * median(one.medians):.4g} ms" if one.medians else ""
        self.say(one, f"done{middle}")

    def cut(self, one: Standing, message: str) -> None:
        """A record of a workload that the budget cut."""
        if one.calls >= FEWEST_CALLS:
            self.finish(one)
            return
        self._record(one, "skipped", {"stage": "measure", "kind": "budget", "message": message})

    def give_up(self, one: Standing, failure: Dict[str, str]) -> None:
        """A process failed: a record, or another try without others beside it."""
        kind = failure["kind"]
        if kind == "budget":
            self.cut(one, failure["message"])
            return
        crowded = len({variant_of(other.workload) for other in self._standing}) > 1
        if kind == "out_of_memory" and one.key not in self.alone and crowded:
            self.alone.add(one.key)
            return
        if failure["stage"] == "load":
            self._broken[variant_of(one.workload)] = failure
        elif kind in TOO_LARGE and self._skips_larger:
            shape = (variant_of(one.workload), one.workload["input_size"])
            smallest = self._too_large.get(shape, (one.workload["batch_size"], kind))
            self._too_large[shape] = min(smallest, (one.workload["batch_size"], kind))
        self._record(one, "failed", failure)

    def is_hopeless(self, one: Standing) -> bool:
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

    def say(self, one: Standing, what: str) -> None:
        """Tell something of a workload."""
        done, all_ = len(self._results.records), len(self._standing)
        self._tell(f"[{done}/{all_}] {label_of(one.workload)}: {what}")

    def _record(self, one: Standing, status: str, failure: Dict[str, str]) -> None:
        facts = self._pool.facts.get(variant_of(one.workload), {})
        figures = dict(facts, **(one.figures or {}))
        self._results.add_record(one.workload, status, failure, figures)
        self.say(one, f"{status}: {failure['message']}")
