from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.live import Live

from inferometer.report.terminal import live
from inferometer.report.terminal.live import Display, listener
from inferometer.runner.events import (
    Notice,
    Precision,
    Progress,
    RunEnded,
    RunStarted,
    WorkloadDone,
)
from inferometer.runner.progress import ProgressReporter

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


def test_plain_lines_give_a_sign_of_life_twice_a_minute(record):
    out, times = console(terminal=False), [0.0, 10.0, 31.0, 31.0, 40.0, 62.0, 62.0]
    lines = live.Lines(out, clock=lambda: times.pop(0))
    while times:
        lines(progress(record, calls=12, mean_s=0.04))
    assert out.file.getvalue().splitlines() == 2 * [
        "50 %, about 1 min 30 s left, measuring resnet18 224/1  40.0 ms after 12 calls"
    ]


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=80, color_system=None)


def progress(record, fraction=0.5, remaining_s=90.0, **seen):
    return Progress(
        doing="measuring",
        workload=record().workload,
        fraction=fraction,
        remaining_s=remaining_s,
        **seen,
    )


def test_plain_lines_tell_what_happens(run, record):
    out = console(terminal=False)
    with listener(out) as tell:
        tell(RunStarted(run=run, planned=44, done=3, budget_s=600.0))
        tell(progress(record))
        tell(WorkloadDone(record=record(batch=8, half_s=0.002), done=4, planned=44))
        tell(
            WorkloadDone(
                record=record("[b]x", failure="out_of_memory", message="Too\nmuch."),
                done=5,
                planned=44,
            )
        )
        tell(Notice(message="the governor is [powersave]"))
        tell(RunEnded(run=run, interrupted=False))
    assert out.file.getvalue().splitlines() == [
        "run 3fa91c02: study lab, 44 workloads, 3 of them done before, budget 10 min 0 s",
        "[ 4/44] resnet18 224/8  40.0 ± 2.0 ms",
        "[ 5/44] [b]x 224/1  ran out of memory: Too much.",
        "note: the governor is [powersave]",
        "run 3fa91c02: finished",
    ]


@pytest.mark.parametrize(
    ("finished_at", "interrupted", "words"),
    [(1.0, False, "finished"), (None, False, "something left"), (None, True, "interrupted")],
)
def test_the_end_says_how_it_ended(another_run, finished_at, interrupted, words):
    out = console(terminal=False)
    with listener(out) as tell:
        tell(RunEnded(run=another_run(finished_at=finished_at), interrupted=interrupted))
    assert words in out.file.getvalue()


def test_a_terminal_shows_a_bar_and_gets_its_cursor_back(run, record):
    out = console(terminal=True)
    with listener(out) as tell:
        tell(RunStarted(run=run, planned=44, done=0, budget_s=None))
        assert HIDE_CURSOR in out.file.getvalue()
        tell(Notice(message="low on memory"))
    text = out.file.getvalue()
    assert "note: low on memory" in text
    assert text.rindex(SHOW_CURSOR) > text.rindex(HIDE_CURSOR)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_the_terminal_is_given_back_after_an_exception(run, error):
    out = console(terminal=True)

    def measure() -> None:
        with listener(out) as tell:
            tell(RunStarted(run=run, planned=1, done=0, budget_s=None))
            raise error

    with pytest.raises(error):
        measure()
    text = out.file.getvalue()
    assert text.rindex(SHOW_CURSOR) > text.rindex(HIDE_CURSOR)


class CountingLive:
    def __init__(self, out: Console) -> None:
        self.console = out
        self.drawn = 0

    def update(self, renderable: object, *, refresh: bool) -> None:
        assert refresh
        self.console.print(renderable)
        self.drawn += 1


def test_the_display_is_drawn_at_most_once_a_second(run, record):
    now = 100.0
    fake = CountingLive(console(terminal=True))
    display = Display(fake, clock=lambda: now)
    display(progress(record))
    assert fake.drawn == 0  # nothing is known of the run yet
    display(RunStarted(run=run, planned=44, done=0, budget_s=None))
    for _ in range(50):
        now += 0.1
        display(progress(record))
    assert fake.drawn == pytest.approx(5, abs=1)


def test_the_display_holds_bar_time_and_the_last_results(run, record):
    fake = CountingLive(console(terminal=True))
    display = Display(fake)
    display(RunStarted(run=run, planned=44, done=0, budget_s=None))
    for batch in range(1, 9):
        display(WorkloadDone(record=record(batch=batch), done=batch, planned=44))
    display(progress(record, fraction=0.25))
    out = console(terminal=True)
    out.print(display.render())
    text = out.file.getvalue()
    assert "25 %" in text
    assert "8 of 44 done" in text
    assert "about 1 min 30 s left" in text
    assert "measuring resnet18 224/1" in text
    assert "224/8" in text
    assert "224/3" not in text
    assert max(map(len, text.splitlines())) <= 80


def shown_of(*precisions):
    display = Display(CountingLive(console(terminal=True)))
    for precision in precisions:
        display(precision)
    out = console(terminal=True)
    out.print(display.render())
    return out.file.getvalue()


def precision(replicate, widest):
    return Precision(replicate=replicate, widest=widest, median=0.04, target=0.05)


def test_the_display_shows_how_the_widest_interval_shrinks():
    text = shown_of(precision(1, float("inf")), precision(2, 0.35), precision(3, 0.12))
    assert "widest interval after 3 replicates: none yet → ± 35 % → ± 12 %, median ± 4 %" in text


def test_an_interval_beyond_the_whole_figure_has_no_number():
    text = shown_of(precision(1, 93.0), precision(2, 0.35))
    assert "after 2 replicates: ± over 100 % → ± 35 %, median" in text


def test_another_group_of_workloads_begins_anew():
    text = shown_of(precision(1, 0.6), precision(2, 0.35), precision(1, 0.2))
    assert "after 1 replicate: ± 20 %, median" in text


def test_plain_lines_tell_the_precision_of_each_replicate():
    out = console(terminal=False)
    with listener(out) as tell:
        tell(precision(2, 0.35))
    assert out.file.getvalue() == (
        "widest interval after 2 replicates: ± 35 %, median ± 4 %, target ± 5 %\n"
    )


def test_a_replicate_is_told_with_the_widest_and_the_one_in_the_middle():
    told = []
    reporter = ProgressReporter(told.append, lambda: None)
    reporter.precision(3, [0.1, 0.02, 0.3], target=0.05)
    reporter.precision(4, [], target=0.05)
    assert told == [Precision(replicate=3, widest=0.3, median=0.1, target=0.05)]


def test_what_nobody_can_estimate_is_counted(run, record):
    """A search for a cliff knows no end: its bar shows points, and its lines no share."""
    fake = CountingLive(console(terminal=True))
    display = Display(fake)
    display(RunStarted(run=run, planned=8, done=2, budget_s=None))
    display(progress(record, fraction=0.0, remaining_s=None))
    out = console(terminal=True)
    out.print(display.render())
    assert "25 %" in out.file.getvalue()
    plain = console(terminal=False)
    now = 100.0
    tell = live.Lines(plain, clock=lambda: now)
    now += 60
    tell(progress(record, fraction=0.0, remaining_s=None))
    assert plain.file.getvalue().startswith("measuring resnet18 224/1")


def test_a_failure_stays_on_the_screen(record):
    fake = CountingLive(console(terminal=True))
    Display(fake)(WorkloadDone(record=record(failure="crash"), done=1, planned=2))
    assert "the worker process died: It went wrong." in fake.console.file.getvalue()


def test_nothing_goes_to_standard_output(run, capsys):
    with listener() as tell:
        tell(RunStarted(run=run, planned=44, done=0, budget_s=None))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "study lab" in captured.err


def test_the_live_display_runs_no_thread_of_its_own(run, monkeypatch):
    seen = {}
    real = Live.__init__

    def spy(self, *args, **options):
        seen.update(options)
        real(self, *args, **options)

    monkeypatch.setattr(live.Live, "__init__", spy)
    with listener(console(terminal=True)):
        pass
    assert seen["auto_refresh"] is False
    assert seen["redirect_stdout"] is False


class ClosedPipe(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_run_goes_on_when_nobody_reads_its_progress(run, record, monkeypatch):
    monkeypatch.setattr("sys.stderr", ClosedPipe())
    with listener() as tell:
        tell(RunStarted(run=run, planned=2, done=0, budget_s=None))
        tell(WorkloadDone(record=record(), done=1, planned=2))


def test_the_table_fills_in_place(run, lab):
    threads = lab[0].workload.threads
    run = replace(
        run, document=run.document | {"sweep": run.document["sweep"] | {"threads": threads}}
    )
    display = Display(CountingLive(console(terminal=True)))
    display(RunStarted(run=run, planned=44, done=0, budget_s=None))
    first, second, *_ = lab
    display(WorkloadDone(record=first, done=1, planned=44))
    seen = replace(progress(lambda: second), calls=3, mean_s=0.5)
    display(seen)
    out = Console(file=io.StringIO(), width=80, height=40)
    display._live.console = out
    out.print(display.render())
    lines = out.file.getvalue().splitlines()
    rows = [line.split() for line in lines if line.strip().startswith(("224", "448"))]
    assert rows[0] == ["224", "1", "155", "±", "4", "ms", *"···"]
    assert rows[1] == ["224", "2", "~500", "ms", *"···"]
    assert len(rows) == 11


def test_a_table_that_is_higher_than_the_terminal_gives_way_to_the_last_results(run, lab):
    display = Display(CountingLive(Console(file=io.StringIO(), width=80, height=12)))
    display(RunStarted(run=run, planned=44, done=0, budget_s=None))
    display(WorkloadDone(record=lab[0], done=1, planned=44))
    out = Console(file=io.StringIO(), width=80, height=12)
    out.print(display.render())
    assert "unet 224/1  155" in out.file.getvalue()
    assert "params" not in out.file.getvalue()
