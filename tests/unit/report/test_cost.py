"""A cost as a person sees it."""

from __future__ import annotations

import pytest
from rich.console import Console

from inferometer.core.cost import Cost, OperatorCost
from inferometer.core.costing import Artifact, Costing
from inferometer.report.terminal.cost import print_cost


def one(operator, kind, module="", macs=0, **more):
    given = {"calls": 1, "elementwise_flops": 0, "bytes_read": 4096, "bytes_written": 1024} | more
    return OperatorCost(operator=operator, kind=kind, module=module, macs=macs, **given)


OPERATORS = (
    one("aten.convolution", "convolution", "stem.conv", macs=1_500_000_000, calls=2),
    one("aten.convolution", "convolution", "body.layers.0", macs=500_000_000),
    one("aten.relu", "element-wise", "stem", elementwise_flops=3_000_000),
)


def costing(*operators, **more):
    cost = Cost(
        operators=operators or OPERATORS,
        input_bytes=600 * 1024,
        output_bytes=4 * 1024,
        weight_bytes=44 * 2**20,
        activation_bytes=33 * 2**20,
        activation_peak_bytes=6 * 2**20,
        method="by hand",
    )
    given = {
        "model": "net", "source": "catalogue", "weights": "random, seed 0", "backend": "torch",
        "precision": "fp32", "batch_size": 2, "input_size": 224, "input_shape": "2x3x224x224",
        "parameters": {
            "parameters": 11_689_512, "parameters_with_duplicates": 11_689_512,
            "frozen_parameters": 0, "parameter_bytes": 46_758_048, "buffers": 0, "buffer_bytes": 0,
        },
    }  # fmt: skip
    return Costing(cost=cost, **(given | more))


@pytest.fixture
def shown(capsys):
    def show(found, width=80, **options):
        print_cost(found, console=Console(width=width, highlight=False), **options)
        return capsys.readouterr().out

    return show


def test_the_sums_their_convention_and_the_kinds(shown):
    text = shown(costing())
    lines = text.splitlines()
    assert lines[0] == "net · torch fp32 · input 2x3x224x224 · random, seed 0"
    assert "For one call of one batch of 2 samples." in text
    assert "2.00 GMACs (2,000,000,000)" in text
    assert "4.00 GFLOPs" in text
    assert "3.00 MFLOPs beside these" in text
    assert "11,689,512; 11,689,512 where each use counts; 0 frozen" in text
    assert "33.0 MiB written, 6.00 MiB alive at a time" in text
    assert "1 MAC = 2 FLOPs" in text
    assert "Counted: by hand." in text
    assert "no file: built from code" in text
    (row,) = [line.split() for line in lines if line.startswith("convolution")]
    assert row == ["convolution", "3", "2.00", "G", "100", "%", "0", "10.0", "KiB"]
    assert max(map(len, lines)) <= 80


def test_intensity_both_ways(shown):
    text = " ".join(shown(costing()).split())
    moved = 604 * 1024 + 44 * 2**20
    assert f"at least (inputs, weights, outputs once), {4e9 / moved:.1f} FLOPs/B" in text
    assert "15.0 KiB operator by operator, 260,417 FLOPs/B" in text


def test_the_tree_of_modules_is_indented(shown):
    lines = shown(costing(), by="module").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("module"))
    names = [line[:12].rstrip() for line in lines[start + 1 : start + 7]]
    assert names == ["net", "  stem", "    conv", "  body", "    layers", "      0"]
    flat = shown(costing(), by="module", depth=1)
    assert "  body" in flat
    assert "layers" not in flat


def test_operators_stand_under_their_kinds(shown):
    text = shown(costing(), by="operator")
    assert "\nconvolution " in text
    assert "\n  aten.convolution " in text


def test_files_types_and_ties(shown):
    parameters = {
        "parameters": 5, "parameters_by_dtype": {"float32": 3, "int8": 2},
        "tied": [["embedding.weight", "head.weight"]],
    }  # fmt: skip
    files = (Artifact(path="/far/away/net.pt", size_bytes=2048),)
    found = costing(parameters=parameters, artifacts=files, safetensors_bytes=4096)
    text = shown(found)
    assert "float32 3, int8 2" in text
    assert "embedding.weight = head.weight" in text
    assert "2.00 KiB net.pt" in text
    assert "4.00 KiB as safetensors (computed)" in text
    assert "frozen" not in text


def test_unknown_operators_are_a_warning_and_notes_are_shown(shown):
    found = costing(one("mine.Twist", "unknown", calls=4), notes=("open axes: N = 1",))
    text = shown(found)
    assert "Warning: not in these sums" in text
    assert "mine.Twist (4)" in text
    assert "Open axes: N = 1." in text
    assert "Warning" not in shown(costing())


def test_it_fits_a_terminal_and_names_cannot_play_with_it(shown):
    odd = "[red]a\x1b[31m" + "very_long_name" * 8
    found = costing(
        one(odd, "convolution", odd, macs=10**15, bytes_read=10**15, elementwise_flops=10**13),
        model=odd,
    )
    for by in ("kind", "operator", "module"):
        text = shown(found, by=by)
        assert "\x1b" not in text
        assert max(map(len, text.splitlines())) <= 80


def test_nothing_to_count(shown):
    found = costing(one("aten.view", "data movement", bytes_read=0, bytes_written=0))
    assert "0 MACs (0)" in shown(found)
