from __future__ import annotations

import pytest

from inferometer.core.errors import WorkloadError
from inferometer.models import load

torch = pytest.importorskip("torch")

HUBCONF = """
dependencies = ["torch"]
import torch
from neighbour import WIDTH

def small(pretrained=False, in_channels=3, fill=1.0):
    network = torch.nn.Conv2d(in_channels, WIDTH, 1)
    if pretrained:
        torch.nn.init.constant_(network.weight, fill)
    return network

class Late(torch.nn.Conv2d):
    def forward(self, x):
        from beside_hubconf import SCALE
        return super().forward(x) * SCALE

def late():
    return Late(3, 1, 1)

def broken():
    raise ValueError("no such thing")

def text():
    return "model"
"""


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "hubconf.py").write_text(HUBCONF)
    (tmp_path / "neighbour.py").write_text("WIDTH = 7\n")
    (tmp_path / "beside_hubconf.py").write_text("SCALE = 0\n")
    return tmp_path


def test_a_local_checkout(checkout, run_once):
    model = load(f"hub:{checkout}:small?in_channels=2", seed=0)
    assert model.source == "hub"
    assert "seed 0" in model.weights
    assert tuple(run_once(model, input_size=8).shape) == (1, 7, 8, 8)
    assert any("assumed to be images 2x224x224" in note for note in model.notes)


def test_the_input_may_be_said(checkout):
    model = load(f"hub:{checkout}:small?input=3x10x10", seed=0)
    assert model.notes == ()
    assert model.inputs.make(batch_size=1, input_size=None, seed=0).shape == "1x3x10x10"


def test_a_checkout_below_the_current_folder(checkout, monkeypatch):
    monkeypatch.chdir(checkout.parent)
    assert load(f"hub:{checkout.name}:small", seed=0).source == "hub"
    assert load(f"hub:./{checkout.name}:small", seed=0).source == "hub"


def test_pretrained_weights_are_asked_of_the_entry_point(checkout):
    model = load(f"hub:{checkout}:small?weights=pretrained&fill=2.5", seed=0)
    assert model.weights == "pretrained (hub)"
    assert float(model.network.weight.detach().min()) == 2.5


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("broken", "ValueError: no such thing"),
        ("absent", "RuntimeError: Cannot find callable absent"),
        ("text", "gave a str, not a torch.nn.Module"),
        ("small?nope=1", "TypeError: .*nope"),
    ],
)
def test_what_goes_wrong_is_a_bad_model(checkout, entry, problem):
    with pytest.raises(WorkloadError, match=problem) as caught:
        load(f"hub:{checkout}:{entry}", seed=0)
    assert caught.value.kind == "bad_model"


def test_a_repository_on_github_is_trusted_because_it_was_named(monkeypatch):
    asked = {}

    def hub_load(repository, entry, **options):
        asked.update(repository=repository, entry=entry, **options)
        return torch.nn.Conv2d(3, 1, 1)

    monkeypatch.setattr(torch.hub, "load", hub_load)
    load("hub:owner/repo:v1.0:unet?init_features=32", seed=0)
    assert asked == {
        "repository": "owner/repo:v1.0",
        "entry": "unet",
        "source": "github",
        "trust_repo": True,
        "verbose": False,
        "init_features": 32,
    }


def test_files_imported_in_the_first_call(checkout, run_once):
    assert not run_once(load(f"hub:{checkout}:late", seed=0), input_size=8).any()


def test_files_of_a_download_imported_in_the_first_call(checkout, run_once, monkeypatch):
    """What torch.hub downloads lies in a folder of its own, which it takes off the path again."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(checkout.parent))
    load_local = torch.hub.load

    def hub_load(repository, entry, **options):
        return load_local(str(checkout), entry, source="local")

    monkeypatch.setattr(torch.hub, "load", hub_load)
    assert not run_once(load("hub:owner/repo:late", seed=0), input_size=8).any()
