"""What sessions of runtimes without modes have in common."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from inferometer.backends.finite import minus_infinite, non_finite


class PlainSession:
    """A session on the processor; nothing has to be entered around its calls."""

    device: str = "cpu"

    def running(self) -> AbstractContextManager[object]:
        """Nothing has to be entered."""
        return nullcontext()

    def non_finite(self, output: object) -> str | None:
        """Look at numbers, arrays and tensors in the output, however nested."""
        return non_finite(output)

    def minus_infinite(self, output: object) -> str | None:
        """Look for minus infinity, in the same places."""
        return minus_infinite(output)
