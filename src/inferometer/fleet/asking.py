"""Many boards asked at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from inferometer.core.errors import FleetError
from inferometer.fleet.types import Board

Answered = TypeVar("Answered")

AT_ONCE = 32
"""Conversations side by side: each is a process of `ssh`."""


@dataclass(frozen=True, kw_only=True)
class Reply(Generic[Answered]):
    """What came of asking a board.

    Attributes:
        board: who was asked.
        answer: what it said; None where it could not be asked.
        problem: why it could not; None where it could.
    """

    board: Board
    answer: Answered | None = None
    problem: FleetError | None = None


def ask_all(
    boards: Sequence[Board], question: Callable[[Board], Answered]
) -> Iterator[Reply[Answered]]:
    """Ask boards side by side; replies come in the order of the boards."""

    def ask(board: Board) -> Reply[Answered]:
        try:
            return Reply(board=board, answer=question(board))
        except FleetError as error:
            return Reply(board=board, problem=error)

    with ThreadPoolExecutor(max_workers=max(1, min(AT_ONCE, len(boards)))) as pool:
        yield from pool.map(ask, boards)
