"""The examples of the how-to pages, installed as they stand there and used by the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no reader of TOML")

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "how-to"
BLOCK = re.compile(r"`([\w.]+)`:\n\n(?:<!-- [^\n]* -->\n)?```\w+\n(.*?)```", re.DOTALL)
MOST_LINES = 60
QUICK = ("--preset", "quick", "--size", "own", "--no-roofline")


def blocks(page):
    return dict(BLOCK.findall((PAGES / page).read_text()))


def package(page):
    """Files of the package that a page shows, and what its pyproject says."""
    files = blocks(page)
    files.pop("nets.py", None)
    return files, tomllib.loads(files["pyproject.toml"])["project"]


@pytest.fixture
def shown(site):
    """Install what a page shows; gives the site."""

    def install(page):
        files, project = package(page)
        modules = {name: code for name, code in files.items() if name.endswith(".py")}
        site.install(
            project["name"], project["entry-points"], version=project["version"], modules=modules
        )
        return site

    return install


@pytest.fixture
def model(tmp_path):
    """A reference of the model that the page of backends shows."""
    file = tmp_path / "nets.py"
    file.write_text(blocks("add-a-backend.md")["nets.py"])
    return f"{file}:build"


@pytest.mark.parametrize("page", ["add-a-backend.md", "add-a-power-source.md"])
def test_a_plug_in_is_under_sixty_lines(page):
    files, _ = package(page)
    assert len(files) == 2
    lines = [line for text in files.values() for line in text.splitlines() if line.strip()]
    assert len(lines) < MOST_LINES


def test_a_backend_is_listed_and_measures_in_a_worker(shown, model, tmp_path):
    site = shown("add-a-backend.md")
    rows = json.loads(site.python("-m", "inferometer", "backends", "--json", "-"))
    (row,) = [row for row in rows if row["name"] == "numpy"]
    assert (row["installed"], row["version"], row["package"]) == (
        True, "1.0", "inferometer-numpy 1.0",
    )  # fmt: skip
    assert (row["precisions"], row["devices"]) == (["fp32", "fp64"], ["cpu"])
    assert row["accepts"] == ["callable"]
    out = site.python(
        *("-m", "inferometer", "run", "--models", model, "--backends", "numpy", *QUICK),
        *("--precisions", "fp32,fp64", "--batch", "1,8", "--no-energy", "--json", "-"),
        *("--store", tmp_path / "store.db"),
    )
    records = json.loads(out)
    assert {(one["backend"], one["precision"], one["status"]) for one in records} == {
        ("numpy", "fp32", "ok"),
        ("numpy", "fp64", "ok"),
    }
    assert sorted(one["input_shape"] for one in records) == ["1x64", "1x64", "8x64", "8x64"]
    assert all(one["latency_median_s"] > 0 for one in records)


def test_what_a_backend_cannot_do_is_a_failed_record_and_not_something_else(shown, model, tmp_path):
    site = shown("add-a-backend.md")
    run = ("-m", "inferometer", "run", "--models", model, "--backends", "numpy,torch", *QUICK)
    tail = ("--batch", "1", "--no-energy", "--json", "-", "--store", tmp_path / "store.db")
    out = site.python(*run, "--device", "cuda", *tail, status=1)  # which torch has
    record = next(one for one in json.loads(out) if one["backend"] == "numpy")
    assert (record["failure_kind"], record["failure_stage"]) == ("unsupported", "load")
    assert "fp32, fp64 on cpu alone" in record["failure_message"]


def test_a_backend_passes_the_tests_of_what_every_backend_promises(shown):
    site = shown("add-a-backend.md")
    suite = ROOT / "tests" / "backends" / "test_conformance.py"
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--rootdir", ROOT)
    out = site.python("-m", "pytest", suite, "-k", "numpy", "-c", ROOT / "pyproject.toml", *options)
    assert re.search(r"^1\d passed", out, re.MULTILINE), out
    assert "failed" not in out


def test_a_power_source_is_found_in_a_recorded_tree(shown, tmp_path):
    site = shown("add-a-power-source.md")
    file = tmp_path / "tree" / "run" / "rack" / "watts"
    file.parent.mkdir(parents=True)
    file.write_text("12.5\n")
    (tmp_path / "tree" / "proc").mkdir()
    root = ("--root", tmp_path / "tree")
    found = json.loads(site.python("-m", "inferometer", "doctor", *root, "--json", "-"))
    assert [one["name"] for one in found["power_sources"]] == ["rack:outlet"]
    timed = ("--for", "200ms", "--interval", "50ms")
    out = site.python("-m", "inferometer", "power", "--meter", "rack", *timed, *root, "--json", "-")
    (told,) = json.loads(out)["power"]
    assert told["power_mean_w"] == pytest.approx(12.5)
    dump = tmp_path / "dump"
    site.python("-m", "inferometer", "doctor", *root, "--dump", dump)
    assert (dump / "run" / "rack" / "watts").read_text() == "12.5\n"


def test_a_power_source_is_read_at_an_address(shown, tmp_path):
    site = shown("add-a-power-source.md")
    watts = tmp_path / "watts"
    power = ("-m", "inferometer", "power", "--meter", f"rack://{watts}", "--for", "200ms")
    site.python(*power, status=2)
    watts.write_text("8\n")
    out = site.python(*power, "--interval", "50ms", "--json", "-")
    (told,) = json.loads(out)["power"]
    assert (told["name"], told["scope"], told["lost"]) == ("rack:outlet", "wall", None)
    assert told["power_mean_w"] == pytest.approx(8)
