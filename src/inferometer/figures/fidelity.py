"""Outputs against those of a reference → the figures of the exported record."""

from __future__ import annotations

from inferometer.core.sections import Fidelity
from inferometer.core.statement import Statement
from inferometer.stats.fidelity import Outputs, compare


def fidelity_of(reference: Outputs, variant: Outputs, precision: str, *, against: str) -> Fidelity:
    """The fidelity of a variant.

    Args:
        reference: outputs of the reference.
        variant: those of the variant, on the same samples.
        precision: of the variant.
        against: name of the reference.
    """
    found = compare(reference, variant, precision)
    agreement = None if found.agreeing is None else found.agreeing / found.samples
    reason = None
    if found.reason is not None:
        reason = Statement(f"fidelity_{found.reason}", found.values)
    return Fidelity(
        fidelity_relative_error=found.relative_error,
        fidelity_max_abs=found.max_abs,
        fidelity_cosine=found.cosine,
        fidelity_top1_agreement=agreement,
        fidelity_samples=found.samples,
        fidelity_verdict=found.verdict,
        fidelity_snr_db=found.snr_db,
        fidelity_reference=against,
        fidelity_reason=reason,
    )
