"""Searches for the variant, threads and batch size that serve a goal best: a race, not a grid."""
