"""Joint fit of all rounds of a run: workloads, their processes, the machine's state, and noise."""
