"""Bundles: cut, with bytes and values changed, doubled, mixed, of other versions, without figures.

After each the store holds the run whole, or not at all.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import random
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.fuzz import hostile, stores
from tests.fuzz.case import Case, Check, Execute, Kind, Outcome

from inferometer.store import open_store
from inferometer.store.bundle import Bundle, bundle_bytes, bundle_of

LARGE = frozenset({"x.db", "x.db-wal", "x.db-shm"})
VALUES = (
    None, True, 0, -1, 1, 0.5, 1e308, -1e-320, 2**63, 10**40, "", "x" * 10_000, "../../etc/passwd",
    "\x1b[2J", "\u202e", "\ud800", "a\0b", "ok", "measured", "latest", [], {}, [[]], [1, "a"],
    {"a": 1}, {"f8": "AAAA"}, "AAAA", [0.0], [1e30], [-1.0], float("nan"), float("inf"),
)  # fmt: skip


@functools.cache
def sound() -> dict[bool, bytes]:
    """A bundle with figures, and one without: of a run of a small store."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.db"
        path.write_bytes(stores.sound())
        with open_store(path) as store:
            measured = [run for run in store.runs() if run.origin == "measured"]
            whole = bundle_of(store, measured[0].id)
    facts = {"first_call_s": 0.1, "parameters": 5}
    bare = [replace(one, figures=facts if one.status == "ok" else {}) for one in whole.records]
    return {False: bundle_bytes(whole), True: bundle_bytes(_raw(whole, bare))}


def _raw(whole: Bundle, records: list[Any]) -> Bundle:
    return replace(whole, records=tuple(records), raw=True)


def bundle(rng: random.Random, folder: Path) -> Case:
    """A bundle, given to `import`; then the store is looked at."""
    content = sound()[rng.random() < 0.4]
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        content = rng.choice(_DAMAGES)(rng, content)
    if rng.random() < 0.2:
        content = gzip.compress(content, mtime=0)
        content = hostile.damage(rng, content) if rng.random() < 0.3 else content
    name = rng.choice(("a.bundle", "a.json", "a.bundle.gz", "odd\nname"))
    (folder / name).write_bytes(content)
    if rng.random() < 0.3:  # over a store that has the run
        (folder / "x.db").write_bytes(stores.sound())
    args = ["import", name, *(["--partial"] if rng.random() < 0.3 else []), "--store", "x.db"]
    return Case(args=args, may_write=LARGE, then=_look(folder, name), ours_only=True)


def _look(folder: Path, name: str) -> Check:
    def check(outcome: Outcome, execute: Execute) -> Iterator[str]:
        if not (folder / "x.db").exists():
            return
        with open_store(folder / "x.db") as store:
            for run in store.runs():
                store.records(run.id, with_rounds=True)
                store.evaluations(run.id)
            if store.damaged:
                yield f"a damaged store: {store.damaged[0].sentence}"
        if outcome.status != 0:
            return
        again = execute(["import", name, "--partial", "--store", "x.db"])
        if again.status == 2 and b"goes with a bundle" in again.err:
            return  # a table
        if again.status != 0 or b"nothing new" not in again.out:
            yield f"not the same again: {again.status} {again.out[:200]!r} {again.err[:300]!r}"

    return check


def _bytes(rng: random.Random, content: bytes) -> bytes:
    return hostile.damage(rng, content)


def _cut(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _lines(rng: random.Random, content: bytes) -> bytes:
    """Lines doubled, left out or in another order, with an end that fits, mostly."""
    lines = content.splitlines(keepends=True)[:-1]
    kind = rng.randrange(4)
    place = rng.randrange(len(lines) or 1)
    if not lines:
        return content
    if kind == 0:
        lines.insert(rng.randrange(len(lines) + 1), lines[place])
    elif kind == 1:
        del lines[place]
    elif kind == 2:
        first, *rest = lines
        rng.shuffle(rest)
        lines = [first, *rest]
    else:
        lines.insert(
            place, json.dumps({hostile.line(rng): rng.choice((1, {}, None))}).encode() + b"\n"
        )
    return _ended(b"".join(lines))


def _values(rng: random.Random, content: bytes) -> bytes:
    """Other values somewhere within the lines, with an end that fits."""
    lines = content.splitlines(keepends=True)[:-1]
    for _ in range(rng.choice((1, 1, 2, 5))):
        if not lines:
            break
        place = 0 if rng.random() < 0.3 else rng.randrange(len(lines))
        try:
            changed = _changed(rng, json.loads(lines[place]))
        except (ValueError, RecursionError):
            continue
        lines[place] = json.dumps(changed).encode() + b"\n"
    return _ended(b"".join(lines))


def _changed(rng: random.Random, data: Any) -> Any:
    """JSON with one part replaced, removed or doubled."""
    if isinstance(data, dict) and data and rng.random() < 0.85:
        key = rng.choice(list(data))
        if rng.random() < 0.1:
            return {name: value for name, value in data.items() if name != key}
        return {**data, key: _changed(rng, data[key])}
    if isinstance(data, list) and data and rng.random() < 0.7:
        place = rng.randrange(len(data))
        return [*data[:place], _changed(rng, data[place]), *data[place + 1 :]]
    return rng.choice((*VALUES, hostile.text(rng)))


def _deep(rng: random.Random, content: bytes) -> bytes:
    """A line that is nested deep, or long."""
    lines = content.splitlines(keepends=True)[:-1]
    deep = rng.choice((b'{"a":' * 3000, b"[" * 50_000, b'{"record":' + b"[" * 40))
    lines.insert(min(1, len(lines)), deep + b"\n")
    return _ended(b"".join(lines))


def _ended(content: bytes) -> bytes:
    end = {"lines": content.count(b"\n"), "sha256": hashlib.sha256(content).hexdigest()}
    return content + json.dumps({"end": end}).encode() + b"\n"


_DAMAGES = (_bytes, _cut, _lines, _lines, _values, _values, _values, _deep)

KINDS = (Kind(name="bundle", make=bundle, ready=lambda: sound() and None),)
