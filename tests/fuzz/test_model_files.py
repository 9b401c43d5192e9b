"""Changed ONNX, torch and safetensors files: none does harm, and no code of theirs runs."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.timeout(900)  # of many inputs, on a machine that does other things

pytest.importorskip("torch")
pytest.importorskip("onnx")

NAMES = ("onnx", "model-file")


@pytest.fixture(scope="module")
def found(tried):
    return tried(*NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_file_does_harm(found, name):
    faults = [
        f"{name} {one['seed']}: {one['faults']} {one['args']}"
        for one in found[name]
        if one["faults"]
    ]
    assert not faults, "\n".join(faults[:5])


@pytest.mark.parametrize("name", NAMES)
def test_some_files_can_still_be_counted(found, name):
    assert {"accepted", "refused"} <= {one["verdict"] for one in found[name]}
