"""From records to tables, series and facts. Knows no file, terminal, page or plot."""
