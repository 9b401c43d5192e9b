import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from inferometer.core.dataset import Evaluation, Kept, Skipped
from inferometer.store import open_store


def passed(workload="0123456789abcdef", samples=5, columns=3, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 3, samples)
    return Evaluation(
        workload=workload,
        dataset="digits",
        task="classification",
        classes=("0", "1"),
        digest="d",
        metric="top1",
        higher_is_better=False,
        samples=samples + 2,
        kept=Kept(rows=rng.normal(size=(lengths.sum(), columns)), lengths=lengths),
        units=rng.integers(0, 2, samples),
        contents=tuple(hashlib.sha256(bytes([n])).hexdigest()[:32] for n in range(samples)),
        real_s=(0.1, 0.2),
        synthetic_s=(0.3,),
        stages={"load": 0.5},
        skipped=(Skipped(name="a.png", why="broken"),),
    )


def same(one, other):
    plain = [{k: v for k, v in vars(e).items() if k not in ("kept", "units")} for e in (one, other)]
    assert plain[0] == plain[1]
    for a, b in (
        (one.kept.rows, other.kept.rows),
        (one.kept.lengths, other.kept.lengths),
        (one.units, other.units),
    ):
        assert np.array_equal(a, b)


def test_a_pass_is_read_as_it_was_stored_and_a_later_one_takes_its_place(store, make):
    run = make.run(store)
    one, other = passed(), passed(workload="f" * 16, samples=0)
    for each in (one, other):
        store.put_evaluation(run.id, each)
    found = store.evaluations(run.id)
    assert set(found) == {one.workload, other.workload}
    same(found[one.workload], one)
    same(found[other.workload], other)
    again = passed(seed=1)
    store.put_evaluation(run.id, again)
    same(store.evaluations(run.id)[one.workload], again)
    assert store.evaluations("00000000") == {}


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("rows", b"123", "cut"),
        ("rows", b"", "not as many"),
        ("lengths", "text", "cut"),
        ("contents", b"1", "cut"),
        ("units", b"", "not as many"),
        ("real_s", np.array([np.nan]).tobytes(), "no seconds"),
        ("data", "null", "data"),
        ("data", '{"task": "poetry"}', "none of"),
    ],
)
def test_a_damaged_pass_is_told_of_and_the_others_are_given(tmp_path, make, column, value, said):
    file = tmp_path / "x.db"
    with open_store(file) as store:
        run = make.run(store)
        store.put_evaluation(run.id, passed())
        store.put_evaluation(run.id, passed(workload="f" * 16))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            f"UPDATE evaluations SET {column} = ? WHERE workload = ?", (value, "f" * 16)
        )
    told = []
    with open_store(file, tell=told.append) as store:
        assert list(store.evaluations(run.id)) == [passed().workload]
    assert len(told) == 1
    assert f"evaluation of workload {'f' * 16}" in told[0]


def test_what_no_dataset_gives_is_not_stored(store, make):
    run = make.run(store)
    with pytest.raises(ValueError, match="units"):
        store.put_evaluation(run.id, replace(passed(), units=np.zeros(1, dtype=np.int64)))
    assert store.evaluations(run.id) == {}
