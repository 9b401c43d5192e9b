"""Levels of a series of figures over many runs, and where they changed."""
