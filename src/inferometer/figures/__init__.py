"""Figures and verdicts of a workload, from its rounds. Does not know how they were measured."""
