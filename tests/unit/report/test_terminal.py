from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest
from rich.cells import cell_len
from rich.console import Console

from inferometer.report.terminal.table import print_latencies, print_run


@pytest.fixture
def shown():
    """Prints to a file 80 columns wide and gives its text."""

    def show(print_, *things, width=80, encoding="utf-8", **options):
        raw = io.BytesIO()
        file = io.TextIOWrapper(raw, encoding=encoding)
        print_(*things, console=Console(file=file, width=width), **options)
        file.flush()
        return raw.getvalue().decode(encoding)

    return show


def test_the_lab_fits_80_columns_in_one_table(shown, run, lab):
    text = shown(print_run, run, lab)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert text.count("params") == 1
    assert len(re.findall(r"^ +(?:224|448) +\d+ ", text, re.MULTILINE)) == 11
    assert "7,763,041" in text
    assert "\x1b" not in text


def test_every_model_is_named_whole_where_there_is_room(shown, lab):
    text = shown(print_latencies, lab, width=160)
    assert "mobilenet_v3_small" in text


def test_figures_marks_and_their_legend_are_shown(shown, run, lab):
    text = shown(print_run, run, lab)
    for part in ("155 ± 4 ms", "timeout", "OOM", "(OOM)", "cut"):
        assert part in text
    assert "OOM: ran out of memory" in text
    assert "half of its 95 % interval (target ± 5 %)" in text
    assert "* noisy: the interval is wider than the target" in text
    assert "The weights are random." in text


def test_the_legend_has_only_marks_that_are_used(shown, clean_lab):
    text = shown(print_latencies, clean_lab)
    assert "ran out of memory" not in text
    assert "Not measured" not in text


def test_each_failure_has_a_line_with_its_message(shown, lab):
    text = re.sub(r"\s+", " ", shown(print_latencies, lab))
    assert "timeout: unet at 224/32: The worker said nothing for 180 s in a round." in text
    assert "cut: resnet18 at 448/16: The budget of 10 min was spent." in text


def test_no_interval_is_promised_where_none_is_shown(shown, record):
    few = record(latency_median_s=0.04, verdict="contended")
    text = shown(print_latencies, [few], target=0.05)
    assert "Median time per call of one batch; too few calls for an interval." in text


def test_a_mean_among_medians_is_said_to_be_one(shown, record):
    known = record("a", half_s=0.001, latency_median_s=0.04)
    told = " ".join(shown(print_latencies, [known, record("b")]).split())
    assert "Where only a mean is known, it is shown." in told
    assert "is known" not in shown(print_latencies, [known])


def test_a_table_of_failures_claims_no_figures(shown, record):
    text = shown(print_latencies, [record(failure="budget", message="cut: no time was left")])
    assert "No latency was measured." in text
    assert "cut: resnet18 at 224/1: no time was left" in text


def test_a_long_message_is_cut(shown, record):
    text = shown(print_latencies, [record(failure="crash", message="no\n\n" * 900)])
    assert len(text) < 1500
    assert "…" in text


def test_an_imported_table_claims_no_deviation(shown, lab2_run, lab2):
    text = shown(print_run, lab2_run, lab2)
    assert "imported, 44 workloads: 44 ok" in text
    assert "6,976 s" in text
    assert "±" not in text
    assert "no deviations are known" in text


def test_standard_deviations_are_called_that(shown, record):
    text = shown(print_latencies, [record(latency_std_s=0.004)])
    assert "40 ± 4 ms" in text
    assert "± standard deviation" in text


def test_names_are_printed_as_they_are(shown, record):
    text = shown(print_latencies, [record("[red]x\x1b[31m"), record("[bold]")])
    assert r"[red]x\x1b[31m" in text
    assert "[bold]" in text
    assert "\x1b" not in text


def test_a_name_wider_than_its_column_is_broken_not_lost(shown, record):
    name = "a" * 50
    lines = shown(print_latencies, [record(name)]).splitlines()
    assert "".join(line.strip() for line in lines).count("a" * 20) >= 2
    assert max(map(len, lines)) <= 80


def test_an_output_that_knows_only_ascii_is_served(shown, run, lab):
    text = shown(print_run, run, lab, encoding="ascii")
    assert "155 +- 4 ms" in text


def test_cells_that_are_not_there_are_marked(shown, record):
    text = shown(print_latencies, [record("a", batch=1), record("b", batch=2)])
    assert "–: not in the study, or not reached yet" in text  # noqa: RUF001


def test_columns_of_several_devices_are_told_apart(shown, record, another_run):
    pi = another_run(id="11111111", device={"name": "Pi"})
    text = shown(print_latencies, [record(), record(run=pi)])
    assert "Pi" in text
    assert "AMD EPYC" in text


def test_a_run_with_nothing_done_says_how_far_it_is(shown, run):
    assert "44 workloads: 44 not reached" in shown(print_run, run, [])


def test_a_terminal_gets_colour_and_an_empty_table_nothing_odd(record):
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, color_system="standard")
    print_latencies([record(failure="crash")], console=console)
    assert "\x1b[31mcrash" in file.getvalue()


def test_a_reader_that_goes_away_is_left_to_the_command_line(record, monkeypatch):
    class ClosedPipe(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", ClosedPipe())
    with pytest.raises(BrokenPipeError):
        print_latencies([record()])


def test_a_table_waits_for_no_tests_of_hypotheses():
    """scipy.stats takes longer to import than everything that a table needs."""
    code = "import sys, inferometer.report.terminal.table; print('scipy.stats' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
