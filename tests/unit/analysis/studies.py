"""Whole studies made up from a known truth, for tests and for benchmarks/findings.py."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from inferometer.core.record import Record, Round
from inferometer.core.workload import Shape, Target, Variant, Workload

MODELS = {"tiny": (1e6, 0.004), "small": (3e6, 0.01), "middle": (8e6, 0.03), "large": (2e7, 0.08)}
"""Parameters, and seconds for each input at 224."""
ALIKE = {
    "tiny": (1e6, 0.0100),
    "small": (3e6, 0.0105),
    "middle": (8e6, 0.0110),
    "large": (2e7, 0.0116),
}
"""Models that differ by a twentieth each: within the noise of many a study."""
SHAPES = [(224, b) for b in (1, 2, 4, 8, 16, 32)] + [(448, b) for b in (1, 2, 4, 8, 16)]
FIXED_S = 0.002
PROCESSES, ROUNDS, VALUES = 3, 8, 6
T = 4.303  # Student's t, two degrees of freedom, 95 %
Cell = tuple[str, int, int]


@dataclass(kw_only=True)
class MadeUp:
    """A study: what is true, and what is planted into it.

    Attributes:
        seed: of all that is random.
        models: parameters and seconds for each input of the models, by name.
        between: standard deviation of the logs of the processes' medians.
        within: that of the rounds within a process.
        factor: what the latency of a cell is multiplied by.
        slower_after: share of the run after which the device takes `slower_by` as long.
        after: a workload takes `after_by` as long right after this model.
        first_call: cells whose mean holds a slow first call.
        copied: cells that have the figures of another.
    """

    seed: int
    models: dict[str, tuple[float, float]] = field(default_factory=lambda: MODELS)
    between: float = 0.03
    within: float = 0.01
    factor: dict[Cell, float] = field(default_factory=dict)
    slower_after: float = 2.0
    slower_by: float = 1.0
    after: str = ""
    after_by: float = 1.0
    first_call: tuple[Cell, ...] = ()
    copied: tuple[tuple[Cell, Cell], ...] = ()

    def truth(self, cell: Cell) -> float:
        """Seconds of a call."""
        model, size, batch = cell
        work = batch * (size / 224) ** 2
        return (FIXED_S + self.models[model][1] * work**0.97) * self.factor.get(cell, 1.0)

    def records(self) -> list[Record]:
        """The records, with their rounds."""
        rng = np.random.default_rng(self.seed)
        cells = [(model, *shape) for model in self.models for shape in SHAPES]
        rounds: dict[Cell, list[Round]] = {cell: [] for cell in cells}
        total, index, previous = PROCESSES * ROUNDS * len(cells), 0, ""
        for process in range(PROCESSES):
            offset = {cell: math.exp(self.between * rng.standard_normal()) for cell in cells}
            order = [cells[i] for i in rng.permutation(np.repeat(np.arange(len(cells)), ROUNDS))]
            for cell in order:
                late = self.slower_by if index > self.slower_after * total else 1.0
                warm = self.after_by if previous == self.after else 1.0
                level = self.truth(cell) * offset[cell] * late * warm
                level *= math.exp(self.within * rng.standard_normal())
                values = level * np.exp(0.005 * rng.standard_normal(VALUES))
                rounds[cell].append(_round(index, process, values))
                index, previous = index + 1, cell[0]
        found = {cell: self._record(cell, mine) for cell, mine in rounds.items()}
        for target, origin in self.copied:
            found[target] = replace(found[target], figures=found[origin].figures)
        return list(found.values())

    def _record(self, cell: Cell, rounds: list[Round]) -> Record:
        logs = [
            math.log(np.median([v for r in rounds if r.process == p for v in r.values_s]))
            for p in range(PROCESSES)
        ]
        middle, spread = float(np.mean(logs)), float(np.std(logs, ddof=1))
        half = T * spread / math.sqrt(PROCESSES)
        values = np.array([v for r in rounds for v in r.values_s])
        if cell in self.first_call:
            values[0] *= 40
        parameters = int(self.models[cell[0]][0])
        figures = {
            "parameters": parameters,
            "macs": int(self.models[cell[0]][1] * 1e10 * cell[2]),
            "latency_mean_s": float(values.mean()),
            "latency_std_s": float(values.std(ddof=1)),
            "latency_median_s": math.exp(middle),
            "latency_ci_low_s": math.exp(middle - half),
            "latency_ci_high_s": math.exp(middle + half),
            "latency_confidence": 0.95,
            "latency_calls": len(values),
            "latency_processes": PROCESSES,
            "verdict": "trusted",
            "origin": "measured",
        }
        return Record(
            workload=workload(cell),
            status="ok",
            figures={name: value for name, value in figures.items() if name != "origin"},
            rounds=tuple(rounds),
            run={"run_id": "3fa91c02", "device_name": "board", "origin": "measured"},
        )


def workload(cell: Cell) -> Workload:
    """The workload of a cell."""
    model, size, batch = cell
    return Workload(
        variant=Variant(model=model, backend="torch", precision="fp32"),
        target=Target(device="cpu", threads=2),
        shape=Shape(batch_size=batch, input_size=size),
    )


def _round(index: int, process: int, values: np.ndarray) -> Round:
    starts = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    return Round(
        index=index,
        process=process,
        phase="measure",
        started_at=1000.0 + index,
        calls_per_value=1,
        settle=0,
        starts_s=tuple(map(float, starts)),
        values_s=tuple(map(float, values)),
    )
