"""A profile in a terminal and as JSON: latencies, what the profiler adds, and two tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from inferometer.analysis.profile import ModuleRow, OperatorRow, module_rows, operator_rows
from inferometer.core import units
from inferometer.core.metric import Estimate
from inferometer.core.profile import CallTree, Node, OperatorTime
from inferometer.report.document import marks
from inferometer.report.document.wording import plural, sentence
from inferometer.report.terminal.output import Output, bare_table, print_list, print_table, say
from inferometer.runner.profile import Profiled

By = Literal["operator", "module"]
SHOWN = 0.005
"""Rows below this share of the time are summed up in one line."""
DEPTH = 2
TOO_WIDE = 4.0
"""An interval of what the profiler adds whose ends are so many times apart says nothing."""
FLOPS = "FLOP/s"
_OUTSIDE = {"host": "outside any operator", "device": "no kernel running"}
_CLOCKS = {
    "host": "times are those on the calling thread under the profiler, and nothing is scaled",
    "device": (
        "times are those of the device's kernels, by the operator that started them; kernels that "
        "run at once count each"
    ),
}
_ROWS = (
    "rows are means over the middle half of the profiled calls, so that they add up; ± is half the "
    "distance between the quartiles of all; self is without the operators that it called, own "
    "without the modules"
)


def print_profile(
    found: Profiled,
    *,
    by: By | None = None,
    depth: int | None = None,
    console: Console | None = None,
) -> None:
    """Print a profile.

    Args:
        found: it, with the operations of a call where they were counted.
        by: which table; None is both.
        depth: how deep the tree of modules is shown; None is 2.
        console: where to print; standard output by default.
    """
    console = console or Output(highlight=False)
    profile, tree = found.profile, found.profile.tree
    say(console, heading(found), style="bold")
    say(console, sentence(f"latency {latency_text(profile.plain)}"))
    say(console, sentence(f"under the profiler {latency_text(profile.profiled)}"))
    say(console, sentence(added_text(profile.added)))
    if by in (None, "operator"):
        console.print()
        rows = operator_rows(tree, found.cost)
        print_table(console, _operators(tree, rows, console.width))
    if by in (None, "module"):
        console.print()
        depth = DEPTH if depth is None else depth
        modules = module_rows(tree, found.cost, depth)
        print_table(console, _modules(tree, modules, console.width))
    console.print()
    for line in _explanations(found):
        say(console, sentence(line))
    print_list(console, "Notes:", [sentence(note) for note in tree.notes])


def heading(found: Profiled) -> str:
    """What was profiled, in one line."""
    workload, input_shape = found.workload, found.profile.input_shape
    variant, threads = workload.variant, workload.threads
    with_threads = "" if threads is None else f", {plural(threads, 'thread')}"
    runs_in = f"{variant.backend} {variant.precision} on {workload.device}{with_threads}"
    return f"{variant.model} · {runs_in} · input {input_shape}"


def latency_text(estimate: Estimate) -> str:
    """A median latency with its interval or why there is none, and how many calls it is of."""
    calls = plural(estimate.n, "call")
    known = "" if estimate.low is not None else "; too few of them are independent for an interval"
    return f"{units.latency(estimate)}, median of {calls}{known}"


def added_text(added: Estimate) -> str:
    """What the profiler adds to a call, with its interval or why there is none."""
    if added.value < 0 and (added.low is None or added.low < 0):
        return "what the profiler adds to a call is lost in noise: give it more --seconds"
    share = f"the profiler adds {units.percent(added.value)} to a call"
    if added.low is None or added.high is None:
        return f"{share} (no interval: {plural(added.n, 'repetition')}, too few)"
    if 1 + added.high > TOO_WIDE * (1 + added.low):
        return f"{share}, but its repetitions differ too much to be sure: give it more --seconds"
    ends = f"{units.percent(added.low)} to {units.percent(added.high)}"
    return f"{share} ({ends}, {units.percent(added.confidence)} interval)"


def row(found: Profiled, *, depth: int | None = None) -> dict[str, Any]:
    """A profile as a JSON object; seconds and shares of the profiled calls.

    Args:
        found: it, with the operations of a call where they were counted.
        depth: how deep the list of modules goes; None is to the bottom.
    """
    profile, cost, tree = found.profile, found.cost, found.profile.tree
    return {
        **found.workload.to_json(),
        "input_shape": profile.input_shape,
        "latency": asdict(profile.plain),
        "latency_profiled": asdict(profile.profiled),
        "profiler_share": asdict(profile.added),
        "clock": tree.clock,
        "total_s": tree.root.total_s,
        "outside_s": tree.outside_s,
        "events": tree.events,
        "macs": None if cost is None else cost.macs,
        "macs_reason": found.no_cost or None,
        "notes": list(tree.notes),
        "operators": [_operator_row(one, tree) for one in operator_rows(tree, cost)],
        "modules": [_module_row(one, tree) for one in module_rows(tree, cost, depth)],
        "tree": asdict(tree.root),
    }


def _operator_row(one: OperatorRow, tree: CallTree) -> dict[str, Any]:
    return {
        **asdict(one.time),
        "share": share_of(one.time.self_s, tree),
        "kind": one.kind,
        "macs": one.macs,
        "flops_per_s": one.flops_per_s,
    }


def _module_row(one: ModuleRow, tree: CallTree) -> dict[str, Any]:
    node = one.node
    return {
        "module": node.name,
        "type": node.type,
        "depth": one.depth,
        "calls": node.calls,
        "total_s": node.total_s,
        "low_s": node.low_s,
        "high_s": node.high_s,
        "own_s": node.own_s,
        "outside_operators_s": node.self_s,
        "share": share_of(node.total_s, tree),
        "macs": one.macs,
        "flops_per_s": one.flops_per_s,
    }


def share_of(seconds: float, tree: CallTree) -> float | None:
    """Seconds as a share of a profiled call; None where that took no time."""
    return seconds / tree.root.total_s if tree.root.total_s > 0 else None


def _operators(tree: CallTree, rows: Sequence[OperatorRow], width: int) -> Table:
    table = _table("operator", "kind", "calls", "self", "±", "share", FLOPS)
    shown = [one for one in rows if (share_of(one.time.self_s, tree) or 0) >= SHOWN]
    for one in shown:
        time = one.time
        _add(
            table,
            marks.shorten(time.name.removeprefix("aten::"), max(28, width - 51)),
            one.kind or "",
            _calls(time.calls),
            units.seconds(time.self_s),
            _spread(time, time.self_s),
            _share(time.self_s, tree),
            _rate(one.flops_per_s),
        )
    rest = rows[len(shown) :]
    if rest:
        rest_s = sum(one.time.self_s for one in rest)
        calls = _calls(sum(one.time.calls for one in rest))
        _add(
            table,
            plural(len(rest), "other"),
            "",
            calls,
            units.seconds(rest_s),
            "",
            _share(rest_s, tree),
            "",
        )
    outside_s = tree.outside_s
    _add(
        table,
        _OUTSIDE[tree.clock],
        *("", "", units.seconds(outside_s), "", _share(outside_s, tree), ""),
    )
    total_s = tree.root.total_s
    _add(table, "sum", "", "", units.seconds(total_s), "", _share(total_s, tree), "")
    return table


def _modules(tree: CallTree, rows: Sequence[ModuleRow], width: int) -> Table:
    table = _table("module", "class", "calls", "total", "±", "share", "own", FLOPS)
    hidden = 0
    for one in rows:
        node = one.node
        if one.depth and (share_of(node.total_s, tree) or 0) < SHOWN:
            hidden += 1
            continue
        _add(
            table,
            _indented(node, one.depth, max(22, width - 58)),
            marks.shorten(node.type, 14),
            _calls(node.calls),
            units.seconds(node.total_s),
            _spread(node, node.total_s),
            _share(node.total_s, tree),
            units.seconds(node.own_s),
            _rate(one.flops_per_s),
        )
    if hidden:
        _add(table, f"({hidden} below {units.percent(SHOWN)} each)", *[""] * 7)
    return table


def _explanations(found: Profiled) -> list[str]:
    """What the figures are."""
    known = (
        f"{FLOPS}: two for each multiply-accumulate, over the time under the profiler; none where "
        "there are none, or where they are not known of the whole row"
    )
    return [
        _CLOCKS[found.profile.tree.clock],
        _ROWS,
        known if found.cost else f"no {FLOPS}: operations were not counted: {found.no_cost}",
    ]


def _indented(node: Node, depth: int, length: int) -> str:
    """The last part of a module's path below its parents, which stand above it."""
    indent = "  " * min(depth, length // 4)
    name = node.name.rpartition(".")[2] or "(network)"
    return indent + marks.shorten(name, length - len(indent))


def _calls(calls: float) -> str:
    return units.count(round(calls)) if calls == round(calls) else units.number(calls)


def _spread(one: Node | OperatorTime, value: float) -> str:
    """Half the distance of the quartiles, as a share of the value."""
    return units.half_width((one.high_s - one.low_s) / 2 / value) if value > 0 else ""


def _share(seconds: float, tree: CallTree) -> str:
    return units.percent(share_of(seconds, tree))


def _rate(flops_per_s: float | None) -> str:
    return "" if flops_per_s is None else units.quantity(flops_per_s, "").rstrip()


def _table(first: str, second: str, *figures: str) -> Table:
    table = bare_table(gap=1)
    table.add_column(first, no_wrap=True)
    table.add_column(second, no_wrap=True)
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*map(Text, cells))
