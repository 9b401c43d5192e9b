"""Turns records into tables, series and facts. Knows no file, terminal, page or plot."""
