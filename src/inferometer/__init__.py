"""Measures what a neural network's inference costs on the device in front of you."""

__version__ = "0.1.0"
