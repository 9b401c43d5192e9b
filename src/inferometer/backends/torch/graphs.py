"""Calls on CUDA that replay a captured graph: no operator is started from Python any more."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from inferometer.core.errors import WorkloadError, in_one_line, is_out_of_memory

if TYPE_CHECKING:
    import torch

    from inferometer.core.model import PlacedInputs

CALLS_BEFORE = 3
"""Calls on a stream of its own before a capture, as torch's documentation asks for."""


class GraphCall:
    """A call that waits for its replay; its output lies where the last one lay.

    Args:
        forward: the call that is captured, with the inputs that it holds.
        device: which GPU.
    """

    def __init__(self, forward: Callable[[], object], device: str) -> None:
        self._forward = forward
        self._device = device
        self._graph: torch.cuda.CUDAGraph | None = None
        self._output: object = None

    def __call__(self) -> object:
        """Replay the graph, captured now where it was not."""
        import torch

        if self._graph is None:
            self.capture()
        assert self._graph is not None
        self._graph.replay()
        torch.cuda.synchronize(self._device)
        return self._output

    def capture(self) -> None:
        """Capture the call.

        Raises:
            WorkloadError: (unsupported) what it does on the GPU cannot be captured.
        """
        import torch

        try:
            stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
            stream.wait_stream(torch.cuda.current_stream(self._device))
            with torch.cuda.stream(stream):
                for _ in range(CALLS_BEFORE):
                    self._forward()
            torch.cuda.current_stream(self._device).wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._output = self._forward()
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            raise WorkloadError(
                "unsupported",
                f"no CUDA graph of this model can be captured ({in_one_line(error)}); "
                "leave out the option cuda_graphs",
            ) from error
        self._graph = graph


class GraphCalls:
    """The last captured call of a session, which serves as long as the inputs stay the same.

    Args:
        device: which GPU.
        running: what is entered around calls.
    """

    def __init__(self, device: str, running: Callable[[], AbstractContextManager[object]]) -> None:
        self._device = device
        self._running = running
        self._last: tuple[PlacedInputs, GraphCall] | None = None

    def call(self, placed: PlacedInputs, forward: Callable[[], object]) -> GraphCall:
        """The call with these inputs.

        The very first is captured when it is made, so that a cold start holds it; later ones now,
        before anything is timed.
        """
        if self._last is not None and self._last[0] is placed:
            return self._last[1]
        made = GraphCall(forward, self._device)
        if self._last is not None:
            with self._running():
                made.capture()
        self._last = (placed, made)
        return made
