"""Comparisons as the cells of a table, and as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from inferometer.analysis.accuracy import AccuracyDifference
from inferometer.analysis.compare import PAIRED, Comparison
from inferometer.analysis.gate import Gate
from inferometer.analysis.matching import Matching
from inferometer.analysis.sides import PROCESS_ALLOWANCE
from inferometer.core import units
from inferometer.report.document.wording import few, plural, sentence

SETTLED = ("trusted", "None")
"""Verdicts of a record that need no mention."""
MOST_ROUNDS = 10_000
"""At a quarter of a second a round these take well over an hour: nobody should wait for more."""


def heads(comparisons: Sequence[Comparison]) -> list[str]:
    """Names of the columns."""
    baselines = {one.match.names[0] for one in comparisons}
    baseline = next(iter(baselines)) if len(baselines) == 1 else "baseline"
    contenders = {one.match.names[1] for one in comparisons}
    contender = next(iter(contenders)) if len(contenders) == 1 else "contender"
    extra = ["contender"] if len(contenders) > 1 else []
    return [
        "workload",
        *extra,
        baseline,
        "its time" if extra else contender,
        "ratio [95 % interval]",
        "verdict",
    ]


def cells(comparisons: Sequence[Comparison]) -> list[list[str]]:
    """A row for each comparison, to go with `heads`."""
    several = len({one.match.names[1] for one in comparisons}) > 1
    rows = []
    for one in comparisons:
        row = one.row()
        extra = [one.match.names[1]] if several else []
        times = [units.seconds(row["baseline_value"]), units.seconds(row["contender_value"])]
        rows.append([one.match.workload, *extra, *times, ratio_text(one), one.verdict])
    return rows


def ratio_text(one: Comparison) -> str:
    """A ratio with its interval: `0.942 [0.921, 0.963]`."""
    interval = one.difference.interval(one.confidence)
    if interval is None:
        return f"{_ratio(one.difference.ratio)} [no interval]"
    if units.is_unbounded(one.difference.ratio, interval.high):
        return f"{_ratio(one.difference.ratio)} [unbounded]"
    return f"{_ratio(one.difference.ratio)} [{_ratio(interval.low)}, {_ratio(interval.high)}]"


def explanations(
    comparisons: Sequence[Comparison], matching: Matching, *, zone: float
) -> list[str]:
    """What the table shows, how it was made, and what must be known of it."""
    how = " and ".join(dict.fromkeys(one.method for one in comparisons))
    many = f"; verdicts by Holm's method over {len(comparisons)}" * (len(comparisons) > 1)
    ratio = f"Ratio: time of the contender over that of the baseline ({how}{many})."
    lines = [f"{ratio} Equivalent: surely within ± {units.percent(zone)}."]
    if any(one.method != PAIRED and not _is_across_devices(one) for one in comparisons):
        lines.append("A paired run (inferometer run --pair) tells smaller differences apart.")
    if any(one.difference.units == 1 for one in comparisons):
        lines.append(
            "One process on a side: how much fresh processes differ was not observed; "
            f"the intervals allow {units.percent(PROCESS_ALLOWANCE)} for it. Measure with "
            "--processes 3 or more."
        )
    return [*lines, *(f"Note: {note}." for note in matching.notes)]


def _is_across_devices(one: Comparison) -> bool:
    sides = one.match.baseline, one.match.contender
    return len({side.run.get("device_name") for side in sides}) > 1


def undecided(comparisons: Sequence[Comparison]) -> list[str]:
    """What would decide those comparisons that are undecided, each way once."""
    names: dict[str, list[str]] = {}
    for one in comparisons:
        if one.verdict == "undecided":
            names.setdefault(_what_decides(one), []).append(_name(one))
    return [f"{few(mine)}: {what}" for what, mine in names.items()]


def _what_decides(one: Comparison) -> str:
    if one.difference.interval(one.confidence) is None:
        return "a side has no interval, so nothing can be decided"
    if one.more_rounds is None:
        return "more rounds alone would not decide"
    if one.more_rounds > MOST_ROUNDS:
        return (
            f"the sides are too alike to tell apart: it is not worth the more than "
            f"{MOST_ROUNDS:,} more rounds of each that would decide"
        )
    return f"about {plural(one.more_rounds, 'more round')} of each side would decide"


def accuracies(comparisons: Sequence[Comparison]) -> list[str]:
    """Speed and accuracy of each in a line: `bf16 resnet18 32/8: faster, and not worse: …`."""
    return [
        f"{_name(one)}: {one.verdict} ({ratio_text(one)}), and {_worse(one.accuracy)}"
        for one in comparisons
        if one.accuracy is not None
    ]


def _worse(found: AccuracyDifference) -> str:
    """What is known of the loss, with the figures behind it."""
    values = " against ".join(
        units.ABSENT if value is None else f"{value:.4g}"
        for value in (found.accuracy_contender, found.accuracy_baseline)
    )
    behind = f"{found.accuracy_metric} {values}"
    if found.accuracy_examples:
        behind += f" over {plural(found.accuracy_examples, 'sample')} of {found.dataset}"
    low, high = found.accuracy_difference_low, found.accuracy_difference_high
    if found.accuracy_difference is None or low is None or high is None:
        return f"whether it is worse is not known: {behind}"
    behind += f"; {found.accuracy_difference:+.4f} [{low:+.4f}, {high:+.4f}]"
    loss = (-high, -low) if found.higher_is_better else (low, high)
    margin = f"{found.accuracy_margin:.4g}"
    words = {
        "not_worse": f"not worse by {margin} or more",
        "worse": f"worse by {max(loss[0], 0.0):.4f} to {loss[1]:.4f}",
        "worse_than_margin": f"worse by {loss[0]:.4f} to {loss[1]:.4f}",
        "undecided": f"whether it is worse by {margin} is undecided",
    }
    return f"{words[found.accuracy_verdict]}{_further(found)} ({behind})"


def _further(found: AccuracyDifference) -> str:
    if found.accuracy_verdict != "undecided":
        return ""
    if found.accuracy_more_examples is None:
        return ", and no reasonable number of samples would decide"
    return f": about {plural(found.accuracy_more_examples, 'more sample')} would decide"


def gate_sentence(found: Gate, *, undecided: bool) -> str:
    """Why a gate passed or failed: `Failed: slower by more than 5 %: resnet18 224/1, 3fa9 …`.

    Args:
        found: what the intervals say of the limit.
        undecided: whether a draw passes.
    """
    limit = units.percent(found.limit)
    slower = _listed(f"slower by more than {limit}", found.slower)
    drawn = _listed(f"undecided, as no interval excludes {limit}", found.undecided)
    missing = [f"without a figure: {few(found.missing)}"] * bool(found.missing)
    if not found.passes(undecided=undecided):
        reasons = [*slower, *missing, *([] if undecided else drawn)]
        return sentence(f"Failed: {'; '.join(reasons)}")
    if found.undecided:
        return sentence(f"Passed, with --undecided pass: {drawn[0]}")
    if not found.within:
        return "Passed: there was nothing to compare."
    what = plural(len(found.within), "comparison")
    return f"Passed: {what}, with all of the interval at most {limit} slower."


def _listed(what: str, found: Sequence[Comparison]) -> list[str]:
    """Comparisons with their intervals after what is said of them; nothing where there is none."""
    named = few([f"{_name(one)} {ratio_text(one)}" for one in found])
    return [f"{what}: {named}"] * bool(found)


def _name(one: Comparison) -> str:
    return f"{one.match.names[1]} {one.match.workload}"


def doubts(comparisons: Sequence[Comparison]) -> list[str]:
    """Verdicts on the sides' own figures that are not trusted, each with the sides."""
    found: dict[str, dict[str, None]] = {}
    for one in comparisons:
        for name, side in zip(
            one.match.names, (one.match.baseline, one.match.contender), strict=True
        ):
            verdict = str(side["verdict"])
            if verdict not in SETTLED:
                found.setdefault(verdict, {})[f"{name} {one.match.workload}"] = None
    return [f"{verdict}: {few(list(sides))}" for verdict, sides in found.items()]


def _ratio(value: float) -> str:
    return f"{value:.3f}" if value < 10 else units.number(value)  # noqa: PLR2004 - 1.003 is not 1
