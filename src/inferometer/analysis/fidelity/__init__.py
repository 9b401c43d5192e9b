"""Where outputs of two models part."""
