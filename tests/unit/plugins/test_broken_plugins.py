"""A plug-in that cannot be used is one sentence that names it and its package; others go on."""

from __future__ import annotations

import json

import pytest

import inferometer.backends

BACKENDS = "inferometer.backends"
METERS = "inferometer.power_sources"
SOURCES = "inferometer.model_sources"

BACKEND = """
from inferometer.core.format import Format

class Backend:
    accepts, precisions, devices = frozenset({Format.CALLABLE}), ("fp32",), ("cpu",)

    def start(self, *, threads):
        pass

    def load(self, model, variant, *, device):
        return object()
"""
SOURCE_OF_NOTHING = """
from inferometer.meters.energy.surroundings import Finding

def find(surroundings):
    return Finding(sources=(object(),))
"""
WAYS = {
    "no such module": ("no_such_module_of_theirs:Backend", None, "No module named"),
    "a missing dependency": ("acme_plugin:Backend", "import no_such_dependency", "ModuleNotFound"),
    "a syntax error": ("acme_plugin:Backend", "def (", "SyntaxError"),
    "an error at import": ("acme_plugin:Backend", "1 / 0", "ZeroDivisionError"),
    "an exit at import": ("acme_plugin:Backend", "raise SystemExit(3)", "SystemExit: 3"),
    "a missing attribute": ("acme_plugin:Backend", "", "has no attribute 'Backend'"),
    "a malformed value": ("acme plugin::Backend", "", "malformed entry point"),
}
"""What is wrong → value of the entry point, content of the module, words of the sentence."""
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
OWN = set(inferometer.backends.BACKENDS.table)


@pytest.fixture
def acme(site):
    """Install a package with one entry point, named `acme`."""

    def install(group, value, code):
        modules = {} if code is None else {"acme_plugin.py": code}
        site.install("acme-tools", {group: {"acme": value}}, version="1.2", modules=modules)

    return install


def joined(text):
    return " ".join(text.split())


def of_package(sentence, name="acme"):
    return f"{name} of the package acme-tools 1.2" in sentence


@ways
def test_a_backend(acme, command, way):
    value, code, words = way
    acme(BACKENDS, value, code)
    out, _ = command("backends", "--json", "-")
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows.keys() == OWN | {"acme"}
    assert (rows["acme"]["installed"], rows["acme"]["install"]) == (False, None)
    assert rows["python"]["installed"]
    problem = rows["acme"]["problem"]
    assert of_package(problem)
    assert words in problem
    assert f"\nCannot be used:\n  {problem}\n" in command("backends")[0]
    assert f"acme broken {joined(problem)}" in joined(command("doctor")[0])
    run = ("run", "--models", "nets.py:build", "--size", "own", "--store", "store.db")
    assert command(*run, "--backends", "acme", status=2) == ("", f"Error: {problem}\n")


@ways
def test_a_model_source(acme, command, way):
    value, code, words = way
    acme(SOURCES, value.replace("Backend", "Source"), code)
    out, err = command("run", "--models", "acme:net", "--store", "store.db", status=2)
    assert out == ""
    assert err.startswith("Error: the model source acme of the package acme-tools 1.2 ")
    assert words.replace("Backend", "Source") in err
    assert err.count("\n") == 1
    assert "acme broken the model source acme of the" in joined(command("models")[0])


@ways
def test_a_power_source(acme, command, tmp_path, way):
    value, code, words = way
    acme(METERS, value, code)
    (tmp_path / "tree" / "proc").mkdir(parents=True)
    root = ("--root", tmp_path / "tree")
    out, err = command("power", "--meter", "acme", *root, status=2)
    assert out == ""
    assert err.startswith("Error: the power meter acme of the package acme-tools 1.2 ")
    assert words in err
    assert err.count("\n") == 1
    found = json.loads(command("doctor", *root, "--json", "-")[0])
    (absence,) = [one for one in found["power_absences"] if one["kind"] == "acme"]
    assert absence["reason"] == f"T{err.removeprefix('Error: t').strip()}."
    assert found["power_absences"][1:], "others were looked for"
    assert "acme of the package acme-tools 1.2" in command("power", *root, status=1)[1]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("class Backend: precisions = ('fp32',)", "lacks accepts and devices and start and load"),
        ("class Backend:\n    def __init__(self, a): ...", "cannot be loaded (TypeError"),
        ("Backend = 3", "cannot be loaded (TypeError"),
    ],
)
def test_a_backend_that_is_none(acme, command, code, words):
    acme(BACKENDS, "acme_plugin:Backend", code)
    run = ("run", "--models", "nets.py:build", "--size", "own", "--store", "store.db")
    _, err = command(*run, "--backends", "acme", status=2)
    assert of_package(err)
    assert words in err
    (row,) = [r for r in json.loads(command("backends", "--json", "-")[0]) if r["name"] == "acme"]
    assert row["problem"] == err.removeprefix("Error: ").strip()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1", "offers neither find nor connect."),
        ("def find(surroundings): return None", "gave a NoneType and no Finding."),
        ("def find(surroundings): raise OSError('gone')", "failed (OSError: gone)."),
        (SOURCE_OF_NOTHING, "gave a source that lacks info and read and close."),
    ],
)
def test_a_power_source_that_is_none(acme, command, tmp_path, code, words):
    acme(METERS, "acme_plugin", code)
    (tmp_path / "tree" / "proc").mkdir(parents=True)
    found = json.loads(command("doctor", "--root", tmp_path / "tree", "--json", "-")[0])
    (absence,) = [one for one in found["power_absences"] if one["kind"] == "acme"]
    assert absence["reason"].endswith(words)


def test_what_a_backend_loads_into_must_be_a_session(acme, site, tmp_path):
    """Seen in the worker, where the module of the backend is imported for the first time."""
    acme(BACKENDS, "acme_plugin:Backend", BACKEND)
    (tmp_path / "nets.py").write_text("def build():\n    return (lambda x: x), [1.0]\n")
    out = site.python(
        *("-m", "inferometer", "run", "--models", f"{tmp_path}/nets.py:build", "--size", "own"),
        *("--backends", "acme", "--batch", "1", "--no-energy", "--no-roofline", "--json", "-"),
        *("--store", tmp_path / "store.db"),
        status=1,
    )
    (record,) = json.loads(out)
    assert (record["failure_kind"], record["failure_stage"]) == ("unsupported", "load")
    assert (
        "the backend acme loads a model into lacks device and running"
        in (record["failure_message"])
    )


def test_what_a_plug_in_prints_is_not_what_was_asked_for(acme, command):
    acme(BACKENDS, "acme_plugin:Backend", f"print('ACME, the best'){BACKEND}")
    out, err = command("backends", "--json", "-")
    assert {"torch", "python", "acme"} <= {
        row["name"] for row in json.loads(out) if row["installed"]
    }
    assert err == "ACME, the best\n"


def test_a_name_that_two_packages_offer_is_used_of_neither(site, command):
    for package in ("acme-tools", "acme-copy"):
        site.install(package, {BACKENDS: {"acme": f"{package[5:]}_of_acme:Backend"}})
    rows = {row["name"]: row for row in json.loads(command("backends", "--json", "-")[0])}
    problem = rows["acme"]["problem"]
    assert problem.startswith("the backend acme is offered twice, by acme-")
    assert "acme-tools 1.0" in problem
    assert "acme-copy 1.0" in problem
    assert rows["python"]["installed"]


@pytest.mark.parametrize(
    ("group", "name", "listed"), [(BACKENDS, "python", "backends"), (SOURCES, "file", "models")]
)
def test_a_name_of_our_own_stays_ours(site, command, group, name, listed):
    site.install("acme-tools", {group: {name: "acme_plugin:Backend"}}, version="1.2")
    out = joined(command(listed)[0])
    assert f"{name} installed" in out
    assert f"{name} (acme-tools 1.2) broken" in out
    assert of_package(joined(command("doctor")[0]), name)


def test_a_name_of_our_own_stays_ours_of_power_sources(site, command):
    site.install("acme-tools", {METERS: {"rapl": "acme_plugin"}}, version="1.2")
    found = json.loads(command("doctor", "--json", "-")[0])
    kinds = {one["kind"]: one["reason"] for one in found["power_absences"]}
    assert of_package(kinds["rapl (acme-tools 1.2)"], "rapl")
    assert "nvml" in kinds


def test_entry_points_that_cannot_be_read_hide_no_other_package(site, command):
    site.install("acme-tools", f"[{BACKENDS}]\njust words\n", version="1.2")
    site.install("best-tools", {BACKENDS: {"best": "best_plugin:Backend"}},
                 modules={"best_plugin.py": BACKEND})  # fmt: skip
    rows = {row["name"]: row for row in json.loads(command("backends", "--json", "-")[0])}
    assert rows["best"]["installed"]
    assert "the entry points of the package acme-tools 1.2" in rows["acme-tools 1.2"]["problem"]


def test_a_package_without_metadata_is_no_obstacle(site, command):
    site.install("acme-tools", {BACKENDS: {"acme": "acme_plugin:Backend"}}, metadata=False,
                 modules={"acme_plugin.py": BACKEND})  # fmt: skip
    rows = {row["name"]: row for row in json.loads(command("backends", "--json", "-")[0])}
    assert (rows["acme"]["installed"], rows["acme"]["version"]) == (True, None)


def test_a_package_that_is_on_the_path_twice_counts_once(site, command, tmp_path, monkeypatch):
    points = {BACKENDS: {"acme": "acme_plugin:Backend"}}
    site.install("acme-tools", points, modules={"acme_plugin.py": BACKEND})
    other = type(site)(tmp_path / "other")
    other.folder.mkdir()
    other.install("Acme_Tools", points, version="0.9")
    monkeypatch.syspath_prepend(str(other.folder))
    rows = {row["name"]: row for row in json.loads(command("backends", "--json", "-")[0])}
    assert (rows["acme"]["installed"], rows["acme"]["version"]) == (True, "0.9")
