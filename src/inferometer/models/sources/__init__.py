"""One file for each place where models come from. A source knows its library and no other's."""
