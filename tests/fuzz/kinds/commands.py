"""Arguments of every command, model references, places to write to, and broken outputs."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import click
from tests.fuzz import hostile, stock
from tests.fuzz.case import Case, Execute, Kind, Outcome

DATABASES = frozenset(
    f"{name}.db{end}" for name in ("x", "inferometer") for end in ("", "-wal", "-shm")
)
SOUND = {
    "models": ("resnet18", "resnet18,unet"), "backends": ("torch", "python"),
    "precisions": ("fp32", "fp32,bf16"), "batches": ("1", "1,8"), "sizes": ("224", "own,224"),
    "size": ("224", "own"), "batch": ("1", "8"), "threads": ("1", "1,2"), "device": ("cpu",),
    "preset": ("quick",), "target": ("5%",), "budget_s": ("10m",), "timeout_s": ("3m",),
    "run": ("latest",), "runs": ("latest",), "reference": ("latest",), "run_id": ("latest",),
    "json_path": ("-",), "file_format": ("json", "csv"), "by": ("model", "batch", "module"),
    "depth": ("1",), "zone": ("1%",), "base": ("latest", "resnet18"), "contender": ("unet",),
    "model": ("resnet18",), "study": ("lab", "taste"), "precision": ("fp32",), "seed": ("7",),
    "root": ("root",), "power_log": ("log.csv",), "offset": ("auto", "-3.2"), "scope": ("wall",),
    "hypotheses": ("latency increases with parameters",), "only": ("resnet18:224/8",),
    "file": ("table.csv",), "meters": ("none", "rapl"), "interval_s": ("1s",),
}  # fmt: skip
"""Parameter → values that are in order."""
REPORT = frozenset({"plots", "report.html", "report.md", "results.csv"})
"""What a report consists of, wherever it goes: the current folder too."""
TO_WRITE = frozenset({"out", "output", "dump", "mark", "trace"})
TO_READ = frozenset({"root", "file", "power_log"})
SLOW = frozenset({"selftest"})
"""Commands that measure in this process as well; only places to write to are tried with them."""
READING = {
    "runs": (), "show": ("latest",), "analyze": ("latest",), "compare": ("latest", "--by", "model"),
    "export": ("latest", "--format", "json"), "models": (), "backends": (), "doctor": (),
}  # fmt: skip
OF_A_STORE = ("runs", "show", "analyze", "compare", "export", "report", "energy")
SOURCES = (
    "torchvision:", "timm:", "transformers:", "hub:", "hub:owner/repo:", "file:", "python:", "x:",
    "", "./", "m.py:", "torchvision:resnet18?", "m.pt?", "timm:hf-hub:", "timm:local-dir:", "known:",
)  # fmt: skip
OPTIONS = (
    "weights",
    "input",
    "pickle",
    "pretrained",
    "num_classes",
    "x",
    "",
    "weights=pretrained&",
)


WARM = (
    "runs", "runs --json -", "show latest", "analyze latest", "compare latest --by model",
    "report latest -o out", *(f"export latest --format {form}" for form in ("json", "csv", "parquet")),
)  # fmt: skip
"""Commands that show what a database holds."""


@cache
def commands() -> dict[tuple[str, ...], click.Command]:
    """Every command, by the words that call it."""
    from inferometer.cli.main import COMMANDS

    found: dict[tuple[str, ...], click.Command] = {}
    for name, (place, _) in COMMANDS.items():
        module, _, attribute = place.partition(":")
        command = getattr(import_module(module), attribute)
        if isinstance(command, click.Group):
            found |= {(name, part): one for part, one in command.commands.items()}
        else:
            found[name,] = command
    return found


def arguments(rng: random.Random, folder: Path) -> Case:
    """A command with a few options, one or more of which are hostile."""
    words = rng.choice([words for words in commands() if words[0] not in SLOW])
    _things(folder)
    args = list(words)
    parameters = list(commands()[words].params)
    chosen = [one for one in parameters if isinstance(one, click.Argument) and rng.random() < 0.8]
    options = [one for one in parameters if isinstance(one, click.Option)]
    chosen += rng.sample(options, min(len(options), rng.choice((0, 1, 1, 2, 3))))
    bad = {id(one) for one in chosen if rng.random() < 0.6}
    for one in chosen:
        args += _given(rng, one, folder, hostile_one=id(one) in bad)
    may_name = any(one.name == "store_path" for one in parameters)
    if may_name and not any(arg.startswith("--store") for arg in args) and rng.random() < 0.9:
        args += ["--store", "x.db"]
    if words == ("power",):
        args += ["--for", "1ms"]  # else it goes on until Ctrl-C
    if rng.random() < 0.05:
        args.insert(rng.randrange(len(args) + 1), hostile.argument(rng))
    return Case(args=args, may_write=_may_write(args), exact=words == ("export",))


def _given(
    rng: random.Random, one: click.Parameter, folder: Path, *, hostile_one: bool
) -> list[str]:
    name = one.name or ""
    if isinstance(one, click.Option) and (one.is_flag or one.count):
        return [rng.choice(one.opts)]
    value = _hostile(rng, name, folder) if hostile_one else _sound(rng, name)
    if isinstance(one, click.Argument):
        return [value]
    flag = one.opts[-1]
    return [f"{flag}={value}"] if flag.startswith("--") and rng.random() < 0.8 else [flag, value]


def _sound(rng: random.Random, name: str) -> str:
    if name in TO_WRITE:
        return "out"
    if name == "store_path":
        return "x.db"
    return rng.choice(SOUND.get(name, ("1",)))


def _hostile(rng: random.Random, name: str, folder: Path) -> str:
    if name in TO_WRITE or name == "store_path" or (name == "json_path" and rng.random() < 0.7):
        return hostile.target(rng, folder)
    if name in TO_READ and rng.random() < 0.7:
        return hostile.source(rng, folder)
    if name in ("for_s", "interval_s"):
        return rng.choice(("nan", "-1s", "1e9s", "", "s", "9" * 400, "1ms", "0"))
    return rng.choice((hostile.argument, hostile.amount, hostile.numbers, hostile.number))(rng)


def _things(folder: Path) -> None:
    stock.put(folder)
    (folder / "root/proc").mkdir(parents=True)
    (folder / "root/proc/meminfo").write_text("MemTotal: 1000000 kB\nMemAvailable: 900000 kB\n")
    (folder / "table.csv").write_text("model,latency_s\nresnet18,0.1\n")
    (folder / "log.csv").write_text("timestamp,watts\n1,2\n2,3\n3,4\n")


def _may_write(args: list[str]) -> frozenset[str]:
    """What the arguments name: a name that a command was told to write may appear."""
    named = {part for arg in args for part in (arg, arg.partition("=")[2]) if part}
    paths = [name.removeprefix("~/") for name in named if not name.startswith("/")]
    tops = {
        part.split("/", 1)[0] for path in paths for part in (os.path.normpath(path), path)
    }  # `missing/../x` makes both
    # A dangling link leads to where a file may be made.
    return (
        DATABASES
        | tops
        | (REPORT if "." in tops else frozenset())
        | {f"{top}{end}" for top in tops for end in ("-wal", "-shm")}
        | {"nowhere"}
        | (frozenset({"agent.py", "agent.sh"}) if "agent" in args else frozenset())
    )


def reference(rng: random.Random, folder: Path) -> Case:
    """A model reference, given to the commands that take one."""
    for name in ("m.py", "m.pt"):
        (folder / name).write_text("def f(): return None\n")
    text = _reference(rng, folder)
    args = rng.choice((
        ["cost", text], ["profile", text], ["run", "--models", text, "--store", "x.db"],
        ["run", f"--models=resnet18,{text}", "--batch=1", "--store", "x.db", "--no-energy"],
    ))  # fmt: skip
    return Case(args=args, may_write=DATABASES)


def _reference(rng: random.Random, folder: Path) -> str:
    def word() -> str:
        return hostile.argument(rng) if rng.random() < 0.7 else hostile.source(rng, folder)

    start = rng.choice(SOURCES)
    body = start + (word() if rng.random() < 0.7 else rng.choice(("resnet18", "f", "m.py", "m.pt")))
    if rng.random() < 0.5:
        pairs = [
            f"{rng.choice(OPTIONS) if rng.random() < 0.7 else hostile.argument(rng)}"
            f"{rng.choice(('=', '=', '', '=='))}{word()}"
            for _ in range(rng.choice((1, 1, 2, 500)))
        ]
        body += (
            f"?{rng.choice(('&', '&&', ','))}".join(pairs)
            if rng.random() < 0.1
            else ("?" + "&".join(pairs))
        )
    return body[:100_000] or "x"


def writing(rng: random.Random, folder: Path) -> Case:
    """A command that works, told to write to a place that does not."""
    _things(folder)
    place = hostile.target(rng, folder)
    name = rng.choice(list(READING))
    args = rng.choice((
        [name, *READING[name], *([] if name == "export" else ["--json", place])],
        ["export", "latest", "--format", rng.choice(("json", "csv", "parquet")), "-o", place],
        ["report", "latest", "-o", place],
        ["doctor", "--dump", place],
        ["import", "table.csv", "--store", place],
        ["run", "taste", "--mark", place, "--store", "x.db"],
        ["run", "taste", "--json", place, "--store", "x.db"],
        ["run", "taste", "--store", place],
        ["profile", "resnet18", "-o", f"{place}.svg" if rng.random() < 0.5 else place],
        ["profile", "resnet18", "--trace", place],
        ["roofline", "--json", place],
        ["selftest", "--json", place] if _cannot_be(place) else ["runs", "--store", place],
        ["runs", "--store", place],
        ["energy", "attach", "--power-log", "log.csv", "--json", place],
    ))  # fmt: skip
    if "--store" not in args and args[0] in OF_A_STORE:
        args += ["--store", "x.db"]
    if args[0] == "report" and rng.random() < 0.3:
        _damage_report_folder(rng, folder)
        args[args.index("-o") + 1] = "out"
    return Case(args=args, may_write=_may_write(args), exact=args[0] == "export")


def _cannot_be(place: str) -> bool:
    return place in ("", "folder", "loop", "loop/x", "file/child") or len(place) > 1000


def _damage_report_folder(rng: random.Random, folder: Path) -> None:
    out = folder / "out"
    out.mkdir()
    name = rng.choice(("report.html", "report.md", "results.csv", "plots"))
    how = rng.randrange(4)
    if how == 0:
        (out / name).mkdir() if name != "plots" else (out / name).write_text("x")
    elif how == 1:
        (out / name).symlink_to("/dev/full")
    elif how == 2:
        (out / name).symlink_to(name)
    else:
        os.mkfifo(out / name)


def stream(rng: random.Random, folder: Path) -> Case:
    """A command that works, whose standard output does not."""
    _things(folder)
    name = rng.choice(list(READING))
    args = [name, *READING[name]]
    if name in OF_A_STORE:
        args += ["--store", "x.db"]
        if rng.random() < 0.3 and name != "export":
            args += ["--json", "-"]
    else:
        args += rng.choice(((), ("--json", "-"), ("--help",)))
    if rng.random() < 0.2:
        args = rng.choice((["--help"], ["--version"], [name, "--help"], ["energy", "--help"]))
    full = rng.random() < 0.5
    return Case(
        args=args,
        may_write=DATABASES,
        exact=name == "export",
        stdout="/dev/full" if full else None,
        encoding="utf-8" if full else rng.choice(("ascii", "latin-1")),
        then=_full if full else None,
    )


def _full(outcome: Outcome, _: Execute) -> Iterator[str]:
    if outcome.status != 2:
        yield f"a full standard output, and status {outcome.status}"


def ready() -> None:
    """Import every command."""
    commands()
    import matplotlib.font_manager  # noqa: F401 - it would write its cache into an input's folder

    import inferometer.runner.costing
    import inferometer.runner.run  # noqa: F401

    stock.warm(*WARM)


KINDS = (
    Kind(name="arguments", make=arguments, ready=ready, share=4),
    Kind(name="reference", make=reference, ready=ready, share=3),
    Kind(name="writing", make=writing, ready=ready, share=2),
    Kind(name="stream", make=stream, ready=ready, share=1),
)
