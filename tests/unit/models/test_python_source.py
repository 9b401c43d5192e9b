from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.models import load


@pytest.fixture
def factory(tmp_path):
    """Write a file with a function `make`; gives the reference to it."""

    def write(body: str, before: str = "", arguments: str = "") -> str:
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        (tmp_path / "made.py").write_text(f"{before}\ndef make({arguments}):\n{lines}\n")
        return f"{tmp_path / 'made.py'}:make"

    return write


def make(model, **kwargs):
    return model.inputs.make(**{"batch_size": 2, "input_size": None, "seed": 0, **kwargs})


def test_nothing_is_left_beside_a_file(factory, tmp_path, monkeypatch):
    """Neither clutter nor bytecode that a full disk cuts, or that a quick edit makes false."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "beside.py").write_text("SCALE = 2\n")
    first = factory("return lambda x: x * SCALE", before="from beside import SCALE")
    assert load(first, seed=0).network(3) == 6
    second = factory("return lambda x: x + SCALE", before="from beside import SCALE")
    assert load(second, seed=0).network(3) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beside.py", "made.py"]


class TestCallables:
    def test_a_callable_and_its_example(self, factory):
        reference = factory(
            "import numpy as np\nreturn (lambda x: x * scale), np.ones((1, 3))",
            arguments="scale=1",
        )
        model = load(f"{reference}?scale=4", seed=0)
        assert model.source == "python"
        (batch,) = make(model).args
        np.testing.assert_array_equal(model.network(batch), np.full((2, 3), 4.0))

    def test_a_callable_that_takes_nothing(self, factory):
        model = load(factory("return lambda: 1"), seed=0)
        inputs = make(model, batch_size=1)
        assert (inputs.args, inputs.kwargs) == ((), {})
        assert inputs.batch_applied
        assert not make(model).batch_applied

    def test_a_callable_alone_gets_images(self, factory):
        model = load(factory("return lambda x: x.sum()"), seed=0)
        inputs = make(model, input_size=16)
        assert isinstance(inputs.args[0], np.ndarray)
        assert inputs.shape == "2x3x16x16"
        assert any("assumed" in note for note in model.notes)

    def test_the_input_may_be_said(self, factory):
        model = load(factory("return lambda x: x") + "?input=5", seed=0)
        assert make(model).shape == "2x5"
        assert model.notes == ()

    def test_weights_have_no_place(self, factory, tmp_path):
        (tmp_path / "w.pt").touch()
        reference = f"{factory('return lambda x: x')}?weights={tmp_path / 'w.pt'}"
        with pytest.raises(ModelReferenceError, match="weights= has no place"):
            load(reference, seed=0)

    def test_the_seed_reaches_the_generators(self, factory):
        reference = factory("value = random.random()\nreturn lambda: value", before="import random")
        first, same, other = (load(reference, seed=seed).network() for seed in (1, 1, 2))
        assert first == same != other


class TestFiles:
    def test_neighbours_can_be_imported(self, factory, tmp_path):
        (tmp_path / "beside_made.py").write_text("VALUE = 5\n")
        path = list(sys.path)
        body = "from beside_made import VALUE\nreturn lambda: VALUE"
        assert load(factory(body), seed=0).network() == 5
        assert sys.path == path

    def test_dataclasses_work_in_it(self, factory):
        before = (
            "from __future__ import annotations\nfrom dataclasses import dataclass\n"
            "@dataclass\nclass Net:\n    x: int = 3\n    def __call__(self):\n        return self.x\n"
        )
        assert load(factory("return Net()", before=before), seed=0).network() == 3

    def test_a_changed_file_is_read_again(self, factory):
        assert load(factory("return lambda: 1"), seed=0).network() == 1
        assert load(factory("return lambda: 22222"), seed=0).network() == 22222

    def test_it_finds_no_arguments_of_ours(self, factory, tmp_path, monkeypatch):
        monkeypatch.setattr(sys, "argv", ["worker", "5", "1234"])
        before = "import argparse\nparser = argparse.ArgumentParser()\n"
        before += "parser.add_argument('--width', default=3)\nWIDTH = parser.parse_args().width\n"
        reference = factory("import sys\nreturn lambda: (WIDTH, sys.argv)", before=before)
        assert load(reference, seed=0).network() == (3, ["worker", "5", "1234"])

    def test_a_class_is_a_factory(self, tmp_path):
        (tmp_path / "net.py").write_text("class Net:\n    def __call__(self):\n        return 9\n")
        assert load(f"{tmp_path / 'net.py'}:Net", seed=0).network() == 9


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("raise ValueError('out of luck')", "made.py:make: ValueError: out of luck"),
        ("raise ValueError", "ValueError$"),
        ("raise ValueError('first\\nsecond')", "ValueError: first second"),
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("return None", "gave a NoneType; a factory returns a torch.nn.Module or"),
        ("return 5, [1]", "gave a int"),
        ("return int", "gave the class int, not a model made from it"),
    ],
)
def test_what_goes_wrong_is_a_bad_model(factory, body, problem):
    with pytest.raises(WorkloadError, match=problem) as caught:
        load(factory(body), seed=0)
    assert caught.value.kind == "bad_model"


def test_a_file_that_cannot_be_run(factory):
    with pytest.raises(WorkloadError, match="SyntaxError"):
        load(factory("return", before="def ("), seed=0)


def test_unknown_options_are_the_factorys_to_refuse(factory):
    with pytest.raises(WorkloadError, match=r"TypeError: .*unexpected keyword argument 'nope'"):
        load(factory("return lambda: 1") + "?nope=1", seed=0)


def test_running_out_of_memory_is_not_the_models_fault(factory):
    with pytest.raises(MemoryError):
        load(factory("raise MemoryError"), seed=0)
    with pytest.raises(RuntimeError, match="not enough memory"):
        load(factory("raise RuntimeError('not enough memory: you tried 9 GB')"), seed=0)


def test_a_factory_that_is_not_there(factory):
    reference = factory("return lambda: 1").replace(":make", ":mack")
    with pytest.raises(ModelReferenceError, match=r"defines no 'mack' .did you mean 'make'"):
        load(reference, seed=0)


def test_a_name_that_is_no_function(factory):
    reference = factory("return 1", before="thing = 3").replace(":make", ":thing")
    with pytest.raises(ModelReferenceError, match="thing is a int, not a function"):
        load(reference, seed=0)


def test_published_weights_cannot_be_asked_for(factory):
    with pytest.raises(ModelReferenceError, match="has no pretrained weights"):
        load(factory("return lambda: 1") + "?weights=pretrained", seed=0)


def test_a_callable_loads_at_once_without_torch(factory):
    reference = factory("return lambda: 1")
    code = (
        "import sys\nfrom inferometer.models import load\n"
        f"model = load({reference!r}, seed=0)\n"
        "model.inputs.make(batch_size=1, input_size=None, seed=0)\n"
        "print(sorted({'torch', 'numpy'} & set(sys.modules)))\n"
    )
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
    assert time.perf_counter() - begin < 5  # torch alone takes longer on a slow board


class TestModules:
    @pytest.fixture(autouse=True)
    def _torch(self):
        self.torch = pytest.importorskip("torch")

    def test_a_module_alone_gets_images_of_its_channels(self, factory, run_once):
        reference = factory("import torch\nreturn torch.nn.Conv2d(4, 2, 1)")
        model = load(reference, seed=0)
        assert tuple(run_once(model, batch_size=2, input_size=8).shape) == (2, 2, 8, 8)
        assert make(model).shape == "2x4x224x224"
        assert "assumed to be images 4x224x224" in model.notes[0]
        assert model.weights == "as the factory made them, seed 0"

    def test_it_is_put_in_evaluation_mode(self, factory):
        model = load(factory("import torch\nreturn torch.nn.Dropout()"), seed=0)
        assert not model.network.training

    def test_a_module_with_an_example(self, factory, run_once):
        reference = factory("import torch\nreturn torch.nn.Linear(3, 2), torch.zeros(1, 3)")
        model = load(reference, seed=0)
        assert tuple(run_once(model, batch_size=5).shape) == (5, 2)
        assert model.notes == ()

    def test_the_input_option_wins_over_the_example(self, factory):
        reference = factory("import torch\nreturn torch.nn.ReLU(), torch.zeros(1, 3)")
        assert make(load(f"{reference}?input=7", seed=0)).shape == "2x7"

    def test_a_dict_of_inputs(self, factory, run_once):
        before = (
            "import torch\n"
            "class Net(torch.nn.Module):\n"
            "    def forward(self, ids, mask):\n"
            "        return (ids * mask).sum(1)\n"
        )
        body = "ids = torch.ones(1, 4, dtype=torch.long)\nreturn Net(), {'ids': ids, 'mask': ids}"
        model = load(factory(body, before=before), seed=0)
        assert run_once(model, batch_size=3, input_size=6).tolist() == [6, 6, 6]

    def test_the_seed_decides_the_weights(self, factory):
        reference = factory("import torch\nreturn torch.nn.Linear(3, 2)")
        first, same, other = (load(reference, seed=seed).network.weight for seed in (1, 1, 2))
        assert self.torch.equal(first, same)
        assert not self.torch.equal(first, other)

    def test_weights_from_a_file(self, factory, tmp_path):
        self.torch.save({"weight": self.torch.ones(2, 3)}, tmp_path / "w.pt")
        reference = factory("import torch\nreturn torch.nn.Linear(3, 2, bias=False)")
        model = load(f"{reference}?weights={tmp_path / 'w.pt'}", seed=0)
        assert model.weights == "file w.pt"
        assert bool((model.network.weight == 1).all())

    def test_weights_from_a_file_after_a_change_of_folder(self, factory, tmp_path, monkeypatch):
        self.torch.save({"weight": self.torch.ones(2, 3)}, tmp_path / "w.pt")
        (tmp_path / "other").mkdir()
        monkeypatch.chdir(tmp_path)
        body = f"import os, torch\nos.chdir({str(tmp_path / 'other')!r})\n"
        reference = factory(body + "return torch.nn.Linear(3, 2, bias=False)")
        model = load(f"{reference}?weights=w.pt", seed=0)
        assert bool((model.network.weight == 1).all())
        assert model.files == (str(tmp_path / "w.pt"),)

    def test_threads_between_operators_that_cannot_be_set_any_more(self, factory):
        """Torch takes them once; a worker has given them before it runs the file."""
        held = self.torch.get_num_interop_threads()
        with suppress(RuntimeError):
            self.torch.set_num_interop_threads(held)
        body = "import torch\ntorch.set_num_interop_threads({})\nreturn torch.nn.ReLU()"
        said = f"the model's code asked for {held + 3} threads between operators; {held} held"
        plain = self.torch.set_num_interop_threads
        assert said in load(factory(body.format(held + 3)), seed=0).notes
        assert not any("between" in note for note in load(factory(body.format(held)), seed=0).notes)
        assert self.torch.set_num_interop_threads is plain

    def test_lazy_parameters_are_refused(self, factory):
        with pytest.raises(WorkloadError, match="lazy parameters") as caught:
            load(factory("import torch\nreturn torch.nn.LazyLinear(3)"), seed=0)
        assert caught.value.kind == "bad_model"

    def test_other_precisions_are_noted(self, factory):
        model = load(factory("import torch\nreturn torch.nn.Linear(3, 2).half()"), seed=0)
        assert "some parameters are float16 as loaded" in model.notes
