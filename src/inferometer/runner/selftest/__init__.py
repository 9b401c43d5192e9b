"""Self-test: the instrument measures what is known, and says how far off it is."""
