"""A profile in a terminal, as JSON and as a picture."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from rich.console import Console

from inferometer.core.metric import Estimate
from inferometer.core.profile import CallTree, Node, OperatorTime, Profile
from inferometer.core.workload import Shape, Target, Variant, Workload
from inferometer.report.terminal.profile import print_profile, row
from inferometer.runner.profile import Profiled

WORKLOAD = Workload(
    variant=Variant(model="net.py:build", backend="torch", precision="fp32"),
    target=Target(device="cpu", threads=2),
    shape=Shape(batch_size=1, input_size=None),
)


def node(name, self_s, *children, kind="module", type_=""):
    total_s = self_s + sum(child.total_s for child in children)
    return Node(
        name=name,
        kind=kind,
        type=type_,
        calls=1.0,
        self_s=self_s,
        total_s=total_s,
        low_s=0.99 * total_s,
        high_s=1.01 * total_s,
        children=children,
    )


def operator(name, self_s, *children):
    return node(name, self_s, *children, kind="operator")


def handed_on(self_s):
    """An operator that only hands its work on."""
    return operator("aten::conv2d", 1e-5, operator("aten::mkldnn_convolution", self_s))


ROOT = node(
    "",
    1e-3,
    node("body", 1e-4, node("body.0", 1e-4, handed_on(0.02)), node("body.1", 1e-4, handed_on(0.01))),
    operator("aten::split", 1e-6, operator("aten::left", 2e-3), operator("aten::right", 2e-3)),
    node("head", 1e-4, operator("aten::addmm", 4e-3), node("head.x", 1e-9)),
    type_="Net",
)  # fmt: skip


def make(root=ROOT, **changes):
    sums = {}
    for one in root.walk():
        if one.kind == "operator":
            sums[one.name] = sums.get(one.name, 0.0) + one.self_s
    operators = [
        OperatorTime(name=name, calls=2.5, self_s=self_s, low_s=self_s, high_s=self_s)
        for name, self_s in sorted(sums.items(), key=lambda item: -item[1])
    ]
    estimate = Estimate(value=0.04, low=0.039, high=0.041, confidence=0.95, method="m", n=24)
    profile = Profile(
        plain=estimate,
        profiled=replace(estimate, value=0.0416),
        added=replace(estimate, value=0.04, low=-0.01, high=0.09, n=12),
        tree=CallTree(root=root, operators=tuple(operators), events=9, notes=("a note",)),
        input_shape="1x3x8x8",
    )
    return Profiled(
        workload=WORKLOAD, profile=replace(profile, **changes), no_cost="it depends on values"
    )


def printed(found, width=80, **options):
    file = io.StringIO()
    print_profile(found, console=Console(file=file, width=width, highlight=False), **options)
    return file.getvalue()


def test_figures_and_what_they_are():
    text = printed(make())
    for part in (
        "net.py:build · torch fp32 on cpu, 2 threads · input 1x3x8x8",
        "Latency 40.0 ± 1.0 ms, median of 24 calls.",
        "The profiler adds 4 % to a call (-1 % to 9 %, 95 % interval).",
        "mkldnn_convolution",
        "outside any operator",
        "nothing is scaled",
        "operations were not counted: it depends on values",
        "A note.",
    ):
        assert re.sub(r"\s+", " ", part) in re.sub(r"\s+", " ", text)
    assert all(len(line) <= 80 for line in text.splitlines())


def test_shares_are_of_the_profiled_call():
    lines = printed(make()).splitlines()
    (kernel,) = [line for line in lines if line.startswith("mkldnn_convolution")]
    assert "30.0 ms" in kernel
    assert "76 %" in kernel
    assert [line.split()[-2:] for line in lines if line.startswith("sum ")] == [["100", "%"]]


def test_one_table_and_its_depth():
    modules = printed(make(), by="module", depth=1)
    assert "mkldnn_convolution" not in modules
    assert re.search(r"^  body ", modules, re.MULTILINE)
    assert not re.search(r"^    0 ", modules, re.MULTILINE)
    assert "(1 below" in printed(make(), by="module")
    assert "body" not in printed(make(), by="operator")


def test_what_has_no_interval_says_why():
    found = make()
    few = Estimate(value=0.04, low=None, high=None, confidence=0.95, method="m", n=2)
    text = printed(make(plain=few, added=replace(few, n=1), profiled=found.profile.profiled))
    assert "(no interval: 1 repetition, too few)" in text
    assert "too few of them are independent for an interval" in re.sub(r"\s+", " ", text)


def test_a_profiler_that_seems_to_save_time_is_noise():
    one = Estimate(value=-0.64, low=None, high=None, confidence=0.95, method="m", n=1)
    text = re.sub(r"\s+", " ", printed(make(added=one)))
    assert "What the profiler adds to a call is lost in noise: give it more --seconds." in text
    assert "64" not in text.split("mkldnn")[0].split("calls.")[-1]


def test_an_interval_that_says_nothing_is_not_shown():
    added = Estimate(value=0.5, low=-0.9, high=900.0, confidence=0.95, method="m", n=4)
    text = re.sub(r"\s+", " ", printed(make(added=added)))
    assert "adds 50 % to a call, but its repetitions differ too much to be sure" in text
    assert "90,000" not in text


def test_long_and_hostile_names_keep_to_the_width():
    name = "a" * 200 + "\x1b[31m"
    text = printed(make(node("", 0.0, node(name, 0.5, operator(f"aten::{name}", 1.0), type_=name))))
    assert "\x1b" not in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_json_has_every_row():
    found = json.loads(json.dumps(row(make()), allow_nan=False))
    assert [one["module"] for one in found["modules"]][:2] == ["", "body"]
    assert found["operators"][0]["name"] == "aten::mkldnn_convolution"
    assert found["operators"][0]["share"] == pytest.approx(0.03 / ROOT.total_s)
    assert found["profiler_share"]["value"] == 0.04
    assert found["macs"] is None
    assert found["macs_reason"] == "it depends on values"
    own = sum(one["self_s"] for one in found["operators"]) + found["outside_s"]
    assert own == pytest.approx(found["total_s"])
    assert len(row(make(), depth=0)["modules"]) == 1


class TestPicture:
    @pytest.fixture(autouse=True)
    def _matplotlib(self):
        pytest.importorskip("matplotlib")

    def shown(self, **options):
        from inferometer.report.plots.icicle import boxes

        return boxes(make().profile.tree, None, **options)

    def test_boxes_lie_within_those_above_them(self):
        found = self.shown()
        for box in found[1:]:
            end_s = box.begin_s + box.node.total_s
            assert any(
                above.level == box.level - 1
                and above.begin_s <= box.begin_s + 1e-12
                and end_s <= above.begin_s + above.node.total_s + 1e-12
                for above in found
            )
        for level in range(5):
            row = sorted((b.begin_s, b.begin_s + b.node.total_s) for b in found if b.level == level)
            assert all(b[0] >= a[1] - 1e-12 for a, b in pairwise(row))

    def test_an_operator_that_hands_its_work_on_is_one_box(self):
        names = [box.node.name for box in self.shown()]
        assert names.count("aten::conv2d") == 2
        assert "aten::mkldnn_convolution" not in names
        assert {"aten::left", "aten::right"} <= set(names)

    def test_below_the_depth_operators_are_added_up(self):
        found = {box.node.name: box for box in self.shown(depth=1)}
        assert "body.0" not in found
        assert found["aten::conv2d"].node.total_s == pytest.approx(0.03002)
        assert "aten::mkldnn_convolution" not in found
        assert found["aten::conv2d"].level == 2

    def test_it_is_drawn_with_its_title_unit_and_labels(self):
        from inferometer.report.plots.icicle import draw

        files = draw(make(), name="profile")
        assert sorted(files) == ["profile.png", "profile.svg"]
        words = re.findall(r"<text[^>]*>([^<]+)</text>", files["profile.svg"].decode())
        assert {"conv2d", "addmm", "10 ms", "module", "other operator"} <= set(words)
        assert any("The profiler adds 4 % to a call" in word for word in words)
        assert files == draw(make(), name="profile")
