"""What the tests of several folders share."""

from __future__ import annotations

import gc
import sys
from importlib import import_module

import pytest

LONG = {"system", "fuzz"}
"""Folders whose files take a minute rather than a second."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Begin with what takes long: of processes side by side, none then works on alone at the end."""
    items.sort(key=lambda item: item.path.parent.name not in LONG)


@pytest.fixture(scope="session", autouse=True)
def own_lease(tmp_path_factory):
    """A lease for the runs of this process of tests, beside which others run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INFEROMETER_LEASE", str(tmp_path_factory.mktemp("lease") / "lease"))
        yield


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """Leave all that the tests import out of later collections, each of which would take a second."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def few_objects():
    """As few objects as in a user's program, of which `measure` looks at every one several times.

    A process of tests holds two million, of all that the tests import. Those that are there before
    the first test of a file are frozen: `gc.get_objects` does not give them.
    """
    if "torch" in sys.modules:
        import_module("torch._dynamo")  # an optimiser brings it in, with a third of all objects
    gc.collect()
    gc.freeze()
