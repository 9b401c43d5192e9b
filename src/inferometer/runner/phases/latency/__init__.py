"""Latency phase: warm-up, interleaved rounds, replicates, records."""
