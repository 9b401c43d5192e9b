"""Joint fit of all rounds of a run: workloads, their processes, the machine's state, and noise."""

LARGEST = 2500
"""Workloads and processes together; the dense part grows with the third power."""
