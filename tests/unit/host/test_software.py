"""Versions by metadata."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import version

from inferometer.host.software import installed_version, versions


def test_versions_of_what_is_installed():
    found = versions()
    assert found["python"] == platform.python_version()
    assert found["numpy"] == version("numpy")
    assert found["inferometer"] == version("inferometer")


def test_what_is_not_installed_is_left_out():
    assert installed_version("no-such-distribution") is None
    assert None not in versions().values()


def test_nothing_is_imported():
    code = (
        "import sys; from inferometer.host.software import versions; versions();"
        "from inferometer.host.identity import identify; identify();"
        "sys.exit(any(m in sys.modules for m in ('torch', 'numpy', 'onnxruntime', 'openvino')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
