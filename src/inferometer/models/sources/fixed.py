"""`builtin:control-v1`: fixed work that comes along, the same for good. Needs no runtime."""

from __future__ import annotations

from typing import Any

from inferometer.core.errors import ModelReferenceError
from inferometer.core.format import Format
from inferometer.core.model import LoadedModel
from inferometer.core.references import did_you_mean, quoted
from inferometer.models.inputs import ExampleInputs
from inferometer.models.zoo.control import VERSIONS


class FixedSource:
    """Gives work that takes no inputs and no options, and is always the same."""

    def check(self, target: str, options: dict[str, Any]) -> None:
        """Check the name.

        Raises:
            ModelReferenceError: there is no such one, or options are given.
        """
        if target not in VERSIONS:
            raise ModelReferenceError(
                f"no built-in model is called {quoted(target)}"
                f"{did_you_mean(target, VERSIONS)}; known: {', '.join(VERSIONS)}"
            )
        if options:
            raise ModelReferenceError(f"builtin:{target} takes no options: it is always the same")

    def load(self, target: str, options: dict[str, Any], *, seed: int) -> LoadedModel:
        """Make it; no seed changes it.

        Raises:
            ModelReferenceError: there is no such one, or options are given.
        """
        del seed
        self.check(target, options)
        return LoadedModel(
            network=VERSIONS[target](),
            format=Format.CALLABLE,
            inputs=ExampleInputs(),
            source="builtin",
            weights="fixed",
        )
