"""Makes model files that would run code, or do harm in another way, if they were believed."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from pathlib import Path


class Payload:
    """Unpickling it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def code(marker: Path) -> str:
    """An expression that makes a folder when it is evaluated."""
    return f"__import__('os').mkdir({str(marker)!r})"


def pickled(value: object) -> bytes:
    return pickle.dumps(value)


def saved(value: object) -> bytes:
    """What `torch.save` would write."""
    import torch

    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


class Archive:
    """A torch archive whose members can be changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with zipfile.ZipFile(path) as archive:
            self.members = {name: archive.read(name) for name in archive.namelist()}
        self.top = next(iter(self.members)).partition("/")[0]

    def __getitem__(self, name: str) -> bytes:
        return self.members[f"{self.top}/{name}"]

    def __setitem__(self, name: str, content: bytes) -> None:
        self.members[f"{self.top}/{name}"] = content

    def document(self, name: str = "models/model.json"):
        return json.loads(self[name])

    def write(self, compression: int = zipfile.ZIP_STORED) -> Path:
        with zipfile.ZipFile(self.path, "w", compression) as archive:
            for name, content in self.members.items():
                archive.writestr(name, content)
        return self.path
