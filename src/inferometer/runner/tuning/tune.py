"""Finds the variant, threads and batch size of a model that serve a goal best, within limits."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from inferometer.core.procedure import Procedure
from inferometer.core.record import Failure
from inferometer.core.sweep import Study
from inferometer.core.units import byte_count, seconds
from inferometer.core.workload import Target, Workload
from inferometer.runner.comparing import reference_of
from inferometer.runner.preparation import Preparer
from inferometer.runner.run import check
from inferometer.runner.tuning.arena import Arena, rounds_of
from inferometer.runner.tuning.candidates import candidates
from inferometer.runner.tuning.energy import Joules, check_source, energies_of, joules_against
from inferometer.runner.tuning.found import STATES, Confirmation, Outcome, Tuned, TuneRequest
from inferometer.runner.tuning.judging import Judge, Say, cosines_of
from inferometer.runner.tuning.race import Contrast, Race, Seen, Why, against, race
from inferometer.runner.workers.parent import WorkerFailed
from inferometer.runner.workers.pool import clock_of

CONFIRMING = 0.25
"""Share of the budget kept for the confirmation."""
CONFIRMING_HEATS = 3
MOST_CONFIRMED = 5
ALIKE_BYTES = 0.03
"""Peaks that differ by less are alike: so much pages and allocators move them."""


def tune(request: TuneRequest, *, say: Say = lambda *_: None) -> Tuned:
    """Search.

    Args:
        request: what for.
        say: told what is done, and with which candidate.

    Raises:
        InputError: the model, a backend, an option or a precision is wrong.
    """
    return _Search(request, say).run()


class _Search:
    def __init__(self, request: TuneRequest, say: Say) -> None:
        check(Study(name="tune", sweep=request.sweep))
        if request.goal == "energy":
            check_source(request)
        self.request = request
        self.say = say
        self.energies: dict[Workload, Joules] = {}
        self.begin = time.monotonic()
        self.procedure = rounds_of(
            Procedure(
                seed=request.seed,
                budget_s=request.budget_s,
                data=request.data,
                memory_limit_bytes=request.memory_limit_bytes,
                timeout_s=request.timeout_s,
            )
        )
        self.preparer = Preparer(self.procedure)
        self.outcomes = {one: Outcome(workload=one) for one in candidates(request)}
        self.found = Tuned(outcomes=list(self.outcomes.values()))

    def run(self) -> Tuned:
        """All of it."""
        try:
            self._prepare()
            if self.request.min_fidelity is not None:
                self._judge(self._open(), self.request.min_fidelity)
            self._race()
            self._confirm()
        finally:
            self.preparer.close()
        self.found.outcomes.sort(key=_place)
        self.found.seconds = time.monotonic() - self.begin
        return self.found

    def _open(self) -> list[Workload]:
        return [one for one, outcome in self.outcomes.items() if outcome.state == "not_reached"]

    def _arena(self, share: float, seed: int = 0) -> Arena:
        """An arena whose time ends with a share of the budget."""
        procedure = replace(
            self.procedure,
            budget_s=share * self.request.budget_s,
            seed=(self.procedure.seed + seed) % 2**32,
        )
        return Arena(
            procedure,
            clock_of(procedure, self.begin),
            self.preparer,
            limit=self._limit,
            tell=self.say,
        )

    def _limit(
        self, workload: Workload, call_s: float | None, peak_bytes: float | None
    ) -> str | None:
        del workload
        most_s, most_bytes = self.request.max_latency_s, self.request.max_memory_bytes
        if most_s is not None and call_s is not None and call_s > most_s:
            return f"a call takes more than {seconds(most_s)}"
        if most_bytes is not None and peak_bytes is not None and peak_bytes > most_bytes:
            return f"its peak, {byte_count(int(peak_bytes))}, is over {byte_count(int(most_bytes))}"
        return None

    def _prepare(self) -> None:
        clock = clock_of(self.procedure, self.begin)
        for one in self._open():
            self.say("preparing", one)
            try:
                self.preparer.prepared(one, lambda: clock.deadline(0), lambda: None)
            except WorkerFailed as failed:
                self._fail(one, failed.failure)
        self.preparer.close()

    def _fail(self, workload: Workload, failure: Failure) -> None:
        outcome = self.outcomes[workload]
        if failure.kind != "budget":
            outcome.state, outcome.why = "failed", f"{failure.kind}: {failure.message}"

    def _judge(self, workloads: Sequence[Workload], least: float) -> None:
        """Let those leave whose outputs are too far from the reference's."""
        arena = self._arena(1 - CONFIRMING)
        cosines = cosines_of(workloads, arena, data=self.request.data, say=self.say)
        for one in workloads:
            cosine, outcome = cosines.get(one.variant, 1.0), self.outcomes[one]
            outcome.fidelity = cosine if isinstance(cosine, float) else None
            if isinstance(cosine, str):
                outcome.state, outcome.why = "unfaithful", cosine
            elif cosine is not None and cosine < least:
                outcome.state = "unfaithful"
                outcome.why = f"its cosine with the reference is {cosine:.4f}, not {least:g}"

    def _race(self) -> None:
        arena = self._arena(1 - CONFIRMING)
        running = self._open()
        if self.request.goal in ("memory", "energy"):
            ran: Race[Workload] = Race()
            ran.seen.update({one: list(seen) for one, seen in arena.heat(running).items()})
            ran.heats = 1
        else:
            ran = race(running, arena, self._samples)
        self.found.heats = ran.heats
        for one, outcome in self.outcomes.items():
            _note(outcome, ran.seen.get(one, ()), arena)
        within = self._within(ran)
        costs = self._costs(ran, within)
        best = self._accurate(sorted(costs, key=costs.__getitem__))
        if best is not None:
            self._settle(best, ran)

    def _within(self, ran: Race[Workload]) -> list[Workload]:
        """Those within all limits by what was measured."""
        running = [one for one in self._open() if ran.seen.get(one)]
        for one in running:
            outcome = self.outcomes[one]
            why = self._limit(one, outcome.call_s, outcome.peak_bytes)
            if why is not None:
                outcome.state, outcome.why = "over_limit", why
        return [one for one in running if self.outcomes[one].state == "not_reached"]

    def _costs(self, ran: Race[Workload], within: Sequence[Workload]) -> dict[Workload, float]:
        """What is to be least, of each that was measured; on any scale."""
        if self.request.goal == "memory":
            peaks = {one: self.outcomes[one].peak_bytes for one in within}
            return {one: peak for one, peak in peaks.items() if peak is not None}
        if self.request.goal == "energy":
            return self._joules(within)
        first = next(iter(within), None)
        if first is None:
            return {}
        found = against(first, within, ran.seen, self._samples)
        return {one: contrast.ratio for one, contrast in found.items()}

    def _joules(self, within: Sequence[Workload]) -> dict[Workload, float]:
        left_s = self.request.budget_s - (time.monotonic() - self.begin)
        self.energies = energies_of(self.request, budget_s=max(left_s, 1.0))
        for one, joules in self.energies.items():
            self.outcomes[one].energy_j = joules.value
        return {one: self.energies[one].value for one in within if one in self.energies}

    def _accurate(self, ordered: Sequence[Workload]) -> Workload | None:
        """The first whose variant is accurate enough; without such a limit the first."""
        least = self.request.min_accuracy
        judge = Judge(self._arena(1 - CONFIRMING / 2), self.request, say=self.say)
        for one in ordered:
            if least is None:
                return one
            accuracy, why = judge.of(one, least)
            self.outcomes[one].accuracy = accuracy
            if why is None:
                return one
            self.outcomes[one].state, self.outcomes[one].why = "inaccurate", why
        return None

    def _settle(self, best: Workload, ran: Race[Workload]) -> None:
        """Say of each that was measured how it compares with the best."""
        if self.request.goal == "memory":
            contrasts = peaks_against(best, self.outcomes)
        elif self.request.goal == "energy":
            contrasts = joules_against(best, self.energies)
        else:
            contrasts = against(best, ran.seen, ran.seen, self._samples)
        for one, contrast in contrasts.items():
            outcome = self.outcomes[one]
            outcome.contrast = contrast
            if one == best:
                outcome.state = "winner"
            elif outcome.state == "not_reached" and contrast.low > 1:
                outcome.state, outcome.why = "slower", _words(ran.left.get(one), contrast)
            elif outcome.state == "not_reached":
                outcome.state, outcome.why = "tied", "no clear difference to the winner"
        self.found.winner = self.outcomes[best]

    def _samples(self, workload: Workload) -> float:
        return workload.batch_size if self.request.goal == "throughput" else 1.0

    def _confirm(self) -> None:
        winner = self.found.winner
        if winner is None or self.request.goal in ("memory", "energy"):
            return
        best = winner.workload
        tied = sorted(self.found.tied, key=_ratio)[: MOST_CONFIRMED - 1]
        baseline = self._baseline(best)
        every = list(
            dict.fromkeys([best, *(one.workload for one in tied), *filter(None, [baseline])])
        )
        arena, seen = self._arena(1.0, seed=1), dict[Workload, list[Seen]]()
        for _ in range(CONFIRMING_HEATS):
            if arena.is_over:
                break
            for one, rounds in arena.heat(every).items():
                seen.setdefault(one, []).extend(rounds)
        if best not in seen:
            self.found.notes.append("no time was left to confirm the winner in fresh processes")
            return
        rivals = {
            one: contrast
            for one, contrast in against(best, seen, seen, self._samples).items()
            if one != best
        }
        self.found.confirmed = Confirmation(
            holds=not any(one.high < 1 for one in rivals.values()),
            call_s=median(one.call_s for one in seen[best]),
            rivals=rivals,
            baseline=baseline if baseline in rivals else None,
            rounds=len(seen[best]),
            processes=arena.processes[best],
        )

    def _baseline(self, best: Workload) -> Workload | None:
        """The reference, with all threads, at the batch size of the winner."""
        reference = reference_of(best.variant)
        if reference is None:
            return None
        target = Target(device="cpu", threads=max(self.request.threads))
        return replace(best, variant=reference, target=target)


def _note(outcome: Outcome, rounds: Sequence[Seen], arena: Arena) -> None:
    """Take down what the arena saw of a candidate."""
    one = outcome.workload
    outcome.rounds, outcome.processes = len(rounds), arena.processes.get(one, 0)
    outcome.peak_bytes = arena.peaks.get(one)
    outcome.call_s = median(seen.call_s for seen in rounds) if rounds else None
    if one in arena.failed:
        failure = arena.failed[one]
        outcome.state, outcome.why = "failed", f"{failure.kind}: {failure.message}"
    elif one in arena.over:
        outcome.state, outcome.why = "over_limit", arena.over[one]
    elif outcome.state == "not_reached" and not rounds:
        outcome.why = "the budget ended before it was measured"


def peaks_against(best: Workload, outcomes: Mapping[Workload, Outcome]) -> dict[Workload, Contrast]:
    """Peaks of memory over the best one's."""
    least = outcomes[best].peak_bytes
    assert least is not None
    ratios = {
        one: outcome.peak_bytes / least
        for one, outcome in outcomes.items()
        if outcome.peak_bytes is not None
    }
    return {
        one: Contrast(ratio=ratio, low=ratio / (1 + ALIKE_BYTES), high=ratio * (1 + ALIKE_BYTES))
        for one, ratio in ratios.items()
    }


def _words(why: Why | None, contrast: Contrast) -> str:
    if why == "hopeless":
        return f"about {contrast.ratio:.1f} times the winner's, by its first process"
    return f"{contrast.low:.2f} to {contrast.high:.2f} times the winner's"


def _ratio(outcome: Outcome) -> float:
    return math.inf if outcome.contrast is None else outcome.contrast.ratio


def _place(outcome: Outcome) -> tuple[int, float]:
    """In the list of all: the best first, those that left for another reason last."""
    at = STATES.index(outcome.state) if outcome.state in STATES else len(STATES)
    return at, _ratio(outcome)
