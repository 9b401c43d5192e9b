"""Names of models that a package registers, read from its sources: nothing of it is imported.

So that a mistyped name is told before anything runs. A name that stands anywhere in the sources is
left to the package itself, which knows better.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from inferometer.core.errors import ModelReferenceError
from inferometer.core.references import did_you_mean, quoted

_REGISTERED = re.compile(r"^@register_model\b.*\n(?:(?!def ).*\n){,30}?def (\w+)", re.MULTILINE)


def unknown(package: str, name: str, known: Iterable[str], listed_by: str) -> ModelReferenceError:
    """What is said of a model that a package does not have."""
    return ModelReferenceError(
        f"{package} has no model {quoted(name)}{did_you_mean(name, known)}; {listed_by} lists them"
    )


def check_registered(package: str, name: str, listed_by: str) -> None:
    """Refuse a model whose name is nowhere in the sources of its package.

    Args:
        package: `torchvision` or `timm`, whose models are in the folder `models`.
        name: of the model.
        listed_by: what lists the names, for the message.

    Raises:
        ModelReferenceError: there is no such model.
    """
    text = _sources(package)
    if text and not re.search(rf"\b{re.escape(name)}\b", text):
        raise unknown(package, name, _REGISTERED.findall(text), listed_by)


def registered_in(name: str) -> str:
    """The reference of a model of exactly this name in an installed package; empty for none."""
    for package in ("torchvision", "timm"):
        if name in _REGISTERED.findall(_sources(package)):
            return f"{package}:{name}"
    return ""


def _sources(package: str) -> str:
    """The sources of its models in one text; empty where they are not to be read."""
    found = find_spec(package)
    if found is None or found.origin is None:
        return ""
    try:
        folder = Path(found.origin).parent / "models"
        return "\n".join(file.read_text("utf-8", "replace") for file in folder.rglob("*.py"))
    except OSError:
        return ""
