"""Libraries are imported before the clock of the load time starts, and only those that are needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys
from inferometer.models import import_packages
import_packages({!r})
print(sorted({{"torch", "torchvision", "timm", "transformers"}} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("reference", "packages"),
    [
        ("unet", ["torch"]),
        ("resnet18", ["torch", "torchvision"]),
        ("timm:resnet18", ["timm", "torch", "torchvision"]),
        ("model.py:factory", []),
    ],
)
def test_what_a_reference_needs_is_imported(reference, packages):
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(reference)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(packages)
