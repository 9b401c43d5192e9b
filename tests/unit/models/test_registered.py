"""Names of models are checked before anything runs, without importing their package."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

from inferometer.core.errors import ModelReferenceError
from inferometer.models import check
from inferometer.models.registered import _REGISTERED, _sources, check_registered
from inferometer.models.torchvision_compat import import_torchvision_if_installed


def needs(package):
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


@pytest.mark.parametrize("package", ["torchvision", "timm"])
def test_every_registered_name_is_found_in_the_sources(package):
    """Else a model that is there would be refused, or not suggested."""
    needs(package)
    import_torchvision_if_installed()
    module = import_module(package)
    listed = set((module.models if package == "torchvision" else module).list_models())
    found = set(_REGISTERED.findall(_sources(package)))
    assert len(listed & found) > 0.85 * len(listed)
    for name in listed - found:
        check_registered(package, name, "it")


@pytest.mark.parametrize(
    ("reference", "nearest"),
    [("torchvision:resnet5", "resnet50"), ("timm:mobilenetv3_smal_100", "mobilenetv3_small_100")],
)
def test_a_mistyped_name_gets_the_nearest(reference, nearest):
    needs(reference.partition(":")[0])
    with pytest.raises(ModelReferenceError, match=f"did you mean '{nearest}'"):
        check(reference)


def test_nothing_is_imported_to_check_a_name(monkeypatch):
    needs("torchvision")
    monkeypatch.setitem(sys.modules, "torchvision.models", None)  # an import would raise
    check_registered("torchvision", "resnet50", "it")


def test_a_factory_that_a_file_does_not_name_is_refused_before_the_file_runs(tmp_path):
    file = tmp_path / "nets.py"
    file.write_text("raise SystemExit\ndef small():\n    pass\n")
    with pytest.raises(ModelReferenceError, match=r"no 'smal' \(did you mean 'small'\?\)"):
        check(f"{file}:smal")


def test_a_file_that_makes_names_may_have_any(tmp_path):
    file = tmp_path / "nets.py"
    file.write_text("for n in range(3):\n    globals()[f'net_{n}'] = object\n")
    check(f"{file}:net_2")
