"""Where a model comes from: a reference → a network and its inputs. Knows no runtime session.

Importing this package imports no runtime; `check` never does, `load` imports what its source needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inferometer.core.format import Format
    from inferometer.core.model import LoadedModel

__all__ = ["check", "format_of", "import_packages", "load"]

_MODULES = frozenset({"catalogue", "torchvision", "timm", "transformers"})
"""Sources all of whose models are torch modules."""


def format_of(reference: str) -> Format | None:
    """The format of a model, as far as it shows without loading it. Imports no runtime.

    Args:
        reference: a catalogue name, `torchvision:NAME`, `path/to/file.py:factory` …

    Returns:
        None where code decides (a function, a repository, another package's source), and for a
        file that is damaged, missing or no model: `check` or `load` says what is wrong with it.

    Raises:
        ModelReferenceError: its syntax or its source is wrong.
    """
    from inferometer.core.errors import WorkloadError
    from inferometer.core.format import Format
    from inferometer.models.filekind import file_format
    from inferometer.models.paths import path_of
    from inferometer.models.reference import parse

    parsed = parse(reference)
    if parsed.source != "file":
        return Format.TORCH_MODULE if parsed.source in _MODULES else None
    try:
        return file_format(path_of(parsed.target))
    except WorkloadError:
        return None


def check(reference: str) -> None:
    """Look at a reference as far as that is possible without importing a runtime.

    Args:
        reference: a catalogue name, `torchvision:NAME`, `path/to/file.py:factory` …

    Raises:
        ModelReferenceError: its syntax, its name, its source, an option or a file is wrong.
        MissingExtraError: a package that it needs is not installed.
    """
    from inferometer.core.protocols import SupportsCheck
    from inferometer.models.options import Options
    from inferometer.models.reference import parse
    from inferometer.models.registry import source

    parsed = parse(reference)
    chosen = Options.read(parsed.options)
    chosen.require_files()
    if parsed.source != "file":
        chosen.input_shape  # noqa: B018 - refuses what only files take
    found = source(parsed.source)
    if isinstance(found, SupportsCheck):
        found.check(parsed.target, dict(parsed.options))


def import_packages(reference: str) -> None:
    """Import the packages that a reference needs, so that loading it takes only its own time.

    Args:
        reference: a catalogue name, `torchvision:NAME`, `path/to/file.py:factory` …

    Raises:
        ModelReferenceError: the reference is wrong.
        WorkloadError: (bad_model) a package cannot be imported.
    """
    from importlib import import_module

    from inferometer.models.catalogue import find
    from inferometer.models.failures import building
    from inferometer.models.filekind import OPENED_WITH
    from inferometer.models.reference import parse
    from inferometer.models.registry import SOURCES
    from inferometer.models.torchvision_compat import (
        import_torchvision_if_installed,
        make_importable,
    )

    make_importable()
    parsed = parse(reference)
    source = parsed.source
    if source == "catalogue":
        builder = find(parsed.target).built_by.partition(":")[0]
        source = builder if builder in SOURCES.table else source
    packages = SOURCES.find(source).requires
    found = format_of(reference) if source == "file" else None
    if found in OPENED_WITH:
        packages = (OPENED_WITH[found],)
    with building(reference):
        if {"torchvision", "timm", "transformers"} & set(packages):
            import_torchvision_if_installed()
        for name in packages:
            import_module(name)


def load(reference: str, *, seed: int) -> LoadedModel:
    """Build the network of a reference on the CPU, in evaluation mode, with its inputs.

    The global random generators of Python, NumPy and torch are seeded on the way.

    Args:
        reference: a catalogue name, `torchvision:NAME`, `path/to/file.py:factory` …
        seed: seeds random weights.

    Raises:
        ModelReferenceError: the reference is wrong.
        MissingExtraError: a package that it needs is not installed.
        WorkloadError: (bad_model) the builder raised, or gave something that is not a model;
            (unsupported) the model cannot be served here.
    """
    from inferometer.models.reference import parse
    from inferometer.models.registry import source
    from inferometer.models.torchvision_compat import make_importable

    check(reference)
    make_importable()  # a user's file, too, may import it, at once or in a first call
    parsed = parse(reference)
    return source(parsed.source).load(parsed.target, dict(parsed.options), seed=seed)
