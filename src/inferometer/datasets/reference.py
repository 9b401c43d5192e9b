"""Read a dataset reference: `SOURCE:TARGET?OPTION=VALUE&…`, or one of its short forms."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TypeVar, get_args

from inferometer.core.dataset import ROLES, TASKS, Kind, Role, Task
from inferometer.core.errors import DatasetError
from inferometer.core.preprocessing import Preprocessing
from inferometer.core.references import did_you_mean, options_of, quoted
from inferometer.core.shown import shown
from inferometer.datasets.overrides import overridden
from inferometer.datasets.registry import BUILT_IN, SOURCES

Known = TypeVar("Known", bound=str)
KINDS: tuple[Kind, ...] = get_args(Kind)
TABLES = {".npz": "npz", ".csv": "csv", ".tsv": "csv"}
MOST_SAMPLES = 10**9

_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_FUNCTION = re.compile(r"(.+\.py):([A-Za-z_]\w*)")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})(%?)")


@dataclass(frozen=True, kw_only=True)
class DatasetReference:
    """A dataset reference, read.

    Attributes:
        text: as given.
        source: name of the dataset source.
        target: what the source opens, without its prefix and its options.
        task: what is asked of a model; None where the samples say it.
        kind: the form of the inputs; None where the samples say it.
        metric: name of a metric, or `file.py:function`; None is that of the task.
        preprocess: what overrides the model's own preprocessing, as given; None is nothing.
        limit: samples at the most; None is all.
        shares: what was asked for of each role, as a share.
        classes: which classes there are: a number, names, or a file of names.
        skip: the share of samples that may be unusable.
        rest: all other options, which are the source's own.
    """

    text: str
    source: str
    target: str
    task: Task | None = None
    kind: Kind | None = None
    metric: str | None = None
    preprocess: str | None = None
    limit: int | None = None
    shares: Mapping[Role, float] = field(default_factory=dict)
    classes: str | None = None
    skip: float = 0.1
    rest: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As exported: without the folders that a file lies in, and without options."""
        if self.source == "builtin":
            return self.target
        named_by_path = self.source not in ("torchvision", "hf") or self.target[:1] in "./~"
        target = PurePath(self.target).name if named_by_path else self.target
        own_name = self.source in ("npz", "csv", "python")
        return shown(target or "." if own_name else f"{self.source}:{target or '.'}")

    def preprocessing(self, own: Preprocessing | None) -> Preprocessing:
        """What pictures go through: the model's own, or the default, with what overrides it."""
        return overridden(own or Preprocessing(), self.preprocess)

    def refuse_others(self, *known: str) -> None:
        """Check that the source has all options that were given.

        Raises:
            DatasetError: it lacks one.
        """
        for name in self.rest:
            if name not in known:
                every = (*_COMMON, *known)
                raise DatasetError(
                    f"{self.name} has no option {quoted(name)}{did_you_mean(name, every)}; it has "
                    f"{', '.join(every)}"
                )


def parse(text: str) -> DatasetReference:
    """Read a reference. Looks at no sample.

    Raises:
        DatasetError: it is malformed, or its source is unknown.
    """
    body, mark, query = text.partition("?")
    if not body.strip() or body != body.strip():
        raise DatasetError(f"the dataset {quoted(text)} has no name, or spaces around it")
    source, target = _split(text, body)
    if not target:
        raise DatasetError(f"the dataset {quoted(text)} names nothing after {source}:")
    options = options_of(query, f"the dataset {quoted(text)}", DatasetError) if mark else {}
    return DatasetReference(
        text=text,
        source=source,
        target=target,
        task=_one_of(options.pop("task", None), "task", TASKS),
        kind=_one_of(options.pop("kind", None), "kind", KINDS),
        metric=options.pop("metric", None) or None,
        preprocess=_preprocess(options.pop("preprocess", None)),
        limit=_whole(options.pop("limit", None), "limit"),
        shares={role: share(options.pop(role), role) for role in ROLES if role in options},
        classes=options.pop("classes", None) or None,
        skip=share(options.pop("skip", "10%"), "skip"),
        rest=options,
    )


_COMMON = ("task", "kind", "metric", "preprocess", "limit", *ROLES, "classes", "skip")


def share(text: str, name: str) -> float:
    """A share such as `0.2` or `20%`.

    Raises:
        DatasetError: it is none.
    """
    found = _SHARE.fullmatch(text)
    value = float(found[1]) / (100 if found[2] else 1) if found else math.nan
    if not 0 <= value <= 1:
        raise DatasetError(f"{name}={shown(text)} is not a share; write one as 20% or 0.2")
    return value


def _split(text: str, body: str) -> tuple[str, str]:
    prefix, colon, rest = body.partition(":")
    if _FUNCTION.fullmatch(body):
        return "python", body
    if colon and _PREFIX.fullmatch(prefix):
        sources = SOURCES.plugins()
        if prefix in sources:
            return prefix, rest
        raise DatasetError(
            f"the dataset {quoted(text)} names an unknown source {quoted(prefix)}"
            f"{did_you_mean(prefix, sources)}; known: {', '.join(sources)}"
        )
    path = PurePath(body)
    if path.suffix.lower() in TABLES:
        return TABLES[path.suffix.lower()], body
    if path.suffix == ".py":
        raise DatasetError(
            f"the dataset {quoted(text)} names no function; write {shown(body)}:FUNCTION"
        )
    if "/" in body or body in (".", ".."):
        return "folder", body
    if body in BUILT_IN:
        return "builtin", body
    raise DatasetError(
        f"no dataset is called {quoted(body)}{did_you_mean(body, BUILT_IN)}; known: "
        f"{', '.join(BUILT_IN)}; others are named as ./FOLDER, FILE.npz, FILE.csv, "
        "torchvision:NAME, hf:NAME or file.py:function (see `inferometer datasets`)"
    )


def _one_of(value: str | None, name: str, known: tuple[Known, ...]) -> Known | None:
    found = next((one for one in known if one == value), None)
    if value is not None and found is None:
        raise DatasetError(
            f"{name}={shown(value)} is not known{did_you_mean(value, known)}; known: "
            f"{', '.join(known)}"
        )
    return found


def _preprocess(value: str | None) -> str | None:
    if value is not None:
        overridden(Preprocessing(), value)
    return value


def _whole(value: str | None, name: str) -> int | None:
    if value is None:
        return None
    is_whole = re.fullmatch("[0-9]{1,10}", value)
    if not is_whole or not 1 <= int(value) <= MOST_SAMPLES:
        raise DatasetError(f"{name}={shown(value)} must be a whole number from 1")
    return int(value)
