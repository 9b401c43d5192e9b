"""Each in a process of its own: operators cannot be declared twice, nor an import undone."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")

EXTENSION = """
import builtins
builtins.loads = getattr(builtins, "loads", 0) + 1

def _has_ops():
    return {has}

def _assert_has_ops():
    if not _has_ops():
        raise RuntimeError("Couldn't load custom C++ ops")
"""
PACKAGE = """
from . import extension
import torch
torch.library.register_fake("torchvision::nms")(lambda *a: None)
MARK = 2
"""
REPORT = """
import builtins, torch
from inferometer.models.torchvision_compat import operators_missing
print("imported", torchvision.MARK, builtins.loads)
print("missing", operators_missing(), torchvision.extension._has_ops())
"""


def run(code: str, folder) -> list[str]:
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "torchvision"
    folder.mkdir()

    def write(code: str = PACKAGE, *, has: bool = False):
        (folder / "__init__.py").write_text(code)
        (folder / "extension.py").write_text(EXTENSION.replace("{has}", str(has)))
        return tmp_path

    return write


READY = "from inferometer.models.torchvision_compat import make_importable\nmake_importable()\n"


def test_whoever_imports_it_finds_the_operators_declared(package):
    lines = run(f"{READY}import torchvision\n{REPORT}", package())
    assert lines == ["imported 2 1", "missing True True"]


def test_a_torchvision_whose_operators_load_is_left_alone(package):
    code = PACKAGE.replace("torch.library", "if 0: torch.library")
    lines = run(f"{READY}import torchvision\n{REPORT}", package(code, has=True))
    assert lines == ["imported 2 1", "missing False True"]


def test_an_import_that_failed_before_can_be_done_again(package):
    before = "try:\n    import torchvision\nexcept RuntimeError as error:\n    print(error)\n"
    lines = run(f"{before}{READY}import torchvision\n{REPORT}", package())
    assert lines[0] == "operator torchvision::nms does not exist"
    assert lines[1:] == ["imported 2 2", "missing True True"]


def test_operators_that_somebody_declared_before_stay_his(package):
    theirs = (
        "import torch\n"
        "library = torch.library.Library('torchvision', 'DEF')\n"
        "library.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')\n"
        "library.impl('nms', lambda *a: a[0] + 1, 'CPU')\n"
    )
    use = "print(torch.ops.torchvision.nms(torch.ones(1), torch.ones(1), 0.5).item())\n"
    lines = run(f"{theirs}{READY}import torchvision\n{REPORT}{use}", package())
    assert lines == ["imported 2 1", "missing True True", "2.0"]


def test_making_it_importable_imports_nothing_and_is_done_once(package):
    code = (
        f"{READY}{READY}print([n for n in ('torch', 'torchvision') if n in sys.modules])\n"
        "print(sum(type(one).__name__ == '_Finder' for one in sys.meta_path))\n"
    )
    assert run(code, package()) == ["[]", "1"]


@pytest.mark.parametrize(
    "problem", ["RuntimeError('something else')", "ImportError('no such library')"]
)
def test_any_other_problem_is_passed_on(package, problem):
    code = (
        "from inferometer.models.torchvision_compat import import_torchvision\n"
        "try:\n    import_torchvision()\nexcept Exception as error:\n    print(repr(error))\n"
    )
    assert run(code, package(f"raise {problem}\n")) == [problem]


@pytest.mark.skipif(find_spec("torchvision") is None, reason="needs torchvision")
def test_the_installed_torchvision_is_imported_late_and_builds_models(tmp_path):
    code = (
        f"{READY}import torch\n"
        "class Late(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        from torchvision.ops import StochasticDepth\n"
        "        return StochasticDepth(0.5, 'row').eval()(x)\n"
        "print(Late()(torch.ones(1)).item())\n"
        "import torchvision\n"
        "print(len(torchvision.models.list_models()) > 50)\n"
    )
    assert run(code, tmp_path) == ["1.0", "True"]
