from __future__ import annotations

import subprocess
import sys

import pytest

from inferometer.core.errors import MissingExtraError, ModelReferenceError
from inferometer.core.registry import Plugin
from inferometer.models import check
from inferometer.models.catalogue import CATALOGUE
from inferometer.models.registry import SOURCES


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_catalogues_names_are_known(name):
    check(name)


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("resnet81", "did you mean 'resnet18'?"),
        ("gpt2", "known: unet, squeezenet1_0, mobilenet_v3_small, resnet18"),
        ("unet?in_chanels=1", "did you mean 'in_channels'?"),
        ("unet?in_channels=0", "in_channels=0 must be a whole number from 1"),
        ("unet?in_channels=true", "must be a whole number"),
        ("unet?weights=pretrained", "unet has no pretrained weights; write unet?weights=FILE"),
        ("resnet18?weights=none.pt", "weights=none.pt: there is no such file"),
        ("resnet18?input=3x", "input=3x is not a shape"),
        ("none.py:build", "none.py: there is no such file"),
        ("none.pt", "none.pt: there is no such file"),
        ("model.onnx", "model.onnx: there is no such file"),
        ("./", ".: a folder, not a file"),
        ("hub:repo:entry", "'repo' is neither OWNER/REPO nor a folder"),
        ("hub:owner/repo", "names no entry point; write hub:OWNER/REPO:ENTRY"),
        ("hub:./none:entry", "there is no file none/hubconf.py"),
        ("transformers:./none", "there is no file none/config.json"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(reference, problem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelReferenceError) as caught:
        check(reference)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "source"),
    [("timm:resnet18", "timm"), ("transformers:bert", "transformers"), ("resnet18", "torchvision")],
)
def test_a_missing_package_is_named_with_its_command(reference, source, monkeypatch):
    plugin = Plugin(path="nowhere:Nothing", extra=source, requires=("no_such_package",))
    monkeypatch.setitem(SOURCES.table, source, plugin)
    with pytest.raises(MissingExtraError, match=r"no_such_package.*pip install"):
        check(reference)


@pytest.mark.parametrize("option", ["weights=pretrained", "width=3", "pickle=maybe"])
def test_options_that_a_model_file_does_not_have(option, tmp_path):
    file = tmp_path / "model.pt"
    file.touch()
    with pytest.raises(ModelReferenceError, match=r"model\.pt"):
        check(f"{file}?{option}")


def test_checking_imports_no_runtime(tmp_path):
    (tmp_path / "model.py").write_text("import torch\ndef build(): ...\n")
    (tmp_path / "model.pt").write_bytes(b"PK")
    code = (
        "import sys\n"
        "from inferometer.models import check\n"
        "for text in ('resnet18', 'unet', 'timm:x', 'transformers:bert', 'torchvision:x',\n"
        "             'hub:owner/repo:entry', 'model.py:build', 'model.pt'):\n"
        "    check(text)\n"
        "heavy = {'torch', 'torchvision', 'timm', 'transformers', 'numpy', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
