"""The light agent's code: Python 3.6 and its standard library, joined into one file for a board.

Knows nothing else of inferometer, and reads the same things of a device as `host` does.
"""
