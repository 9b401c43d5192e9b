"""A study → the job of a device, with the files that it needs there.

A board runs a job in a folder of its own, where the study's files lie as they lie here. So what a
study names by a path has to be named from the folder that one is in, and to lie below it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path, PurePath

from inferometer.core.errors import FleetError
from inferometer.core.filenames import reason_of
from inferometer.core.shown import shown
from inferometer.core.sweep import Study
from inferometer.core.workload import Workload
from inferometer.fleet.protocol import MOST_FILES, MOST_FILES_BYTES
from inferometer.fleet.types import Device, Job, JobFile

BY_NAME = frozenset({"catalogue", "torchvision", "timm"})
"""Sources of models whose targets are no paths."""
WORDS = frozenset({"pretrained", "calibrated"})
"""Values of `weights` that are no files."""
UNSENT = frozenset({"__pycache__", ".git"})


def new_id() -> str:
    """A job's id, at random."""
    return secrets.token_hex(4)


def job_of(
    study: Study,
    device: Device,
    *,
    job_id: str | None = None,
    group: str = "",
    workloads: Sequence[Workload] | None = None,
    files: tuple[JobFile, ...] = (),
    energy: bool = True,
    allow_estimate: bool = False,
) -> Job:
    """A job of a device.

    Args:
        study: the whole study; a device fills in its threads.
        device: where it is measured.
        job_id: its id; a random one by default.
        group: id of the run that it is a part of.
        workloads: what is measured; all of the study by default.
        files: what the study needs (`files_of`).
        energy: whether power sources are looked for.
        allow_estimate: whether a meter may be an estimate.
    """
    return Job(
        id=job_id or new_id(),
        group=group,
        device_name=device.name,
        kind=device.kind,
        price=device.price,
        study=study.to_json(),
        workloads=tuple(study.workloads() if workloads is None else workloads),
        files=files,
        energy=energy,
        meters=() if device.meter is None or not energy else (device.meter,),
        allow_estimate=allow_estimate,
    )


def files_of(study: Study, *, extra: Iterable[Path] = ()) -> tuple[JobFile, ...]:
    """The files that a study names, with the user's own modules that its Python files import.

    Args:
        study: whose models and data are looked at.
        extra: further files and folders that the user names.

    Raises:
        FleetError: one lies outside of this folder, cannot be read, or they are too many.
        InputError: a reference is wrong.
    """
    here = Path.cwd()
    found: dict[str, Path] = {}
    for path in (*_named(study), *extra):
        for file in _below(path, here):
            found.setdefault(file.relative_to(here).as_posix(), file)
            if len(found) > MOST_FILES:
                raise FleetError(
                    f"{shown(path)}: more than {MOST_FILES} files to send; make one of them, such "
                    "as an .npz of a folder of pictures"
                )
    files = tuple(_described(name, path) for name, path in sorted(found.items()))
    if sum(file.size_bytes for file in files) > MOST_FILES_BYTES:
        raise FleetError(f"the files of the study are larger than {MOST_FILES_BYTES >> 30} GiB")
    return files


def _named(study: Study) -> Iterator[Path]:
    """Files and folders that a study names."""
    from inferometer.datasets.reference import parse as parse_data
    from inferometer.models.reference import parse as parse_model

    for model in dict.fromkeys(study.sweep.models):
        found = parse_model(model)
        named = [] if found.source in BY_NAME else [found.target]
        weights = found.options.get("weights")
        if isinstance(weights, str) and weights not in WORDS:
            named.append(weights)
        if found.target.startswith("local-dir:"):
            named.append(found.target.partition(":")[2])
        yield from _existing(named)
    if study.procedure.data is not None:
        data = parse_data(study.procedure.data)
        yield from _existing([data.target, data.metric or "", data.classes or ""])
    yield from _existing([study.procedure.metric or ""])


def _existing(texts: Iterable[str]) -> Iterator[Path]:
    """Those texts that name a file or folder, with or without `:NAME` after it.

    Python files bring their neighbours.
    """
    for text in texts:
        for name in dict.fromkeys((text, text.rpartition(":")[0])):
            path = Path(name).expanduser() if name.startswith("~") else Path(name)
            if name and _is_there(path):
                yield from _with_imports(path)
                break


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _with_imports(path: Path) -> Iterator[Path]:
    """A file or folder; of a Python file, also the user's modules that it imports, and so on."""
    seen: set[Path] = set()
    waiting = [path]
    while waiting and len(seen) <= MOST_FILES:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        yield one
        if one.suffix == ".py":
            waiting += _imported(one)


def _imported(file: Path) -> list[Path]:
    """The user's files that a file imports."""
    from inferometer.host.userfiles.roots import Roots
    from inferometer.host.userfiles.statements import Imports

    imports = Imports.of(file)
    roots = Roots.around(file.resolve().parent, imports)
    places = list(roots.packages(imports))
    for name in {key[0].partition(".")[0] for key in imports.absolute}:
        found = roots.find(name)
        if found is None:
            continue
        if found.spec.submodule_search_locations:
            places += map(Path, found.spec.submodule_search_locations)
        elif found.spec.origin is not None:
            places.append(Path(found.spec.origin))
    return [one for place in places for one in _modules(place)]


def _modules(place: Path) -> Iterable[Path]:
    return place.rglob("*.py") if place.is_dir() else (place,)


def _below(path: Path, here: Path) -> Iterator[Path]:
    """The files that a path leads to, as absolute paths below a folder.

    Raises:
        FleetError: it does not lie there.
    """
    place = Path(os.path.normpath(here / path))
    if path.is_absolute() and path.is_relative_to(here.resolve()):
        place = here / path.relative_to(here.resolve())  # a module that was found by its import
    if not place.is_relative_to(here) or place == here:
        raise FleetError(
            f"{shown(path)}: boards get files that lie below the folder that you are in, under the "
            f"same names; go to a folder above it, or copy it below {shown(here)}, and name it "
            f"from there, such as ./{shown(PurePath(path).name or 'FOLDER')}"
        )
    if not place.is_dir():
        yield place
        return
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(set(folders) - UNSENT)
        yield from (Path(folder) / name for name in sorted(names))


def _described(name: str, path: Path) -> JobFile:
    """A file to send.

    Raises:
        FleetError: it cannot be read.
    """
    digest, size = sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise FleetError(f"{shown(path)}: it cannot be sent: {reason_of(error)}") from error
    return JobFile(path=name, sha256=digest.hexdigest(), size_bytes=size, source=path)
