"""What calls cost, where their time goes, and what the device attains."""

from __future__ import annotations

from dataclasses import dataclass

from inferometer.core.cost import Cost
from inferometer.core.roofline import ProbePlan
from inferometer.core.workload import Shape
from inferometer.runner.workers.messages.failed import Failed


@dataclass(frozen=True, kw_only=True)
class CountCosts:
    """Count what calls of shapes cost; answered by `CostsCounted`.

    Attributes:
        shapes: of the calls.
        may_run: whether a real call may be counted where there is no other way.
    """

    shapes: tuple[Shape, ...]
    may_run: bool = False


@dataclass(frozen=True, kw_only=True)
class CostsCounted:
    """The cost of each shape, or why it was not counted.

    None is a network that cannot be looked into.
    """

    costs: tuple[Cost | Failed | None, ...]


@dataclass(frozen=True, kw_only=True)
class CostModel:
    """Count a call of the loaded model, with what is known of it; answered by `Costing`."""

    shape: Shape
    may_run: bool


@dataclass(frozen=True, kw_only=True)
class CostFile:
    """Count a call of an ONNX file, without loading it; answered by `Costing`.

    Attributes:
        model: the reference as the user gave it.
        file: its path.
        shape: of the call.
        precision: what the user expects it to have; None accepts any.
        memory_limit_bytes: most that the worker may use.
    """

    model: str
    file: str
    shape: Shape
    precision: str | None
    memory_limit_bytes: int


@dataclass(frozen=True, kw_only=True)
class ProfileCalls:
    """Profile a shape that is warm; answered by `Profile`.

    Attributes:
        shape: of the calls.
        seconds: how long.
        trace: where to write the last profiled calls; None for nowhere.
    """

    shape: Shape
    seconds: float
    trace: str | None


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Measure what the device attains, in a worker that holds no model; answered by `Roofline`."""

    backend: str
    precision: str
    device: str
    threads: int
    plan: ProbePlan
