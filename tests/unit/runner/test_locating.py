"""Which operators of an ONNX file differ: faults show where they were planted, and nowhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inferometer.core.errors import WorkloadError
from inferometer.core.model import Inputs
from inferometer.core.workload import Variant
from inferometer.runner.locating import files
from inferometer.runner.locating.matching import Key, aligned
from inferometer.runner.workers.messages import LocateOperators, RecoverOperators
from inferometer.runner.workers.samples import save_samples

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

SIDE, WIDTH = 8, 6
LIMIT = 8 << 30


def nodes():
    make = onnx.helper.make_node
    return [
        make("Conv", ["x", "w1", "b1"], ["c1"], name="conv1", pads=[1, 1, 1, 1]),
        make("Relu", ["c1"], ["r1"], name="relu1"),
        make("Conv", ["r1", "w2", "b2"], ["c2"], name="conv2", pads=[1, 1, 1, 1]),
        make("Add", ["c2", "r1"], ["a1"], name="add1"),
        make("Relu", ["a1"], ["r2"], name="relu2"),
        make("GlobalAveragePool", ["r2"], ["p1"], name="pool1"),
        make("Flatten", ["p1"], ["f1"], name="flatten1"),
        make("MatMul", ["f1", "v"], ["m1"], name="last"),
        make("Add", ["m1", "u"], ["y"], name="bias"),
    ]


def weights():
    random = np.random.default_rng(0)
    shapes = {"w1": (WIDTH, 3, 3, 3), "w2": (WIDTH, WIDTH, 3, 3), "v": (WIDTH, 4)}
    shapes |= {"b1": (WIDTH,), "b2": (WIDTH,), "u": (4,)}
    return {name: 0.4 * random.standard_normal(shape) for name, shape in shapes.items()}


@pytest.fixture
def file(tmp_path):
    """Writes files of the network with other nodes or weights."""

    def write(name, changed=None, /, **others):
        ends = [
            onnx.helper.make_tensor_value_info(end, onnx.TensorProto.FLOAT, shape)
            for end, shape in (("x", ["n", 3, SIDE, SIDE]), ("y", ["n", 4]))
        ]
        constants = [
            onnx.numpy_helper.from_array(np.asarray(value, np.float32), key)
            for key, value in {**weights(), **others}.items()
        ]
        graph = onnx.helper.make_graph(changed or nodes(), "g", ends[:1], ends[1:], constants)
        opsets = [onnx.helper.make_opsetid("", 17)]
        path = tmp_path / name
        onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
        return str(path)

    return write


@pytest.fixture
def samples(tmp_path):
    random = np.random.default_rng(1)
    made = [
        Inputs(args=(random.random((1, 3, SIDE, SIDE), dtype=np.float32),), shape="")
        for _ in range(3)
    ]
    save_samples(made, tmp_path / "samples.npz")
    return str(tmp_path / "samples.npz")


@pytest.fixture
def locate(file, samples):
    """Operators of a changed network against the one without changes."""

    def located(*changed, good=None, **others):
        bad = (
            changed[0]
            if changed and isinstance(changed[0], str)
            else file("bad.onnx", *changed, **others)
        )
        request = LocateOperators(
            bad=bad,
            good=good or file("good.onnx"),
            inputs=samples,
            threads=1,
            memory_limit_bytes=LIMIT,
        )
        return files.locate(request).operators

    return located


def without(name, keep=0):
    """The nodes without one of them, whose readers read one of its inputs."""
    gone = next(one for one in nodes() if one.name == name)
    kept = [one for one in nodes() if one.name != name]
    for one in kept:
        one.input[:] = [gone.input[keep] if at == gone.output[0] else at for at in one.input]
        one.output[:] = [
            "y" if at == gone.input[keep] and gone.output[0] == "y" else at for at in one.output
        ]
        one.input[:] = [
            "y" if at == gone.input[keep] and gone.output[0] == "y" else at for at in one.input
        ]
    return kept


def with_change(name, **attributes):
    changed = nodes()
    node = next(one for one in changed if one.name == name)
    kept = [one for one in node.attribute if one.name not in attributes]
    del node.attribute[:]
    node.attribute.extend(kept)
    node.attribute.extend(onnx.helper.make_attribute(*one) for one in attributes.items())
    return changed


def as_kind(name, kind):
    changed = nodes()
    next(one for one in changed if one.name == name).op_type = kind
    return changed


def renamed(made):
    """The same nodes under other names, with other names of what is between them."""
    for number, one in enumerate(made):
        one.name = f"n{number}"
        inner = {"c1", "r1", "c2", "a1", "r2", "p1", "f1", "m1"}
        one.input[:] = [f"t_{at}" if at in inner else at for at in one.input]
        one.output[:] = [f"t_{at}" if at in inner else at for at in one.output]
    return made


def test_the_same_network_differs_nowhere(locate):
    assert locate() == ()
    assert locate(renamed(nodes())) == ()


@pytest.mark.parametrize(
    ("name", "change", "at"),
    [
        ("w2", lambda w: -w, "conv2"),
        ("w2", lambda w: w.transpose(0, 1, 3, 2), "conv2"),
        ("b1", np.zeros_like, "conv1"),
        ("v", lambda w: np.roll(w, 1, axis=0), "last"),
        ("u", np.zeros_like, "bias"),
    ],
)
def test_a_fault_in_weights_shows_at_its_operator_alone(locate, name, change, at):
    (only,) = locate(**{name: change(weights()[name])})
    assert only.name == at
    assert only.change is None
    assert only.relative_error > 0.01
    assert only.accumulated_error > 0.01


@pytest.mark.parametrize(
    ("changed", "at", "change"),
    [
        (as_kind("relu2", "LeakyRelu"), "relu2", None),
        (with_change("conv2", pads=[0, 0, 2, 2]), "conv2", None),
        (without("add1"), "add1", "left out"),
        (without("relu1"), "relu1", "left out"),
        (without("bias"), "bias", "left out"),
        (renamed(without("add1")), "add1", "left out"),
    ],
)
def test_a_fault_in_the_graph_shows_at_its_operator_alone(locate, changed, at, change):
    (only,) = locate(changed)
    assert (only.name, only.change) == (at, change)


def test_a_renamed_network_is_matched_by_its_structure(locate):
    (only,) = locate(renamed(nodes()), w2=-weights()["w2"])
    assert only.name == "conv2"


def test_an_operator_that_was_inserted_is_named(locate):
    changed = nodes()
    changed[2].input[0] = "turned"
    turn = onnx.helper.make_node("Transpose", ["r1"], ["turned"], name="turn", perm=[0, 1, 3, 2])
    changed.insert(2, turn)
    (only,) = locate(changed)
    assert (only.name, only.kind, only.change) == ("turn", "Transpose", "inserted")


def test_nan_comes_first_and_does_not_spread(locate):
    broken = weights()["w2"]
    broken[1] = np.nan
    first, second = locate(w2=broken, w1=1.01 * weights()["w1"])
    assert (first.name, first.relative_error) == ("conv2", math.inf)
    assert second.name == "conv1"
    assert second.relative_error == pytest.approx(0.01, rel=0.5)


def test_another_shape_is_infinite_at_its_operator_alone(locate):
    changed = with_change("conv1", strides=[2, 2])
    changed[3].input[1] = "c2"  # so that the file runs
    good = nodes()
    good[3].input[1] = "c2"
    found = locate(changed)
    assert (found[0].name, found[0].relative_error) == ("conv1", math.inf)
    assert {one.name for one in found} == {"conv1", "add1"}


def test_fewer_channels_are_found_although_they_take_none_of_the_reference(locate):
    narrow = {"w1": weights()["w1"][:4], "b1": weights()["b1"][:4]}
    narrow |= {"w2": weights()["w2"][:4, :4], "b2": weights()["b2"][:4], "v": weights()["v"][:4]}
    found = locate(**narrow)
    assert (found[0].name, found[0].relative_error) == ("conv1", math.inf)


def test_a_large_graph_is_compared_in_parts(locate, monkeypatch):
    whole = locate(w2=-weights()["w2"], v=-weights()["v"])
    monkeypatch.setattr(files, "MOST_BYTES", 1)
    assert locate(w2=-weights()["w2"], v=-weights()["v"]) == whole
    assert {one.name for one in whole} == {"conv2", "last"}


def test_half_precision_differs_a_little_everywhere(locate, file, tmp_path):
    from inferometer.backends.onnxruntime.convert import to_fp16

    to_fp16(file("good.onnx"), tmp_path / "half.onnx", apart=False)
    found = locate(str(tmp_path / "half.onnx"))
    assert {one.name for one in found} <= {one.name for one in nodes()}
    assert {"conv1", "conv2"} <= {one.name for one in found}
    assert 1e-5 < found[0].relative_error < 2e-3


@pytest.fixture
def int8(file, samples, tmp_path):
    from inferometer.backends.onnxruntime.convert import statically
    from inferometer.runner.workers.samples import load_samples

    def write(name, source):
        calibration = load_samples(tmp_path / "samples.npz")
        path = tmp_path / name
        statically(source, path, apart=False, samples=calibration, provider="cpu")
        return str(path)

    return write


def test_what_quantises_belongs_to_the_operator_around_it(locate, int8, file):
    found = locate(int8("int8.onnx", file("good.onnx")))
    assert {one.name for one in found} <= {one.name for one in nodes()}
    assert "Conv" in {one.kind for one in found}
    assert 1e-4 < found[0].relative_error < 0.1


def test_a_fault_in_a_quantised_file_stands_out(locate, int8, file):
    path = int8("int8.onnx", file("good.onnx"))
    model = onnx.load(path)
    scale = next(one for one in model.graph.initializer if one.name == "w2_scale")
    doubled = 2 * onnx.numpy_helper.to_array(scale)
    scale.CopyFrom(onnx.numpy_helper.from_array(doubled, scale.name))
    onnx.save(model, path.replace("int8", "fault"))
    (only,) = locate(path.replace("int8", "fault"), good=path)
    assert (only.name, only.kind) == ("conv2", "Conv")
    assert locate(path.replace("int8", "fault"))[0].name == "conv2"  # against fp32 too


def test_leaving_operators_in_fp32_gives_errors_back(int8, file, samples, monkeypatch):
    from inferometer.runner.locating import recovering

    monkeypatch.setattr(recovering, "LAPS", 5)
    monkeypatch.setattr(recovering, "LAP_S", 0.001)
    good = file("good.onnx")
    request = RecoverOperators(
        variant=Variant(model="m", backend="onnxruntime", precision="int8"),
        bad=int8("int8.onnx", good),
        good=good,
        inputs=samples,
        samples=samples,
        threads=1,
        seconds=20.0,
        memory_limit_bytes=LIMIT,
    )
    steps = recovering.recover(request).steps
    assert steps[0].operators[0] == "last/MatMulAddFusion"  # rounds the outputs themselves
    assert steps[-1].recovered > 0.5
    assert steps[-1].relative_error < steps[0].relative_error
    for one in steps:
        assert one.ratio_low < one.latency_ratio < one.ratio_high


def normalised():
    changed = nodes()
    parts = ["scale", "shift", "mean", "var"]
    changed[0].output[0] = "before"
    norm = onnx.helper.make_node("BatchNormalization", ["before", *parts], ["c1"], name="norm")
    changed.insert(1, norm)
    random = np.random.default_rng(2)
    return changed, {name: random.uniform(0.5, 1.5, WIDTH) for name in parts}


@pytest.mark.parametrize("kept", ["before", "c1"])
def test_a_batch_normalisation_folded_into_weights_is_no_fault(locate, file, kept):
    changed, parts = normalised()
    good = file("good.onnx", changed, **parts)
    factor = parts["scale"] / np.sqrt(parts["var"] + 1e-5)
    folded = {
        "w1": weights()["w1"] * factor[:, None, None, None],
        "b1": (weights()["b1"] - parts["mean"]) * factor + parts["shift"],
    }
    plain = nodes()
    for one in plain:  # some tools keep the name of the first output, some that of the last
        one.input[:] = [kept if at == "c1" else at for at in one.input]
        one.output[:] = [kept if at == "c1" else at for at in one.output]
    found = locate(plain, good=good, **folded)
    assert {one.name for one in found} <= {"conv1"}
    assert all(one.relative_error < 1e-5 for one in found)
    first, *_ = locate(plain, good=good, **{**folded, "w2": -weights()["w2"]})
    assert first.name == "conv2"


def test_a_batch_normalisation_left_out_is_named(locate, file):
    changed, parts = normalised()
    (only,) = locate(nodes(), good=file("good.onnx", changed, **parts))
    assert (only.name, only.change) == ("norm", "left out")


def test_a_graph_that_goes_in_circles_is_refused(locate):
    changed = nodes()
    changed[0].input[0] = "r2"
    with pytest.raises(WorkloadError):
        locate(changed)


def key(kind, weights="", output="", name=""):
    return Key(kind=kind, weights=weights, output=output, name=name)


def test_weights_outweigh_numbers_that_are_shifted():
    good = [key("Conv", f"d{at}", f"conv_{at}") for at in range(3)]
    bad = [
        good[0],
        key("Conv", "new", "conv_1"),
        *(key("Conv", f"d{at}", f"conv_{at + 1}") for at in (1, 2)),
    ]
    assert aligned(bad, good) == [(0, 0), (2, 1), (3, 2)]


def test_an_output_keeps_its_name_where_an_operator_is_folded():
    good = [key("Conv", "a", "c", "conv"), key("BatchNormalization", "b", "n", "norm")]
    assert aligned([key("Conv", "z", "n", "conv")], good) == [(0, 1)]


def test_kinds_alone_align_what_has_no_names():
    good = [key(kind) for kind in ("Conv", "Relu", "Conv", "Add", "Relu")]
    bad = [key(kind) for kind in ("Conv", "Relu", "Conv", "Relu")]
    assert aligned(bad, good) == [(0, 0), (1, 1), (2, 2), (3, 4)]
