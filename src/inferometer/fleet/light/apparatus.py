"""What latencies and energy are measured with: workloads, their processes, where it goes."""

import math
import random
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

from inferometer.fleet.light.harness import Clock
from inferometer.fleet.light.outcomes import Outcomes
from inferometer.fleet.light.plan import typical_s
from inferometer.fleet.light.pool import Failed, Pool, variant_of
from inferometer.fleet.light.results import Results
from inferometer.fleet.light.standing import Standing, iso

CLOSING_S = 1.0
"""Of the budget, for ending the file of results."""


class Apparatus:
    """What a run on the board shares.

    Args:
        agent: path of this program, which is also that of the workers.
        job: study, workloads, files and folders.
        results: where it goes.
        clock: of the rounds.
        tell: told what happens, a line each.
        no_energy: why there is no energy; None where it is measured.

    Attributes:
        end: of the budget, by the monotonic clock.
    """

    def __init__(
        self,
        agent: str,
        job: Dict[str, Any],
        results: Results,
        clock: Clock,
        tell: Callable[[str], None],
        *,
        no_energy: Optional[str],
    ) -> None:
        self.procedure: Dict[str, Any] = job["study"]["procedure"]
        self.results = results
        self.clock = clock
        self.tell = tell
        self._begin = time.monotonic()
        self.end = self._begin
        self.pool = Pool(agent, job, clock.offset_s, self.end)
        seed, first = self.procedure["seed"], results.next_number
        order = f"{seed}, from {first}" if first else seed
        self.order = random.Random(order)  # noqa: S311 - an order, not a secret
        self.standing = [Standing(one) for one in job["workloads"]]
        self.outcomes = Outcomes(
            results,
            self.pool,
            self.standing,
            skips_larger=bool(self.procedure.get("skip_larger", True)),
            no_energy=no_energy,
            tell=tell,
        )
        self._warm: Set[Tuple[str, int]] = set()

    def within(self, share: float) -> None:
        """Let that share of the budget be what there is."""
        budget_s = self.procedure.get("budget_s") or math.inf
        self.end = self.pool.end = self._begin + share * budget_s - CLOSING_S

    def groups(self, waiting: List[Standing]) -> Iterator[List[Standing]]:
        """Workloads whose workers memory holds side by side; the postponed ones by themselves."""
        together = [one for one in waiting if one.key not in self.outcomes.alone]
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
                (one for one in together if variant_of(one.workload) in admitted),
                key=lambda one: one.work,
            )
        for one in waiting:
            if one.key in self.outcomes.alone:
                yield [one]

    def is_warm(self, one: Standing) -> bool:
        """Whether a workload was warmed up in the process that is alive now."""
        known = (one.key, self._process(one)) in self._warm
        return known and self.pool.is_alive(one.workload)

    def warm_up(self, one: Standing) -> float:
        """Warm a workload up; seconds of a call. Raises Failed."""
        answer = self.pool.warm_up(one.workload, one.call_s or 0.0)
        if one.figures is None:
            one.figures = dict(answer["figures"], started_at=iso(self.clock.now()))
        self._warm.add((one.key, self._process(one)))
        self.keep(one, answer["round"])
        one.call_s = typical_s(answer["round"])
        return one.call_s

    def keep(self, one: Standing, done: Dict[str, Any]) -> None:
        """Keep a round."""
        done["process"] = self._process(one)
        self.results.add_round(one.workload, done)

    def close(self) -> None:
        """End the workers."""
        self.pool.close()
        self._warm.clear()

    def _load(self, one: Standing) -> None:
        try:
            self.pool.load(one.workload)
        except Failed as failed:
            self.outcomes.give_up(one, failed.failure)

    def _process(self, one: Standing) -> int:
        return self.pool.processes.get(variant_of(one.workload), 1) - 1
