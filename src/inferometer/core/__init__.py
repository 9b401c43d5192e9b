"""The nouns of the instrument. Knows no runtime, instrument, file format or plot."""
