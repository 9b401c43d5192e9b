"""Digests of models: the same for the same model, another for other weights or code."""

from __future__ import annotations

import pytest

from inferometer.core.format import Format
from inferometer.core.model import LoadedModel
from inferometer.models.export import digest_of
from inferometer.models.inputs import images

torch = pytest.importorskip("torch")


def digest(network=None, *, files=()):
    form = Format.ONNX if network is None else Format.TORCH_MODULE
    return digest_of(
        LoadedModel(
            network=network,
            format=form,
            inputs=images(),
            source="python",
            weights="",
            files=tuple(map(str, files)),
        )
    )


def made(seed=0, **fields):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, **fields), torch.nn.BatchNorm2d(4))


def test_it_is_the_same_for_the_same_weights_and_changes_with_each_part():
    first = digest(made())
    assert digest(made()) == first
    assert digest(made(seed=1)) != first
    assert digest(made(stride=2)) != first
    assert digest(made().half()) != first
    moved = made()
    moved[1].running_mean[0] = 1
    assert digest(moved) != first


def test_narrow_and_empty_tensors_have_content_too():
    first = made().bfloat16()
    second = made().bfloat16()
    assert digest(first) == digest(second)
    with torch.no_grad():
        second[0].weight[0, 0, 0, 0] += 1
    assert digest(first) != digest(second)


def test_code_that_changed_changes_it(tmp_path):
    from importlib import util

    def load(text):
        path = tmp_path / "net.py"
        path.write_text(text)
        spec = util.spec_from_file_location("net", path)
        module = util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return digest(module.Net())

    text = "import torch\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return x"
    assert load(text) != load(f"{text} + 1")


def test_of_files_every_content_counts(tmp_path):
    network, weights = tmp_path / "a.xml", tmp_path / "a.bin"
    network.write_bytes(b"net")
    weights.write_bytes(b"one")
    before = digest(files=(network, weights))
    assert digest(files=(network, weights)) == before
    weights.write_bytes(b"two")
    assert digest(files=(network, weights)) != before
