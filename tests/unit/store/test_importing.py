from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferometer.core.errors import ImportFileError
from inferometer.core.record import FIELDS, Failure, Record
from inferometer.core.statement import Statement
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.store import open_store
from inferometer.store import parquet as parquet_files
from inferometer.store.tables import limits
from inferometer.store.tables.asked import asked
from inferometer.store.tables.cells import _MORE_THAN_ZERO, _NAMES
from inferometer.store.tables.importing import NAMES_THE_RECORD, read_runs
from inferometer.store.transfer import FORMATS, export_rows
from inferometer.store.values import MAY_BE_NEGATIVE

LAB2 = Path(__file__).parents[2] / "data" / "lab2_jetson_nano_2gb.csv"


@pytest.fixture
def table(tmp_path):
    """Writes a file and reads it as a table."""

    def read(content: str | bytes, name: str = "table.csv", **options):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_runs(path, asked(**options))

    return read


def only(imported) -> Record:
    ((record,),) = [run.records for run in imported.runs]
    return record


class TestLab2:
    def test_gives_every_row_with_its_exact_values(self):
        (part,) = read_runs(LAB2).runs
        with LAB2.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(part.records) == len(rows) == 44
        for record, row in zip(part.records, rows, strict=True):
            assert record["model"] == row["model"]
            assert record["parameters"] == int(row["parameters"])
            assert record["input_size"] == int(row["input_size"])
            assert record["batch_size"] == int(row["batch_size"])
            assert record["latency_mean_s"] == float(row["latency_s"])

    def test_says_what_is_not_known(self):
        (part,) = read_runs(LAB2).runs
        assert part.run.device_name == "jetson-nano-2gb"
        assert part.run.study == "lab2_jetson_nano_2gb"
        assert part.run.origin == "imported"
        assert part.run.planned == 44
        record = part.records[0]
        assert (record["backend"], record["precision"], record["device"]) == ("unknown",) * 3
        assert record["threads"] is None
        assert (record.status, record["verdict"]) == ("ok", "unknown")
        assert record["notes"] == ["imported from lab2_jetson_nano_2gb.csv; no observations"]
        assert record["latency_std_s"] is None

    def test_leaves_nothing_out(self):
        imported = read_runs(LAB2)
        assert (imported.ignored, imported.assumed) == ((), ())


class TestTable:
    def test_may_name_its_columns_in_other_ways(self, table):
        imported = table(
            "Model,Batch size,Latency (ms),std_ms,Energy (mJ),RAM MB,comment,mood\n"
            "unet,4,290.14,1.1,80,512,nice,good\n"
        )
        record = only(imported)
        assert record["latency_mean_s"] == 0.29014
        assert record["latency_std_s"] == 0.0011
        assert record["energy_per_inference_j"] == 0.08
        assert record["peak_memory_bytes"] == 512_000_000
        assert imported.ignored == ("comment", "mood")

    def test_of_several_devices_is_several_runs(self, table):
        imported = table("device,model,latency_s\na,unet,1\nb,unet,2\na,vit,3\n")
        assert [(part.run.device_name, len(part.records)) for part in imported.runs] == [
            ("a", 2),
            ("b", 1),
        ]

    def test_takes_study_and_device_from_the_caller(self, table):
        (part,) = table("device,model,latency_s\na,unet,1\n", study="mine", device="Pi").runs
        assert (part.run.study, part.run.device_name) == ("mine", "Pi")

    def test_says_what_it_leaves_open(self, table):
        imported = table("model,latency_s\nunet,1\n")
        (part,) = imported.runs
        assert part.run.device_name == "unknown"
        assert part.records[0]["batch_size"] == 1
        assert [sentence.split(":")[0] for sentence in imported.assumed] == [
            "there is no column batch_size",
            "there is no column device",
        ]
        assert len(table("model,latency_s\nunet,1\n", device="Pi").assumed) == 1

    @pytest.mark.parametrize("cell", ["", "N.A.", "n/a", "-", "\N{EN DASH}", "NaN", "None"])
    def test_may_lack_a_figure(self, table, cell):
        record = only(table(f"model,latency_s,energy_j\nunet,1,{cell}\n"))
        assert record["energy_per_inference_j"] is None
        assert "energy_per_inference_j" not in record.figures

    @pytest.mark.parametrize(
        "content",
        [
            b"\xef\xbb\xbfmodel,latency_s,batch\nunet,0.5,2\n",
            b"model;latency_s;batch\nunet;0,5;2\n",
            b"model;latency_s;batch\nunet;0.5;2\n",
            b'\xef\xbb\xbfmodel;latency_s;batch\r\n"unet";0,5;2\r\n',
            b"model\tlatency_s\tbatch\nunet\t0.5\t2\n",
            b" model , latency_s , batch \n\n unet , 0.5 , 2.0 \n\n,,\n",
            b"model,latency_s,batch,\nunet,5e-1,2,\n",
            b'[{"model": "unet", "latency_s": 0.5, "batch": 2}]',
            b'\xef\xbb\xbf [{"model": "unet", "latency_s": "0.5", "batch": 2.0}]',
        ],
    )
    def test_is_read_as_spreadsheets_write_it(self, table, content):
        record = only(table(content))
        assert (record["model"], record["latency_mean_s"], record["batch_size"]) == ("unet", 0.5, 2)

    def test_keeps_text_with_commas_quotes_and_lines(self, table):
        record = only(table('model,latency_s,energy_reason\n"a ""b"", c",1,"x\ny"\n'))
        assert record["model"] == 'a "b", c'
        assert record["energy_reason"] == "x\ny"


H = "model,batch_size,latency_s\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (H + "unet,1,fast\n", r"table\.csv:2: latency_s: 'fast' is not a number"),
        (H + "unet,1,1\nunet,2,1_0\n", r"table\.csv:3: latency_s: '1_0' is not a number"),
        (H + "unet,1,0x10\n", "is not a number"),
        (H + "unet,1,inf\n", "is not a number"),
        (H + "unet,1,1e999\n", "is too large to be measured"),
        (H + "unet,1,1e-300\n", "is too small to be measured"),
        ("model,latency_s,latency_confidence\nunet,1,95\n", "not between 0 and 1; 95 % is 0.95"),
        (H + 'unet,1,"1,5"\nunet,2,2.5\n', "'1,5' is not a number"),
        (H + "unet,1,-0.5\n", r"table\.csv:2: latency_s: '-0\.5' is negative"),
        (H + "unet,1,0\n", "'0' is not more than 0"),
        (H + "unet,0,1\n", r"table\.csv:2: batch_size: '0' is not more than 0"),
        (H + "unet,1.5,1\n", r"table\.csv:2: batch_size: '1\.5' is not a whole number"),
        (H + "unet,99999999999999999999,1\n", "is too large"),
        (H + "unet,,1\n", r"table\.csv:2: batch_size: it is empty"),
        (H + "unet,1,\n", r"table\.csv: no row has a figure"),
        ("model,accuracy\nunet,\nvit,0.5\n", r"table\.csv:2: the row has no figure"),
        (H + ",1,1\n", r"table\.csv:2: model: it is empty"),
        (H + "\nunet,1,1\nvit,1\n", r"table\.csv:4: the row has 2 cells, the header 3"),
        (H + "unet,1,1,1\n", r"table\.csv:2: the row has 4 cells, the header 3"),
        (H + 'unet,1,"1\n', r"table\.csv:2: unexpected end of data"),
        (
            "run_id,model,latency_s\nx,unet,1\nx,vit,1\nx,unet,2\n",
            r"table\.csv:4: unet.*there and at .*table\.csv:2;",
        ),
        ("model,latency_s,\nunet,1,x\n", r"table\.csv:2: .*a column without a name"),
        ("model,latency_s,,\nunet,1,x,\n", r"table\.csv:2: .*a column without a name"),
        ("model,latency_s,latency_s\nunet,1,1\n", "the column 'latency_s' is there twice"),
        (H, "there are no rows"),
        ("", "no column model|no rows"),
        ("\n\n", "no column model|no rows"),
        (H.encode() + "Ünet,1,1\n".encode("latin-1"), r"table\.csv:2: not UTF-8 text"),
        ((H + "unet,1,1\n").encode("utf-16-le"), "not a table of text"),
        ((H + "unet,1,1\n").encode("utf-16")[:-1], "damaged UTF-16"),
        (b"\x7fELF\0\0\0", "not a table of text"),
        (b"SQLite format 3\0", "--store"),
        (b"PAR1 and then nothing", "damaged Parquet file"),
        ("[1, 2]", "not an array of objects"),
        ('{"model": "unet"}', "not an array of objects"),
        ("[]", "no rows"),
        ('[{"model": "unet",\n "latency_s": }]', r"table\.csv:2: not JSON"),
        ('[{"model": "unet", "latency_s": NaN}]', "NaN is not a number in JSON"),
        ('[{"model": "unet", "latency_s": true}]', r"row 1: latency_s: True is not a number"),
        ('[{"model": "unet", "latency_s": [1, "x"]}]', "is not a number"),
        ('[{"model": ["unet"], "latency_s": 1}]', r"row 1: model: \['unet'\] is not text"),
        ('[{"model": "unet", "latency_s": 1, "causes": "swap", "run_id": "r"}]', "is not a list"),
        ('[{"model": "unet", "latency_s": 1, "causes": [1], "run_id": "r"}]', "is not a list"),
        (
            '[{"model": "unet", "latency_s": 1, "steady": 1, "run_id": "r"}]',
            "is neither true nor false",
        ),
        (
            '[{"model": "unet", "latency_s": 1, "status": "fine", "run_id": "r"}]',
            "is none of ok, failed, skipped",
        ),
        (
            '[{"model": "unet", "latency_s": 1, "status": "failed", "run_id": "r"}]',
            "row 1: failure_stage",
        ),
        (
            '[{"model": "u", "latency_s": 1, "failure_kind": "crash", "run_id": "r"}]',
            "row 1: failure_stage",
        ),
        ("[" * 100_000, "not JSON"),
        (
            '[{"model": "u", "latency_s": 1, "causes": '
            + "[" * 900
            + "]" * 900
            + ', "run_id": "r"}]',
            "not a list",
        ),
        ('[{"model": "m\\ud800", "latency_s": 1}]', r"'m\\ud800' holds half a character"),
        ('[{"model": "m\\u0000", "latency_s": 1}]', "holds NUL"),
        ('[{"model": {}, "latency_s": 1}]', "is not text"),
        ('[{"model": "' + "m" * 70_000 + '", "latency_s": 1}]', "longer than 65,536 characters"),
        ("model,latency_s\n" + "m" * 140_000 + ",1\n", r"table\.csv:2: field larger than"),
        ("model,latency_s\n" + "u,1\n" * 100_001, "more than 100,000 rows"),
        ("model,latency_s," + ",".join(map(str, range(2000))), "more than 2,000 columns"),
        ("model,latency_s" + ",a,b" * 200_000, "more than 2,000 columns"),
        ("[" + ",".join(['{"model":"m","latency_s":1}'] * 100_001) + "]", "more than 100,000 rows"),
        (
            "model,latency_s,device\n" + "".join(f"u,1,{n}\n" for n in range(5001)),
            "more than 5,000 runs",
        ),
        (",".join(f"c{n}" for n in range(1000)) + "\n" + "x," * 999, "c19 and 980 more"),
    ],
)
def test_a_table_that_is_wrong_says_where_and_why(table, content, sentence):
    with pytest.raises(ImportFileError, match=sentence) as caught:
        table(content)
    assert "table.csv" in str(caught.value)


def test_what_is_no_table_is_not_looked_through_for_ever(table, monkeypatch):
    monkeypatch.setattr(limits, "MOST_CELLS", 1000)
    with pytest.raises(ImportFileError, match="more than 1,000 cells"):
        table("[" + "[]," * 1000 + "[]]")


@pytest.mark.parametrize("name", ["study", "device"])
def test_an_empty_name_of_the_caller_is_refused(table, name):
    with pytest.raises(ImportFileError, match=f"{name}: an empty name"):
        table("model,latency_s\nu,1\n", **{name: " "})


@pytest.mark.parametrize("kind", ["pipe", "device", "large"])
def test_only_ordinary_files_of_bounded_size_are_read(tmp_path, kind):
    path = tmp_path / "x.csv"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)
    with pytest.raises(ImportFileError, match=r"not an ordinary file|larger than"):
        read_runs(path)


class TestParquet:
    @pytest.fixture
    def parquet(self, tmp_path):
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow.parquet import write_table

        def read(columns, **options):
            write_table(pyarrow.table(columns), tmp_path / "x.parquet", **options)
            return read_runs(tmp_path / "x.parquet")

        return read

    def test_a_text_that_a_dictionary_repeats_is_unpacked_only_where_it_is_short(self, parquet):
        pyarrow = pytest.importorskip("pyarrow")
        once = pyarrow.array(["m" * 5_000_000])
        names = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 4000), once)
        with pytest.raises(ImportFileError, match="model: a text of more than 65,536 bytes"):
            parquet({"model": names, "latency_s": [1.0] * 4000}, store_schema=False)

    def test_many_rows_in_a_small_file_are_refused(self, parquet):
        with pytest.raises(ImportFileError, match="more than 100,000 rows"):
            parquet({"model": ["m"] * 500_000, "latency_s": [1.0] * 500_000})

    def test_a_long_list_in_a_small_file_is_refused(self, parquet):
        with pytest.raises(ImportFileError, match="more than 5,000,000 cells"):
            parquet({"model": ["m"], "latency_s": [1.0], "x": [[0] * 6_000_000]})

    def test_a_column_that_is_there_twice_is_refused(self, tmp_path):
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow.parquet import write_table

        columns = [pyarrow.array(["a"]), pyarrow.array(["b"]), pyarrow.array([1.0])]
        table = pyarrow.Table.from_arrays(columns, names=["model", "model", "latency_s"])
        write_table(table, tmp_path / "x.parquet")
        with pytest.raises(ImportFileError, match="'model' is there twice"):
            read_runs(tmp_path / "x.parquet")

    def test_names_and_texts_that_are_no_text_are_refused(self, parquet, tmp_path):
        parquet({"model": ["mmmm"], "latency_s": [1.0], "extr": [1]}, compression="none")
        whole = (tmp_path / "x.parquet").read_bytes()
        for sign in (b"extr", b"mmmm"):
            (tmp_path / "x.parquet").write_bytes(whole.replace(sign, b"\xff" * 4))
            with pytest.raises(ImportFileError, match=r"UTF-8|damaged"):
                read_runs(tmp_path / "x.parquet")

    def test_nested_values_are_no_figures_and_elsewhere_are_left_out(self, parquet):
        imported = parquet({"model": ["m"], "latency_s": [1.0], "extra": [{"a": 1}]})
        assert imported.ignored == ("extra",)
        with pytest.raises(ImportFileError, match=r"latency_s: a struct.* is not a number"):
            parquet({"model": ["m"], "latency_s": [{"a": 1.0}]})

    def test_a_file_that_ends_the_process_that_reads_it_is_a_sentence(self, tmp_path, monkeypatch):
        pytest.importorskip("pyarrow")
        (tmp_path / "x.parquet").write_bytes(b"PAR1")
        monkeypatch.setattr(parquet_files, "_asking", lambda: "import os; os.abort()")
        with pytest.raises(ImportFileError, match="it ended the process that read it"):
            read_runs(tmp_path / "x.parquet")

    def test_what_is_cut_off_is_a_sentence(self, parquet, tmp_path):
        parquet({"model": ["m"] * 3, "batch": [1, 2, 3], "latency_s": [1.0, 2.0, 3.0]})
        whole = (tmp_path / "x.parquet").read_bytes()
        for length in (4, len(whole) // 2, len(whole) - 1):
            (tmp_path / "x.parquet").write_bytes(whole[:length])
            with pytest.raises(ImportFileError, match="damaged"):
                read_runs(tmp_path / "x.parquet")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(
        ImportFileError, match=r"nowhere\.csv: it cannot be read: there is no such file"
    ):
        read_runs(tmp_path / "nowhere.csv")


def values(field: str) -> st.SearchStrategy:
    kind = FIELDS[field]
    if kind is float:
        if field == "latency_confidence":
            return st.floats(0.01, 0.99)
        above = st.floats(1e-30, 1e30)
        below = above.map(lambda value: -value) if field in MAY_BE_NEGATIVE else above
        return above | below if field in _MORE_THAN_ZERO else above | below | st.just(0.0)
    if kind is int:
        return st.integers(0, 2**63 - 1)
    if kind is bool:
        return st.booleans()
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
    if field in _NAMES:
        return text.map(str.strip).filter(bool)
    return st.lists(text) if kind is list else text


options = st.dictionaries(
    st.from_regex(r"[a-z][a-z_.]{0,9}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_.:/-]{1,9}( [A-Za-z0-9_.:/-]{1,9})?", fullmatch=True),
    max_size=3,
)
FIGURE_FIELDS = sorted(set(FIELDS) - NAMES_THE_RECORD)
records = st.builds(
    lambda workload, failure, status, figures: Record(
        workload=workload,
        status=status if failure else "ok",
        failure=failure,
        figures={**figures, **({} if failure else {"latency_mean_s": 0.25})},
    ),
    workload=st.builds(
        Workload,
        variant=st.builds(
            Variant,
            model=values("model"),
            backend=values("backend"),
            precision=values("precision"),
            options=options.map(lambda found: tuple(sorted(found.items()))),
        ),
        target=st.builds(Target, device=values("device"), threads=st.none() | st.integers(1, 64)),
        shape=st.builds(
            Shape,
            batch_size=st.integers(1, 2**40),
            input_size=st.none() | st.integers(1, 2**40),
        ),
    ),
    failure=st.none()
    | st.builds(
        Failure,
        stage=st.sampled_from(["prepare", "measure"]),
        kind=st.sampled_from(["crash", "budget"]),
        message=values("failure_message"),
    ),
    status=st.sampled_from(["failed", "skipped"]),
    figures=st.sets(st.sampled_from(FIGURE_FIELDS), max_size=8).flatmap(
        lambda names: st.fixed_dictionaries({name: values(name) for name in sorted(names)})
    ),
)


@pytest.mark.parametrize("file_format", sorted(FORMATS))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(records, min_size=1, max_size=3, unique_by=lambda record: record.workload))
def test_what_was_exported_is_the_same_when_it_is_imported_and_exported_again(
    tmp_path, monkeypatch, file_format, records
):
    pytest.importorskip("pyarrow" if file_format == "parquet" else "json")
    # in this process: starting another takes longer than all that is tested here
    monkeypatch.setattr(
        parquet_files, "_asked", lambda *file: json.loads(json.dumps(parquet_files._read(*file)))
    )
    run = {"run_id": "0123abcd", "study": "lab", "device_name": "Pi 5", "origin": "imported"}
    records = [replace(record, run=run) for record in records]
    path = tmp_path / "export"
    path.write_bytes(FORMATS[file_format](records))
    (part,) = read_runs(path).runs
    (tmp_path / "x.db").unlink(missing_ok=True)
    with open_store(tmp_path / "x.db") as store:
        stored = store.import_run(part.run, part.records)
        assert stored.id == "0123abcd"
        again = store.records(stored.id)
    assert export_rows(again) == export_rows(records)
    assert FORMATS[file_format](again) == path.read_bytes()


def test_causes_have_their_codes_again(table, make):
    causes = [Statement("stolen", {"share": 0.25}), Statement("one_process")]
    (row,) = export_rows([make.record(causes=causes)])
    (part,) = table(json.dumps([row])).runs
    again = part.records[0].row()
    assert (again["causes"], again["cause_codes"]) == (row["causes"], ["stolen", "one_process"])


def test_an_export_of_several_runs_is_several_runs_again(table, make):
    runs = [
        {"run_id": f"0000000{n}", "study": f"s{n}", "device_name": "Pi", "origin": "measured"}
        for n in (1, 2)
    ]
    rows = export_rows([replace(make.record(), run=run) for run in runs])
    parts = table(json.dumps(rows)).runs
    assert [(part.run.id, part.run.study) for part in parts] == [
        ("00000001", "s1"),
        ("00000002", "s2"),
    ]
    assert all(part.records[0]["notes"] == [] for part in parts)
