"""Pickles inside of a model file: loaded with weights only, to see that they hold nothing else."""

from __future__ import annotations

import io
import mmap
import warnings
import zipfile
from pathlib import Path

from inferometer.models.guards import LOOKS
from inferometer.models.guards.archive import members
from inferometer.models.guards.records import Records
from inferometer.models.guards.refusal import TRUST, damaged, untrusted

_RESERVING = b"bytearray"
"""What torch lets a pickle call, and what takes any amount of memory; no weights have it."""


@LOOKS.timed
def check_torch_file(path: Path, problem: str) -> None:
    """Refuse a file of `torch.save` that would grow, or reserve memory, when it is loaded.

    Args:
        path: the file.
        problem: what to say of one whose pickle reserves memory.

    Raises:
        WorkloadError: (bad_model) it would, or it is damaged.
    """
    with path.open("rb") as file:
        if file.read(2) == b"PK":
            records = Records(path)
            pickles = [records.read(name) for name in records.sizes if name.endswith(".pkl")]
            reserves = any(_RESERVING in one for one in pickles)
        else:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                reserves = content.find(_RESERVING) >= 0
    if reserves:
        raise damaged(path, problem)


def check_pickle(path: Path, name: str, content: bytes, way_out: str = TRUST) -> None:
    """Refuse what `torch.save` wrote, unless it holds numbers, texts and tensors alone.

    Args:
        path: the file that it is part of, for messages.
        name: of the part.
        content: the part.
        way_out: what to do about one that holds more.

    Raises:
        WorkloadError: (bad_model) it holds more, or is damaged.
    """
    import torch

    stream = io.BytesIO(content)
    loud = content
    if content.startswith(b"PK"):
        inside = members(path, stream)
        with zipfile.ZipFile(stream) as archive:
            loud = b"".join(archive.read(one) for one in inside if one.endswith(".pkl"))
        stream.seek(0)
    problem = f"holds a pickle that is more than tensors ({name})"
    if _RESERVING in loud:
        raise untrusted(path, problem, way_out)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle's protocol: whether it loads is enough
            torch.load(stream, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:
        raise untrusted(path, problem, way_out) from error
