"""How many workloads a run may hold: refused before they are listed."""

from __future__ import annotations

import pytest

from inferometer.core.errors import StudyError
from inferometer.core.sweep import MOST_WORKLOADS, Block, Sweep

NAMES = tuple(map(str, range(5000)))


def sweep(*blocks, **axes):
    return Sweep(**({"models": ("m",)} | axes), blocks=blocks or (Block(),))


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        (
            sweep(Block(sizes=tuple(range(1, 10**5)), batches=tuple(range(1, 10**5)))),
            "9,999,800,001",
        ),
        (sweep(models=NAMES, backends=NAMES, precisions=NAMES), "125,000,000,000 workloads"),
        (sweep(*[Block(sizes=(n,), batches=tuple(range(99))) for n in range(999)]), "98,901"),
        (sweep(Block(batches=(1, 2)), models=NAMES, backends=("a", "b")), "20,000 workloads"),
    ],
)
def test_more_are_refused_by_their_number(asked, count):
    for ask in (asked.check, asked.workloads):
        with pytest.raises(StudyError, match=count) as caught:
            ask()
        assert "a run holds 10,000 at the most" in str(caught.value)


def test_so_many_are_allowed_and_one_more_is_not():
    sizes = tuple(range(1, 101))
    assert len(sweep(Block(sizes=sizes, batches=sizes)).workloads()) == MOST_WORKLOADS
    with pytest.raises(StudyError):
        sweep(Block(sizes=sizes, batches=sizes), Block(sizes=(1,), batches=(101,))).check()


def test_what_stands_many_times_counts_once():
    many = Block(sizes=(224,) * 100_000, batches=(8,) * 100_000)
    repeated = sweep(many, many, models=("m",) * 100_000, backends=("torch",) * 100_000)
    assert [(w.input_size, w.batch_size) for w in repeated.workloads()] == [(224, 8)]
