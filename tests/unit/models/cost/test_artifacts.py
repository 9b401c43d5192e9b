"""Sizes on disk; those of safetensors against the package that writes them."""

from __future__ import annotations

import warnings

import pytest

torch = pytest.importorskip("torch")

from inferometer.models.cost.torch.artifacts import artifacts, safetensors_bytes  # noqa: E402


def network():
    """Several types, one tensor with two names, and names that need more than ASCII."""
    made = torch.nn.Sequential(
        torch.nn.Conv2d(3, 5, 3), torch.nn.BatchNorm2d(5), torch.nn.Linear(7, 7, bias=False)
    )
    made.tied = torch.nn.Linear(7, 7, bias=False)
    made.tied.weight = made[2].weight
    made.register_buffer("größe", torch.zeros(3, dtype=torch.bool))
    made.register_buffer("brain", torch.zeros(2, 2, dtype=torch.bfloat16))
    made.register_buffer("bytes", torch.zeros(11, dtype=torch.uint8))
    return made


def test_the_size_is_that_of_the_file_that_the_package_writes():
    save = pytest.importorskip("safetensors.torch").save
    made = network()
    distinct = {name: value for name, value in made.state_dict().items() if name != "tied.weight"}
    assert safetensors_bytes(made) == len(save(distinct))


def test_a_module_without_weights():
    save = pytest.importorskip("safetensors.torch").save
    assert safetensors_bytes(torch.nn.ReLU()) == len(save({}))


def test_a_type_that_the_format_does_not_have():
    made = torch.nn.Module()
    made.register_buffer("z", torch.zeros(2, dtype=torch.complex128))
    assert safetensors_bytes(made) is None


def test_a_frozen_program_has_no_names_to_store_weights_under():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.jit.freeze(torch.jit.script(torch.nn.Linear(3, 2).eval()))
    assert safetensors_bytes(program) is None


def test_files_with_their_sizes(tmp_path):
    (tmp_path / "a.pt").write_bytes(bytes(7))
    files = [str(tmp_path / "a.pt"), str(tmp_path / "gone.pt"), str(tmp_path / "a.pt")]
    (found,) = artifacts(files)
    assert (found.path, found.size_bytes) == (str(tmp_path / "a.pt"), 7)
