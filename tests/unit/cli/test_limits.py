"""Flags keep to the limits of figures: what is beyond is refused before anything begins."""

from __future__ import annotations

import pytest

from inferometer.cli.main import cli, main
from inferometer.cli.parameters import Parsed

WHOLE = ["0x10", "1_000", "+1", "-1", "²", "٣", "nan", "inf", "1e3", "1.0", "", " ", "9" * 100_000, str(2**63 - 1)]  # fmt: skip
LISTS = ["1,,2", ",", "1,", "1;2", "1,²", f"1,{2**63 - 1}", f"1,{'9' * 5000}"]
DURATIONS = [
    "nan",
    "inf",
    "-1s",
    "1e400s",
    "1_0s",
    "٣s",
    "",
    "9" * 400,
    "99999999h",
    "soon",
    "0x1s",
]
POSITIVE = [*DURATIONS, "0", "0ms"]
SHARES = ["nan", "inf", "-5%", "5", "٣%", "", "9" * 400 + "%", "100000000%"]

BEYOND = {
    ("run", "--batch"): [*WHOLE, *LISTS, "0", "1000001", "own"],
    ("run", "--size"): [*WHOLE, *LISTS, "0", "1000001", "own,own", "Own"],
    ("run", "--threads"): [*WHOLE, "0", "4097", "1,2"],
    ("run", "--processes"): [*WHOLE, "0", "101"],
    ("run", "--seed"): [*WHOLE, str(2**32)],
    ("run", "--target"): [*SHARES, "0", "100%"],
    ("run", "--sustain"): POSITIVE,
    ("run", "--budget"): POSITIVE,
    ("run", "--timeout"): POSITIVE,
    ("run", "--window"): POSITIVE,
    ("run", "--memory-limit"): ["nan", "0", "-1", "", "1e9", "9999TiB", "9" * 400, "2iB"],
    ("run", "--device"): ["", "CPU", "/dev/x", "\x1b[31m", "cuda:", "x" * 5000],
    ("run", "--models"): ["", ",", "a,,b", ",".join(["m"] * 10_001)],
    ("cost", "--batch"): [*WHOLE, "0"],
    ("cost", "--size"): [*WHOLE, "0", "own,own"],
    ("cost", "--depth"): [*WHOLE, "1001"],
    ("cost", "--timeout"): POSITIVE,
    ("cost", "--seed"): WHOLE,
    ("profile", "--batch"): [*WHOLE, "0"],
    ("profile", "--size"): [*WHOLE, "0"],
    ("profile", "--threads"): [*WHOLE, "0"],
    ("profile", "--depth"): WHOLE,
    ("profile", "--seconds"): POSITIVE,
    ("profile", "--timeout"): POSITIVE,
    ("profile", "--seed"): WHOLE,
    ("profile", "--device"): ["", "a b"],
    ("roofline", "--threads"): [*WHOLE, *LISTS, "0", "4097"],
    ("roofline", "--device"): ["", "cpu\n"],
    ("import", "--table"): [*WHOLE, "0", "100001"],
    ("report", "--price"): ["", "5", "a=", "=5", "a=-1", "a=0", "a=nan", "a=1e5", "a=٣", "a=5 EUR"],
    ("compare", "--zone"): SHARES,
    ("compare", "--fail-slower"): SHARES,
    ("compare", "--margin"): SHARES,
    ("history", "--batch"): [*WHOLE, "0", "1000001"],
    ("history", "--size"): [*WHOLE, "0", "own"],
    ("history", "--last"): [*WHOLE, "0", "1000001"],
    ("history", "--fail-slower"): SHARES,
    ("history", "--since"): ["", "soon", "2026-13-01", "30.11.2026", "nan", "9" * 400],
    ("history", "--plot"): ["", "x.pdf", "x", ".svg"],
    ("recommend", "--max-latency"): [one for one in POSITIVE if one != "99999999h"],
    ("recommend", "--max-memory"): ["nan", "0", "-1", "", "9" * 400, "2iB"],
    ("recommend", "--max-energy"): ["nan", "inf", "-1J", "0J", "", "soon", "٣J", "9" * 400],
    ("recommend", "--max-parameters"): ["nan", "inf", "-1", "", "many", "٣", "9" * 400],
    ("recommend", "--min-throughput"): ["nan", "inf", "-1", "", "fast", "٣", "9" * 400],
    ("recommend", "--min-accuracy"): ["nan", "inf", "", "good", "٣", "9" * 400],
    ("recommend", "--max-error"): ["nan", "inf", "", "low", "٣", "9" * 400],
    ("recommend", "--prefer"): ["", "speed", "latency,memory"],
    ("recommend", "--batch"): [*WHOLE, *LISTS, "0"],
    ("recommend", "--size"): [*WHOLE, *LISTS, "0", "own,own"],
    ("energy attach", "--gain"): [*SHARES, "150%"],
    ("energy attach", "--interval"): [*POSITIVE, "25h"],
    ("energy read", "--interval"): [*POSITIVE, "25h"],
    ("energy attach", "--offset"): ["nan", "inf", "1e400", "", "soon", "٣", "1_0", "9" * 5000],
    ("fidelity", "--batch"): [*WHOLE, "0"],
    ("fidelity", "--size"): [*WHOLE, "0", "own,own"],
    ("fidelity", "--threads"): [*WHOLE, "0", "4097"],
    ("fidelity", "--samples"): [*WHOLE, "0"],
    ("fidelity", "--seed"): [*WHOLE, str(2**32)],
    ("fidelity", "--device"): ["", "a b"],
    ("fidelity", "--timeout"): POSITIVE,
    ("fidelity", "--min-cosine"): ["nan", "inf", "", "good", "٣", "9" * 400],
    ("tune", "--batch"): [*WHOLE, *LISTS, "0"],
    ("tune", "--size"): [*WHOLE, "0", "own,own"],
    ("tune", "--threads"): [*WHOLE, *LISTS, "0", "4097"],
    ("tune", "--device"): ["", "a b"],
    ("tune", "--max-latency"): [one for one in POSITIVE if one != "99999999h"],
    ("tune", "--max-memory"): ["nan", "0", "-1", "", "9" * 400, "2iB"],
    ("tune", "--min-fidelity"): ["nan", "inf", "", "good", "٣", "9" * 400],
    ("tune", "--min-accuracy"): ["nan", "inf", "", "good", "٣", "9" * 400],
    ("tune", "--budget"): POSITIVE,
    ("tune", "--seed"): [*WHOLE, str(2**32)],
    ("cache", "--limit"): ["nan", "0", "-1", "", "9" * 400, "2iB", "5 boxes"],
    ("fleet check", "--on"): ["", ",", "a,,b"],
    ("fleet run", "--on"): ["", ",", "a,,b"],
    ("fleet run", "--each"): ["", ",", "a,,b"],
    ("fleet run", "--wait"): DURATIONS,
    ("fleet status", "--on"): ["", ",", "a,,b"],
    ("fleet collect", "--on"): ["", ",", "a,,b"],
    ("power", "--for"): DURATIONS,
    ("power", "--interval"): DURATIONS,
}
BEYOND |= {
    ("fleet run", flag): some
    for (name, flag), some in BEYOND.items()
    if name == "run" and flag != "--window"
}
BEYOND |= {("agent", flag): some for (name, flag), some in BEYOND.items() if name == "run"}
"""Their flags are those of `run`."""
OPERANDS = {
    "report": ["latest", "-o", "x"],
    "recommend": ["latest"],
    "cost": ["resnet18"],
    "history": ["resnet18"],
    "profile": ["resnet18"],
    "energy attach": ["--power-log", "x"],
}


@pytest.mark.parametrize(("command", "flag"), BEYOND, ids=" ".join)
def test_what_is_beyond_is_refused_by_name(command, flag, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INFEROMETER_STORE", raising=False)
    for value in BEYOND[command, flag]:
        with pytest.raises(SystemExit) as caught:
            main([*command.split(), *OPERANDS.get(command, []), f"{flag}={value}"])
        error = capsys.readouterr().err
        assert caught.value.code == 2, value
        assert error.count("Error: ") == 1
        assert f"Invalid value for '{flag}'" in error, value
        assert len(error) < 800
        assert error.replace("\n", "").isprintable()
        assert list(tmp_path.iterdir()) == []


def test_every_flag_that_takes_a_number_is_among_them():
    """None is left to click, which reads numbers as Python does."""
    for name in cli.list_commands(None):
        command = cli.get_command(None, name)
        for sub in getattr(command, "commands", {"": command}).values():
            path = f"{name} {sub.name}" if sub is not command else name
            for option in sub.params:
                if isinstance(option.type, Parsed) and option.name not in (
                    "backends", "precisions", "options", "only", "data", "metric",
                ):  # fmt: skip
                    assert (path, option.opts[-1]) in BEYOND
                assert option.type.name not in ("integer", "float", "integer range", "float range")


def test_each_end_is_taken():
    for flag, values in {
        "--batch": "1,1000000",
        "--size": "1,1000000,own",
        "--threads": "4096",
        "--seed": "4294967295",
        "--budget": "87600h",
        "--memory-limit": "1024TiB",
    }.items():
        option = next(o for o in cli.get_command(None, "run").params if flag in o.opts)
        assert option.type.convert(values, option, None) is not None


def test_cells_are_bounded(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["run", "--resume", "x", "--only", ",".join(f"m{n}" for n in range(1001))])
    assert caught.value.code == 2
    assert "--only takes 1000 cells at the most, not 1001" in capsys.readouterr().err


def test_products_of_flags_are_bounded(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    many = ",".join(map(str, range(1, 2000)))
    with pytest.raises(SystemExit) as caught:
        main(["run", "--models", "resnet18", "--batch", many, "--size", many])
    assert caught.value.code == 2
    assert "3,996,001 workloads are asked for" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
