"""Outputs for samples, and where two models come to differ."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.core.fidelity import OperatorError, Recovery
from inferometer.core.workload import Shape, Variant


@dataclass(frozen=True, kw_only=True)
class MakeSamples:
    """Write samples for the loaded model, none of which calibrates; answered by `SamplesMade`.

    Attributes:
        shape: of a call.
        calls: how many there are inputs for, at the most.
        seed: of the run.
        data: reference of labelled data, of which test samples are taken; None makes inputs up.
        into: path of the archive.
    """

    shape: Shape
    calls: int
    seed: int
    data: str | None
    into: str


@dataclass(frozen=True, kw_only=True)
class SamplesMade:
    """Samples were written; there are inputs for so many calls."""

    calls: int


@dataclass(frozen=True, kw_only=True)
class GiveOutputs:
    """Write what the loaded model gives for samples; answered by `OutputsGiven`.

    Attributes:
        inputs: path of the samples.
        into: path of the archive of outputs.
        seconds: no further call begins after so long.
    """

    inputs: str
    into: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class OutputsGiven:
    """Outputs were written, of so many calls."""

    calls: int


@dataclass(frozen=True, kw_only=True)
class LocateOperators:
    """Compare the operators of two ONNX files; answered by `Located`.

    Attributes:
        bad: path of the file that is judged.
        good: path of its reference.
        inputs: path of the samples.
        threads: that the runtime may use.
        memory_limit_bytes: most that the worker may use.
    """

    bad: str
    good: str
    inputs: str
    threads: int
    memory_limit_bytes: int


@dataclass(frozen=True, kw_only=True)
class LocateModules:
    """Compare modules of the loaded network with the same in a precision; answered by `Located`.

    Attributes:
        precision: name of a type of floating numbers.
        inputs: path of the samples.
    """

    precision: str
    inputs: str


@dataclass(frozen=True, kw_only=True)
class Located:
    """Operators that differ, the likeliest origin first."""

    operators: tuple[OperatorError, ...]


@dataclass(frozen=True, kw_only=True)
class RecoverOperators:
    """Quantise an ONNX file anew, and leave operators in fp32; answered by `Recovered`.

    Attributes:
        variant: quantised, of ONNX Runtime.
        bad: path of its file.
        good: path of the file in fp32.
        inputs: path of the samples that judge.
        samples: path of those that calibrate.
        threads: that the runtime may use.
        seconds: for choosing operators, and again for making files.
        memory_limit_bytes: most that the worker may use.
    """

    variant: Variant
    bad: str
    good: str
    inputs: str
    samples: str
    threads: int
    seconds: float
    memory_limit_bytes: int


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """What leaving more and more operators in fp32 gives back and costs."""

    steps: tuple[Recovery, ...]
