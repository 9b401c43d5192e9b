"""`inferometer roofline`: a table, and JSON."""

from __future__ import annotations

import json

import pytest

from inferometer.cli.main import main
from inferometer.core.errors import WorkloadError
from inferometer.core.roofline import Attained, Roofline
from inferometer.host import peak as host_peak
from inferometer.host.peak import Peak
from inferometer.runner.phases import roofline as phase


def probed(backend, precision, *, device, threads):
    if precision == "fp16":
        raise WorkloadError("crash", "it died")
    assert backend == "torch"
    return Roofline(
        device=device,
        precision=precision,
        threads=threads,
        flops=Attained(best=216e9, median=200e9, repeats=70, what="matrix product 512x512"),
        memory=Attained(best=43.2e9, median=40e9, repeats=30, what="triad over 3 arrays"),
        cache=Attained(best=180e9, median=170e9, repeats=900, what="sum over 2 MiB"),
        dispatch_s=1.03e-6,
        at=1.0,
        cache_bytes=32 << 20,
        granted=0.99 if threads == 2 else 0.45,
    )


@pytest.fixture
def roofline(monkeypatch, capsys):
    monkeypatch.setattr(phase, "probe_roofline", probed)
    monkeypatch.setattr("inferometer.host.cpus.physical_cores", lambda: 2)

    def call(*arguments, clock_hz=None, status=0):
        known = Peak(per_cycle=32, what="Zen 4, two units of 256 bits", clock_hz=clock_hz)
        fitting = {"fp32": known}
        monkeypatch.setattr(host_peak, "peak", fitting.get)
        with pytest.raises(SystemExit) as ended:
            main(["roofline", *arguments])
        assert ended.value.code == status
        return capsys.readouterr()

    return call


def test_a_line_for_each_roofline_and_nothing_wider_than_a_terminal(roofline):
    lines = roofline("--precisions", "fp32,bf16", "--threads", "1,2").out.splitlines()
    row = "fp32 1 216 GFLOP/s 200 GFLOP/s 43.2 GB/s 180 GB/s 5.00 1.03 µs"
    assert " ".join(lines[1].split()) == row
    assert [line.split()[:2] for line in lines[2:5]] == [
        ["fp32", "2"],
        ["bf16", "1"],
        ["bf16", "2"],
    ]
    assert max(map(len, lines)) <= 80


def test_without_a_clock_the_peak_is_not_guessed(roofline):
    out = roofline().out
    assert "at most 32 FLOP a cycle and core; an estimate" in out
    assert "needs that at 3.38 GHz" in out
    assert "the clock is not known here" in out


def test_with_a_clock_the_share_of_the_peak_is_told(roofline):
    assert "91 % of 237 GFLOP/s at the highest clock" in roofline(clock_hz=3.7e9).out


def test_a_peak_that_is_not_known_is_said_to_be_so(roofline):
    assert "in theory  not known" in roofline("--precisions", "bf16").out


def test_a_disturbed_probe_is_told(roofline):
    assert "disturbed" not in roofline("--threads", "2").out
    assert "the probe had 45 % of the processor" in roofline("--threads", "1").out


def test_json_is_a_list_of_rooflines(roofline, tmp_path):
    rows = json.loads(roofline("--json", "-").out)
    assert [Roofline.from_json(row) for row in rows] == [
        probed("torch", "fp32", device="cpu", threads=2)
    ]
    path = tmp_path / "roofs.json"
    assert "fp32" in roofline("--json", str(path)).out
    assert json.loads(path.read_text()) == rows


def test_a_precision_that_fails_is_told_and_the_others_are_measured(roofline):
    shown = roofline("--precisions", "fp16,fp32", status=1)
    assert shown.err == "fp16: not measured: it died\n"
    assert "216 GFLOP/s" in shown.out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--backend", "python"], "cannot probe"),
        (["--precisions", "int3"], "no precision 'int3'"),
        (["--threads", "0"], "whole numbers from 1 to 4096"),
    ],
)
def test_bad_input_is_one_sentence(roofline, arguments, problem):
    assert problem in roofline(*arguments, status=2).err
