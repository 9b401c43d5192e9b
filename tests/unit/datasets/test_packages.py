"""Datasets of torchvision and of Hugging Face, without a network."""

from __future__ import annotations

import numpy as np
import pytest

from inferometer.core.errors import DatasetError
from inferometer.datasets import check_reference, open_dataset, open_roles
from inferometer.models.torchvision_compat import import_torchvision


class TestTorchvision:
    @pytest.fixture
    def mnist(self, tmp_path):
        """Files as MNIST's own, of 60 and 25 pictures, 5 of which are in both."""
        import_torchvision()
        random = np.random.default_rng(0)
        pixels = random.integers(0, 256, (80, 28, 28), dtype=np.uint8)
        labels = (np.arange(80) % 10).astype(np.uint8)
        folder = tmp_path / "MNIST" / "raw"
        folder.mkdir(parents=True)
        for name, part in (("train", slice(0, 60)), ("t10k", slice(55, 80))):
            for kind, array in (("images-idx3", pixels[part]), ("labels-idx1", labels[part])):
                head = bytes([0, 0, 8, array.ndim])
                head += b"".join(length.to_bytes(4, "big") for length in array.shape)
                (folder / f"{name}-{kind}-ubyte").write_bytes(head + array.tobytes())
        return f"torchvision:MNIST?root={tmp_path}", pixels, labels

    def test_its_test_split_is_judged(self, mnist):
        reference, pixels, labels = mnist
        roles = open_roles(reference)
        judged = roles["test"]
        assert len(judged) == 20
        assert len(judged.skipped) == 5
        assert judged.skipped[0].name == "test 0"
        assert "which is for " in judged.skipped[0].why
        assert np.array_equal(judged[0].input[..., 0], pixels[60])
        assert judged[0].label == labels[60]
        assert len(judged.classes) == 10
        assert len(roles["training"]) > 30
        assert sum(map(len, roles.values())) == 80

    def test_what_is_not_here_is_not_fetched(self, tmp_path):
        import_torchvision()
        with pytest.raises(DatasetError, match=r"\?download=yes fetches it"):
            open_dataset(f"torchvision:CIFAR10?root={tmp_path}")
        assert not list(tmp_path.glob("cifar*"))

    def test_unknown_ones(self):
        import_torchvision()
        with pytest.raises(DatasetError, match="did you mean 'CIFAR10'"):
            open_dataset("torchvision:CIFAR11")
        with pytest.raises(DatasetError, match="write yes or no"):
            check_reference("torchvision:CIFAR10?download=maybe")


class TestHuggingFace:
    @pytest.fixture(autouse=True)
    def offline(self, tmp_path, monkeypatch):
        pytest.importorskip("datasets")
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "hf" / "datasets")

    def table(self, rows, **features):
        import datasets

        made = datasets.Dataset.from_dict(rows)
        for name, feature in features.items():
            made = made.cast_column(name, feature)
        return made

    def test_a_saved_one_with_splits(self, tmp_path):
        import datasets

        named = datasets.ClassLabel(names=["bad", "good"])
        parts = {
            name: self.table(
                {"text": [f"{text}" for text in texts], "label": [text % 2 for text in texts]},
                label=named,
            )
            for name, texts in (("train", range(40)), ("test", range(35, 60)))
        }
        datasets.DatasetDict(parts).save_to_disk(tmp_path / "saved")
        roles = open_roles(f"hf:{tmp_path}/saved")
        judged = roles["test"]
        assert (judged.name, judged.kind, judged.classes) == ("hf:saved", "text", ("bad", "good"))
        assert [judged[number].input for number in range(20)] == [f"{n}" for n in range(40, 60)]
        assert judged[0].label == 0
        assert len(judged.skipped) == 5

    def test_pictures_are_those_of_their_files(self, laid, tmp_path):
        import datasets

        root, expected = laid()
        paths = [str(root / name) for name in expected]
        rows = {"image": paths, "label": [name[:3] for name in expected]}
        self.table(rows, image=datasets.Image()).save_to_disk(tmp_path / "saved")
        found = open_dataset(f"hf:{tmp_path}/saved?test=100%")
        folder = open_dataset(f"{root}/?test=100%")
        assert set(found.contents) == set(folder.contents)
        assert found.classes == ("cat", "dog")

    def test_columns_that_are_not_clear(self, tmp_path):
        self.table({"a": list("xyzu"), "b": [0, 1, 0, 1]}).save_to_disk(tmp_path / "saved")
        path = f"hf:{tmp_path}/saved"
        with pytest.raises(DatasetError, match=r"which column holds the inputs .* it has a, b"):
            open_dataset(path)
        with pytest.raises(DatasetError, match="has no column c"):
            open_dataset(f"{path}?inputs=c")
        assert len(open_dataset(f"{path}?inputs=a&label=b&test=100%")) == 4

    def test_what_is_not_here_is_not_fetched(self):
        with pytest.raises(DatasetError, match=r"\?download=yes fetches it from the hub"):
            open_dataset("hf:nobody/nothing")

    def test_the_hub_is_asked_only_where_the_user_says_so(self, monkeypatch):
        import datasets
        from huggingface_hub import constants

        rows = self.table({"text": list("abcd"), "label": [0, 1, 0, 1]})
        seen = []

        def load(*_):
            seen.append((datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE))
            return {"test": rows}

        before = datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE
        monkeypatch.setattr(datasets, "load_dataset", load)
        open_dataset("hf:owner/name?test=100%")
        open_dataset("hf:owner/name?test=100%&download=yes")
        assert seen == [(True, True), before]
        assert before == (datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE)
