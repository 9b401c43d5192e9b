"""Which samples are for what: roles by content, so that no content is in two of them.

The digest of a content is a uniform number; shares are stretches of it. Those for calibration and
validation come first and are as long by default for all datasets, so that a picture that calibrates
one of them is judged in no other.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from inferometer.core.dataset import ROLES, Role, Skipped
from inferometer.core.errors import DatasetError

Part = Literal["", "train", "training", "calibration", "validation", "test"]
"""Where a source of samples puts one: nowhere; into its training split, of which training,
calibration and validation are taken; or into a role."""

ORDER: tuple[Role, ...] = ("calibration", "validation", "training", "test")
"""Of the stretches."""
USER_SHARES: Mapping[Role, float] = {"calibration": 0.1, "validation": 0.1, "training": 0.0}
BUILT_IN_SHARES: Mapping[Role, float] = {"calibration": 0.1, "validation": 0.1, "training": 0.5}
"""The test role has the rest."""

ROUNDING = 1e-9
_SCALE = 16**13


@dataclass(frozen=True, slots=True)
class Entry:
    """A sample as it is known before it is read.

    Attributes:
        name: its file, or its number.
        unit: what it belongs to.
        content: digest of its input.
        label: digest of its label.
        stratum: its class, where it has one; a limited number is taken from all classes.
        part: where its source puts it.
    """

    name: str
    unit: str
    content: str
    label: str
    stratum: int | None = None
    part: Part = ""


def shares_of(defaults: Mapping[Role, float], given: Mapping[Role, float]) -> dict[Role, float]:
    """The share of each role.

    What is not given is as by default, as far as the given ones leave room for it; what remains is
    for the test, or for training where the share of the test is given.

    Raises:
        DatasetError: those that are given are more than all, or all are given and are less.
    """
    room = 1 - sum(given.values())
    kept = {role: defaults[role] for role in ORDER[:-1] if role not in given}
    if "test" in given:
        kept.pop("training", None)
    scale = min(1.0, max(room, 0.0) / (sum(kept.values()) or 1.0))
    shares: dict[Role, float] = dict.fromkeys(ROLES, 0.0)
    shares |= {role: share * scale for role, share in kept.items()} | dict(given)
    off = 1 - sum(shares.values())
    rest: Role = "training" if "test" in given else "test"
    if rest not in given:
        shares[rest] += max(off, 0.0)
        off = min(off, 0.0)
    if abs(off) > ROUNDING:
        said = ", ".join(f"{role} {share:.4g}" for role, share in given.items())
        raise DatasetError(f"the shares of the roles are not 1 together: {said}")
    return shares


def role_of(content: str, shares: Mapping[Role, float]) -> Role:
    """The role of a content."""
    place = int(content[:13], 16) / _SCALE
    for role in ORDER[:-1]:
        if place < shares[role]:
            return role
        place -= shares[role]
    return "test"


def by_role(
    entries: Sequence[Entry], shares: Mapping[Role, float]
) -> tuple[dict[Role, list[int]], list[tuple[Role, Skipped]]]:
    """Numbers of the entries of each role, and those that are left out as their content is there.

    Each content is in one role, once. What a source puts into its test split and into another is
    left out of the test.
    """
    in_order = sorted(range(len(entries)), key=lambda number: entries[number].part == "test")
    taken: dict[str, tuple[Role, int]] = {}
    roles: dict[Role, list[int]] = {role: [] for role in ROLES}
    left_out: list[tuple[Role, Skipped]] = []
    for number in in_order:
        entry = entries[number]
        role = _role(entry, shares)
        there = taken.get(entry.content)
        if there is None:
            taken[entry.content] = (role, number)
            roles[role].append(number)
        else:
            left_out.append((role, _repeated(entry, role, entries[there[1]], there[0])))
    return roles, left_out


def sampled(numbers: Sequence[int], entries: Sequence[Entry], limit: int, seed: int) -> list[int]:
    """A part of the entries, drawn by their contents, with as large a share of each class.

    Args:
        numbers: of the entries to draw from.
        entries: all of them.
        limit: how many at the most.
        seed: another one draws others.
    """
    if limit >= len(numbers):
        return list(numbers)
    strata: dict[int | None, list[int]] = defaultdict(list)
    for number in numbers:
        strata[entries[number].stratum].append(number)
    drawn: list[tuple[float, str, int]] = []
    for members in strata.values():
        keyed = sorted((_key(entries[number].content, seed), number) for number in members)
        # Where one stands within its class, as a share; a cut at one height takes from all alike.
        drawn += [
            ((place + 0.5) / len(keyed), key, number) for place, (key, number) in enumerate(keyed)
        ]
    chosen = {number for _, _, number in sorted(drawn)[:limit]}
    return [number for number in numbers if number in chosen]


def _role(entry: Entry, shares: Mapping[Role, float]) -> Role:
    if entry.part == "":
        return role_of(entry.content, shares)
    if entry.part != "train":
        return entry.part
    role = role_of(entry.content, shares)
    return "training" if role == "test" else role


def _repeated(entry: Entry, role: Role, first: Entry, first_role: Role) -> Skipped:
    where = "" if role == first_role else f", which is for {first_role}"
    label = "" if entry.label == first.label else ", with another label"
    return Skipped(name=entry.name, why=f"the same content as {first.name}{where}{label}")


def _key(content: str, seed: int) -> str:
    return hashlib.sha256(f"{seed} {content}".encode()).hexdigest()
