"""How the figures were measured, in words."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.core import units
from inferometer.core.procedure import Procedure
from inferometer.core.record import Record
from inferometer.report.document.sources import RunRecords, all_records
from inferometer.report.document.wording import joined


def methods(runs: Sequence[RunRecords]) -> list[str]:
    """How the runs were measured; runs with the same procedure share their paragraphs."""
    groups: dict[Procedure | None, list[RunRecords]] = {}
    for one in runs:
        groups.setdefault(one.study.procedure if one.study else None, []).append(one)
    return [
        paragraph
        for procedure, group in groups.items()
        for paragraph in (_measured(procedure, group) if procedure else _imported(group))
    ]


def _imported(group: Sequence[RunRecords]) -> list[str]:
    text = (
        f"{_names(group)} imported from a table. The figures were not measured by this tool, and "
        "how they were measured is not known here. What the table did not have (deviations, "
        "intervals, warm-up and other figures) is absent, not zero."
    )
    return [text]


def _names(group: Sequence[RunRecords]) -> str:
    ids = joined([one.run.id for one in group])
    return f"Run {ids} was" if len(group) == 1 else f"Runs {ids} were"


def _measured(procedure: Procedure, group: Sequence[RunRecords]) -> list[str]:
    records = all_records(group)
    warm = (
        f"{_names(group)} measured by this tool. The forward pass alone was timed, on inputs made "
        "beforehand. Calls of the warm-up, the very first included, are recorded and left out of "
        "every figure; so are the first calls after a switch from another workload, unless one "
        "call is longer than a round."
    )
    rounds = (
        f"Calls were timed in rounds of about {units.seconds(procedure.round_s)}, those of "
        f"different workloads interleaved in a random order (seed {procedure.seed}), so that a "
        "slow spell of the device does not fall on one workload alone."
    )
    if procedure.find_cliff is not None:
        rounds += (
            " Batch sizes beyond the study's were measured after it, one by one, each in fresh "
            "processes."
        )
    repetitions = (
        f"The number of repetitions k was not fixed: each workload was measured in "
        f"{procedure.processes} fresh process{'es' * (procedure.processes > 1)}, at least "
        f"{procedure.min_calls} calls and {procedure.min_rounds} rounds, until half of its "
        f"{units.percent(procedure.confidence)} interval was within "
        f"{units.percent(procedure.target)} of the median, or for "
        f"{units.count(procedure.max_calls)} calls or {units.duration(procedure.max_time_s)} of "
        "timed work."
    )
    calls = [int(n) for r in records if (n := r.number("latency_calls")) is not None]
    if calls:
        short = ", as the budget ended" * (min(calls) < procedure.min_calls)
        repetitions += f" Here, k was {_range(calls)}{short}."
    return [warm, rounds, repetitions, *_interval(records)]


def _interval(records: Sequence[Record]) -> list[str]:
    methods = {str(m) for r in records if (m := r.figures.get("latency_ci_method"))}
    if not methods:
        return []
    return [
        (
            f"Intervals: {joined(sorted(methods))}; rounds and processes, not calls, count as "
            "independent. Two latencies are called different only where the interval of their "
            "ratio leaves out 1, or, without a joint fit, where their intervals do not overlap."
        )
    ]


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return units.count(low) if low == high else f"{units.count(low)} to {units.count(high)}"
