"""Which run a reference means."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inferometer.core.errors import StoreError
from inferometer.core.references import did_you_mean
from inferometer.core.shown import shown
from inferometer.store.address import Place

_SHOWN_CANDIDATES = 10
_LATEST = re.compile(r"latest(~(?P<back>\d{1,9}))?")
"""As in git: `latest~1` is the run before the latest."""


def chosen(found: Sequence[tuple[str, int]], reference: str, place: Place) -> tuple[str, int]:
    """The run that an id, a unique beginning of one, `latest`, or `latest~1` names.

    Args:
        found: id and number of every run, the one that came last first; at least one.
        reference: what was given.
        place: of the store, for messages.

    Raises:
        StoreError: there is none, or several.
    """
    if at := _LATEST.fullmatch(reference):
        return _before_latest(found, int(at["back"] or 0), place)
    named = [one for one in found if reference and one[0].startswith(reference)]
    if not named:
        raise StoreError(
            f"{shown(place)}: no run begins with {shown(repr(reference))}"
            f"{did_you_mean(reference, ['latest', *(run_id for run_id, _ in found)])}; "
            "`inferometer runs` lists them"
        )
    ids = list(dict.fromkeys(run_id for run_id, _ in named))
    if len(ids) > 1:
        candidates = ", ".join(ids[:_SHOWN_CANDIDATES])
        more = ", …" if len(ids) > _SHOWN_CANDIDATES else ""
        raise StoreError(
            f"{shown(place)}: '{shown(reference)}' may be any of {candidates}{more}; "
            "give more of it"
        )
    return named[0]


def _before_latest(found: Sequence[tuple[str, int]], back: int, place: Place) -> tuple[str, int]:
    """The run that came so many before the latest."""
    if back < len(found):
        return found[back]
    raise StoreError(
        f"{shown(place)}: there is no latest~{back}: the store has {len(found)} "
        f"run{'s' * (len(found) != 1)}; `inferometer runs` lists them"
    )
