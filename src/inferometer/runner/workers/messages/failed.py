"""That a request failed."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.core.record import Failure, FailureKind, Stage


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A request failed; the parent knows at which stage.

    Attributes:
        kind: what happened.
        message: one or two sentences for people.
    """

    kind: FailureKind
    message: str

    def at(self, stage: Stage) -> Failure:
        """The failure of a workload at a stage."""
        return Failure(stage=stage, kind=self.kind, message=self.message)
