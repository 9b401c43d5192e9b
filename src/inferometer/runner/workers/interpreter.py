"""Under which Python a worker runs.

One of a backend's own environment gets our package alone: with our whole site-packages on its path,
it might take NumPy or a runtime from there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from inferometer.backends import environment
from inferometer.backends.environments import variables

MODULE = "inferometer.runner.workers.worker"
PACKAGE = Path(__file__).parents[2]

BOOTSTRAP = f"""
import sys
sys.path[:] = filter(None, sys.path)  # not the current folder
from importlib.util import module_from_spec, spec_from_file_location
folder = sys.argv[1]
spec = spec_from_file_location(
    "inferometer", folder + "/__init__.py", submodule_search_locations=[folder]
)
sys.modules["inferometer"] = package = module_from_spec(spec)
spec.loader.exec_module(package)
from {MODULE} import main
main(sys.argv[2:])
"""


def worker_command(backend: str) -> list[str]:
    """What starts a worker of a backend; its arguments follow."""
    found = environment(backend)
    if found is None:
        return [sys.executable, "-m", MODULE]
    return [found.python, "-c", BOOTSTRAP, str(PACKAGE)]


def worker_variables(backend: str) -> dict[str, str]:
    """Environment variables that a worker of a backend inherits."""
    return dict(os.environ) if environment(backend) is None else variables(os.environ)
