"""How steeply a figure grows with a factor, and how well the factor orders the models by it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from inferometer.analysis.findings import Effect
from inferometer.analysis.grid import Column
from inferometer.analysis.hypotheses.pairs import Cell, Stratum
from inferometer.core import units
from inferometer.stats.slopes import Slope, agreement, log_slope, mean_slope, mean_tau

TWO = 2


@dataclass(frozen=True, kw_only=True)
class Order:
    """Models by a factor and, in each stratum, by a figure.

    Attributes:
        models: their references, sorted.
        factor: of each, where most of them were measured.
        figures: logarithm of the figure of each in each stratum, NaN where it has none.
    """

    models: tuple[str, ...]
    factor: tuple[float, ...]
    figures: tuple[tuple[float, ...], ...]

    @property
    def tau(self) -> float:
        """Kendall's tau-b, averaged over the strata."""
        return mean_tau(self.factor, self.figures)


def exponent(found: Sequence[Stratum], *, along: bool) -> Effect | None:
    """The scaling exponent over all strata; None where the factor has no logarithms to fit.

    Args:
        found: at least one.
        along: whether the factor is an axis, or else a property of the models.
    """
    return _over_variants(found) if along else _over_models(found)


def slope(stratum: Stratum, confidence: float = 0.95) -> Slope | None:
    """Exponent of one stratum; None where not two of its factors have a logarithm."""
    cells = _above_zero(stratum)
    if len({cell.factor for cell in cells}) < TWO:
        return None
    return log_slope([c.factor for c in cells], [c.value for c in cells], confidence)


def order(found: Sequence[Stratum]) -> Order:
    """The models of the stratum that holds most of them, at least two, in all strata."""
    widest = max(found, key=lambda one: len(one.cells))
    factor = {_model(cell): cell.factor for cell in widest.cells}
    models = tuple(sorted(factor))
    seen = [{_model(cell): cell.side.log_median for cell in one.cells} for one in found]
    figures = [tuple(one.get(model, math.nan) for model in models) for one in seen]
    return Order(
        models=models,
        factor=tuple(factor[model] for model in models),
        figures=tuple(row for row in figures if sum(map(math.isfinite, row)) >= TWO),
    )


def order_effect(found: Sequence[Stratum], *, rises: bool) -> Effect:
    """How well the order of the models by the factor is their order by the figure.

    Args:
        found: at least one.
        rises: whether the factor is expected to order them upwards; the p is of that direction.
    """
    seen, way = order(found), 1 if rises else -1
    test = agreement([way * value for value in seen.factor], seen.figures)
    orders = "all orders" if test.exact else f"{units.count(test.orders)} orders"
    method = (
        f"Kendall's tau over {test.items} models, mean of {len(seen.figures)} strata; one-sided "
        f"p = {test.p:.2g} by permutation of {orders}; so few models give {test.least_p:.2g} at "
        "the least"
    )
    value = way * test.tau
    return Effect(name="order agreement", value=value, low=None, high=None, method=method)


def _over_variants(found: Sequence[Stratum]) -> Effect:
    """Mean exponent of the variants, each with the mean of its series."""
    by_column: dict[Column, list[float]] = defaultdict(list)
    for one in found:
        if (fitted := slope(one)) is not None:
            by_column[one.cells[0].column].append(fitted.value)
    mean = mean_slope([fmean(values) for values in by_column.values()])
    method = (
        f"mean of the log-log slopes of {mean.points} variants, Student's t on their spread"
        if mean.low is not None
        else "log-log slope of one variant: no spread, no interval"
    )
    return _effect(mean, method)


def _over_models(found: Sequence[Stratum]) -> Effect | None:
    """Exponent over models, from their means over the strata that hold the same, most of all."""
    positive = [cells for one in found if len(cells := _above_zero(one)) >= TWO]
    widest = max((_models(cells) for cells in positive), key=len, default=set())
    centred: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for cells in positive:
        if _models(cells) == widest:
            logs = [(math.log(cell.factor), cell.side.log_median) for cell in cells]
            u_mean, v_mean = (fmean(part) for part in zip(*logs, strict=True))
            for cell, (u, v) in zip(cells, logs, strict=True):
                centred[_model(cell)].append((u - u_mean, v - v_mean))
    x = [math.exp(fmean(u for u, _ in points)) for points in centred.values()]
    y = [math.exp(fmean(v for _, v in points)) for points in centred.values()]
    if len(set(x)) < TWO:
        return None
    fitted = log_slope(x, y)
    method = f"log-log slope over the means of {fitted.points} models, " + (
        "Student's t" if fitted.low is not None else "two models leave nothing to judge it by"
    )
    return _effect(fitted, method)


def _above_zero(stratum: Stratum) -> list[Cell]:
    """Cells whose factor has a logarithm: a model may be without any parameters."""
    return [cell for cell in stratum.cells if cell.factor > 0]


def _model(cell: Cell) -> str:
    return cell.column.variant.model


def _models(cells: Sequence[Cell]) -> set[str]:
    return {_model(cell) for cell in cells}


def _effect(found: Slope, method: str) -> Effect:
    return Effect(
        name="scaling exponent", value=found.value, low=found.low, high=found.high, method=method
    )
