from __future__ import annotations

import json

import pytest

from inferometer.core.errors import ImportFileError
from inferometer.core.units import TIMES


class TestUnits:
    def test_an_energy_is_told_by_power_and_latency(self, records, said):
        text = "model,batch,latency_ms,power_w,energy\nnet,1,100,5,500\nnet,8,400,6,300\n"
        assert [r["energy_per_inference_j"] for r in records(text)] == [0.5, 0.3]
        assert f"energy is in mJ: energy = power {TIMES} latency / batch size" in said(text)

    def test_an_energy_of_a_call_is_turned_into_one_of_a_sample(self, records):
        text = "model,batch,latency_ms,power_w,energy_mj\nnet,1,100,5,500\nnet,8,400,6,2400\n"
        assert [r["energy_per_inference_j"] for r in records(text)] == [0.5, 0.3]

    def test_a_rate_of_calls_is_not_one_of_samples(self, records, said):
        text = "model,batch,latency_ms,qps\nnet,1,10,100\nnet,8,40,25\n"
        assert [r["throughput_per_s"] for r in records(text)] == [None, None]
        assert "qps was left out" in said(text)

    def test_a_rate_that_counts_batches_is_multiplied(self, records):
        text = "model,batch,latency_ms,it/s\nnet,8,40,25\n"
        assert [r["throughput_per_s"] for r in records(text)] == [200.0]

    def test_a_unit_that_contradicts_the_rate_is_warned_of(self, said):
        text = "model,batch,latency_s,fps\nnet,1,10,100\nnet,8,40,200\n"
        assert "Warning: " in said(text)
        assert f"latency {TIMES} rate = 1,000 {TIMES} batch size" in said(text)

    def test_deviations_have_the_unit_of_the_mean(self, records):
        (record,) = records("model,latency_ms,std,p99\nnet,10,1,12\n")
        assert (record["latency_std_s"], record["latency_p99_s"]) == (0.001, 0.012)

    def test_what_stands_behind_a_mean_is_its_deviation(self, records):
        (record,) = records("model,latency (ms)\nnet,10 ± 1\n")
        assert (record["latency_mean_s"], record["latency_std_s"]) == (0.01, 0.001)

    @pytest.mark.parametrize(
        ("header", "cell", "value"),
        [
            ("Top-1", "69.8", 0.698),
            ("Top-1 (%)", "69.8", 0.698),
            ("Accuracy", "0.698", 0.698),
            ("Accuracy (%)", "0.698", 0.698),
            ("acc", "69.8%", 0.698),
            ("mAP", "37.3", 0.373),
        ],
    )
    def test_accuracies_are_shares(self, records, header, cell, value):
        (record,) = records(f"model,latency_ms,{header}\nnet,10,{cell}\n")
        assert record["accuracy"] == pytest.approx(value)
        assert record["accuracy_metric"]

    def test_flops_may_be_macs_which_is_said(self, records, said):
        text = "model,latency_ms,GFLOPs\nnet,10,1.8\n"
        (record,) = records(text)
        assert (record["flops"], record["macs"]) == (1_800_000_000, None)
        assert any("multiply-accumulates" in note for note in record["notes"])
        assert "--map macs=GFLOPs" in said(text)
        (record,) = records(text, mapping=["macs (G)=GFLOPs"])
        assert (record["flops"], record["macs"]) == (None, 1_800_000_000)

    def test_a_count_with_decimals_is_in_millions(self, records):
        assert [
            r["parameters"] for r in records("model,latency_ms,params\na,1,11.7\nb,2,25\n")
        ] == [
            11_700_000,
            25_000_000,
        ]

    def test_bytes_are_bytes_where_nothing_else_is_possible(self, records):
        (record,) = records("model,latency_ms,peak_memory\na,1,358000000\n")
        assert record["peak_memory_bytes"] == 358_000_000


class TestAxes:
    def test_what_tells_rows_apart_is_an_option(self, records, said):
        text = "model,scenario,latency_ms,comment\nnet,cold,30,a\nnet,warm,20,b\nnet2,cold,31,c\nnet2,warm,21,d\n"
        found = records(text)
        assert [r["options"] for r in found] == ["scenario=cold", "scenario=warm"] * 2
        assert "option scenario from scenario" in said(text)
        assert "not understood: comment" in said(text)

    @pytest.mark.parametrize(
        "column", ["run", "rep", "trial", "seed", "timestamp", "cpu_temp", "idx"]
    )
    def test_what_counts_or_measures_is_none(self, records, column):
        (record,) = records(f"model,{column},latency_ms\nnet,1,10\nnet,2,11\nnet,3,12\n")
        assert (record["options"], record["latency_calls"]) == (None, 3)

    def test_the_user_says_what_is_one(self, records):
        text = "model,seed,latency_ms\nnet,1,10\nnet,2,11\n"
        assert [r["options"] for r in records(text, mapping=["axis=seed"])] == ["seed=1", "seed=2"]

    def test_a_size_that_is_no_square_is_one(self, records):
        found = records("model,resolution,latency_ms\nnet,640x480,10\nnet,1280x720,30\n")
        assert [r["options"] for r in found] == ["resolution=640x480", "resolution=1280x720"]
        (record,) = records("model,resolution,latency_ms\nnet,3x224x224,10\n")
        assert record["input_size"] == 224

    def test_plain_workloads_keep_their_keys(self, records):
        (plain,) = records("model,latency_ms\nnet,10\n")
        (beside,) = records("model,latency_ms,comment\nnet,10,x\n")
        assert plain.workload.key == beside.workload.key
        assert "options" not in plain.workload.to_json()

    def test_devices_and_places_are_told_apart(self, read):
        (run,) = read("model,device,latency_ms\nnet,cpu,10\nnet,cuda:0,1\n").runs
        assert [r["device"] for r in run.records] == ["cpu", "cuda:0"]
        assert len(read("model,device,latency_ms\nnet,Pi 4,10\nnet,Pi 5,1\n").runs) == 2


class TestRepetitions:
    def test_a_failed_one_is_counted(self, records):
        (record,) = records("model,latency_ms\na,10\na,OOM\na,12\n")
        assert record["latency_mean_s"] == pytest.approx(0.011)
        assert "1 more failed" in record["notes"][1]

    def test_columns_with_a_running_number(self, records):
        (record,) = records("model,run 1 (ms),run 2 (ms),run 3 (ms)\nnet,10,11,12\n")
        assert (record["latency_mean_s"], record["latency_calls"]) == (0.011, 3)
        (record,) = records("model,latency_ms_1,latency_ms_2\nnet,10,11\n")
        assert record["latency_mean_s"] == 0.0105

    def test_a_sign_that_only_looks_like_a_number_counts_nothing(self, records):
        (record,) = records("model,latency_ms,run ²\nnet,10,11\n")
        assert record["latency_mean_s"] == 0.01

    def test_percentiles_are_no_repetitions(self, records):
        (record,) = records("model,latency_ms,p90,p95\nnet,10,11,12\n")
        assert (record["latency_mean_s"], record["latency_p95_s"]) == (0.01, 0.012)

    def test_columns_that_the_user_adds_up(self, records):
        (record,) = records("model,a,b\nnet,10,11\n", mapping=["latency_ms=a+b"])
        assert record["latency_mean_s"] == 0.0105

    def test_lists_in_cells(self, records):
        text = json.dumps([{"model": "net", "latencies_ms": [10, 11, 12]}])
        (record,) = records(text, "x.json")
        assert (record["latency_mean_s"], record["latency_calls"]) == (0.011, 3)

    def test_equal_rows_have_no_interval(self, records):
        (record,) = records("model,latency_ms\na,10\na,10\n")
        assert (record["latency_std_s"], record["latency_ci_low_s"]) == (0.0, None)

    def test_summaries_are_not_counted_as_calls(self, records):
        (record,) = records("model,latency_ms,std_ms\na,10,1\na,12,1\n")
        assert (record["latency_mean_s"], record["latency_calls"]) == (0.011, None)
        assert record["latency_std_s"] == pytest.approx(0.002 / 2**0.5)

    def test_other_figures_are_means_and_peaks(self, records):
        (record,) = records(
            "model,latency_ms,power_w,memory_mb,params,p99_ms\na,10,5,100,1000000,11\na,12,7,120,1000000,13\n"
        )
        assert (record["power_mean_w"], record["peak_memory_bytes"]) == (6.0, 120_000_000)
        assert (record["parameters"], record["latency_p99_s"]) == (1_000_000, None)


class TestForms:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ('{"results":[{"model":"a","latency":{"mean_ms":10}}]}', "x.json"),
            (
                '{"a":{"latency_ms":10,"params":11689512},"b":{"latency_ms":10,"params":11689512}}',
                "x.json",
            ),
            ('{"model":"a","latency_ms":10}\n{"model":"b","latency_ms":10}\n', "x.jsonl"),
            ('{"columns":["model","latency_ms"],"index":[0],"data":[["a",10]]}', "x.json"),
            ('{"model":{"0":"a","1":"b"},"latency_ms":{"0":10,"1":10}}', "x.json"),
            ('{"model":["a","b"],"latency_ms":[10,10]}', "x.json"),
            ("model\tlatency_ms\na\t10\n", "x.tsv"),
            ("model;latency_ms\na;10,0\n", "x.csv"),
            ("Results of the lab\n\nmodel,latency_ms\na,10\n", "x.csv"),
            ("# a remark, with a comma\nmodel,latency_ms\na,10\n", "x.csv"),
            ("model,latency,memory\n,ms,MB\na,10,3\n", "x.csv"),
            (",latency (ms),latency (ms),memory (MB)\n,mean,std,peak\n", "x.csv"),
            ('model,latency_ms\na,"10,0"\nb,"1,5"\n', "x.csv"),
        ],
    )
    def test_a_table_in_another_form(self, read, text, name):
        rows = "a,10,1,3\nb,20,1,3\n" if "std,peak" in text else ""
        options = {"mapping": ["model=column 1"]} if rows else {}
        found = read(text + rows, name, **options)
        assert found.runs[0].records[0]["model"] == "a"
        assert found.runs[0].records[0]["latency_mean_s"] == 0.01

    def test_utf_16_as_excel_writes_it(self, records):
        (record,) = records("model\tlatency_ms\na\t10\n".encode("utf-16"))
        assert record["latency_mean_s"] == 0.01

    def test_thousands_have_commas_or_points(self, records):
        (record,) = records('model,latency_ms,params\na,10,"11,689,512"\n')
        assert record["parameters"] == 11_689_512
        (record,) = records("model;latency_ms;memory_mb\na;10,5;1.234,5\n")
        assert record["peak_memory_bytes"] == 1_234_500_000

    @pytest.mark.parametrize(
        ("content", "what"),
        [
            (b"PK\x03\x04....xl/workbook.xml", "save the sheet as CSV"),
            (b"PK\x03\x04....x.txt", "a ZIP archive"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook of Excel"),
            (b"%PDF-1.7", "a PDF"),
            (b"\x1f\x8b\x08\x00", "gunzip"),
            (b"<!DOCTYPE html><table></table>", "a page of HTML"),
        ],
    )
    def test_what_is_no_table_is_called_what_it_is(self, read, content, what):
        with pytest.raises(ImportFileError, match=what):
            read(content)


class TestAsking:
    def test_columns_are_named_in_any_case(self, records):
        text = "Name,My Time\nnet,10\n"
        (record,) = records(text, mapping=["latency_ms=my time,model=Name"])
        assert (record["model"], record["latency_mean_s"]) == ("net", 0.01)

    def test_names_with_commas(self, records):
        (record,) = records(
            'model,"speed, warm"\nnet,10\n', mapping=["model=model,latency_ms=speed, warm"]
        )
        assert record["latency_mean_s"] == 0.01

    def test_auto_takes_what_a_refusal_would_guess(self, read, records, said):
        text = "experiment_name,infer_step_time,gpu_mem\nexp1,5.2,1200\nexp2,7.5,1300\n"
        guess = r"--map latency_ms=infer_step_time,device_memory_mb=gpu_mem,model=experiment_name"
        with pytest.raises(ImportFileError, match=guess):
            read(text)
        assert [r["latency_mean_s"] for r in records(text, mapping=["auto"])] == [0.0052, 0.0075]
        assert [r["device_memory_bytes"] for r in records(text, mapping=[guess[6:]])] == [
            1_200_000_000,
            1_300_000_000,
        ]
        assert said(text, mapping=["auto"]).count("a guess") >= 3

    def test_constants(self, read):
        (run,) = read(
            "model,latency_ms\nnet,10\n",
            constant=['device="Pi 4"', "batch_size=8", "backend=torch", "threads=4"],
        ).runs
        (record,) = run.records
        assert run.run.device_name == "Pi 4"
        assert (record["batch_size"], record["backend"], record["threads"]) == (8, "torch", 4)

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"mapping": ["latency_ms"]}, "--map: 'latency_ms' is not a pair"),
            ({"mapping": ["speediness=a"]}, "--map: 'speediness' is not a field"),
            ({"mapping": ["run_id=a"]}, "--map: 'run_id' is not a field"),
            (
                {"mapping": ["latency_ms=nowhere"]},
                "there is no column 'nowhere'; its columns: model",
            ),
            ({"mapping": ["latency_ms=a,latency_s=b"]}, "--map gives latency_mean_s twice"),
            ({"constant": ["model"]}, "--constant: 'model' is not a pair"),
            ({"constant": ["batch_size=many"]}, "--constant: batch_size: 'many' is not a number"),
            ({"constant": ["batch_size=0"]}, "is not more than 0"),
            ({"constant": ["batch_size=-"]}, "no value"),
            ({"reader": "x"}, "--as: there is no reader 'x'; there are benchmark_model"),
            ({"study": " "}, "study: an empty name"),
        ],
    )
    def test_what_is_asked_for_and_cannot_be(self, read, options, sentence):
        with pytest.raises(ImportFileError, match=sentence):
            read("model,a,b\nnet,10,11\n", **options)

    def test_columns_that_are_equally_likely_are_asked_for(self, read, records):
        text = "model,latency_ms,inference_ms\nnet,10,11\n"
        with pytest.raises(ImportFileError, match="are both latency_mean_s; say which: --map"):
            read(text)
        (record,) = records(text, mapping=["latency_ms=inference_ms"])
        assert record["latency_mean_s"] == 0.011

    def test_a_column_may_be_left_out(self, records, said):
        text = "model,latency_ms,params\nnet,10,many\n"
        (record,) = records(text, mapping=["ignore=params"])
        assert record["parameters"] is None
        assert "left out: params" in said(text, mapping=["ignore=params"])

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("latency_s,device\n1,pi\n", "there is no column model; .*latency_s, device"),
            ("model,batch_size,threads\na,1,2\n", "no column with a figure"),
            ("model,network,latency_s\na,b,1\n", "'model' and 'network' are both model"),
            (
                "model,cpu latency (ms),gpu latency (ms)\na,1,2\n",
                "guess --map 'latency_ms=cpu latency",
            ),
            ("model,latency_s,latency_s\na,1,1\n", "is there twice"),
        ],
    )
    def test_what_is_not_enough_or_too_much(self, read, text, sentence):
        with pytest.raises(ImportFileError, match=sentence):
            read(text)
