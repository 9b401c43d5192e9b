"""What a backend makes of a model before it runs it, and what it needs for that."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.core.format import Format


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How a backend prepares a variant of a model.

    Attributes:
        wants: the format from which it does; a model in another one is exported to it before.
        each_shape: whether what comes out serves one shape alone; else one serves all.
        calibrates: whether it needs calibration samples.
        tools: distributions whose versions decide what comes out, such as `nncf`.
        stays: whether the file that it wants is the file that it runs: nothing else is to be made.
    """

    wants: Format
    each_shape: bool = False
    calibrates: bool = False
    tools: tuple[str, ...] = ()
    stays: bool = False


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """What a backend made of a model.

    Attributes:
        format: the form that it has.
        files: paths of its files, the one that is loaded first.
        notes: what a reader of the figures should know, such as operators left in fp32.
    """

    format: Format
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BackendOption:
    """Something that a user may set of a backend, by its name there.

    Attributes:
        values: words that it takes; empty where it takes a whole number.
        usual: the value where nothing is set; empty where the runtime decides.
        says: what it does, a sentence.
        low: least number.
        high: greatest number.
    """

    values: tuple[str, ...] = ()
    usual: str = ""
    says: str
    low: int = 0
    high: int = 2**31 - 1

    @property
    def words(self) -> str:
        """What it takes, for people."""
        if self.values:
            return ", ".join(self.values)
        return f"a whole number from {self.low} to {self.high}"

    def takes(self, value: str) -> bool:
        """Whether a value is one of its."""
        if self.values:
            return value in self.values
        return value.isascii() and value.isdigit() and self.low <= int(value) <= self.high
