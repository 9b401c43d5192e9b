"""The options that mean the same for every source, told from those of the model's builder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inferometer.core.errors import ModelReferenceError
from inferometer.core.filenames import FileProblemError, check_file
from inferometer.models.inputs.given import Given, only_shape, read_given
from inferometer.models.paths import path_of

TRUSTED = ("yes", True)
"""Values of the options that let code in a file run."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a reference.

    Attributes:
        pretrained: whether the source's own published weights are wanted (`weights=pretrained`).
        calibrated: whether random weights are to give outputs that depend on the input
            (`weights=calibrated`).
        weights_file: a state file to load (`weights=PATH`).
        given: what is said of the inputs (`input=3x224x224`).
        builder: all others, for whatever builds the model.
    """

    pretrained: bool = False
    calibrated: bool = False
    weights_file: Path | None = None
    given: tuple[Given, ...] = ()
    builder: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Options:
        """Sort options. Looks at no file.

        Raises:
            ModelReferenceError: a value is malformed.
        """
        rest = dict(options)
        weights, inputs = rest.pop("weights", None), rest.pop("input", None)
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
            given=() if inputs is None else read_given(str(inputs)),
            builder=rest,
        )

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """Shape of one sample, without the batch; None where none is given.

        Raises:
            ModelReferenceError: more is said of the inputs than a shape.
        """
        return only_shape(self.given)

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
