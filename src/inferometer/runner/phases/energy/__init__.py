"""Energy in a run: what it is measured with, its windows, its figures, and logs joined later."""
