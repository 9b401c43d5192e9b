"""A `torch.export` archive, checked before torch loads it.

torch unpickles the example inputs, and weights, constants and objects that say so; loads compiled
libraries; and makes Python code of the program. What it would be given is looked at here first,
through its own reader, and refused where it is anything but tensors and a plain program.
"""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inferometer.core.shown import shown
from inferometer.models.guards import LOOKS
from inferometer.models.guards.archive import members
from inferometer.models.guards.extent import check_extent
from inferometer.models.guards.pickles import check_pickle
from inferometer.models.guards.program import check_program, read_part
from inferometer.models.guards.records import LARGEST_TEXT_BYTES, Records
from inferometer.models.guards.refusal import damaged, untrusted

OLD_PROGRAM = "serialized_exported_program.json"
"""The program in an archive of the form that torch wrote up to 2.7."""

PROGRAM = "models/model.json"

_PLAIN_RECORD = re.compile(
    r"archive_format|archive_version|byteorder|version|\.data/[\w.]+|\.[\w.]+|extra/.*"
    r"|data/weights/weight_[0-9]+|data/constants/tensor_[0-9]+"
)
"""Records that are only numbers or text, whatever they hold."""

_MODEL = re.compile(r"models/(\w+)\.json")
_PAYLOADS = re.compile(r"data/(weights|constants)/\w+_(weights|constants)_config\.json")
_PICKLE = re.compile(r"data/(weights|constants|sample_inputs)/\w+\.pt")
_PAYLOAD = re.compile(r"(weight|tensor)_[0-9]+")

_OLD_PICKLE = re.compile(r"serialized_(state_dict|constants|example_inputs)\.(pt|json)")
_OLD_PLAIN = re.compile(r"version|extra_files/.*|" + re.escape(OLD_PROGRAM))


@LOOKS.timed
def check_exported(path: Path) -> None:
    """Refuse an archive that could run code.

    Raises:
        WorkloadError: (bad_model) it could, or it is damaged.
    """
    inside = members(path)
    if OLD_PROGRAM in inside:
        _check_old(path, inside)
        return
    records = Records(path)
    names = list(records.sizes)
    if PROGRAM not in names:
        raise damaged(path, f"holds no program {PROGRAM}")
    for name in names:
        content = b"" if _PLAIN_RECORD.fullmatch(name) else records.read(name)
        if _MODEL.fullmatch(name):
            check_program(path, content)
        elif match := _PAYLOADS.fullmatch(name):
            _check_payloads(records, match[1], content)
        elif _PICKLE.fullmatch(name):
            if content:
                check_pickle(path, name, content)
        elif not _PLAIN_RECORD.fullmatch(name):
            raise untrusted(path, f"holds {shown(name, 80)}, which is not part of a plain program")


def _check_old(path: Path, inside: Mapping[str, int]) -> None:
    """The same for the form of before, in which torch reads each member by its name."""
    with zipfile.ZipFile(path) as archive:
        for name, size in inside.items():
            if size > LARGEST_TEXT_BYTES and not _OLD_PICKLE.fullmatch(name):
                raise damaged(path, f"has a member {shown(name, 80)} that is far too large")
            if name == OLD_PROGRAM:
                check_program(path, archive.read(name))
            elif _OLD_PICKLE.fullmatch(name):
                if size:
                    check_pickle(path, name, archive.read(name))
            elif not _OLD_PLAIN.fullmatch(name):
                raise untrusted(path, f"holds {shown(name, 80)}, which is not part of a program")


def _check_payloads(records: Records, folder: str, content: bytes) -> None:
    """Look at what a list of weights or constants says of each."""
    from torch._export.serde import schema

    found = read_part(records.path, schema.PayloadConfig, content)
    for name, payload in found.config.items():
        record = f"data/{folder}/{payload.path_name}"
        if not _PAYLOAD.fullmatch(payload.path_name) or record not in records.sizes:
            raise untrusted(
                records.path, f"makes {shown(name, 80)} of {shown(payload.path_name, 80)}"
            )
        if payload.use_pickle:
            check_pickle(records.path, record, records.read(record))
        elif payload.tensor_meta is None:
            raise damaged(records.path, f"is damaged: {shown(name, 80)} has no shape")
        else:
            stored = records.sizes[record]
            check_extent(records.path, name, _bytes_of(payload.tensor_meta), stored)


def _bytes_of(meta: Any) -> int:  # noqa: ANN401 - torch's dataclass
    """Bytes of a tensor of a shape; an axis without a length counts as one."""
    lengths = [one.as_int for one in meta.sizes if str(one.type) == "as_int"]
    return math.prod(lengths) if min(lengths, default=0) >= 0 else 0
