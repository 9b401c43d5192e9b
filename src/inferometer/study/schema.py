"""The JSON schema of study files (Draft 2020-12), made from the table of options.

Editors read it as `schema.json`, which `python tools/schema.py` writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from inferometer.core.options import AXES, PROCEDURE, Option
from inferometer.core.procedure import Procedure
from inferometer.core.ranges import DEVICE, Range, written
from inferometer.core.sweep import Sweep
from inferometer.study.units import NUMBER, PATTERNS

Rules = dict[str, Any]

MOST_HYPOTHESES = 200

_DEFAULTS: Mapping[str, Any] = {
    **{one.name: one.default for kind in (Sweep, Procedure) for one in fields(kind)},
    "models": None,
    "batches": (1,),
    "sizes": ("own",),
    "preset": "standard",
}
_LINE: Rules = {"type": "string", "pattern": r"^(?!\s*$)[^\x00-\x1f\x7f-\x9f]*$"}
_TEXT: Rules = {**_LINE, "x-expected": "a text of one line"}
_TEXTS: Rules = {**_LINE, "type": ["string", "array"], "minItems": 1, "items": _TEXT}
_KINDS: Mapping[str, Rules] = {
    "truth": {"type": "boolean"},
    "device": {"type": "string", "pattern": f"^{DEVICE}$"},
    "names": _TEXTS,
    "text": _TEXT,
}
_EXAMPLES = {"seconds": "250ms, 90s, 10m or 1h30m", "bytes": "2GiB, 512M or 1.5GB"}
_BLOCK = "a block such as {size: 224, batch: [1, 8]}"
_BESIDE = {"not": {}, "x-problem": "cannot stand beside shapes: move it into a block of shapes"}


@cache
def schema() -> Rules:
    """What a study file may hold.

    `x-expected` (what belongs at a place) and `x-problem` (a whole sentence) become messages.
    """
    axes = {option.key: _rules(option) for option in AXES}
    block = {key: axes[key] for key in ("batch", "size")}
    properties = {
        "name": {
            "description": "A short name, kept with every record.",
            "allOf": [_TEXT],
            "maxLength": 80,
            "x-expected": "a name of one line and at most 80 characters",
        },
        "description": {
            "description": "What the study is for.",
            "type": "string",
            "pattern": r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$",
            "x-expected": "a text without control characters",
        },
        **axes,
        "shapes": {
            "description": "Blocks of sizes that go with batches; their union is measured.",
            "type": "array",
            "minItems": 1,
            "items": {"minProperties": 1, **_mapping(_BLOCK, block)},
            "x-expected": _BLOCK.replace("a block", "a list of blocks"),
        },
        "hypotheses": {
            "description": "What is expected of the figures. Without it: the lab's three.",
            **_TEXTS,
            "maxItems": MOST_HYPOTHESES,
            "x-expected": f"a text of one line, or a list of at most {MOST_HYPOTHESES} such texts",
        },
        "procedure": {
            "description": "Rules of measuring. A value here wins over the preset's.",
            **_mapping(
                "a mapping such as {target: 5%, budget: 10m}",
                {option.key: _rules(option) for option in PROCEDURE},
            ),
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "inferometer study",
        "description": "What is measured, at which shapes, and how.",
        "required": ["name", "models"],
        **_mapping("a mapping with at least the keys name and models", properties),
        "dependentSchemas": {"shapes": {"properties": dict.fromkeys(block, _BESIDE)}},
    }


def _mapping(expected: str, properties: Rules) -> Rules:
    return {
        "type": "object",
        "additionalProperties": False,
        "x-expected": expected,
        "properties": properties,
    }


def _rules(option: Option) -> Rules:
    """What the value of an option may be, and what it is where a file says nothing."""
    default, takes = _DEFAULTS[option.field], option.takes
    rules: Rules = {"description": option.says, "x-expected": option.words}
    if isinstance(takes, Range):
        rules |= _numbers(option, takes, default)
        if takes.kind in PATTERNS and default is not None:
            default = written(takes.kind, default)
    else:
        rules |= {"enum": takes} if isinstance(takes, tuple) else _KINDS[takes]
    return rules if default is None else {**rules, "default": default}


def _numbers(option: Option, takes: Range, default: Any) -> Rules:  # noqa: ANN401 - any number
    """One number, with its unit or without, or several."""
    types = ["integer" if takes.kind in ("whole", "bytes") else "number"]
    rules: Rules = {
        "type": types,
        "exclusiveMinimum" if takes.above else "minimum": takes.low,
        "exclusiveMaximum" if takes.below else "maximum": takes.high,
        "x-expected": option.words,
    }
    if takes.kind in PATTERNS:
        share = f"{written('share', default)} or {default:g}" if takes.kind == "share" else ""
        rules["x-expected"] += f", such as {_EXAMPLES.get(takes.kind, share)}"
        rules["pattern"] = f"^ *(?:{PATTERNS[takes.kind]}|{NUMBER}) *$"
        types.append("string")
    if option.own:
        rules["pattern"] = "^own$"
        types.append("string")
    if not option.many:
        return rules
    expected = f"{takes.words}{', own' * option.own}, or a list of them"
    listed = {"type": [*types, "array"], "minItems": 1, "items": rules, "x-expected": expected}
    return {**rules, **listed}
