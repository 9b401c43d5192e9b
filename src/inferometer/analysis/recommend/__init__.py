"""Which workload to take, among several that trade one figure for another."""

from inferometer.analysis.recommend.decide import recommend

__all__ = ["recommend"]
