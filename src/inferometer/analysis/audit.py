"""What differs between the sides of a comparison beside what is compared.

Sides are the variants of one model in one run, or devices (`analysis.confounders`). What differs
between their settings, or is not what was asked for, is a finding, with the reason why it matters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inferometer.core.record import Record
from inferometer.core.run import Run
from inferometer.core.workload import Variant

INTEGER_DOT = frozenset({"avx_vnni", "avx512_vnni", "amx", "asimddp", "i8mm"})
"""Instructions that multiply and add eight-bit integers at once."""
HALF = {"bf16": frozenset({"avx512_bf16", "amx", "bf16"})}
"""Instructions that compute in a precision."""

DISTURBED = frozenset({"contended", "throttled", "swapped"})


@dataclass(frozen=True, kw_only=True)
class Side:
    """A variant of a model in a run, or a device.

    Attributes:
        variant: what ran.
        records: of it, those with latencies.
        called: name of the side; empty where the variant's settings are its name.
    """

    variant: Variant
    records: tuple[Record, ...]
    called: str = ""

    @property
    def name(self) -> str:
        """For people, without the model: `onnxruntime int8 spinning=off`."""
        one = self.variant
        settings = " ".join(filter(None, (one.backend, one.precision, one.options_text)))
        return self.called or settings

    def values(self, field: str) -> list[str]:
        """Distinct values of an exported field, in words."""
        found = (one.row()[field] for one in self.records)
        return list(dict.fromkeys(str(value) for value in found if value is not None))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that differs, or is not what was asked for.

    Attributes:
        what: a word for it: `threads`, `fallback`, `weights` …
        sides: names of the sides that it is about, with what each has.
        why: it matters, a sentence.
    """

    what: str
    sides: Mapping[str, str]
    why: str


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The sides of one model, and what differs between them.

    Attributes:
        model: its reference.
        sides: names of the sides.
        findings: what differs.
    """

    model: str
    sides: tuple[str, ...]
    findings: tuple[Finding, ...]


def audit(run: Run, records: Iterable[Record]) -> list[Audit]:
    """The sides of each model of a run with two at least.

    Args:
        run: gives the device.
        records: of the run.
    """
    by_model: dict[str, dict[Variant, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        if record.status == "ok":
            by_model[record.workload.variant.model][record.workload.variant].append(record)
    return [
        _audited(
            model, [Side(variant=one, records=tuple(mine)) for one, mine in sides.items()], run
        )
        for model, sides in by_model.items()
        if len(sides) > 1
    ]


def to_json(audits: Sequence[Audit]) -> list[dict[str, Any]]:
    """As JSON: for each model `model`, `sides` and `findings` of `{what, sides, why}`."""
    return [
        {
            "model": one.model,
            "sides": list(one.sides),
            "findings": [
                {"what": found.what, "sides": dict(found.sides), "why": found.why}
                for found in one.findings
            ],
        }
        for one in audits
    ]


def _audited(model: str, sides: Sequence[Side], run: Run) -> Audit:
    findings = [
        *_threads(sides),
        *_fields(sides),
        *_instructions(sides, run),
        *_fidelity(sides),
        *_disturbed(sides),
        *_remarks(sides),
    ]
    return Audit(model=model, sides=tuple(one.name for one in sides), findings=tuple(findings))


def common_findings(sides: Sequence[Side]) -> list[Finding]:
    """What differs between sides of any kind, as far as their records tell."""
    measured = [one for one in sides if one.records]
    checks = (_threads, _fields, _fidelity, _disturbed)
    return [found for check in checks for found in check(measured)] if measured else []


def _threads(sides: Sequence[Side]) -> Iterable[Finding]:
    """Threads that really ran: a runtime may take more than it was given."""
    odd = {}
    for side in sides:
        asked = {str(one.workload.threads) for one in side.records}
        held = side.values("threads")
        if set(held) - asked:
            odd[side.name] = f"{', '.join(held)} where {', '.join(sorted(asked))} were asked for"
    if odd:
        yield Finding(
            what="threads",
            sides=odd,
            why="the side with more threads is faster for another reason than its runtime",
        )


FIELDS = {
    "weights": "outputs, sparsity and denormal numbers follow from the weights",
    "input_shape": "the sides computed on inputs of other shapes",
    "device": "the sides ran on other devices",
    "gradient_mode": "inference mode and no_grad differ by some microseconds in each operator",
    "source": "the sides come from other definitions of the model",
}
"""Fields in which the sides should agree, and why they should."""


def _fields(sides: Sequence[Side]) -> Iterable[Finding]:
    for field, why in FIELDS.items():
        values = {side.name: ", ".join(side.values(field)) for side in sides}
        known = {name: value for name, value in values.items() if value}
        if len(set(known.values())) > 1:
            yield Finding(what=field, sides=known, why=why)


def _instructions(sides: Sequence[Side], run: Run) -> Iterable[Finding]:
    """Precisions that the processor has no instructions for."""
    found = run.device.get("simd")
    if not isinstance(found, list):
        return
    has = frozenset(map(str, found))
    for precision, wanted in {"int8": INTEGER_DOT, **HALF}.items():
        mine = [one for one in sides if one.variant.precision == precision and _on_processor(one)]
        if mine and not has & wanted:
            yield Finding(
                what="instructions",
                sides={one.name: "none" for one in mine},
                why=f"this processor has no instructions for {precision}: on one that has "
                f"({', '.join(sorted(wanted))}) the ratio is another",
            )


def _on_processor(side: Side) -> bool:
    return all(one.workload.device == "cpu" for one in side.records)


def _fidelity(sides: Sequence[Side]) -> Iterable[Finding]:
    wrong = {
        side.name: verdict
        for side in sides
        for verdict in side.values("fidelity_verdict")
        if verdict in ("different", "unknown")
    }
    if wrong:
        yield Finding(
            what="fidelity",
            sides=wrong,
            why="a side that computes something else, or of which nobody knows, is no choice yet",
        )


def _disturbed(sides: Sequence[Side]) -> Iterable[Finding]:
    """Sides that something disturbed, where it did not disturb all alike."""
    shares = {
        side.name: sum(one.figures.get("verdict") in DISTURBED for one in side.records)
        / len(side.records)
        for side in sides
    }
    if max(shares.values()) > min(shares.values()):
        yield Finding(
            what="disturbed",
            sides={name: f"{share:.0%} of its workloads" for name, share in shares.items()},
            why="what disturbs one side alone looks like a difference of the runtimes",
        )


def _remarks(sides: Sequence[Side]) -> Iterable[Finding]:
    """What backends said of their own sides: fallbacks, layouts, what stayed in fp32."""
    said: dict[str, list[str]] = defaultdict(list)
    for side in sides:
        for note in dict.fromkeys(str(note) for one in side.records for note in one.notes):
            said[note].append(side.name)
    for note, names in said.items():
        if len(names) < len(sides):
            why = f"said of {'this side' if len(names) == 1 else 'these sides'} alone"
            yield Finding(what="note", sides={", ".join(names): note}, why=why)
