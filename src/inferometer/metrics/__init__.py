"""Measures of accuracy: what is kept of each sample, and the value over any weighting of them."""

from inferometer.metrics.choosing import NAMES, check_metric, metric_for
from inferometer.metrics.weighting import Reweighs, SumsUp, values

__all__ = ["NAMES", "Reweighs", "SumsUp", "check_metric", "metric_for", "values"]
