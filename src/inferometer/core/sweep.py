"""Axes, and the workloads that they span; a study is a sweep with a procedure and a name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from itertools import product
from typing import Any

from inferometer.core.errors import StudyError
from inferometer.core.hypothesis import THE_LABS
from inferometer.core.procedure import Procedure
from inferometer.core.references import quoted
from inferometer.core.run import Run
from inferometer.core.workload import (
    Options,
    Shape,
    Target,
    Variant,
    Workload,
    control_at,
    digest,
)

MOST_WORKLOADS = 10_000
"""A run of more would take days at the least, and they are all listed before it begins."""

NEWER_THAN_SOME_RUNS = ("find_cliff", "data", "metric", "control")
"""Fields of `Procedure` that stored runs lack; where they are off, such runs are resumed."""


USUAL = "default"
"""The value of an option that leaves it out."""

_OPTION = re.compile(r"([A-Za-z][\w-]*)\.([A-Za-z]\w*)=([^\s=,]+)")


def parse_option(text: str) -> tuple[str, str, str]:
    """Backend, name and value of an option.

    Raises:
        StudyError: it is not written like one.
    """
    found = _OPTION.fullmatch(text.strip())
    if found is None:
        raise StudyError(
            f"{quoted(text)} is not an option of a backend: write BACKEND.NAME=VALUE, such as "
            "torch.memory_format=channels_last"
        )
    return found[1], found[2], found[3]


@dataclass(frozen=True, kw_only=True)
class Block:
    """Input sizes and batch sizes that go together: every size with every batch.

    Attributes:
        sizes: input sizes; None is the model's own.
        batches: batch sizes.
    """

    sizes: tuple[int | None, ...] = (None,)
    batches: tuple[int, ...] = (1,)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Axes → workloads.

    Attributes:
        models: model references.
        backends: names of runtimes.
        precisions: `fp32`, `bf16` …
        options: of the backends, such as `torch.memory_format=channels_last`; several values of
            one option are measured beside each other, and `default` leaves it out.
        blocks: shapes; their union is measured.
        device: where the models run.
        threads: threads for each worker; None is filled in before a run: one for each physical
            core that may be used.
    """

    models: tuple[str, ...]
    backends: tuple[str, ...] = ("torch",)
    precisions: tuple[str, ...] = ("fp32",)
    options: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = (Block(),)
    device: str = "cpu"
    threads: int | None = None

    def shapes(self) -> list[tuple[int | None, int]]:
        """Pairs of input size and batch size, each once, in the order given.

        Raises:
            StudyError: they are more than a run measures; they are not listed then.
        """
        return self._shapes(MOST_WORKLOADS)

    def workloads(self) -> list[Workload]:
        """Every workload once, in the order of the axes.

        Raises:
            StudyError: they are more than a run measures; they are not listed then.
        """
        shapes = self._shapes(MOST_WORKLOADS // max(1, self._variants()))
        return [
            Workload(
                variant=Variant(model=model, backend=backend, precision=precision, options=options),
                target=Target(device=self.device, threads=self.threads),
                shape=Shape(batch_size=batch, input_size=size),
            )
            for model in dict.fromkeys(self.models)
            for backend in dict.fromkeys(self.backends)
            for precision in dict.fromkeys(self.precisions)
            for options in self.options_of(backend)
            for size, batch in shapes
        ]

    def options_of(self, backend: str) -> list[Options]:
        """The sets of options of a backend, each of which makes a variant.

        Raises:
            StudyError: one is not written like an option.
        """
        values: dict[str, dict[str, None]] = {}
        for text in self.options:
            owner, name, value = parse_option(text)
            if owner == backend:
                values.setdefault(name, {})[value] = None
        names = sorted(values)
        return [
            tuple(
                (name, value) for name, value in zip(names, chosen, strict=True) if value != USUAL
            )
            for chosen in product(*(values[name] for name in names))
        ]

    def check(self) -> None:
        """See that a run can hold the workloads, without listing more than those.

        Raises:
            StudyError: there are too many.
        """
        self._shapes(MOST_WORKLOADS // max(1, self._variants()))

    def _variants(self) -> int:
        """Distinct variants.

        Raises:
            StudyError: an option is not written like one.
        """
        models, _, precisions = self._distinct()
        values = Counter(parse_option(text)[:2] for text in dict.fromkeys(self.options))
        sets = Counter(dict.fromkeys(self.backends, 1))
        for (backend, _), many in values.items():
            sets[backend] *= many
        return models * precisions * sum(sets.values())

    def _distinct(self) -> tuple[int, int, int]:
        """Distinct models, backends and precisions."""
        axes = (self.models, self.backends, self.precisions)
        models, backends, precisions = (len(set(axis)) for axis in axes)
        return models, backends, precisions

    def _shapes(self, most: int) -> list[tuple[int | None, int]]:
        """Distinct shapes, unless there are more than so many."""
        found: dict[tuple[int | None, int], None] = {}
        for block in self.blocks:
            batches, sizes = dict.fromkeys(block.batches), dict.fromkeys(block.sizes)
            if len(batches) * len(sizes) > most:
                raise StudyError(self._too_many())
            for size in sizes:
                found.update(((size, batch), None) for batch in batches)
                if len(found) > most:
                    raise StudyError(self._too_many())
        return list(found)

    def _too_many(self) -> str:
        shapes = sum(len(block.sizes) * len(block.batches) for block in self.blocks)
        models, backends, precisions = self._distinct()
        asked = self._variants() * shapes
        return (
            f"{asked:,} workloads are asked for (models {models:,}, backends {backends:,}, "
            f"precisions {precisions:,}, shapes {shapes:,}, each with each); a run holds "
            f"{MOST_WORKLOADS:,} at the most: split them into several"
        )


@dataclass(frozen=True, kw_only=True)
class Study:
    """What a study file describes.

    Attributes:
        name: a short name, kept with every record.
        sweep: what is measured.
        procedure: how it is measured.
        description: for people.
        hypotheses: what is expected of the figures, a line each (`study.hypotheses`).
    """

    name: str
    sweep: Sweep
    procedure: Procedure = field(default_factory=Procedure)
    description: str = ""
    hypotheses: tuple[str, ...] = THE_LABS

    def workloads(self) -> list[Workload]:
        """Every workload of the sweep once, then the control where there is one."""
        control = [control_at(self.sweep.threads)] if self.procedure.control else []
        return list(dict.fromkeys([*self.sweep.workloads(), *control]))

    def to_json(self) -> dict[str, Any]:
        """The study as a JSON object, as the store keeps it; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Study:
        """Read what `to_json` wrote, also after a way through JSON.

        Names that this version does not know are left out, so that runs of another version can be
        read; the signature of such a study differs from that of its run, so that it is not resumed.
        """
        sweep = dict(data["sweep"])
        blocks = tuple(
            Block(sizes=tuple(block["sizes"]), batches=tuple(block["batches"]))
            for block in sweep.pop("blocks")
        )
        axes: dict[str, Any] = {
            name: tuple(sweep.pop(name, ()))
            for name in ("models", "backends", "precisions", "options")
        }
        return cls(
            name=data["name"],
            sweep=Sweep(**axes, **_known(Sweep, sweep), blocks=blocks),
            procedure=Procedure(**_known(Procedure, data["procedure"])),
            description=data["description"],
            hypotheses=tuple(data.get("hypotheses", THE_LABS)),
        )

    @property
    def signature(self) -> str:
        """The same for the same study and flags, so that `--resume` finds its run.

        The budget is left out: a run that a budget cut short may be finished under another. So is
        what is only said of the figures, or probed beside them.
        """
        data = self.to_json()
        procedure = data["procedure"]
        del procedure["budget_s"], procedure["roofline"], procedure["operator_times"]
        del data["description"], data["hypotheses"]
        if not data["sweep"]["options"]:  # which stored runs lack
            del data["sweep"]["options"]
        for name in NEWER_THAN_SOME_RUNS:
            if not procedure[name]:
                del procedure[name]
        return digest(data)


def _known(kind: type[Sweep | Procedure], data: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in data.items() if name in names}


def study_of(run: Run) -> Study | None:
    """The study that a run measured; None for an imported run."""
    if run.origin == "imported" or "sweep" not in run.document:
        return None
    return Study.from_json(run.document)
