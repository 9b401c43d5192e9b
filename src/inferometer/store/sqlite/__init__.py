"""A store as one SQLite file: opening, locking, versions, and a file that nobody believes."""
