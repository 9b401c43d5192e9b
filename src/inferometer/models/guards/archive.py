"""Members of a zip archive, checked before any of them is unpacked."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

from inferometer.core.shown import shown
from inferometer.core.units import byte_count
from inferometer.models.guards import LOOKS
from inferometer.models.guards.refusal import damaged

MOST_MEMBERS = 100_000
"""Large models have a member for each of some thousand tensors."""

EXPANSION = 32
SLACK_BYTES = 16 << 20
"""All members together may be this many times as large as the archive, and this much more.

Tensors are stored as they are; what torch packs is source text, which shrinks to a tenth or so.
"""

_END = b"PK\x05\x06"
_END_BYTES = 22
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1


@LOOKS.timed
def members(path: Path, file: IO[bytes] | None = None) -> dict[str, int]:
    """Names of the members of an archive, each with its size unpacked in bytes.

    Args:
        path: the archive, for messages; opened where no `file` is given.
        file: the archive's content, such as that of a member of another.

    Raises:
        WorkloadError: (bad_model) it is damaged, leads outside, or would grow beyond bounds.
    """
    try:
        with zipfile.ZipFile(path if file is None else file) as archive:
            found = archive.infolist()
            stream = archive.fp
            assert stream is not None
            size_bytes = stream.seek(0, 2)
            stream.seek(max(0, size_bytes - _END_BYTES))
            end = stream.read()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise damaged(path, f"is cut short or damaged: {shown(error)}") from error
    # Readers differ in which directory they find where something follows it.
    if not end.startswith(_END) or end[20:] != b"\0\0":
        raise damaged(path, "is cut short or damaged: something follows its directory")
    if len(found) > MOST_MEMBERS:
        raise damaged(path, f"has {len(found):,} members; no model has over {MOST_MEMBERS:,}")
    for one in found:
        problem = _problem(one)
        if problem:
            raise damaged(path, f"has a member {shown(repr(one.orig_filename), 80)} {problem}")
    sizes = {one.orig_filename: one.file_size for one in found}
    if len(sizes) < len(found):
        raise damaged(path, "has two members of one name")
    _check_sizes(path, found, size_bytes)
    return sizes


def _problem(one: zipfile.ZipInfo) -> str:
    """What is wrong with a member; nothing for what models hold."""
    name = one.orig_filename
    if not name.isprintable() or "\\" in name or ":" in name:
        return "whose name no model has"
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        return "that leads outside of it"
    if stat.S_ISLNK(one.external_attr >> 16):
        return "that is a link"
    if one.flag_bits & _ENCRYPTED or one.compress_type not in _METHODS:
        return "that is packed in a way that no model is"
    if one.compress_type == zipfile.ZIP_STORED and one.file_size != one.compress_size:
        return "of two sizes"
    return ""


def _check_sizes(path: Path, found: list[zipfile.ZipInfo], size_bytes: int) -> None:
    if sum(one.compress_size for one in found) > size_bytes:
        raise damaged(path, "has members that lie over each other, or beyond its end")
    whole = sum(one.file_size for one in found)
    if whole > size_bytes * EXPANSION + SLACK_BYTES:
        raise damaged(
            path,
            f"has {byte_count(size_bytes)}, and would grow to {byte_count(whole)}; no model is "
            "packed so tightly",
        )


def without_top(name: str) -> str:
    """A member's path without the archive's top folder, where it has one."""
    parts = PurePosixPath(name).parts
    return "/".join(parts[1:]) if len(parts) > 1 else name
