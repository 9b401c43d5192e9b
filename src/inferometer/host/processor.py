"""What kind of CPU this is: its model and the vector instructions that it has."""

from __future__ import annotations

import re
from pathlib import Path

from inferometer.host.cpus import cpuinfo_blocks
from inferometer.host.files import read_line

SIMD_FLAGS = {
    "avx2": "avx2",
    "avx_vnni": "avx_vnni",
    "avx512f": "avx512f",
    "avx512_vnni": "avx512_vnni",
    "avx512_bf16": "avx512_bf16",
    "amx_tile": "amx",
    "neon": "neon",
    "asimd": "asimd",
    "asimddp": "asimddp",
    "i8mm": "i8mm",
    "bf16": "bf16",
    "sve": "sve",
    "sve2": "sve2",
}
"""Flags of `proc/cpuinfo` that bear on inference, and what they are called here."""

IMPLEMENTERS = {
    "0x41": "ARM",
    "0x46": "Fujitsu",
    "0x48": "HiSilicon",
    "0x4e": "NVIDIA",
    "0x51": "Qualcomm",
    "0x61": "Apple",
    "0xc0": "Ampere",
}
PARTS = {
    "0x41 0xb76": "ARM1176",
    "0x41 0xc07": "Cortex-A7",
    "0x41 0xc09": "Cortex-A9",
    "0x41 0xc0f": "Cortex-A15",
    "0x41 0xd03": "Cortex-A53",
    "0x41 0xd04": "Cortex-A35",
    "0x41 0xd05": "Cortex-A55",
    "0x41 0xd07": "Cortex-A57",
    "0x41 0xd08": "Cortex-A72",
    "0x41 0xd09": "Cortex-A73",
    "0x41 0xd0a": "Cortex-A75",
    "0x41 0xd0b": "Cortex-A76",
    "0x41 0xd0c": "Neoverse-N1",
    "0x41 0xd0d": "Cortex-A77",
    "0x41 0xd40": "Neoverse-V1",
    "0x41 0xd41": "Cortex-A78",
    "0x41 0xd42": "Cortex-A78AE",
    "0x41 0xd44": "Cortex-X1",
    "0x41 0xd46": "Cortex-A510",
    "0x41 0xd47": "Cortex-A710",
    "0x41 0xd48": "Cortex-X2",
    "0x41 0xd49": "Neoverse-N2",
    "0x41 0xd4b": "Cortex-A78C",
    "0x41 0xd4d": "Cortex-A715",
    "0x41 0xd4e": "Cortex-X3",
    "0x41 0xd4f": "Neoverse-V2",
    "0x41 0xd80": "Cortex-A520",
    "0x41 0xd81": "Cortex-A720",
    "0x46 0x001": "A64FX",
    "0x48 0xd01": "Kunpeng-920",
    "0x4e 0x003": "Denver 2",
    "0x4e 0x004": "Carmel",
    "0x51 0x001": "Oryon",
    "0xc0 0xac3": "Ampere-1",
    "0xc0 0xac4": "Ampere-1a",
}
"""Implementer and part numbers of ARM cores, from the kernel's `asm/cputype.h`."""

_NOISE = re.compile(
    r"\((?:R|TM)\)|\bCPU\b|\bProcessor\b|\b\d+-Core\b|@.*$|\bwith Radeon.*$", re.IGNORECASE
)


def cpu_model(root: Path) -> str | None:
    """Model of the CPU; on ARM the cores, such as `ARM Cortex-A76 + Cortex-A55`."""
    blocks = cpuinfo_blocks(root)
    cores = [_arm_core(block) for block in blocks if "CPU part" in block]
    names = [block["model name"] for block in blocks if block.get("model name")]
    if cores:
        first, *others = dict.fromkeys(cores)
        return " + ".join([first, *(other.partition(" ")[2] or other for other in others)])
    return names[0] if names else None


def shortened(model: str) -> str:
    """A CPU model without what only fills the line: `Intel Core i7-8650U`."""
    return " ".join(_NOISE.sub(" ", model).split()) or model


def simd(root: Path) -> list[str]:
    """Vector instructions that every CPU has."""
    sets = [found for found in map(_flags, cpuinfo_blocks(root)) if found]
    common = set.intersection(*sets) if sets else set()
    return [name for flag, name in SIMD_FLAGS.items() if flag in common]


def has_flag(root: Path, flag: str) -> bool:
    """Whether a CPU shows a flag."""
    return any(flag in _flags(block) for block in cpuinfo_blocks(root))


def architecture(root: Path) -> str | None:
    """Architecture as `uname -m` has it: `x86_64`, `aarch64`, `armv7l`."""
    said = read_line(root, "proc/sys/kernel/arch")
    if said:
        return said
    for block in cpuinfo_blocks(root):
        if "flags" in block:
            return "x86_64" if "lm" in _flags(block) else "i686"
        if "CPU architecture" in block:
            version = block["CPU architecture"]
            return {"8": "aarch64", "AArch64": "aarch64", "7": "armv7l"}.get(version)
    return None


def _flags(block: dict[str, str]) -> set[str]:
    return set((block.get("flags") or block.get("Features") or "").split())


def _arm_core(block: dict[str, str]) -> str:
    maker, part = block.get("CPU implementer", "").lower(), block["CPU part"].lower()
    name = PARTS.get(f"{maker} {part}", f"part {part}")
    return f"{IMPLEMENTERS.get(maker, f'implementer {maker}')} {name}"
