"""Each in a process of its own: operators cannot be declared twice, nor an import undone."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")

NEEDS_OPERATOR = "import torch\ntorch.library.register_fake('torchvision::nms')(lambda *a: None)\n"
REPORT = (
    "import torch\n"
    "from inferometer.models.torchvision_compat import import_torchvision, operators_missing\n"
    "try:\n"
    "    module = import_torchvision()\n"
    "    print('imported', module.__name__, getattr(module, 'MARK', None))\n"
    "    import torchvision\n"
    "    assert torchvision is module\n"
    "except Exception as error:\n"
    "    print('raised', type(error).__name__, error)\n"
    "declared = hasattr(torch.ops.torchvision, 'nms') and hasattr(torch.ops.torchvision, 'qnms')\n"
    "print('declared', declared, operators_missing())\n"
)


def report(folder) -> list[str]:
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n{REPORT}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "torchvision"
    folder.mkdir()

    def write(code: str):
        (folder / "__init__.py").write_text(code)
        (folder / "part.py").write_text("from torchvision import MARK\n")
        return tmp_path

    return write


def test_a_torchvision_that_imports_is_left_alone(package):
    lines = report(package("MARK = 1\n"))
    assert lines == ["imported torchvision 1", "declared False False"]


def test_missing_operators_are_declared_and_the_import_is_done_again(package):
    code = f"MARK = 2\nfrom torchvision import part\n{NEEDS_OPERATOR}assert part.MARK == 2\n"
    assert report(package(code)) == ["imported torchvision 2", "declared True True"]


@pytest.mark.parametrize(
    "problem",
    [
        "RuntimeError('operator torchvision::roi_align does not exist')",
        "RuntimeError('something else')",
        "ImportError('no such library')",
    ],
)
def test_any_other_problem_is_passed_on(package, problem):
    lines = report(package(f"raise {problem}\n"))
    assert lines[0] == "raised " + problem.replace("('", " ").removesuffix("')")
    assert lines[1] == "declared False False"


@pytest.mark.skipif(find_spec("torchvision") is None, reason="needs torchvision")
def test_the_installed_torchvision_builds_models(tmp_path):
    code = REPORT + "print(len(module.models.list_models()) > 50)\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[0] == "imported torchvision None", done.stderr
    assert done.stdout.splitlines()[-1] == "True"
