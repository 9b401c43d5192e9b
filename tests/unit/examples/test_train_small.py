import json
import os
import sys
from dataclasses import replace

import pytest

from inferometer import models
from inferometer.core.errors import WorkloadError
from inferometer.datasets import open_dataset

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

DATA = """
import numpy as np

def squares(role):
    random = np.random.default_rng(["training", "calibration", "validation", "test"].index(role))
    pictures = random.normal(0, 0.1, (16, 1, 16, 16)).astype(np.float32)
    pictures[::2, :, 4:12, 4:12] += 1
    masks = (pictures[:, 0] > 0.5).astype(np.uint8)
    return {"inputs": pictures, "labels": masks, "task": "segmentation"}
"""


@pytest.fixture
def recipe(example, tmp_path, monkeypatch):
    (tmp_path / "squares.py").write_text(DATA)
    recipes = example("recipes")
    tiny = recipes.Recipe(
        model="unet",
        data="squares",
        reference=f"{tmp_path}/squares.py:squares",
        options="in_channels=1&init_features=4",
        channels=1,
        size=16,
        epochs=6,
        batch_size=4,
        learning_rate=1e-2,
        shift=0,
    )
    monkeypatch.setattr(recipes, "RECIPES", {tiny.name: tiny})
    return tiny


@pytest.fixture
def train_small(example, recipe):
    return example("train_small")


def trained(train_small, recipe, folder, *, seed=0, force=False, minutes=1.0):
    return train_small.trained(recipe, seed, folder, minutes=minutes, force=force)


def test_training_learns_and_says_what_it_saw(train_small, recipe, tmp_path, capsys):
    weights = trained(train_small, replace(recipe, epochs=15), tmp_path / "out")
    about = json.loads(weights.file.with_suffix(".json").read_text())
    assert about["validation"]["value"] > 0.8
    assert about["validation"]["metric"] == "dice"
    assert about["training"]["contents"] == list(
        open_dataset(recipe.reference, "training").contents
    )
    test = set(open_dataset(recipe.reference, "test").contents)
    assert not test & {*about["training"]["contents"], *about["validation"]["contents"]}
    assert about["seconds"] > 0
    out = capsys.readouterr().out
    assert "epoch 1/15" in out
    assert "s left" in out
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".json", ".safetensors"]


def test_what_is_trained_is_not_trained_again(train_small, recipe, tmp_path, monkeypatch):
    first = trained(train_small, recipe, tmp_path)
    monkeypatch.setattr(train_small, "train", None)
    assert trained(train_small, recipe, tmp_path).file == first.file
    with pytest.raises(TypeError):
        trained(train_small, recipe, tmp_path, force=True)
    with pytest.raises(TypeError):
        trained(train_small, recipe, tmp_path, seed=1)


def test_other_training_samples_make_other_weights(train_small, recipe, tmp_path):
    first = trained(train_small, recipe, tmp_path)
    (tmp_path / "squares.py").write_text(DATA.replace("0.1", "0.2"))
    second = trained(train_small, recipe, tmp_path)
    assert second.file != first.file
    assert first.file.exists()


def test_the_same_seed_gives_the_same_weights(train_small, recipe, tmp_path):
    one = trained(train_small, recipe, tmp_path / "one")
    same = trained(train_small, recipe, tmp_path / "two")
    other = trained(train_small, recipe, tmp_path / "three", seed=1)
    assert one.about["weights_sha256"] == same.about["weights_sha256"]
    assert one.about["weights_sha256"] != other.about["weights_sha256"]


def test_training_ends_when_its_time_is_over(train_small, recipe, tmp_path):
    about = trained(train_small, recipe, tmp_path, minutes=0).about
    assert (about["epochs"], about["stopped"]) == (1, "out of time")


def test_a_write_that_fails_leaves_nothing(train_small, recipe, tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="no space"):
        trained(train_small, recipe, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_factory_gives_the_network_that_was_trained(example, train_small, recipe, tmp_path):
    weights = trained(train_small, recipe, tmp_path)
    network, inputs = example("trained")._made(recipe.name, 0, str(tmp_path))
    assert inputs(3).shape == (3, 1, 16, 16)
    assert inputs(1, 32).shape == (1, 1, 32, 32)
    validation = train_small.batch(open_dataset(recipe.reference, "validation"), recipe)
    with torch.inference_mode():
        inside = network.eval()(validation[0])[:, 0] > 0.5
    truth = validation[1] > 0
    dice = 2 * (inside & truth).sum() / (inside.sum() + truth.sum())
    assert dice.item() == pytest.approx(weights.about["validation"]["value"])


def test_of_several_weights_those_that_were_asked_for_last_are_taken(
    example, train_small, recipe, tmp_path
):
    first = trained(train_small, recipe, tmp_path)
    (tmp_path / "squares.py").write_text(DATA.replace("0.1", "0.2"))
    second = trained(train_small, recipe, tmp_path)
    os.utime(first.file, (1, 1))
    find = sys.modules["recipes"].find
    assert find(recipe, 0, tmp_path).file == second.file
    (tmp_path / "squares.py").write_text(DATA)
    trained(train_small, recipe, tmp_path)
    assert find(recipe, 0, tmp_path).file == first.file


def test_without_weights_a_factory_says_the_command_that_makes_them(example, tmp_path):
    network = example("trained").squeezenet1_0_digits
    with pytest.raises(WorkloadError, match=r"train_small.py --models squeezenet1_0 --data digits"):
        network(seed=3, folder=str(tmp_path))


def test_the_tool_refuses_a_model_that_it_does_not_train(train_small, capsys):
    with pytest.raises(SystemExit) as ended:
        train_small.main(["--models", "vgg16"])
    assert ended.value.code == 2
    assert "'vgg16' is none of unet" in capsys.readouterr().err


def test_data_that_cannot_be_opened_is_one_sentence(train_small, recipe, tmp_path, capsys):
    (tmp_path / "squares.py").write_text("def squares(): raise ValueError('broken')")
    assert train_small.main(["--models", "unet", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "broken" in said
    assert "Traceback" not in said


def test_networks_are_trained_side_by_side_to_the_same_weights(
    train_small, recipe, tmp_path, monkeypatch, capfd
):
    recipes = [recipe, replace(recipe, data="others", epochs=2)]
    monkeypatch.setattr(train_small, "chosen", lambda *_: recipes)
    assert train_small.main(["--jobs", "2", "--out", str(tmp_path / "both")]) == 0
    alone = trained(train_small, recipe, tmp_path / "alone")
    both = sys.modules["recipes"].find(recipe, 0, tmp_path / "both")
    assert both.about["weights_sha256"] == alone.about["weights_sha256"]
    out = capfd.readouterr().out
    assert "unet_squares: epoch 6/6" in out
    assert "unet_others: dice" in out


def test_networks_are_those_of_the_catalogue_with_a_head_for_ten_classes(example):
    recipes = example("recipes")
    assert set(recipes.RECIPES) == {
        *(f"{name}_{data}" for name in CLASSIFIERS for data in ("digits", "mnist_5k")),
        "unet_cells",
    }
    one = recipes.RECIPES["mobilenet_v3_small_digits"]
    network = one.network(0)
    momenta = {
        module.momentum for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)
    }
    assert momenta == {0.1}
    own = models.load("mobilenet_v3_small", seed=0).network
    assert own.state_dict().keys() == network.state_dict().keys()
    assert network(torch.zeros(1, 3, one.size, one.size)).shape == (1, 10)


CLASSIFIERS = ("resnet18", "squeezenet1_0", "mobilenet_v3_small")
