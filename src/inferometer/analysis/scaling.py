"""How latency grows along an axis: a fixed part, a part for each sample, and the best batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from inferometer.analysis import facts
from inferometer.analysis.findings import Effect, Scaling
from inferometer.analysis.grid import Column, Grid
from inferometer.core import units
from inferometer.core.metric import Estimate
from inferometer.core.workload import Shape, size_label
from inferometer.stats.affine import Affine, Part, affine
from inferometer.stats.slopes import Slope, log_slope

STRAIGHT = 0.25
"""Scatter about the line up to which latency is said to follow it."""
SIDES = {
    "pixel": "side (2 is in proportion to the pixels of an image)",
    "position": "length (1 is in proportion to it)",
}
ROUNDING = 1e-9
"""A part for each sample of less than this share of the fixed one is none."""
TWO = 2
METHOD = "least squares on relative residuals, {} points, Student's t"
EXACT = "{} points: nothing is left to judge the line by"


def scaling(grid: Grid) -> list[Scaling]:
    """Fits along the batch size and along the input size, of every series of two points or more."""
    found = []
    for column in grid.columns:
        for size in grid.sizes:
            seen = facts.latencies(grid, column, grid.rows(size))
            if len(seen) >= TWO:
                found.append(_along_batches(column, size, seen))
    return found + [one for column in grid.columns for one in _along_sizes(grid, column)]


def _along_batches(column: Column, size: int | None, seen: Mapping[Shape, Estimate]) -> Scaling:
    batches = [shape.batch_size for shape in seen]
    latencies = [estimate.value for estimate in seen.values()]
    line, slope = affine(batches, latencies), log_slope(batches, latencies)
    rates = [batch / latency for batch, latency in zip(batches, latencies, strict=True)]
    best = max(range(len(rates)), key=rates.__getitem__)
    marginal = _marginal(batches, latencies, best)
    subject = f"{column.label} at {'its own size' if size is None else size}"
    text = (
        f"{subject}: {_line_text(line)}; throughput is highest at batch {batches[best]} "
        f"({units.number(rates[best])}/s)"
    )
    if marginal is not None:
        text += f", where one more sample costs {units.seconds(marginal)}"
    return Scaling(
        subject=subject,
        axis="batch_size",
        fixed_s=_effect("fixed latency", line.fixed, line),
        per_input_s=_effect("latency per input", line.per_unit, line),
        exponent=_exponent(slope),
        best=batches[best],
        best_throughput_per_s=rates[best],
        marginal_s=marginal,
        points=len(batches),
        sentence=f"{text}.",
    )


def _along_sizes(grid: Grid, column: Column) -> list[Scaling]:
    series: dict[int, dict[int, float]] = defaultdict(dict)
    for shape, estimate in facts.latencies(grid, column, grid.shapes).items():
        if shape.input_size is not None:
            series[shape.batch_size][shape.input_size] = estimate.value
    unit, power = facts.size_unit(grid, column)
    return [
        _one_size_series(f"{column.label} at batch {batch}", seen, unit, power)
        for batch, seen in sorted(series.items())
        if len(seen) >= TWO
    ]


def _one_size_series(subject: str, seen: Mapping[int, float], unit: str, power: int) -> Scaling:
    slope = log_slope(list(seen), list(seen.values()))
    enough = len(seen) > TWO
    line = affine([size**power for size in seen], list(seen.values())) if enough else None
    sizes = f"{size_label(min(seen))} to {size_label(max(seen))}"
    text = (
        f"{subject}: from input size {sizes} latency grows with the power "
        f"{units.number(slope.value)} of the {SIDES[unit]}"
    )
    return Scaling(
        subject=subject,
        axis="input_size",
        fixed_s=None if line is None else _effect("fixed latency", line.fixed, line),
        per_input_s=None if line is None else _effect(f"latency per {unit}", line.per_unit, line),
        exponent=_exponent(slope),
        best=None,
        best_throughput_per_s=None,
        marginal_s=None,
        points=len(seen),
        sentence=f"{text}.",
    )


def _marginal(batches: Sequence[int], latencies: Sequence[float], best: int) -> float | None:
    """What one more sample costs between the best batch and its smaller neighbour, else its larger.

    None where more samples took less time there.
    """
    other = best - 1 if best else best + 1
    cost = (latencies[best] - latencies[other]) / (batches[best] - batches[other])
    return cost if cost > 0 else None


def _line_text(line: Affine) -> str:
    fixed, each = line.fixed.value, line.per_unit.value
    if line.scatter is not None and line.scatter > STRAIGHT:
        scatter = units.percent(line.scatter)
        return f"latency does not follow a line of the batch size (scatter {scatter})"
    if each <= ROUNDING * fixed:
        return "latency does not grow with the batch size"
    of_call = f"{units.seconds(fixed)} for a call and " if fixed > ROUNDING * each else ""
    return f"latency is about {of_call}{units.seconds(each)} for each sample"


def _effect(name: str, part: Part, line: Affine) -> Effect:
    method = (METHOD if part.low is not None else EXACT).format(line.points)
    return Effect(name=name, value=part.value, low=part.low, high=part.high, method=method)


def _exponent(slope: Slope) -> Effect:
    method = f"log-log slope of {slope.points} points" + (
        ", Student's t" if slope.low is not None else ": two leave nothing to judge it by"
    )
    return Effect(
        name="scaling exponent", value=slope.value, low=slope.low, high=slope.high, method=method
    )
