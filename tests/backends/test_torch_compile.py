"""The backend `torch-compile`: what it compiles, what it could not, and int8 through torchao."""

from __future__ import annotations

from collections import Counter

import pytest

torch = pytest.importorskip("torch")

from inferometer.backends.torch.compiled import TorchCompileBackend  # noqa: E402
from inferometer.core.errors import WorkloadError  # noqa: E402
from inferometer.core.format import Format  # noqa: E402
from inferometer.core.model import Inputs, LoadedModel  # noqa: E402
from inferometer.core.protocols import (  # noqa: E402
    SupportsOperations,
    SupportsPreparation,
    SupportsProfile,
)
from inferometer.core.workload import Variant  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # of the compiler, about its own parts


class Net(torch.nn.Module):
    """As a block of ResNet: one ReLU is called twice, and what was added up goes through it."""

    def __init__(self):
        super().__init__()
        self.one = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(8)
        self.two = torch.nn.Conv2d(8, 8, 3, padding=1)
        self.relu = torch.nn.ReLU(inplace=True)
        self.up = torch.nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.head = torch.nn.Linear(8, 4)

    def forward(self, x):
        first = self.relu(self.norm(self.one(x)))
        second = self.relu(self.two(first) + first)
        return self.head(self.up(second).mean((2, 3)))


class Breaks(torch.nn.Module):
    def forward(self, x):
        x = x + 1
        torch._dynamo.graph_break()
        return 2 * x


class Eager(torch.nn.Module):
    @torch._dynamo.disable
    def forward(self, x):
        return x + 1


@pytest.fixture
def backend():
    used = TorchCompileBackend()
    used.start(threads=1)
    return used


@pytest.fixture(autouse=True)
def compiler_put_back():
    kept = {
        name: getattr(torch._dynamo.config, name)
        for name in (
            "recompile_limit",
            "accumulated_recompile_limit",
            "fail_on_recompile_limit_hit",
        )
    }
    yield
    torch._dynamo.reset()
    for name, value in kept.items():
        setattr(torch._dynamo.config, name, value)


def variant(precision="fp32", **options):
    return Variant(
        model="m",
        backend="torch-compile",
        precision=precision,
        options=tuple(sorted(options.items())),
    )


def model_of(module=None, *, form=Format.TORCH_MODULE, files=()):
    return LoadedModel(
        network=module,
        format=form,
        inputs=None,
        source="",
        weights="",
        files=tuple(map(str, files)),
    )


def net():
    torch.manual_seed(0)
    return Net().eval()


def images(*shape):
    shape = shape or (2, 3, 12, 10)
    generator = torch.Generator().manual_seed(1)
    tensor = torch.randn(*shape, generator=generator)
    return Inputs(args=(tensor.numpy(),), shape="x".join(map(str, shape)))


def output(made, inputs):
    with made.running():
        return torch.as_tensor(made.outputs(made.bind(inputs)()))


@torch.no_grad()
def eager(module, inputs):
    return module(*map(torch.as_tensor, inputs.args))


def refused(words):
    return pytest.raises(WorkloadError, match=words)


@pytest.mark.runtimes
@pytest.mark.parametrize("options", [{}, {"freezing": "on", "memory_format": "channels_last"}])
def test_it_gives_what_eager_mode_gives_at_every_shape(backend, options):
    made = backend.load(model_of(net()), variant(**options), device="cpu")
    for shape in ((2, 3, 12, 10), (1, 3, 12, 10)):
        wanted = eager(net(), images(*shape))
        torch.testing.assert_close(output(made, images(*shape)), wanted, rtol=1e-4, atol=1e-5)
        assert [one for one in made.remarks(images(*shape)) if "memory" not in one] == []


@pytest.mark.runtimes
def test_what_was_compiled_for_another_module_of_its_class_is_not_used(backend):
    for options in ({}, {"freezing": "on"}):
        made = backend.load(model_of(torch.nn.Linear(3, 3)), variant(**options), device="cpu")
        output(made, images(2, 3))
        assert not any("nothing was compiled" in one for one in made.remarks(images(2, 3)))


@pytest.mark.runtimes
def test_a_dynamic_one_compiles_once_for_many_shapes(backend):
    from torch._dynamo.utils import counters

    made = backend.load(model_of(net()), variant(dynamic="true"), device="cpu")
    output(made, images(2, 3, 12, 10))
    before = counters["stats"]["unique_graphs"]
    for size in (14, 16, 18):
        output(made, images(3, 3, size, size))
    assert counters["stats"]["unique_graphs"] == before


@pytest.mark.runtimes
def test_bf16_is_that_of_the_converted_module(backend):
    made = backend.load(model_of(torch.nn.Linear(3, 3)), variant("bf16"), device="cpu")
    call = made.bind(images(2, 3))
    with made.running():
        assert call().dtype == torch.bfloat16


@pytest.mark.runtimes
def test_a_broken_graph_is_told_with_its_reason(backend):
    made = backend.load(model_of(Breaks()), variant(), device="cpu")
    output(made, images(2, 3))
    assert any(
        "broke the graph" in one and "graph_break" in one for one in made.remarks(images(2, 3))
    )


def test_code_that_runs_eagerly_is_told(backend):
    made = backend.load(model_of(Eager()), variant(), device="cpu")
    output(made, images(2, 3))
    (remark,) = made.remarks(images(2, 3))
    assert "nothing was compiled" in remark


@pytest.fixture
def counters(monkeypatch):
    """The compiler's counters, which a test may raise."""
    found = {name: Counter() for name in ("frames", "graph_break", "stats", "inductor")}
    monkeypatch.setattr("inferometer.backends.torch.compilation.counters", found)
    return found


def compilation(module=None):
    from inferometer.backends.torch.compilation import Compilation

    return Compilation(module or net())


def test_a_function_that_was_not_compiled_is_told(counters):
    watched = compilation()
    counters["stats"]["unique_graphs"] = 1
    counters["frames"].update(total=3, ok=1)
    assert any("2 functions were not compiled" in one for one in watched.remarks("a"))


def test_compiling_again_for_the_same_shape_is_told_and_for_another_is_not(counters):
    watched = compilation()
    for graphs, shape, again in ((2, "a", False), (4, "b", False), (5, "b", True)):
        counters["stats"]["unique_graphs"] = graphs
        assert any("again" in one for one in watched.remarks(shape)) is again


def test_what_the_compiler_gives_up_is_unsupported_and_never_eager(backend):
    def breaks_down(*_):
        raise NotImplementedError("no such kernel")

    compiled = torch.compile(net(), backend=breaks_down)
    with torch.no_grad(), pytest.raises(torch._dynamo.exc.BackendCompilerFailed) as caught:
        compiled(torch.ones(1, 3, 8, 8))
    assert backend.classify(caught.value) == "unsupported"


def test_a_sweep_of_many_shapes_is_never_given_up_for_eager_mode(backend):
    def as_it_is(graph, _):
        return graph.forward

    assert torch._dynamo.config.recompile_limit > 1000
    torch._dynamo.config.recompile_limit = 2
    compiled = torch.compile(torch.nn.Linear(3, 3), backend=as_it_is, dynamic=False)
    with torch.no_grad():
        compiled(torch.ones(2, 3))
        compiled(torch.ones(3, 3))
        with pytest.raises(torch._dynamo.exc.FailOnRecompileLimitHit) as caught:
            compiled(torch.ones(4, 3))
    assert backend.classify(caught.value) == "unsupported"


def test_without_a_compiler_it_is_unsupported_and_says_what_to_do(backend, monkeypatch):
    def search():
        raise RuntimeError("no g++")

    monkeypatch.setattr("torch._inductor.cpp_builder.get_cpp_compiler", search)
    with refused(r"apt install g\+\+") as caught:
        backend.load(model_of(net()), variant(), device="cpu")
    assert caught.value.kind == "unsupported"


def test_where_it_is_switched_off_it_is_unsupported(backend):
    with torch._dynamo.config.patch(disable=True), refused("TORCH_COMPILE_DISABLE"):
        backend.load(model_of(net()), variant(), device="cpu")


def test_operations_are_counted_in_the_module_and_no_profile_is_offered(backend):
    module = net()
    made = backend.load(model_of(module), variant(), device="cpu")
    assert isinstance(made, SupportsOperations)
    assert made.network is module
    assert not isinstance(made, SupportsProfile)
    assert made.gradient_trial() is None
    assert made.gradient_mode == "no_grad"


def test_int8_alone_is_prepared():
    backend = TorchCompileBackend()
    assert isinstance(backend, SupportsPreparation)
    assert backend.preparation(Format.TORCH_MODULE, variant("bf16")) is None
    static = backend.preparation(Format.TORCH_MODULE, variant("int8"))
    assert (static.wants, static.calibrates) == (Format.EXPORTED_PROGRAM, True)
    dynamic = backend.preparation(Format.TORCH_MODULE, variant("int8", quantization="dynamic"))
    assert not dynamic.calibrates


@pytest.mark.parametrize(
    ("precision", "options", "words"),
    [
        ("int8", {"freezing": "off"}, "leave out freezing=off"),
        ("fp32", {"quantization": "dynamic"}, "is for int8"),
        ("fp32", {"mode": "fast"}, "mode takes default"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_done(precision, options, words):
    with refused(words) as caught:
        TorchCompileBackend().preparation(Format.TORCH_MODULE, variant(precision, **options))
    assert caught.value.kind == "unsupported"


def test_int8_of_a_module_that_was_not_prepared_is_refused(backend):
    with refused("what it prepared"):
        backend.load(model_of(net()), variant("int8"), device="cpu")


@pytest.fixture
def program(tmp_path):
    """The path of a network as an exported program with open axes."""

    def save(module=None, example=None):
        args = (torch.randn(2, 3, 12, 10),) if example is None else example
        axes = {at: torch.export.Dim.AUTO for at in range(args[0].dim()) if at != 1}
        exported = torch.export.export(module or net(), args, dynamic_shapes=(axes,))
        torch.export.save(exported, tmp_path / "source.pt2")
        return model_of(form=Format.EXPORTED_PROGRAM, files=[tmp_path / "source.pt2"])

    return save


def on_x86(monkeypatch, machine="x86_64"):
    pytest.importorskip("torchao")
    monkeypatch.setattr("platform.machine", lambda: machine)


def prepared(backend, model, into, **options):
    made = into / "made"
    made.mkdir()
    samples = [images(1, 3, 12, 10)] * 2 if not options else []
    return backend.prepare(model, variant("int8", **options), samples=samples, into=made)


@pytest.mark.runtimes
def test_int8_runs_in_int8_kernels_and_gives_nearly_the_same(
    backend, program, tmp_path, monkeypatch
):
    on_x86(monkeypatch)
    artifact = prepared(backend, program(), tmp_path)
    assert artifact.format is Format.EXPORTED_PROGRAM
    (left,) = [note for note in artifact.notes if "fp32" in note]
    assert left == "1 of 4 convolutions and linear layers stay in fp32: conv_transpose2d"
    model = model_of(form=artifact.format, files=artifact.files)
    made = backend.load(model, variant("int8"), device="cpu")
    for shape, left in (((2, 3, 12, 10), []), ((1, 3, 16, 16), ["1 of 3"])):
        given, wanted = output(made, images(*shape)), eager(net(), images(*shape))
        cosine = torch.nn.functional.cosine_similarity(given.flatten(), wanted.flatten(), dim=0)
        assert cosine > 0.98
        # Inductor takes the product of one row with a small matrix apart, before it sees int8
        assert [one[:6] for one in made.remarks(images(*shape)) if "in fp32" in one] == left


def test_dynamic_int8_quantises_linear_layers_alone(backend, program, tmp_path, monkeypatch):
    on_x86(monkeypatch)
    artifact = prepared(backend, program(), tmp_path, quantization="dynamic")
    assert any("3 of 4" in note for note in artifact.notes)


def test_what_has_nothing_to_quantise_is_refused(backend, program, tmp_path, monkeypatch):
    on_x86(monkeypatch)
    with refused("leaves all of this model in fp32"):
        prepared(backend, program(torch.nn.ReLU()), tmp_path)


def test_int8_for_another_processor_is_refused(backend, program, tmp_path, monkeypatch):
    on_x86(monkeypatch, "aarch64")
    with refused("this is a aarch64"):
        prepared(backend, program(), tmp_path)


def test_int8_kernels_that_are_missing_are_counted(
    counters, program, tmp_path, monkeypatch, backend
):
    on_x86(monkeypatch)
    artifact = prepared(backend, program(), tmp_path, quantization="dynamic")
    watched = compilation(torch.export.load(artifact.files[0]).module())
    counters["stats"]["unique_graphs"] = 1
    assert any("1 of 1 quantised operators run in fp32" in one for one in watched.remarks("a"))
    counters["inductor"]["qlinear_unary_lower_count"] = 1
    counters["stats"]["unique_graphs"] = 2
    assert not any("run in fp32" in one for one in watched.remarks("b"))
