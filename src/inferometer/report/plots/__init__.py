"""Plots of a report: which there are, and how matplotlib draws them."""
