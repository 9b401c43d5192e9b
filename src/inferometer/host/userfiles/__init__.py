"""Python files of the user's: run so that their imports find what the user means."""

from inferometer.host.userfiles.finder import importable, place_of, run
from inferometer.host.userfiles.surroundings import as_by_itself

__all__ = ["as_by_itself", "importable", "place_of", "run"]
