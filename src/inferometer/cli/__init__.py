"""The command line: one file for each command. The only place that exits."""
