"""What cores could do by their construction, from recorded trees."""

from __future__ import annotations

import pytest

from inferometer.host.peak import peak


def x86(vendor, family, model, flags):
    return {
        "proc/cpuinfo": f"processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\n"
        f"model\t\t: {model}\nflags\t\t: fpu lm {flags}\n\n"
    }


def arm(*parts):
    return {
        "proc/cpuinfo": "".join(
            f"processor\t: {cpu}\nCPU implementer\t: 0x41\nCPU part\t: {part}\n\n"
            for cpu, part in enumerate(parts)
        )
    }


ZEN4 = x86("AuthenticAMD", 25, 17, "fma avx2 avx512f avx512_bf16")


@pytest.mark.parametrize(
    ("files", "precision", "per_cycle"),
    [
        (ZEN4, "fp32", 32),
        (ZEN4, "bf16", 64),
        (x86("AuthenticAMD", 25, 33, "fma avx2"), "fp32", 32),
        (x86("AuthenticAMD", 23, 1, "fma avx2"), "fp32", 16),
        (x86("AuthenticAMD", 23, 49, "fma avx2"), "fp32", 32),
        (x86("AuthenticAMD", 26, 2, "fma avx2 avx512f"), "fp32", 64),
        (x86("GenuineIntel", 6, 142, "fma avx2"), "fp32", 32),
        (x86("GenuineIntel", 6, 85, "fma avx2 avx512f"), "fp32", 64),
        (arm("0xd08"), "fp32", 8),
        (arm("0xd05", "0xd0b"), "fp32", 16),  # the faster of the two kinds
    ],
)
def test_known_cores(tree, files, precision, per_cycle):
    assert peak(precision, tree(files)).per_cycle == per_cycle


@pytest.mark.parametrize(
    ("files", "precision"),
    [
        ({}, "fp32"),
        (ZEN4, "fp16"),
        (x86("AuthenticAMD", 99, 1, "fma"), "fp32"),
        (x86("AuthenticAMD", 26, 0x24, "fma avx512f"), "fp32"),
        (x86("GenuineIntel", 6, 42, "avx"), "fp32"),
        (x86("GenuineIntel", 6, 42, "avx fma"), "fp32"),
        (x86("Other", 6, 42, "fma avx2"), "fp32"),
        (x86("AuthenticAMD", "?", "?", "fma"), "fp32"),
        (arm("0xfff"), "fp32"),
        (arm("0xd08"), "bf16"),
    ],
)
def test_what_is_not_known_is_not_guessed(tree, files, precision):
    assert peak(precision, tree(files)) is None


def test_the_highest_clock_makes_a_rate_of_it(tree):
    clocks = {
        f"sys/devices/system/cpu/cpu{cpu}/cpufreq/cpuinfo_max_freq": f"{khz}\n"
        for cpu, khz in enumerate((3_000_000, 3_700_000))
    }
    assert peak("fp32", tree(ZEN4 | clocks)).flops(2) == pytest.approx(236.8e9)


def test_without_a_clock_there_is_no_rate(tree):
    assert peak("fp32", tree(ZEN4)).flops(2) is None
