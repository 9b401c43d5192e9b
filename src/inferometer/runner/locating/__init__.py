"""Which operators make the outputs of a variant differ from those of its reference."""
