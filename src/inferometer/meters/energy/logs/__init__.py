"""Logs that a power meter wrote by itself."""
