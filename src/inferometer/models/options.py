"""The options that mean the same for every source, told from those of the model's builder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inferometer.core.errors import ModelReferenceError
from inferometer.core.filenames import FileProblemError, check_file
from inferometer.core.shown import shown
from inferometer.models.paths import path_of

MOST_AXES = 16
LONGEST_AXIS_DIGITS = 9
"""Of a shape that a user writes: longer ones are no lengths, and overflow those of a runtime."""

TRUSTED = ("yes", True)
"""Values of the options that let code in a file run."""

_SHAPE = re.compile(r"[1-9][0-9]*(x[1-9][0-9]*)*")


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a reference.

    Attributes:
        pretrained: whether the source's own published weights are wanted (`weights=pretrained`).
        calibrated: whether random weights are to give outputs that depend on the input
            (`weights=calibrated`).
        weights_file: a state file to load (`weights=PATH`).
        input_shape: shape of one sample, without the batch (`input=3x224x224`).
        builder: all others, for whatever builds the model.
    """

    pretrained: bool = False
    calibrated: bool = False
    weights_file: Path | None = None
    input_shape: tuple[int, ...] | None = None
    builder: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Options:
        """Sort options. Looks at no file.

        Raises:
            ModelReferenceError: a value is malformed.
        """
        rest = dict(options)
        weights = rest.pop("weights", None)
        if weights in ("", True, False):
            raise ModelReferenceError(
                "weights= takes `pretrained` or the path of a state file, or `calibrated`"
            )
        is_word = weights in ("pretrained", "calibrated")
        file = None if weights is None or is_word else path_of(str(weights))
        return cls(
            pretrained=weights == "pretrained",
            calibrated=weights == "calibrated",
            weights_file=file,
            input_shape=_shape(rest.pop("input", None)),
            builder=rest,
        )

    def require_files(self) -> None:
        """Check that a named weights file is there, and an ordinary one.

        Raises:
            ModelReferenceError: it is not.
        """
        if self.weights_file is None:
            return
        try:
            check_file(self.weights_file)
        except FileProblemError as error:
            raise ModelReferenceError(
                f"weights={error}; weights= takes `pretrained` or the path of a state file "
                "(.pt, .pth, .safetensors)"
            ) from error

    def anchored(self) -> Options:
        """The same, for code that may change the current folder: paths do not depend on it."""
        if self.weights_file is None:
            return self
        return replace(self, weights_file=self.weights_file.absolute())

    def refuse_pretrained(self, what: str, way_out: str) -> None:
        """For models that have no published weights.

        Raises:
            ModelReferenceError: published weights are wanted.
        """
        if self.pretrained:
            raise ModelReferenceError(f"{what} has no pretrained weights; {way_out}")

    def weights_label(self, seed: int, *, pretrained: str) -> str:
        """Where the weights came from, before any file: `random, seed 0`."""
        return f"pretrained ({pretrained})" if self.pretrained else f"random, seed {seed}"


def _shape(value: object) -> tuple[int, ...] | None:
    if value is None:
        return None
    if not _SHAPE.fullmatch(str(value)):
        raise ModelReferenceError(
            f"input={shown(value)} is not a shape; write the shape of one sample, as in "
            "input=3x224x224"
        )
    parts = str(value).split("x")
    if len(parts) > MOST_AXES or max(map(len, parts)) > LONGEST_AXIS_DIGITS:
        raise ModelReferenceError(
            f"input={shown(value)} is too large: {MOST_AXES} axes of {LONGEST_AXIS_DIGITS} digits "
            "at the most"
        )
    return tuple(int(part) for part in parts)
