"""What held in this process during the calls: threads, types, variables; and who changed it."""

from __future__ import annotations

from dataclasses import dataclass, field

from inferometer.core.protocols import Backend, Setting, SupportsSettings
from inferometer.core.record import Value
from inferometer.host import settings


@dataclass(frozen=True, kw_only=True)
class Held:
    """What held.

    Attributes:
        threads: that worked in an operator; None where nobody knows.
        changes: what the model's code changed of what was asked for, in sentences.
    """

    threads: int | None = None
    changes: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Value]:
        """Fields of the record."""
        return {} if self.threads is None else {"threads": self.threads}


class Settings:
    """The settings of this process, as they were before the model's code ran.

    Args:
        backend: it was started; of one without settings, only the process's own are known.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend if isinstance(backend, SupportsSettings) else None
        self._runtime = self._read()
        self._process = settings.read()

    def held(self) -> Held:
        """What holds now."""
        threads = self._read().get("threads")
        backend = self._backend
        return Held(
            threads=threads if isinstance(threads, int) else None,
            changes=[
                *([] if backend is None else backend.setting_changes(self._runtime)),
                *settings.changes(self._process, settings.read()),
            ],
        )

    def _read(self) -> dict[str, Setting]:
        return {} if self._backend is None else dict(self._backend.settings())
