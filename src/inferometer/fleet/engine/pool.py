"""Equal devices that take blocks from one queue: which are free, at work, away, or left out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue

from inferometer.core.errors import FleetError
from inferometer.fleet.engine.drive import LostError, Pace, StoppedError
from inferometer.fleet.types import AnswerError, Board, LoginError, RefusedError


class Pool:
    """Boards that are free to take a block; those that are away come back by themselves.

    Args:
        boards: of one class.
        pace: how often a board that is away is looked at.
        stop: ends the looks.
        note: is given a sentence for people.
        busy: names of those that are not free yet, as a job of ours goes on there.
    """

    def __init__(
        self,
        boards: Iterable[Board],
        pace: Pace,
        stop: threading.Event,
        note: Callable[[str], None],
        *,
        busy: Collection[str] = (),
    ) -> None:
        self._free: SimpleQueue[Board] = SimpleQueue()
        self._pace, self._stop, self._note = pace, stop, note
        self._lock = threading.Lock()
        self._hoped = self._busy = 0  # those that may do something yet, and those that do
        for board in boards:
            self._hoped += 1
            if board.device.name not in busy:
                self._free.put(board)

    def take(self) -> Board:
        """A free board, as soon as there is one.

        Raises:
            LostError: none is left, or none came back in the time that they are waited for.
            StoppedError: the user ended it.
        """
        waited = 0.0
        while waited < self._pace.patience_s and self._hoped:
            if self._stop.is_set():
                raise StoppedError("left as it is")
            step = min(self._pace.retry_s, 0.5)
            try:
                return self._free.get(timeout=step)
            except Empty:
                # Those at work come back: only time in which nobody works is waiting.
                waited = 0.0 if self._busy else waited + step
        raise LostError("no device is left that could measure it")

    def give_back(self, board: Board) -> None:
        """Make a board free again."""
        self._free.put(board)

    def drop(self) -> None:
        """Give a board up for good."""
        with self._lock:
            self._hoped -= 1

    def at_work(self, change: int) -> None:
        """Note that a board begins (1) or ends (-1) a block."""
        with self._lock:
            self._busy += change

    def set_aside(self, board: Board, abandoned: str) -> None:
        """Look at a board now and then until it is back and free; in a thread of its own.

        Args:
            board: that is away, or held by somebody else.
            abandoned: a job of ours that may still run there, and is ended then; or empty.
        """
        threading.Thread(
            target=self._watch, args=(board, abandoned), daemon=True, name=board.device.name
        ).start()

    def _watch(self, board: Board, abandoned: str) -> None:
        while not self._stop.wait(self._pace.probe_s):
            if not abandoned or self._is_ended(board, abandoned):
                abandoned = ""
                if self._is_over(board):
                    return

    def _is_ended(self, board: Board, job: str) -> bool:
        """Whether a job that another device has taken over was ended."""
        with suppress(FleetError):
            board.cancel(job)
            return True
        return False

    def _is_over(self, board: Board) -> bool:
        """Whether there is nothing more to look for: the board is back, or of no use."""
        try:
            free = board.check().holder is None
        except (LoginError, AnswerError, RefusedError) as error:
            self._note(f"{error}; it is left out")
            self.drop()
            return True
        except FleetError:
            return False
        if free:
            self._note(f"{board.device.name}: it is there and free; it takes part")
            self.give_back(board)
        return free
