"""Study files: what they mean, and what is said about those that mean nothing."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from inferometer.core.errors import StudyError
from inferometer.core.options import PRESETS, PROCEDURE
from inferometer.core.procedure import Procedure
from inferometer.core.sweep import Block, Study, Sweep
from inferometer.study import builtin_studies, load_study, parse_study
from inferometer.study.load import MAX_BYTES
from inferometer.study.schema import schema

HEAD = "name: s\nmodels: [resnet18]\n"


def parse(text: str) -> Study:
    return parse_study(text, name_of_file="s.yaml")


def problem(text: str) -> str:
    with pytest.raises(StudyError) as caught:
        parse(text)
    return str(caught.value)


def study_or_message(text: str) -> Study | str:
    try:
        return parse(text)
    except StudyError as error:
        return str(error)


def test_a_full_file():
    study = parse(
        """
        name: mine
        description: why
        models: [unet, "timm:resnet18"]
        backends: [torch, python]
        precisions: bf16
        device: cuda:1
        threads: 2
        shapes:
          - {size: [224, own], batch: [1, 2]}
          - {size: 448, batch: 4}
        preset: quick
        procedure:
          target: 5%
          confidence: 0.9
          processes: 2
          span: 0
          min_calls: 20
          max_calls: 30
          min_rounds: 4
          round: 50ms
          max_time: 10
          timeout: 1m
          memory_limit: 2GiB
          skip_larger: false
          budget: 1h30m
          seed: 7
          energy: true
          energy_window: 30s
          roofline: true
        """
    )
    assert study == Study(
        name="mine",
        description="why",
        sweep=Sweep(
            models=("unet", "timm:resnet18"),
            backends=("torch", "python"),
            precisions=("bf16",),
            device="cuda:1",
            threads=2,
            blocks=(
                Block(sizes=(224, None), batches=(1, 2)),
                Block(sizes=(448,), batches=(4,)),
            ),
        ),
        procedure=Procedure(
            target=0.05,
            confidence=0.9,
            processes=2,
            min_calls=20,
            max_calls=30,
            min_rounds=4,
            span_s=0.0,
            round_s=0.05,
            max_time_s=10.0,
            timeout_s=60.0,
            memory_limit_bytes=2 * 1024**3,
            skip_larger=False,
            budget_s=5400.0,
            seed=7,
            energy=True,
            energy_window_s=30.0,
        ),
    )


def test_what_a_file_leaves_out_has_the_defaults():
    standard = Procedure(**PRESETS["standard"])
    wanted = Study(name="s", sweep=Sweep(models=("resnet18",)), procedure=standard)
    assert parse("name: s\nmodels: resnet18") == wanted


def test_one_block_may_stand_at_the_top():
    assert parse(HEAD + "batch: 4\nsize: [own, 32]").sweep.blocks == (
        Block(sizes=(None, 32), batches=(4,)),
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_changes_the_procedure_and_the_file_wins(preset):
    assert parse(f"{HEAD}preset: {preset}").procedure == Procedure(**PRESETS[preset])
    mixed = parse(f"{HEAD}preset: {preset}\nprocedure: {{target: 3%}}").procedure
    assert mixed == Procedure(**{**PRESETS[preset], "target": 0.03})


@pytest.mark.parametrize("name", ["no", "on", "Yes", "1:30", "2026-01-01", "0x10", "<<", ".inf"])
def test_words_that_older_yaml_reads_as_something_else_are_texts(name):
    assert parse(f"name: {name}\nmodels: {name}").name == name


def test_whole_numbers_may_be_written_with_a_point_or_an_exponent():
    assert parse(HEAD + "batch: [8.0, 1e2]\nthreads: 2.0").sweep.blocks[0].batches == (8, 100)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "s.yaml: the file is empty"),
        ("# nothing\n", "s.yaml: the file is empty"),
        ("hello", "s.yaml:1: expected a mapping with at least the keys name and models"),
        ("[1]", "found a list"),
        ("name: x", "s.yaml:1: missing: models; a study needs name and models"),
        ("{}", "s.yaml:1: missing: name, models"),
        (HEAD + "\nbatches: 3", "s.yaml:4: batches: unknown key; did you mean batch?"),
        (HEAD + "procedure:\n  rounds: 3", "s.yaml:4: procedure.rounds: unknown key"),
        (HEAD + "shapes:\n- sizes: 3", "s.yaml:4: shapes[0].sizes: unknown key; did you mean size"),
        (HEAD + "5: 3", "s.yaml:3: 5: unknown key"),
        (HEAD + '"\\e[31m": 3', r"s.yaml:3: '\x1b[31m': unknown key"),
        (HEAD + '"": 3', "s.yaml:3: '': unknown key"),
        (HEAD + "x" * 99 + ": 3", f"s.yaml:3: {'x' * 40}…: unknown key"),
        (HEAD + "shapes: []", "found an empty list"),
        (HEAD + "shapes: [{}]", "shapes[0]: expected a block such as"),
        (HEAD + "shapes: [{size: 1}]\nbatch: 1", "s.yaml:4: batch: cannot stand beside shapes"),
        ("name: x\nmodels: []", "s.yaml:2: models: expected a text of one line, or a list"),
        ("name: x\nmodels:\n  - a\n  - 5", "s.yaml:4: models[1]: expected a text of one line"),
        ("name: 5\nmodels: a", "found 5; put it in quotes"),
        ("name:\nmodels: a", "name: expected a text of one line, found nothing"),
        ('name: "a\\nb"\nmodels: a', "name: expected a text of one line"),
        ('name: "\\e[31m"\nmodels: a', "name: expected a text of one line"),
        (f"name: {'x' * 81}\nmodels: a", "at most 80 characters"),
        (HEAD + "batch: '8'", 'found "8"; write it without quotes'),
        (HEAD + "batch: [1, 0]", "batch[1]: expected a whole number from 1 to 1000000, found 0"),
        (HEAD + "batch: 2.5", "found 2.5"),
        (HEAD + "batch: true", "found true"),
        (HEAD + "size: '224'", 'found "224"; write it without quotes'),
        (HEAD + "size: Own", "size: expected a whole number from 1 to 1000000, own, or a list"),
        (HEAD + "threads: 0", "threads: expected a whole number from 1 to 4096, found 0"),
        (HEAD + "device: /dev/x", "device: expected a device such as cpu"),
        (HEAD + "preset: fast", "preset: expected quick, standard or publish"),
        (HEAD + "procedure:", "procedure: expected a mapping such as {target: 5%, budget: 10m}"),
        (HEAD + "procedure: {target: fast}", 'such as 5% or 0.05, found "fast"'),
        (HEAD + "procedure: {target: 5}", "s.yaml:3: procedure.target: expected a share"),
        (HEAD + "procedure: {target: 0%}", "procedure.target: target must be a share of more than 0%"),
        (HEAD + "procedure: {min_calls: 3}", "expected a whole number from 10 to 1000000000, found 3"),
        (HEAD + "procedure: {budget: 1e999}", "procedure.budget: expected a duration"),
        (HEAD + "procedure: {budget: !!float nan}", "procedure.budget: nan is not a duration"),
        (HEAD + "procedure:\n  round: 0s", "s.yaml:4: procedure.round: round must be a duration of more than 0"),
        (
            HEAD + "preset: publish\nprocedure:\n  seed: 1\n  max_calls: 20",
            "s.yaml:6: procedure.max_calls: max_calls must not be less than min_calls",
        ),
        (
            HEAD + "procedure:\n  pair: true\n  sustain: 1m",
            "s.yaml:4: procedure.pair: pair does not go with sustain",
        ),
        (
            HEAD + "procedure:\n  min_calls: 500000",
            "s.yaml:3: procedure.max_calls: max_calls must not be less than min_calls",
        ),
        ("name: a\nname: b\nmodels: c", "s.yaml:2: name: the key stands twice; the first is on line 1"),
        (
            HEAD + "procedure:\n  seed: 1\n  seed: 2",
            "s.yaml:5: procedure.seed: the key stands twice; the first is on line 4",
        ),
        ("name: x\nmodels: [a\n", "s.yaml:3: not valid YAML at column 1: while parsing a flow"),
        ("name: x\n\tmodels: a", "s.yaml:2: not valid YAML at column 1"),
        ("name: x\nmodels: a\n---\nname: y", "s.yaml:3: not valid YAML at column 1"),
        ("name: &a x\nmodels: [*a]", "s.yaml:2: not valid YAML at column 10: aliases (*name)"),
        ("name: !!python/object:os.system x", "s.yaml:1: name: this value cannot be read"),
        ("name: !!int x", "not valid YAML"),
        ("? [a]\n: b", "s.yaml:1: a key must be a plain word"),
        ('name: "\\ud800"', "s.yaml:1: name: this value cannot be read"),
        ('name: "\\UFFFFFFFF"', "s.yaml: not valid YAML"),
        ("name: x\nmodels: \x07", "s.yaml:2: a character that no YAML file may hold: '\\x07'"),
        (f"name: {'9' * 5000}", "this value cannot be read"),
        ("[" * 5000, "nested too deeply"),
    ],
)  # fmt: skip
def test_bad_files_are_explained(text, message):
    assert message in problem(text)


def test_every_problem_of_a_file_is_told_in_the_order_of_its_lines():
    lines = problem("name: s\nmodels: a\ntreads: 2\nbatch: x\nprocedure:\n  seed: -1").splitlines()
    assert [line[:9] for line in lines] == ["s.yaml:3:", "s.yaml:4:", "s.yaml:6:"]


def test_an_error_carries_its_place():
    with pytest.raises(StudyError) as caught:
        parse(HEAD + "\nprocedure: {seed: x}")
    assert (caught.value.file, caught.value.line, caught.value.key) == (
        "s.yaml",
        4,
        "procedure.seed",
    )


YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["5%", "1h", "2GiB", "own", "quick", "!!float nan", "1e400"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
KEYS = [*schema()["properties"], *(option.key for option in PROCEDURE)]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.text("[]{}:,&*!|>-?\"'#%@ \n\ta1.", max_size=60))
def test_any_text_is_a_study_or_a_study_error(text):
    outcome = study_or_message(text)
    assert isinstance(outcome, Study) or outcome.startswith("s.yaml")


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), YAML), st.dictionaries(st.sampled_from(KEYS), YAML))
def test_any_values_under_known_keys_are_a_study_or_a_study_error(top, procedure):
    data = {"name": "s", "models": ["m"], "procedure": procedure, **top}
    outcome = study_or_message(json.dumps(data))
    if isinstance(outcome, Study):
        stored = json.dumps(outcome.to_json(), allow_nan=False)
        assert Study.from_json(json.loads(stored)) == outcome
    else:
        assert outcome.startswith("s.yaml")


def test_the_lab_is_the_lab():
    workloads = load_study("lab").workloads()
    assert len(workloads) == 44
    assert {w.variant.model for w in workloads} == {
        "unet",
        "squeezenet1_0",
        "mobilenet_v3_small",
        "resnet18",
    }
    assert {(w.input_size, w.batch_size) for w in workloads} == {
        *((224, b) for b in (1, 2, 4, 8, 16, 32)),
        *((448, b) for b in (1, 2, 4, 8, 16)),
    }


def test_the_taste_is_short():
    taste = load_study("taste")
    assert len(taste.workloads()) == 4
    assert taste.procedure == Procedure(**PRESETS["quick"], budget_s=60.0)


def test_built_in_studies_are_listed_by_the_name_that_loads_them():
    assert [study.name for study in builtin_studies()] == ["lab", "taste"]
    assert all(load_study(study.name) == study for study in builtin_studies())


def test_a_file_is_loaded_by_its_path(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode())
    assert load_study(path) == load_study(str(path)) == parse(HEAD)


def test_a_built_in_name_wins_over_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lab").write_text(HEAD)
    assert load_study("lab").name == "lab"
    assert load_study("./lab").name == load_study(Path("lab")).name == "s"


def load_problem(reference: str | Path) -> str:
    with pytest.raises(StudyError) as caught:
        load_study(reference)
    return str(caught.value)


def test_an_unknown_name_names_the_nearest_and_all_others():
    message = load_problem("lba")
    assert "no study is called 'lba', and there is no such file (did you mean 'lab'?)" in message
    assert "built-in studies: lab, taste" in message


def test_files_that_cannot_be_read_are_explained(tmp_path):
    assert load_problem(tmp_path) == f"{tmp_path}: no study file: a folder, not a file"
    assert "cannot be the name of a file" in load_problem("a\0b")
    assert "file name too long" in load_problem("x" * 5000)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("name: s\ndescription: \xfc".encode("latin-1"))
    assert load_problem(latin) == f"{latin}:2: not UTF-8 text; save it as UTF-8"
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    assert "larger than 64.0 KiB" in load_problem(large)


def test_only_ordinary_files_are_read(tmp_path):
    pipe, device = tmp_path / "pipe", tmp_path / "device"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        assert load_problem(path).startswith(f"{path}: no study file: not an ordinary file")


@pytest.mark.parametrize(
    "name", ["\udcff", "a\x1b[31m", "\u202eabc", "y" * 300, "y" * 100_000, "~nosuch/s"]
)
def test_odd_names_are_shown_in_a_short_sentence(name):
    message = load_problem(name)
    assert message.isprintable()
    assert len(message) < 500


LONG = ",".join(map(str, range(1, 5001)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD}size: [{LONG}]\nbatch: [{LONG}]", "25,000,000 workloads are asked for"),
        (f"name: s\nmodels: [{LONG.replace(',', 'm,')}m]\nsize: [1, 2, 3]", "15,000 workloads"),
        (HEAD + "shapes:\n" + "- {size: [1, 2, 3], batch: [1, 2]}\n" * 1800, None),
        (f"{HEAD}size: [{'1,' * 15000}1]\nbatch: [{'1,' * 15000}1]", None),
        (f"name: s\nmodels: [{'1,' * 30000}1]", "more is wrong; these are the first 20"),
        (HEAD + "".join(f"k{n}: 1\n" for n in range(6000)), "more is wrong; these are the first 20"),
        (f"{HEAD}hypotheses: {'a at ' * 12000}b", "60,001 characters; a hypothesis has at most 1,000"),
        (f"{HEAD}hypotheses: {'a at b is at most ' * 3500}1", "a hypothesis has at most 1,000"),
        (HEAD + "hypotheses:\n" + "- a is faster than b\n" * 201, "a list of at most 200 such texts"),
        (HEAD + "procedure: {budget: 99999h}", "budget must be a duration of more than 0 and at most 87600h"),
        (HEAD + "procedure: {memory_limit: 2048TiB}", "memory_limit must be an amount of memory from 1 to 1024TiB"),
    ],
)  # fmt: skip
def test_a_small_file_is_no_endless_work(text, message):
    outcome = study_or_message(text)
    if message is None:
        assert isinstance(outcome, Study)
        assert len(outcome.workloads()) <= 6
    else:
        assert message in outcome
        assert len(outcome) < 8000


class TestSchema:
    def test_is_a_schema_in_which_every_key_is_described(self):
        known = json.loads(json.dumps(schema()))
        Draft202012Validator.check_schema(known)
        known = known["properties"] | known["properties"]["procedure"]["properties"]
        for rules in known.values():
            assert rules["description"].endswith((".", "…"))

    def test_is_the_file_that_editors_read(self):
        file = files("inferometer.study").joinpath("schema.json")
        known = json.loads(json.dumps(schema()))
        assert json.loads(file.read_text("utf-8")) == known, "run python tools/schema.py"

    def test_names_every_value_of_the_procedure_with_its_default(self):
        known = schema()["properties"]["procedure"]["properties"]
        said = {key: rules["default"] for key, rules in known.items() if "default" in rules}
        assert parse(HEAD + f"procedure: {json.dumps(said)}").procedure == Procedure()
        silent = {option.field for option in PROCEDURE if option.key not in said}
        assert silent == {one.name for one in fields(Procedure) if one.default is None}
