"""Workloads over time and versions: records of many runs → courses with their changes.

Knows no store, terminal, plot or file.
"""
