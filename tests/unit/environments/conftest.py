"""An environment that holds NumPy and psutil alone, and a backend that wants one of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest

import inferometer.backends
from inferometer.core.registry import Plugin

HERE = Path(sysconfig.get_path("purelib"))


def bare(folder, *packages):
    """A virtual environment without pip, with links to packages of this one; gives its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for package in packages:
        for found in HERE.glob(f"{package}*"):
            (site / found.name).symlink_to(found)
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory):
    return bare(tmp_path_factory.mktemp("bare") / "env", "numpy", "psutil")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("INFEROMETER_CACHE", str(folder))
    return folder


@pytest.fixture
def lock(tmp_path):
    file = tmp_path / "requirements.txt"
    file.write_text("# for a test\nnumpy==9.0\npsutil==9.0\ntinyrt==1.0\n")
    return file


@pytest.fixture
def index(tmp_path, monkeypatch):
    """The only place from which pip installs: holds a module for each package of the lock file."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("numpy-9.0", "psutil-9.0", "tinyrt-1.0"):
        add_wheel(folder, name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def add_wheel(index, name):
    module, version = name.split("-")
    described = f"{name}.dist-info"
    content = {
        f"{module}.py": f"version = {version!r}\n",
        f"{described}/METADATA": f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n",
        f"{described}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    content[f"{described}/RECORD"] = "".join(f"{one},,\n" for one in [*content, described])
    with ZipFile(index / f"{name}-py3-none-any.whl", "w") as wheel:
        for path, text in content.items():
            wheel.writestr(path, text)


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """A virtual environment with pip."""
    folder = tmp_path_factory.mktemp("empty") / "env"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def begun(empty, cache, index):
    """The private environment of `tiny` as an interruption before the first package left it."""
    folder = cache / "environments" / "tiny"
    shutil.copytree(empty, folder, symlinks=True)
    return folder


@pytest.fixture(autouse=True)
def tiny(monkeypatch, lock):
    """The backend `tiny`, which is `python` with the need for a package `tinyrt`."""
    plugin = Plugin(
        path="inferometer.backends.python.session:PythonBackend",
        requires=("tinyrt",),
        lock=str(lock),
    )
    monkeypatch.setitem(inferometer.backends.BACKENDS.table, "tiny", plugin)
