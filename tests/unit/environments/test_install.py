"""Private environments, made by pip from a folder of wheels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec

import pytest

from inferometer.backends import BACKENDS, backend, environment
from inferometer.backends.environments import is_stale, kept
from inferometer.cli.main import main
from inferometer.core.errors import InputError
from inferometer.report.terminal.installing import InstallDisplay
from inferometer.runner.environments import install, remove, software
from inferometer.runner.workers.interpreter import PACKAGE, worker_command

NEEDS_ONE = "backend tiny needs an environment of its own: inferometer backends install tiny"

HELD = """
import sys
from inferometer.core import registry
from inferometer.runner.environments import _Making, _locked
from inferometer.runner.pip_lines import PipLines
with _locked("tiny") as lock:
    code = "import sys; print('here', flush=True); open(sys.argv[1]).read()"
    lines = PipLines(0, print)
    lines.take = lambda line: print(line, flush=True)
    _Making("tiny", lock, print)._run([sys.executable, "-c", code, sys.argv[1]], lines)
"""


def site_of(folder):
    return next(folder.glob("lib/python*/site-packages"))


def test_one_is_made_and_used(index, cache):
    assert find_spec("tinyrt") is None
    unfinished = cache / "environments" / "tiny" / "no-python-yet"
    unfinished.mkdir(parents=True)
    with pytest.raises(InputError, match=NEEDS_ONE):
        backend("tiny")
    steps = []
    made = install("tiny", on_step=steps.append)
    assert made.python == str(cache / "environments" / "tiny" / "bin" / "python")
    assert not unfinished.exists()
    stages = list(dict.fromkeys(step.stage for step in steps))
    version = sys.version.split()[0]
    assert stages == [
        *(f"making an environment with Python {version}", "collecting", "installing 3 packages"),
        "trying it",
    ]
    assert (steps[-2].done, steps[-2].total) == (3, 3)
    assert "fp32" in backend("tiny").precisions
    assert worker_command("tiny")[0] == made.python
    assert worker_command("python")[0] == sys.executable
    found = software(["tiny", "python"])
    assert (found["numpy (tiny)"], "numpy (python)" in found) == ("9.0", False)
    assert found["numpy"] != "9.0"


def test_one_that_is_there_stays(begun, index, capsys):
    with pytest.raises(SystemExit):
        main(["backends", "install", "tiny"])
    first = environment("tiny")
    assert capsys.readouterr().err.splitlines() == [
        *("tiny: collecting", "tiny: installing 3 packages", "tiny: trying it"),
        f"tiny runs under {first.python} (Python {first.version}).",
    ]
    (index / "tinyrt-1.0-py3-none-any.whl").unlink()
    told = []
    assert install("tiny", on_step=told.append) == first
    assert told == []


def test_a_failure_is_one_sentence_and_goes_on_later(begun, index, cache):
    wheel = index / "tinyrt-1.0-py3-none-any.whl"
    content = wheel.read_bytes()
    wheel.unlink()
    with pytest.raises(InputError) as caught:
        install("tiny")
    log = cache / "environments" / "tiny.log"
    assert "tiny could not be made: No matching distribution found for tinyrt==1.0" in str(
        caught.value
    )
    assert str(log) in str(caught.value)
    assert "numpy-9.0-py3-none-any.whl" in log.read_text()
    assert environment("tiny") is None
    wheel.write_bytes(content)
    (begun / "stays").touch()
    install("tiny")
    assert (begun / "stays").exists()


def test_a_package_that_was_half_installed_is_installed_again(begun):
    site = site_of(begun)
    (site / "tinyrt-1.0.dist-info").mkdir()
    (site / "tinyrt-1.0.dist-info" / "METADATA").write_text("Name: tinyrt\nVersion: 1.0\n")
    (site / "tinyrt.py").write_text("half of")
    install("tiny")
    assert (site / "tinyrt.py").read_text() == "version = '1.0'\n"


def test_what_is_interrupted_is_no_environment(begun, monkeypatch, capsys):
    def interrupt(step):
        if step.stage == "collecting":
            raise KeyboardInterrupt

    monkeypatch.setattr(InstallDisplay, "tell", lambda _, step: interrupt(step))
    with pytest.raises(SystemExit, match="130"):
        main(["backends", "install", "tiny"])
    assert "To go on: inferometer backends install tiny" in capsys.readouterr().err
    assert environment("tiny") is None
    assert install("tiny") == environment("tiny")


def test_another_lock_file_makes_it_stale(begun, index, lock):
    from .conftest import add_wheel

    add_wheel(index, "tinyrt-2.0")
    plugin = BACKENDS.find("tiny")
    assert not is_stale(plugin, install("tiny"))
    lock.write_text(lock.read_text().replace("1.0", "2.0"))
    assert is_stale(plugin, kept("tiny"))
    assert environment("tiny") is not None
    assert not is_stale(plugin, install("tiny"))
    assert "2.0" in (site_of(begun) / "tinyrt.py").read_text()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"python": "/bin/sh"}', b'{"python": "", "version": 3, "path": 7}'],
)
def test_a_damaged_file_is_no_environment(cache, content):
    folder = cache / "environments"
    folder.mkdir(parents=True)
    (folder / "tiny.json").write_bytes(content)
    assert environment("tiny") is None


def test_without_its_python_it_is_no_environment(begun):
    install("tiny")
    (begun / "bin" / "python").unlink()
    with pytest.raises(InputError, match=NEEDS_ONE):
        backend("tiny")


def test_in_its_own_process_it_is_nowhere_else(begun, monkeypatch):
    monkeypatch.setattr(sys, "executable", install("tiny").python)
    assert environment("tiny") is None
    with pytest.raises(InputError):  # its packages are not here
        backend("tiny")


def test_removed_it_leaves_nothing(begun, cache):
    install("tiny")
    assert remove("tiny")
    assert {one.name for one in (cache / "environments").iterdir()} <= {"tiny.lock"}
    assert not remove("tiny")
    assert environment("tiny") is None


def test_nobody_else_gets_in_before_pip_has_ended(cache, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command = [sys.executable, "-c", HELD, str(fifo)]
    environ = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environ)
    assert process.stdout.readline() == b"here\n"
    with pytest.raises(InputError, match="another process makes or removes"):
        install("tiny")
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    try:
        with pytest.raises(InputError, match="another process"):
            remove("tiny")
    finally:
        fifo.open("w").close()


def test_versions_are_read_where_they_are(cache, tmp_path):
    described = tmp_path / "site" / "ncnn-0.0.7.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: ncnn\nVersion: 0.0.7\n")
    (cache / "environments").mkdir(parents=True)
    kept_there = {"python": "/bin/sh", "version": "3.10.1", "path": [str(tmp_path / "site")]}
    file = cache / "environments" / "tiny.json"
    file.write_text(json.dumps({**kept_there, "lock": ""}))
    assert "0.0.7" in {
        version for name, version in software(["tiny"]).items() if name.startswith("ncnn")
    }
    assert software(["tiny"])["python (tiny)"] == "3.10.1"
