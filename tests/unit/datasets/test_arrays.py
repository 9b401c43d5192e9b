"""NumPy files and tables."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from inferometer.core.errors import DatasetError
from inferometer.datasets import open_dataset, open_roles

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(40, 5)).astype(np.float32)
LABELS = np.arange(40) % 4


@pytest.fixture
def npz(tmp_path):
    def save(**arrays):
        np.savez(tmp_path / "x.npz", **arrays)
        return f"{tmp_path}/x.npz"

    return save


@pytest.fixture
def csv(tmp_path):
    def save(text):
        (tmp_path / "x.csv").write_text(text, encoding="utf-8")
        return f"{tmp_path}/x.csv"

    return save


def opened(path, options="test=100%"):
    return open_dataset(f"{path}?{options}")


class TestNpz:
    def test_arrays(self, npz):
        dataset = opened(npz(x=FEATURES, y=LABELS))
        assert (dataset.kind, dataset.task, dataset.classes) == (
            "array",
            "classification",
            ("0", "1", "2", "3"),
        )
        for number in range(40):
            sample = dataset[number]
            assert np.array_equal(sample.input, FEATURES[number])
            assert sample.label == LABELS[number]
            assert type(sample.label) is int

    @pytest.mark.parametrize("names", [("X", "Y"), ("inputs", "labels"), ("images", "targets")])
    def test_other_names(self, npz, names):
        path = npz(**dict(zip(names, (FEATURES, LABELS), strict=True)))
        assert len(opened(path)) == 40

    def test_names_that_are_said(self, npz):
        path = npz(a=FEATURES, b=LABELS, x=LABELS)
        assert opened(path, "test=100%&inputs=a&labels=b")[3].label == 3

    @pytest.mark.parametrize("shape", [(40, 6, 7), (40, 6, 7, 1), (40, 6, 7, 3)])
    def test_bytes_are_pictures(self, npz, shape):
        pixels = RANDOM.integers(0, 256, shape, dtype=np.uint8)
        path = npz(x=pixels, y=LABELS)
        dataset = opened(path)
        assert (dataset.kind, dataset.sizes) == ("image", "6x7")
        expected = np.broadcast_to(pixels.reshape(40, 6, 7, -1), (40, 6, 7, 3))
        assert np.array_equal(dataset[7].input, expected[7])
        assert opened(path, "test=100%&kind=array")[7].input.shape == shape[1:]

    def test_names_of_classes(self, npz):
        dataset = opened(npz(x=FEATURES, y=LABELS, classes=list("abcde")))
        assert dataset.classes == tuple("abcde")

    def test_texts_as_labels(self, npz):
        dataset = opened(npz(x=FEATURES, y=np.array(list("dcba") * 10)))
        assert dataset.classes == ("a", "b", "c", "d")
        assert [dataset[number].label for number in range(4)] == [3, 2, 1, 0]

    def test_units(self, npz):
        dataset = opened(npz(x=FEATURES, y=LABELS, units=LABELS // 2))
        assert [dataset[number].unit for number in range(4)] == ["0", "0", "1", "1"]

    def test_masks(self, npz):
        pixels = RANDOM.integers(0, 256, (20, 6, 7, 3), dtype=np.uint8)
        masks = RANDOM.integers(0, 3, (20, 6, 7))
        dataset = opened(npz(x=pixels, y=masks))
        assert (dataset.task, dataset.classes) == ("segmentation", ("0", "1", "2"))
        assert np.array_equal(dataset[4].label, masks[4])

    def test_splits_of_its_own(self, npz):
        path = npz(
            x_train=FEATURES[:30], y_train=LABELS[:30], x_test=FEATURES[25:], y_test=LABELS[25:]
        )
        roles = open_roles(path)
        assert len(roles["test"]) == 10
        assert sum(map(len, roles.values())) == 40
        assert len(roles["test"].skipped) == 5

    @pytest.mark.parametrize(
        ("labels", "told"),
        [
            (LABELS - 1, r"sample x\[0\]: the label -1 is none; they begin with 0"),
            (LABELS + 1, "go from 1 to 4, and class 0 has no sample"),
            (LABELS * 2, "go from 0 to 6, and class 1 has no sample"),
            (LABELS * 0, "there is one class only"),
            (LABELS[:9], "x 40, y 9"),
            (np.float64(3), "x 40, y -1"),
        ],
    )
    def test_labels_that_are_wrong(self, npz, labels, told):
        with pytest.raises(DatasetError, match=told):
            opened(npz(x=FEATURES, y=labels))

    def test_gaps_between_classes_may_be_meant(self, npz):
        path = npz(x=FEATURES, y=LABELS * 2)
        assert len(opened(path, "test=100%&classes=1000").classes) == 1000
        with pytest.raises(DatasetError, match="label 6 is none of the 5 classes, 0 to 4"):
            opened(path, "classes=5")

    def test_numbers_that_are_no_classes(self, npz):
        dataset = opened(npz(x=FEATURES, y=LABELS / 3))
        assert dataset.task == "other"
        with pytest.raises(DatasetError, match="is not a class"):
            opened(npz(x=FEATURES, y=LABELS / 3), "task=classification")

    def test_without_labels(self, npz):
        path = npz(x=FEATURES)
        with pytest.raises(DatasetError, match="has no labels such as y; it has x"):
            opened(path)
        assert opened(path, "test=100%&task=other")[0].label is None

    def test_objects_are_never_unpickled(self, npz, tmp_path):
        class Trap:
            def __reduce__(self):
                return open, (str(tmp_path / "trapped"), "w")

        with pytest.raises(DatasetError, match="holds objects of Python"):
            opened(npz(x=np.array([Trap(), 1], dtype=object), y=np.zeros(2, int)))
        assert not (tmp_path / "trapped").exists()

    @pytest.mark.parametrize(
        ("shape", "told"),
        [("(1000000000000, 9)", "larger than its file"), ("(-4,)", "larger than its file")],
    )
    def test_a_header_that_lies(self, tmp_path, shape, told):
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(
            117
        )
        content = b"\x93NUMPY\x01\x00" + len(header + b"\n").to_bytes(2, "little") + header + b"\n"
        path = tmp_path / "x.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", content)
            archive.writestr("y.npy", content)
        with pytest.raises(DatasetError, match=told):
            opened(path)

    @pytest.mark.parametrize("cut", [30, 200, 400])
    def test_a_damaged_file(self, npz, cut):
        path = npz(x=FEATURES, y=LABELS)
        with Path(path).open("r+b") as file:
            file.seek(cut)
            file.write(b"\xff" * 60)
        with pytest.raises(DatasetError) as caught:
            opened(path)
        assert "x.npz" in str(caught.value)

    def test_no_such_file_at_all(self, tmp_path):
        (tmp_path / "x.npz").write_bytes(b"hello")
        with pytest.raises(DatasetError, match=r"not an \.npz file"):
            opened(tmp_path / "x.npz")


class TestCsv:
    def test_numbers(self, csv):
        rows = "\n".join(f"{number},{number / 3},{number % 2}" for number in range(20))
        dataset = opened(csv(f"a,b,label\n{rows}\n"))
        assert (dataset.kind, dataset.classes) == ("array", ("0", "1"))
        assert np.allclose(dataset[4].input, [4, 4 / 3])
        assert dataset[4].name == "line 6"

    @pytest.mark.parametrize("delimiter", [";", "\t"])
    def test_other_delimiters(self, csv, delimiter):
        rows = [f"{number}{delimiter}{'ab'[number % 2]}" for number in range(20)]
        dataset = opened(csv("\ufeff" + "\n".join([f"v{delimiter}Label", *rows])))
        assert dataset.classes == ("a", "b")

    def test_texts(self, csv):
        rows = "\n".join(f'"text, {number}",{"yn"[number % 2]}' for number in range(20))
        dataset = opened(csv(f"text,label\n{rows}\n"))
        assert (dataset.kind, dataset.task, dataset[1].input) == (
            "text",
            "classification",
            "text, 1",
        )

    def test_pairs_of_texts_with_a_number(self, csv):
        rows = "\n".join(f"a{number},b{number},{number / 7}" for number in range(20))
        dataset = opened(csv(f"text_a,text_b,label\n{rows}\n"))
        assert (dataset.task, dataset[1].input) == ("similarity", ("a1", "b1"))
        assert dataset[1].label == pytest.approx(1 / 7)

    def test_pictures(self, csv, laid):
        root, expected = laid()
        rows = "\n".join(f"{root.name}/{name},{name[:3]},{name[:3]}" for name in expected)
        dataset = opened(csv(f"path,label,unit\n{rows}\n"))
        assert (dataset.kind, dataset.classes) == ("image", ("cat", "dog"))
        folder = open_dataset(f"{root}/?test=100%")
        assert set(dataset.contents) == set(folder.contents)
        assert {dataset[0].unit, dataset[1].unit} == {"cat", "dog"}

    def test_a_picture_that_is_not_there(self, csv, laid):
        root, expected = laid()
        rows = "\n".join(f"{root.name}/{name},{name[:3]}" for name in [*expected, "cat/none.png"])
        dataset = opened(csv(f"path,label\n{rows}\n"))
        assert [(one.name, one.why) for one in dataset.skipped] == [
            ("animals/cat/none.png (line 22)", "there is no such file")
        ]

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "no rows below"),
            ("a,label\n", "no rows below"),
            ("a,b\n1,2\n", "no column is called label; there are a, b"),
            ("a,label\n1\n", "x.csv:2: 1 cells, and the first line names 2"),
            ("a,label\n1,0\nx,1\n", "x.csv:3: a: 'x' is not a number"),
            ("a,label\n1,0\nnan,1\n", "x.csv:3: a: 'nan' is not a number"),
            ("a,label\n1,0\n2,\n", "x.csv:3: label: the label is empty"),
            ("a,label\n1,0\n2,-1\n", "line 3: the label -1 is none"),
            ("label\n0\n1\n", "no column holds inputs"),
            ('a,label\n"1,0\n', "x.csv:2: 1 cells"),
        ],
    )
    def test_wrong_cells_are_told_with_their_place(self, csv, text, told):
        with pytest.raises(DatasetError) as caught:
            opened(csv(text))
        assert told in str(caught.value)

    def test_labels_of_pictures_are_told_with_their_place(self, csv):
        with pytest.raises(DatasetError, match=r"x\.csv:3: the label -1 is none"):
            opened(csv("path,label\na.png,0\nb.png,-1\n"))

    def test_texts_that_are_hardly_classes(self, csv):
        rows = "\n".join(f"{number},what was said {number}" for number in range(40))
        path = csv(f"a,label\n{rows}\n")
        with pytest.raises(DatasetError, match="40 different labels in 40 samples"):
            opened(path)
        assert opened(path, "test=100%&task=transcription")[2].label == "what was said 2"

    def test_another_encoding(self, tmp_path):
        (tmp_path / "x.csv").write_bytes("a,label\n1,ä\n".encode("latin-1"))
        with pytest.raises(DatasetError, match="not UTF-8 text"):
            opened(tmp_path / "x.csv")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("inferometer.datasets.sources.npz.MOST_BYTES", 1 << 20)
    file = io.BytesIO()
    np.savez_compressed(file, x=np.zeros((1 << 18, 2)), y=np.zeros(1 << 18, int))
    (tmp_path / "x.npz").write_bytes(file.getvalue())
    with pytest.raises(DatasetError, match=r"its arrays take more than 1\.00 MiB"):
        opened(tmp_path / "x.npz")
