"""What a CPU's cores could compute at best by their construction, where it is known.

An estimate: from the model of the core, not from a measurement. Sources: the software optimisation
guides of AMD for family 17h, 19h and 1Ah, of Intel, and of Arm for each core.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from inferometer.host.cpus import cpuinfo_blocks
from inferometer.host.files import LIVE, read_int, to_int
from inferometer.host.processor import cpu_model, has_flag


@dataclass(frozen=True, kw_only=True)
class Peak:
    """Operations of one core in a cycle, fused multiply-adds counted as two.

    Attributes:
        per_cycle: floating-point operations of a core in a cycle.
        what: the units that do them.
        clock_hz: the highest clock of any core; None where it is not observable, as in most
            virtual machines.
    """

    per_cycle: int
    what: str
    clock_hz: float | None

    def flops(self, cores: int) -> float | None:
        """Operations per second of so many cores; None where the clock is not known."""
        return None if self.clock_hz is None else self.per_cycle * cores * self.clock_hz


_ZEN4_MODELS = (*range(0x10, 0x20), *range(0x60, 0x80), *range(0xA0, 0xB0))
_ZEN5_WIDE_MODELS = (*range(0x20), *range(0x40, 0x50))
"""Models of AMD family 1Ah with units of the full 512 bits; the others have halves."""

_ARM_PER_CYCLE = {
    **dict.fromkeys(("Cortex-A53", "Cortex-A55", "Cortex-A57", "Cortex-A72", "Cortex-A73"), 8),
    **dict.fromkeys(("Cortex-A76", "Cortex-A77", "Cortex-A78"), 16),
    **dict.fromkeys(("Neoverse-N1", "Neoverse-N2"), 16),
    **dict.fromkeys(("Cortex-X1", "Cortex-X2", "Neoverse-V1", "Neoverse-V2"), 32),
}
"""fp32 operations of a core in a cycle, in vectors of 128 bits (Neoverse-V1: 256)."""


def peak(precision: str = "fp32", root: Path = LIVE) -> Peak | None:
    """What the cores could do at a precision; None where that is not known.

    Of cores of several kinds the fastest counts.
    """
    found = _x86(root) or _arm(root)
    if found is None:
        return None
    per_cycle, what = found
    if precision == "bf16" and has_flag(root, "avx512_bf16") and "Zen" in what:
        per_cycle, what = 2 * per_cycle, f"{what}, pairs of bf16"
    elif precision != "fp32":
        return None
    return Peak(per_cycle=per_cycle, what=what, clock_hz=_clock_hz(root))


def _x86(root: Path) -> tuple[int, str] | None:
    block = next((one for one in cpuinfo_blocks(root) if "vendor_id" in one), {})
    family, model = to_int(block.get("cpu family")), to_int(block.get("model"))
    if block.get("vendor_id") == "AuthenticAMD" and family is not None and model is not None:
        return _amd(family, model)
    if block.get("vendor_id") == "GenuineIntel" and has_flag(root, "fma"):
        if has_flag(root, "avx512f"):
            return 64, "AVX-512, two units of 512 bits where the model has both"
        return (32, "AVX2, two units of 256 bits") if has_flag(root, "avx2") else None
    return None


def _amd(family: int, model: int) -> tuple[int, str] | None:
    if family == 0x17:  # noqa: PLR2004 - AMD's numbers of families and models, below too
        zen2 = model >= 0x30  # noqa: PLR2004
        return (32, "Zen 2, two units of 256 bits") if zen2 else (16, "Zen, two units of 128 bits")
    if family == 0x19:  # noqa: PLR2004
        return 32, f"Zen {4 if model in _ZEN4_MODELS else 3}, two units of 256 bits"
    if family == 0x1A and model in _ZEN5_WIDE_MODELS:  # noqa: PLR2004
        return 64, "Zen 5, two units of 512 bits"
    return None


def _arm(root: Path) -> tuple[int, str] | None:
    names = re.findall(r"[\w-]+", cpu_model(root) or "")
    known = [(_ARM_PER_CYCLE[name], name) for name in names if name in _ARM_PER_CYCLE]
    return max(known, default=None)


def _clock_hz(root: Path) -> float | None:
    folder = root / "sys/devices/system/cpu"
    files = folder.glob("cpu[0-9]*/cpufreq/cpuinfo_max_freq")
    clocks = [khz for one in files if (khz := read_int(root, str(one.relative_to(root))))]
    return 1e3 * max(clocks) if clocks else None
