"""One folder for each runtime. A backend knows its runtime, no other, and no model source."""

from __future__ import annotations

from inferometer.core.registry import Plugin, Registry

BACKENDS = Registry(
    what="backend",
    group="inferometer.backends",
    table={
        "torch": Plugin(
            path="inferometer.backends.torch.session:TorchBackend",
            extra="torch",
            requires=("torch",),
        ),
        "python": Plugin(path="inferometer.backends.python.session:PythonBackend"),
    },
)
"""The runtimes; each is a class that takes no arguments and fits `core.protocols.Backend`."""
