"""Records of an archive, read by torch's own reader, so that what is checked is what is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inferometer.core.shown import shown
from inferometer.models.guards.archive import members
from inferometer.models.guards.refusal import damaged

LARGEST_TEXT_BYTES = 1 << 30
"""Of a program, or of what describes it; those of the largest models have some hundred MB."""


class Records:
    """Records of an archive that torch wrote.

    Attributes:
        path: the archive.
        sizes: name of each record → its bytes.
    """

    def __init__(self, path: Path) -> None:
        """Open an archive.

        Raises:
            WorkloadError: (bad_model) it is damaged, or two readers find different things in it.
        """
        import torch

        self.path = path
        inside = members(path)
        try:
            self._reader: Any = torch._C.PyTorchFileReader(str(path))  # noqa: SLF001 - the only one
            names = list(self._reader.get_all_records())
            self.sizes = {name: int(self._reader.get_record_size(name)) for name in names}
        except (RuntimeError, ValueError, LookupError, ArithmeticError) as error:
            raise damaged(path, f"is cut short or damaged: {shown(error)}") from error
        top = {name.partition("/")[0] for name in inside}
        expected = {name.partition("/")[2]: size for name, size in inside.items()}
        if len(top) != 1 or len(names) != len(expected) or self.sizes != expected:
            raise damaged(path, "is damaged: its directory can be read in two ways")

    def read(self, name: str) -> bytes:
        """Content of a record.

        Raises:
            WorkloadError: (bad_model) there is none, it is damaged, or far too large.
        """
        if self.sizes.get(name, 0) > LARGEST_TEXT_BYTES:
            raise damaged(self.path, f"has a record {shown(name, 80)} that is far too large")
        try:
            content: bytes = self._reader.get_record(name)
        except (RuntimeError, ValueError, LookupError, ArithmeticError) as error:
            raise damaged(self.path, f"lacks {shown(name, 80)}, or it is damaged") from error
        return content
