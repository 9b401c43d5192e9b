"""Functions of the user's."""

from __future__ import annotations

from textwrap import dedent

import numpy as np
import pytest

from inferometer.core.errors import DatasetError
from inferometer.datasets import open_dataset, open_roles

BEGIN = """
import numpy as np
X = np.random.default_rng(0).normal(size=(30, 4))
Y = np.arange(30) % 3
"""


@pytest.fixture
def make(tmp_path):
    def write(text, begin=BEGIN):
        (tmp_path / "make.py").write_text(begin + dedent(text))
        return f"{tmp_path}/make.py:data"

    return write


def opened(reference, options="test=100%"):
    return open_dataset(f"{reference}?{options}")


@pytest.mark.parametrize(
    "returned",
    [
        "X, Y",
        "(X, Y.tolist())",
        "{'inputs': X, 'labels': Y}",
        "list(zip(X, Y))",
        "iter(zip(X, Y))",
        "((x, y) for x, y in zip(X, Y))",
        "Pairs()",
        "__import__('torch').as_tensor(X), __import__('torch').as_tensor(Y)",
    ],
)
def test_forms(make, returned):
    dataset = opened(
        make(
            f"""
            class Pairs:
                def __len__(self):
                    return 30
                def __getitem__(self, number):
                    return X[number], Y[number]
            def data():
                return {returned}
            """
        )
    )
    assert (dataset.name, dataset.kind, dataset.task) == ("make.py:data", "array", "classification")
    assert [dataset[number].label for number in range(4)] == [0, 1, 2, 0]
    assert np.array_equal(dataset[5].input, np.random.default_rng(0).normal(size=(30, 4))[5])
    assert dataset.digest == opened(make("def data(): return X, Y")).digest


def test_inputs_by_name_and_units(make):
    dataset = opened(make("def data(): return {'ids': X, 'mask': X}, Y, Y // 2"))
    assert dataset[3].input.keys() == {"ids", "mask"}
    assert dataset[5].unit == "1"


@pytest.mark.parametrize(
    "text",
    [
        "def data(): return X, Y\ndata.classes = 'abc'\ndata.task = 'classification'",
        "def data(): return {'inputs': X, 'labels': Y, 'classes': 'abc', 'source': 'us'}",
    ],
)
def test_what_it_says(make, text):
    assert opened(make(text)).classes == ("a", "b", "c")


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        ("[f'text {n}' for n in range(30)], 'transcription'", "transcription"),
        ("[np.arange(n + 1) % 2 for n in range(30)], None", "frames"),
        (
            "[{'boxes': np.array([[0, 0, n + 1, 4]]), 'labels': [n % 3]} for n in range(30)], None",
            "detection",
        ),
        ("[None] * 30, None", "other"),
    ],
)
def test_tasks(make, labels, task):
    dataset = opened(
        make(
            f"labels, task = {labels}\ndef data(): return dict(inputs=X, labels=labels, task=task)"
        )
    )
    assert dataset.task == task
    assert dataset[4].label is None or len(dataset[4].label) > 0


def test_arguments_and_options(make):
    path = make(
        """
        def data(seed, limit, first=0, name="no"):
            assert (seed, limit, first, name) == (5, 9, 10, "yes"), (seed, limit, first, name)
            return X[first:], Y[first:]
        """
    )
    dataset = open_dataset(f"{path}?first=10&name=yes&test=100%", limit=9, seed=5)
    assert len(dataset) == 9


def test_roles_of_its_own_are_kept_apart(make):
    path = make(
        """
        def data(role):
            first = {"test": 0, "calibration": 10}.get(role)
            return None if first is None else (X[first:first + 15], Y[first:first + 15])
        """
    )
    roles = open_roles(path)
    assert {role: len(found) for role, found in roles.items()} == {"calibration": 15, "test": 10}
    assert len(roles["test"].skipped) == 5
    assert not set(roles["test"].contents) & set(roles["calibration"].contents)


def test_its_neighbours_are_found(make, tmp_path):
    (tmp_path / "neighbour_of_data.py").write_text("SIX = 6")
    path = make("from neighbour_of_data import SIX\ndef data(): return X[:SIX], Y[:SIX]")
    assert len(opened(path)) == 6


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "def data(): raise ValueError('no such thing')",
            "make.py:data: ValueError: no such thing",
        ),
        ("def data(): raise SystemExit(1)", "make.py:data: SystemExit"),
        ("x = 1 / 0", "ZeroDivisionError"),
        ("import nothing_of_the_kind", "nothing_of_the_kind"),
        ("def dat(): pass", "defines no function 'data' (did you mean 'dat'?)"),
        ("def data(): return 5", "gave a int; a function returns a tuple"),
        ("def data(): return 'text'", "gave a str; a function returns"),
        ("def data(): return X, Y[:4]", "inputs 30, labels 4"),
        ("def data(): return X, 5", "its labels are a int without a length"),
        ("def data(): return (X,)", "gave a tuple of 1"),
        ("def data(): return {'inputs': X, 'y': Y}", "gave a dict with inputs, y"),
        ("def data(): return [1, 2]", "sample 0 is a int, not a pair"),
        ("def data(): return []", "holds no samples"),
        ("def data(): return None", "holds no samples"),
        ("def data(): return [(X[0], 0), ('a', 1)]", "sample 1 is of the kind text, not array"),
        ("def data(): return [(object(), 0)]", "sample 0 is a object that holds no numbers"),
        ("def data(): return X, Y - 1", "sample 0: the label -1 is none"),
        ("def data(): return X, [None, *Y[1:]]", "labels are of several forms: none, whole"),
        ("def data(): return dict(inputs=X, labels=Y, task='sorting')", "says the task 'sorting'"),
        ("def data(a): return X, Y", "missing 1 required positional argument"),
        (
            "def data(): return X, [{'boxes': [[5, 5, 1, 1]], 'labels': [0]}] * 30",
            "sample 0: a box is not left, top, right, bottom (task detection)",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(make, text, told):
    with pytest.raises(DatasetError) as caught:
        opened(make(text))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_samples_are_read_one_at_a_time(make):
    path = make(
        """
        import weakref
        alive = []
        class Picture(np.ndarray):
            pass
        class Pairs:
            def __len__(self):
                return 50
            def __getitem__(self, number):
                made = np.full((4, 4), number, float).view(Picture)
                alive[:] = [one for one in alive if one() is not None]
                assert len(alive) <= 3, len(alive)
                alive.append(weakref.ref(made))
                return made, number % 2
        def data():
            return Pairs()
        """
    )
    dataset = opened(path)
    assert len([dataset[number].label for number in range(50)]) == 50
