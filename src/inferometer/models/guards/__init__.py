"""Looks at model files before a runtime reads them: what could run code in them is refused.

Nothing here runs what a file holds, and nothing is unpacked before its size is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Looks:
    """Adds up the time of all looks: loading is timed without it, as users load without it.

    Attributes:
        seconds: so far.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0

    def timed(self, look: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        """A look whose time is added; one inside another counts once."""

        @wraps(look)
        def timing(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            begin = time.perf_counter()
            self._depth += 1
            try:
                return look(*args, **kwargs)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.perf_counter() - begin

        return timing


LOOKS = Looks()
"""Of this process."""
