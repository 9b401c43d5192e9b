"""Power meters that are asked over a network."""
