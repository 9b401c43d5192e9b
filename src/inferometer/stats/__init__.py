"""Numbers only: pure functions over sequences. Knows no model, record, clock or file."""
