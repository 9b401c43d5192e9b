"""What nothing tells, and what one would guess: asked for, never taken in silence."""

from __future__ import annotations

import shlex

from inferometer.core.shown import shown
from inferometer.store.tables.draft import FIGURES, HEADLINES, Column, Draft, named
from inferometer.store.tables.names import Meaning, time_in
from inferometer.store.tables.table import listed
from inferometer.store.tables.units import plain, readable

_PERHAPS_MODEL = (
    *("name", "experiment_name", "experiment", "exp", "method", "algorithm", "config", "test"),
    *("configuration", "variant", "benchmark", "case", "model_type", "file", "filename"),
    "run_name",
)


def find_model(draft: Draft) -> None:
    """Find a column that may name the models, where none is called so."""
    if "model" in draft.known or "model" in draft.constants:
        return
    # of a tool's own output, its reader knows what it does not tell
    free = [] if draft.table.ours else draft.free
    by_name = {plain(name): name for name in reversed(free)}
    perhaps = next((by_name[name] for name in _PERHAPS_MODEL if name in by_name), "")
    perhaps = perhaps or next((name for name in free if draft.is_text(name)), "")
    if not perhaps:
        draft.problems.insert(0, "there is no column model")
        draft.constant = "--constant model=NAME"
        return
    if draft.asked.auto:
        draft.known["model"] = Column(name=perhaps, meaning=Meaning(field="model"), why="a guess")
        draft.notes.append(f"{named(perhaps)} was taken as the models' names: a guess")
        return
    draft.guesses.append(("model", perhaps))
    draft.problems.insert(0, "there is no column model")


def check_enough(draft: Draft) -> None:
    """Refuse what is not enough.

    Raises:
        ImportFileError: the message says what is open, and what one would guess.
    """
    columns = draft.columns
    if draft.ours and "model" not in draft.known:
        draft.refuse(f"there is no column model; its columns: {columns}")
    if not draft.ours and "latency_mean_s" not in draft.known:
        _perhaps_latencies(draft)
    if FIGURES.isdisjoint(draft.known) and not (draft.problems and draft.guesses):
        hint = f"; one would guess {_guessed(draft)}" if draft.guesses else ""
        hint += f"; or {draft.constant}" if draft.constant and not draft.guesses else ""
        no_model = (
            "" if "model" in draft.known or "model" in draft.constants else "no column model and "
        )
        draft.refuse(
            f"there is {no_model}no column with a figure, such as latency_s; "
            f"its columns: {columns}{hint}"
        )
    if draft.problems:
        auto = ", or --map auto" if draft.guesses else ""
        draft.refuse(
            f"{' and '.join(draft.problems)}; its columns: {columns}; if the following is right, "
            f"add it{auto}: {_guessed(draft)}"
        )


def _perhaps_latencies(draft: Draft) -> None:
    """Name the columns that may be the latencies, where none is called so."""
    found = [
        (name, unit)
        for name in draft.free
        if (unit := time_in(name)) is not None and draft.is_numeric(name)
    ]
    if not found or any(name.startswith("latency") for name in draft.known):
        return
    name, unit = found[0]
    left = f"latency_{unit.text.split('/')[0].strip()}"
    if draft.asked.auto and draft.known.keys().isdisjoint(HEADLINES):
        meaning = Meaning(field="latency_mean_s", kind="time", unit=unit, per=unit.per)
        draft.known["latency_mean_s"] = Column(name=name, meaning=meaning, why="a guess")
        draft.notes.append(f"{named(name)} was taken as the latency: a guess")
        return
    if FIGURES.isdisjoint(draft.known) or draft.problems:
        draft.guesses.insert(0, (left, name))
        return
    names = listed([name for name, _ in found])
    pair = shlex.quote(shown(f"{left}={readable(found[0][0])}"))
    draft.notes.append(f"no latency was taken; one of these may be it: {names} (--map {pair})")


def _guessed(draft: Draft) -> str:
    """The `--map` that one would guess."""
    texts = [f"{left}={readable(column)}" for left, column in draft.guesses]
    plain_pairs = [text for text in texts if "," not in text]
    options = [",".join(plain_pairs)] if plain_pairs else []
    options += [text for text in texts if "," in text]
    asked = [f"--map {shlex.quote(shown(option))}" for option in options]
    return " ".join([*asked, *([draft.constant] if draft.constant else [])])
