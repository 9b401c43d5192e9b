"""Study files and hypotheses.

A study that is accepted goes on until its first worker would start. What is left out: measuring.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import yaml
from tests.fuzz import hostile, stock
from tests.fuzz.case import Case, Kind

BASES: tuple[dict[str, Any], ...] = (
    {"name": "lab", "models": ["resnet18", "unet"], "batch": [1, 2], "size": [224]},
    {"name": "x", "models": "resnet18", "shapes": [{"size": 224, "batch": [1, 8]}, {"size": 448}]},
    {
        "name": "full", "description": "All keys.", "models": ["resnet18"], "backends": ["torch"],
        "precisions": ["fp32", "bf16"], "device": "cpu", "threads": 2, "preset": "quick",
        "batch": 1, "size": "own", "hypotheses": ["latency increases with parameters"],
        "procedure": {
            "target": "5%", "confidence": 0.95, "processes": 3, "min_calls": 12, "span": "10s",
            "round": "250ms", "max_time": "30s", "timeout": "3m", "memory_limit": "2GiB",
            "skip_larger": True, "budget": "10m", "seed": 1, "roofline": False,
        },
    },
)  # fmt: skip
SPECIAL = (
    "&a [*a]", "&a {b: *a}", "!!python/object/apply:os.system ['touch x']", "!!binary aGk=",
    "!<tag:yaml.org,2002:int> x", "{? [a] : b}", "|\n  text", "'unterminated", '"\\uFFFFFFFF"',
    "<<: *x", "%YAML 9.9\n---\na: b", "---\na\n---\nb", "- - - -", "[1, 2", "{a: b", "? a", "@x",
    "2026-01-01", "1:30", "0o17", "0x1F", ".inf", ".nan", "no", "~", "1_000", "12e99999",
)  # fmt: skip
SUBJECTS = ("latency", "throughput", "energy", "memory", "latency per input", "power", "resnet18")
OTHERS = ("parameters", "batch_size", "input_size", "unet", "resnet18", "bf16", "the size", "torch")
VERBS = (
    "increases with", "falls with", "scales linearly with", "is faster than", "is slower than",
    "is at least 2 times as fast as", "uses less energy than", "needs more memory than",
    "at resnet18 is at most half of", "is at least", "is", "is faster than unet by at least 20% or",
)  # fmt: skip


def study(rng: random.Random, folder: Path) -> Case:
    """A study file, given to `run`."""
    (folder / "s.yaml").write_bytes(_text(rng))
    args = ["run", "s.yaml", "--store", "x.db", "--no-energy"]
    return Case(args=args, may_write=frozenset({"x.db", "x.db-wal", "x.db-shm"}))


def hypothesis(rng: random.Random, folder: Path) -> Case:
    """A hypothesis, given to `analyze`, about a run that is there."""
    store = stock.put(folder)
    texts = [_hypothesis(rng) for _ in range(rng.choice((1, 1, 1, 3)))]
    args = ["analyze", "latest", "--store", store]
    args += [f"--hypothesis={text}" for text in texts]
    return Case(args=[*args, *rng.choice(((), ("--json", "-")))])


def _text(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.08:
        return _large(rng).encode()
    document = json.loads(json.dumps(rng.choice(BASES)))
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        _mutate(rng, document)
    if kind < 0.3:
        text = json.dumps(document, ensure_ascii=rng.random() < 0.5)
    else:
        text = yaml.safe_dump(document, allow_unicode=rng.random() < 0.5, sort_keys=False)
    if kind > 0.85:
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        lines[at] = lines[at].partition(":")[0] + ": " + rng.choice(SPECIAL)
        text = "\n".join(lines)
    content = text.encode("utf-8", "surrogatepass")
    return hostile.damage(rng, content) if 0.7 < kind < 0.85 else content


def _large(rng: random.Random) -> str:
    """Short texts that stand for much."""
    many = rng.choice((100, 1000, 6000, 20_000))
    numbers = f"[{', '.join(str(n + 1) for n in range(many))}]"
    sizes = f"[{', '.join(str(32 * n + 32) for n in range(many))}]"
    return rng.choice((
        f"name: x\nmodels: [resnet18]\nbatch: {numbers}\nsize: {sizes}\n",
        f"name: x\nmodels: resnet18\nshapes: [{'{size: 224, batch: [1, 2]}, ' * many}]\n",
        f"name: x\nmodels: [{', '.join(f'm{n}.py:f' for n in range(many))}]\nbatch: {numbers}\n",
        f"name: x\nmodels: {'[' * many}resnet18{']' * many}\n",
        f"name: x\nmodels: {'{a: ' * many}resnet18{'}' * many}\n",
        f"{'- ' * many}x\n",
        f"name: x\nmodels: [{'resnet18, ' * many}]\nprecisions: [{'fp32, ' * many}]\n",
        "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(30)),
        f"name: x\nmodels: resnet18\nhypotheses: [{'a is faster than b, ' * many}]\n",
        f"name: x\nmodels: resnet18\n{''.join(f'k{n}: 1{chr(10)}' for n in range(many))}",
        f"name: {'x' * many * 10}\nmodels: resnet18\n",
        f"name: x\nmodels: resnet18\nbatch: {'9' * many}\n",
        f"name: x\nmodels: '{'torchvision:' * many}'\n",
        f"name: x\nmodels: resnet18\n{'#' * many * 100}\n",
    ))  # fmt: skip


def _mutate(rng: random.Random, document: Any) -> None:
    """Change one thing somewhere in a document."""
    place = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            place["x"] = 1 if isinstance(place, dict) else None
            return
        key = rng.choice(keys)
        if isinstance(place[key], dict | list) and place[key] and rng.random() < 0.7:
            place = place[key]
            continue
        break
    action = rng.random()
    if action < 0.6:
        place[key] = _value(rng)
    elif action < 0.75:
        del place[key]
    elif isinstance(place, list):
        place.extend([place[key]] * rng.choice((1, 3, 300)))
    else:
        place[hostile.line(rng) if rng.random() < 0.7 else "shapes"] = place[key]


def _value(rng: random.Random) -> Any:
    return rng.choice((
        lambda: hostile.text(rng).encode("utf-8", "replace").decode(),
        lambda: hostile.amount(rng),
        lambda: hostile.number(rng),
        lambda: rng.choice((0, -1, 1, 2**31, 2**63, 10**40, 10**400, True, False, None)),
        lambda: rng.choice((0.5, -0.0, 1e308, 1e-320, float("inf"), float("nan"))),
        lambda: [_value(rng) for _ in range(rng.randrange(4))],
        lambda: {hostile.line(rng): _value(rng) for _ in range(rng.randrange(3))},
        lambda: [hostile.number(rng)] * 50,
    ))()  # fmt: skip


def _hypothesis(rng: random.Random) -> str:
    def subject() -> str:
        return hostile.argument(rng) if rng.random() < 0.3 else rng.choice(SUBJECTS + OTHERS)

    kind = rng.random()
    if kind < 0.1:
        return hostile.argument(rng)
    if kind < 0.2:
        word = rng.choice(
            ("is at least ", "is faster than ", " ", "a ", "at x is at most ", "(a+)")
        )
        return (word * rng.choice((10, 1000, 5000)))[:50_000]
    verb = rng.choice(VERBS)
    tail = rng.choice(
        ("", "", f" by at least {hostile.number(rng)}%", f" {hostile.amount(rng)}", ".")
    )
    return f"{subject()} {verb} {subject()}{tail}".replace("\x00", "")


def ready() -> None:
    """Import what reads studies, begins a run, and analyses one."""
    import inferometer.analysis.findings
    import inferometer.cli.analyze
    import inferometer.cli.run
    import inferometer.report.terminal.live
    import inferometer.report.terminal.table
    import inferometer.runner.run
    import inferometer.study  # noqa: F401

    stock.warm("analyze latest", "analyze latest --json -")


KINDS = (
    Kind(name="study", make=study, ready=ready, share=3),
    Kind(name="hypothesis", make=hypothesis, ready=ready, share=2),
)
