"""The page in a real browser: what it shows, how it is used, and that nothing leaves it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from inferometer.core.record import Failure, Record, Round
from inferometer.core.roofline import Attained, Roofline
from inferometer.core.run import Run
from inferometer.core.sweep import Study, Sweep
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.report.document.content import content
from inferometer.report.document.material import gather
from inferometer.report.document.sources import RunRecords
from inferometer.report.html.page import render_page
from inferometer.store.tables import importing

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytest.importorskip("vl_convert")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no chromium: apt-get install chromium, or make browser"
)
LAB2 = Path(__file__).parents[1] / "data" / "lab2_jetson_nano_2gb.csv"
QUIET = ["background-networking", "component-update", "sync", "gpu"]
EVIL = "<script>alert(1)"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


STOPS = """() => [...document.querySelectorAll(".scroll, pre")].every(
    (one) => !one.checkVisibility() || (one.tabIndex === 0) === one.scrollWidth > one.clientWidth)"""
"""Whether the keyboard stops where there is something to scroll, and nowhere else."""


def attained(best):
    return Attained(best=best, median=best, repeats=3, what="a probe")


ROOFLINE = Roofline(
    device="cpu",
    precision="fp32",
    threads=2,
    flops=attained(2e11),
    memory=attained(2e10),
    cache=attained(8e10),
    dispatch_s=1e-6,
    at=0.0,
)


def make_run(planned):
    return Run(
        id="3fa91c02",
        study="lab",
        signature="",
        document=Study(name="lab", sweep=Sweep(models=("unet",))).to_json(),
        device={"name": "a board", "roofs": [ROOFLINE.to_json()]},
        software={"torch": "2.13.0"},
        planned=planned,
        created_at=1.79e9,
    )


def make_record(run, model, batch, size, latency_s, *, rounds=(), failure=None, **figures):
    known = {
        "latency_median_s": latency_s,
        "latency_ci_low_s": latency_s * 0.97,
        "latency_ci_high_s": latency_s * 1.03,
        "latency_confidence": 0.95,
        "parameters": 1_000_000 * (1 + len(model)),
        "peak_memory_bytes": 2**28 + 2**22 * batch,
        "memory_baseline_bytes": 2**27,
        "memory_weights_bytes": 2**27,
        "memory_activation_bytes": 2**22 * batch,
        "energy_per_inference_j": latency_s * 10 / batch,
        "energy_uncertainty_j": latency_s / batch,
        "macs": int(1e9) * batch,
        "flops": int(2e9) * batch,
        "arithmetic_intensity": 5.0 + batch,
        "verdict": "trusted" if batch > 1 else "noisy",
        "causes": [] if batch > 1 else ["the interval is wider than the target", "one process"],
    }
    variant = Variant(model=model, backend="torch", precision="fp32")
    return Record(
        workload=Workload(
            variant=variant,
            target=Target(device="cpu", threads=2),
            shape=Shape(batch_size=batch, input_size=size),
        ),
        status="failed" if failure else "ok",
        failure=failure,
        figures={} if failure else known | figures,
        rounds=rounds,
        run=run.row_part(),
    )


def make_rounds():
    """Two processes: a warm-up, then rounds with a call after a switch, and one outlier."""
    return tuple(
        Round(
            index=n,
            process=n // 5,
            phase="measure" if n % 5 else "warmup",
            started_at=1.79e9 + 3 * n,
            calls_per_value=1,
            settle=1 if n % 5 else 0,
            starts_s=tuple(0.01 * i for i in range(20)),
            values_s=tuple(
                0.01 * (9 if (n, i) == (2, 7) else 1 + (i * n) % 5 / 50) for i in range(20)
            ),
        )
        for n in range(10)
    )


def make_lab():
    run = make_run(25)
    crash = Failure(
        stage="measure",
        kind="out_of_memory",
        message=f"</script>{EVIL}</script> ran out of memory.",
    )
    records = [
        make_record(
            run, model, batch, size, speed * batch**0.9 * (size / 224) ** 2, rounds=make_rounds()
        )
        for model, speed in (("unet", 0.15), ("resnet18", 0.04), (EVIL, 0.01))
        for size in (224, 448)
        for batch in (1, 2, 4, 8)
    ]
    records.append(make_record(run, "unet", 16, 224, 0.0, failure=crash))
    return run, records


def make_large():
    run = make_run(2000)
    return run, [
        make_record(run, f"model_{m:02d}", batch, size, 0.001 * (1 + m * 37 % 50) * batch)
        for m in range(50)
        for size in (128, 224, 320, 448)
        for batch in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
    ]


def write(path, run, records):
    material = gather([RunRecords(run=run, records=tuple(records))])
    path.write_text(render_page(content(material), material), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return write(tmp_path_factory.mktemp("lab") / "report.html", *make_lab())


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return write(tmp_path_factory.mktemp("large") / "report.html", *make_large())


@pytest.fixture(scope="module")
def chromium():
    # Not for the whole session: its event loop would be in the way of other tests.
    with sync_api.sync_playwright() as playwright:
        flags = ["--no-sandbox", "--no-first-run", *(f"--disable-{part}" for part in QUIET)]
        started = playwright.chromium.launch(executable_path=BROWSER, args=flags)
        yield started
        started.close()


@dataclass
class Opener:
    """Opens pages, and remembers what a good page never does."""

    chromium: object
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    contexts: list[object] = field(default_factory=list)

    def __call__(self, path, viewport=DESKTOP, *, script=True, **kwargs):
        context = self.chromium.new_context(viewport=viewport, java_script_enabled=script, **kwargs)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: (self.said.append("a dialog"), dialog.dismiss()))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.as_uri())
        if script:
            page.wait_for_selector("body[data-ready=yes]")
        return page


@pytest.fixture
def open_page(chromium):
    opener = Opener(chromium)
    yield opener
    for context in opener.contexts:
        context.close()
    assert opener.said == []
    assert all(url.startswith("file:") and url.endswith("report.html") for url in opener.requests)


def column(page, number):
    """The cells of a column of the table of results, as far as they are shown."""
    return page.locator(f"#table tbody tr > :nth-child({number})").all_text_contents()


def test_a_click_on_a_head_sorts_the_table(open_page, lab):
    page = open_page(lab)
    head = page.locator("#table th[data-key=latency]")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(page, 1)[0] == EVIL
    assert column(page, 1)[-1] == "unet"
    assert column(page, 4)[-1] == "–"  # noqa: RUF001 - what is unknown comes last
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, 4)[0].startswith("3.9")
    assert column(page, 4)[-1] == "–"  # noqa: RUF001


def test_a_head_is_sorted_by_with_the_keyboard_alone(open_page, lab):
    page = open_page(lab)
    page.locator("#table th[data-key=size] button").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "batch"
    page.keyboard.press("Enter")
    assert page.locator("#table th[data-key=batch]").get_attribute("aria-sort") == "ascending"
    batches = [int(text) for text in column(page, 3)]
    assert batches == sorted(batches)


def test_filters_leave_what_they_should_and_say_how_much(open_page, lab):
    page = open_page(lab)
    count = page.locator("#count")
    assert count.text_content() == "25 workloads shown."
    page.locator("#by-model").select_option("resnet18")
    assert count.text_content() == "8 of 25 workloads shown."
    page.locator("#by-verdict").select_option("noisy")
    assert count.text_content() == "2 of 25 workloads shown."
    page.get_by_role("button", name="Show all").click()
    page.locator("#search").fill("RAN OUT")
    assert count.text_content() == "1 of 25 workloads shown."
    assert column(page, 1) == ["unet"]
    page.locator("#search").fill("no such thing")
    assert count.text_content() == "0 of 25 workloads shown."
    assert count.get_attribute("role") == "status"


def test_every_plot_is_drawn_and_follows_the_filter(open_page, lab):
    page = open_page(lab)
    names = page.locator("figure.chart").evaluate_all("all => all.map((one) => one.dataset.chart)")
    assert names == [
        *["latency-by-batch"] * 2,
        "throughput-by-batch",
        "latency-by-size",
        "latency-by-parameters",
        "scaling",
        "trade-off",
        "energy-by-batch",
        "memory-by-batch",
        "memory-layers",
        "roofline",
    ]
    points = "figure[data-chart={}] svg .mark-symbol.role-mark path"
    assert page.locator(points.format("latency-by-batch")).count() == 25  # and a cross
    assert page.locator(points.format("roofline")).count() == 24
    bars = "figure[data-chart=memory-layers] svg .mark-rect.role-mark path"
    assert page.locator(bars).count() == 3 * 3 + 3  # layers, and marks at the peaks
    assert page.locator("figure[data-chart=roofline] svg .mark-line.role-mark path").count() == 2
    assert page.locator("figure[data-chart=trade-off] svg .mark-line.role-mark path").count() == 1
    page.locator("#by-model").select_option("resnet18")
    page.wait_for_selector("body[data-drawn=yes]")
    assert page.locator(points.format("latency-by-batch")).count() == 8
    figure = page.locator("figure[data-chart=latency-by-size]")
    figure.locator("select").select_option("8")
    sync_api.expect(figure.locator(".mark-symbol.role-mark path")).to_have_count(2)


def test_raw_observations_are_drawn_with_warm_up_switches_and_outliers(open_page, lab):
    page = open_page(lab)
    course = page.locator("#course")
    assert course.locator("svg .mark-symbol.role-mark path").count() == 200
    fills = course.locator("svg .mark-symbol.role-mark path").evaluate_all(
        "all => all.map((one) => one.getAttribute('fill'))"
    )
    assert {fill: fills.count(fill) for fill in set(fills)} == {
        "var(--c0)": 151,
        "var(--c1)": 1,
        "var(--c4)": 8,
        "var(--soft)": 40,
    }
    average, *processes = course.locator("svg .mark-rule.role-mark line").all()
    assert len(processes) == 2
    strip = course.locator("svg .mark-line.role-mark path")
    assert strip.count() == 1
    first = course.locator("svg .mark-symbol.role-mark path").first
    assert strip.bounding_box()["y"] < average.bounding_box()["y"] + 64
    assert average.bounding_box()["y"] < first.bounding_box()["y"]
    assert (
        "State of the machine (run 3fa91c02, cpu)"
        in page.locator("#observations ~ ul").inner_text()
    )
    assert "151 counted, 1 standing out, 8 after a switch, 40 of the warm-up" in (
        course.locator(".bound").text_content()
    )
    assert page.locator("#histogram svg .mark-rect.role-mark path").count() == 40


def test_the_arrow_keys_read_a_plot(open_page, lab):
    page = open_page(lab)
    figure = page.locator("figure[data-chart=latency-by-batch]").first
    figure.locator(".plot").focus()
    page.keyboard.press("ArrowRight")
    reading = figure.locator(".reading")
    assert reading.text_content().startswith("1 of 12: unet; size: 224; batch: 1;")
    assert "latency: 150 ± 5 ms" in reading.text_content()
    page.keyboard.press("End")
    assert reading.text_content().startswith(f"12 of 12: {EVIL}")
    assert reading.get_attribute("role") == "status"


def test_a_pointer_reads_a_point(open_page, lab):
    page = open_page(lab)
    point = page.locator("figure[data-chart=latency-by-batch] svg .mark-symbol.role-mark path")
    point.nth(8).hover()
    tip = page.locator(".tip")
    tip.wait_for()
    assert tip.text_content().startswith(f"{EVIL}\nsize: 224\nbatch: 1")
    page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_a_name_that_is_a_script_is_shown_and_not_run(open_page, lab):
    page = open_page(lab)
    assert EVIL in column(page, 1)
    assert page.locator("script").count() == 3
    assert EVIL in page.locator("figure[data-chart=latency-by-batch] svg").first.text_content()


def test_names_that_mean_something_to_javascript_are_drawn_like_others(open_page, tmp_path):
    run = make_run(9)
    names = ("__proto__", "constructor", "null")
    records = [make_record(run, name, batch, 224, 0.01) for name in names for batch in (1, 2, 4)]
    page = open_page(write(tmp_path / "report.html", run, records))
    drawing = page.locator("figure[data-chart=latency-by-batch] svg")
    assert drawing.locator(".mark-line.role-mark path").count() == 3
    assert drawing.locator(".role-legend-label").all_text_contents() == list(names)


def test_intervals_that_reach_zero_end_at_the_axis_and_what_is_below_is_told(open_page, tmp_path):
    run = make_run(2)
    odd = {"latency_ci_low_s": -0.01, "energy_per_inference_j": -0.1}
    records = [
        make_record(run, "unet", 1, 224, 0.01, **odd),
        make_record(run, "unet", 2, 224, 0.02),
    ]
    page = open_page(write(tmp_path / "report.html", run, records))
    for name, reaches in (("latency-by-batch", "bottom"), ("throughput-by-batch", "top")):
        figure = page.locator(f"figure[data-chart={name}]")
        assert figure.locator(".mark-rule.role-mark line").first.evaluate(
            """(one, end) => Math.abs(one.getBoundingClientRect()[end] -
            one.closest("svg").querySelector(".background").getBoundingClientRect()[end]) < 1""",
            reaches,
        )
    bound = page.locator("figure[data-chart=energy-by-batch] .bound")
    assert (
        bound.text_content() == "Figures that are not above 0, and have no place on this axis: 1."
    )


def test_a_plot_that_cannot_be_drawn_is_no_end_to_the_others(open_page, lab):
    page = open_page(lab)
    page.evaluate("delete data.charts['latency-by-batch']")
    page.locator("#by-model").select_option("resnet18")
    page.wait_for_selector("body[data-drawn=yes]")
    assert (
        "could not be drawn"
        in page.locator("figure[data-chart=latency-by-batch] .bound").first.text_content()
    )
    points = page.locator("figure[data-chart=roofline] svg .mark-symbol.role-mark path")
    assert points.count() == 8
    open_page.said.clear()  # the console has it


def test_nobody_is_shut_out(open_page, lab):
    page = open_page(lab)
    for viewport, colours in ((DESKTOP, "light"), (PHONE, "dark")):
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=colours)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        page.wait_for_function(STOPS)
        found = axe.Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_the_first_screen_is_an_answer_its_chart_and_three_figures(open_page, lab):
    page = open_page(lab)
    first = page.locator(".first")
    assert f"{EVIL} is fastest: 10.00 ± 0.30 ms a call" in first.locator("h2").text_content()
    assert "1 failed or could not be tried (out of memory)" in first.text_content()
    assert first.locator(".facts > div").count() == 4
    assert first.locator("h2").bounding_box()["y"] < 150
    figures = first.locator(".facts").bounding_box()
    assert figures["y"] + figures["height"] < DESKTOP["height"]
    assert first.locator("svg").first.bounding_box()["y"] < DESKTOP["height"] / 2


def test_colours_are_those_of_the_device_until_others_are_chosen(open_page, lab):
    page = open_page(lab, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    stroke = "getComputedStyle(document.querySelector('svg .mark-line.role-mark path')).stroke"
    dark, blue = page.evaluate(background), page.evaluate(stroke)
    page.get_by_role("button", name="Light colours").click()
    assert page.evaluate(background) == "rgb(255, 255, 255)" != dark
    assert page.evaluate(stroke) == "rgb(0, 114, 178)" != blue
    assert page.get_by_role("button", name="Dark colours").is_visible()


def test_paper_has_every_row_and_nothing_to_press(open_page, large):
    page = open_page(large, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("#filters").is_hidden()
    assert page.locator("nav").is_hidden()
    unfolded, folded = (page.locator("#appendix ~ details").nth(n) for n in (0, 1))
    unfolded.evaluate("one => one.open = true")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#table tbody tr").count() == 2000
    assert page.locator("details:not([open]):not(.long *)").count() == 0
    assert page.locator("#table thead button").count() == 0
    assert page.locator("#table thead").inner_text().split()[:3] == ["variant", "size", "batch"]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.locator("#table thead button").first.wait_for(state="attached")
    assert page.locator("#table tbody tr").count() == 100
    assert unfolded.get_attribute("open") is not None
    assert folded.get_attribute("open") is None


def test_a_report_is_printed_to_pdf(open_page, lab):
    assert open_page(lab).pdf(format="A4").startswith(b"%PDF")


def test_without_script_every_figure_is_in_the_table(open_page, lab):
    page = open_page(lab, script=False)
    assert page.locator("#table tbody tr").count() == 25
    assert page.locator("#filters").is_hidden()
    assert page.locator("noscript").count() == 2


def test_two_thousand_workloads_can_be_used(open_page, large):
    assert large.stat().st_size < 10_000_000
    page = open_page(large)
    assert page.locator("#table tbody tr").count() == 100
    page.get_by_role("button", name="Next rows").click()
    assert page.locator("#page").text_content() == "Rows 101 to 200 of 2000"
    page.locator("#table th[data-key=latency] button").click()
    assert page.locator("#page").text_content() == "Rows 1 to 100 of 2000"
    assert column(page, 4)[0].startswith("1.000 ±")
    bound = page.locator("figure[data-chart=latency-by-batch] .bound")
    page.wait_for_selector("body[data-drawn=yes]")
    assert "first 14 of 50 variants" in bound.text_content()
    page.locator("#search").fill("model_07")
    assert page.locator("#count").text_content() == "40 of 2000 workloads shown."


def test_an_imported_table_is_a_page(open_page, tmp_path):
    (found,) = importing.read_runs(LAB2).runs
    page = open_page(write(tmp_path / "report.html", found.run, found.records))
    assert page.locator("#table tbody tr").count() == 44
    assert page.locator("figure.chart svg").count() >= 4
    assert "squeezenet1_0 is fastest: 290 ms" in page.locator(".first h2").text_content()
    assert "2.90050734299" in page.locator("main").text_content()
