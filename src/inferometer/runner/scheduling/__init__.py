"""Scheduling of a run: which workload gets the next round or replicate, and what it will cost."""
