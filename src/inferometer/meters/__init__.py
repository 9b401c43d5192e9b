"""One file for each instrument. A meter watches a stretch of work and knows nothing of models."""
