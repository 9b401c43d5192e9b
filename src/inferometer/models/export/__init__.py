"""From a model in memory to a file of it that other runtimes read: ONNX, `.pt2`, TorchScript.

Importing this package imports no runtime.
"""

from __future__ import annotations

from inferometer.models.export.digest import digest_of
from inferometer.models.export.exporting import export

__all__ = ["digest_of", "export"]
