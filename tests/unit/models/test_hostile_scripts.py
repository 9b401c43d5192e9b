"""TorchScript files whose code would reach for files."""

from __future__ import annotations

import os
import warnings

import pytest
from tests.unit.models.hostile import Archive, Payload, pickled

from inferometer.core.errors import WorkloadError
from inferometer.models import load
from inferometer.models.guards.script import reaches

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

FORWARD = "    return x\n"


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.ReLU())

    def forward(self, x):
        return torch.nn.functional.gelu(self.inner(x)) + torch.bmm(x[None], x[None].mT)[0].sum()


class Plain(torch.nn.Module):
    def forward(self, x):
        return x


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "written"


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "evil.pt"
    torch.jit.script(Plain().eval()).save(str(path))
    return Archive(path)


def with_code(archive, lines) -> Archive:
    [name] = [name for name in archive.members if name.endswith(".py")]
    code = archive.members[name].decode()
    assert FORWARD in code
    archive.members[name] = code.replace(FORWARD, f"    {lines}\n{FORWARD}").encode()
    return archive


def refusal(archive, marker) -> str:
    path = archive.write()
    try:
        with pytest.raises(WorkloadError) as caught:
            load(f"{path}?input=3", seed=0).network(torch.ones(1, 3))
    finally:
        assert not marker.exists(), "code in the file has written a file"
    assert caught.value.kind == "bad_model"
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_good_one_loads_and_runs(tmp_path):
    torch.jit.script(Net().eval()).save(str(tmp_path / "good.pt"))
    model = load(f"{tmp_path / 'good.pt'}?input=3", seed=0)
    assert model.network(torch.ones(2, 3)).shape == (2, 3)


WRITING = [
    'torch.save(x, "{marker}")',
    'x.save("{marker}")',
    'ops.aten.save(x, "{marker}")',
    'getattr(torch, "save")(x, "{marker}")',
    'getattr(torch, "s\\x61ve")(x, "{marker}")',
    'getattr(torch, "sa" "ve")(x, "{marker}")',
    'y = torch.from_file("{marker}", True, 4)',
]


@pytest.mark.parametrize("line", WRITING)
def test_operators_that_write_files(archive, marker, line):
    said = refusal(with_code(archive, line.replace("{marker}", str(marker))), marker)
    assert "?pickle=yes" in said


def test_the_user_may_trust_it(archive, marker):
    path = with_code(archive, f'torch.save(x, "{marker}")').write()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        load(f"{path}?input=3&pickle=yes", seed=0).network(torch.ones(1, 3))
    assert marker.exists()  # so the exploit is one


class AtLoading(torch.nn.Module):
    """Its code runs when the file is loaded."""

    def __init__(self):
        super().__init__()
        self.a = torch.ones(1)

    @torch.jit.export
    def __getstate__(self):
        return (self.a, self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, bool]):
        self.a = state[0]
        self.training = state[1]

    def forward(self, x):
        return x


def test_code_that_runs_while_it_is_loaded(tmp_path, marker):
    torch.jit.script(AtLoading()).save(str(tmp_path / "evil.pt"))
    archive = Archive(tmp_path / "evil.pt")
    [name] = [name for name in archive.members if name.endswith(".py")]
    state = "    self.a = (state)[0]\n"
    code = archive.members[name].decode()
    assert state in code
    evil = f'{state}    torch.save(self.a, "{marker}")\n'
    archive.members[name] = code.replace(state, evil).encode()
    assert "?pickle=yes" in refusal(archive, marker)


def test_pickles_in_it(archive, marker):
    for name in ("data.pkl", "constants.pkl"):
        archive[name] = pickled(Payload(marker))
        refusal(archive, marker)


def test_the_format_of_before(archive, marker):
    archive["model.json"] = b"{}"
    assert "torch 1.0" in refusal(archive, marker)


def test_objects_of_compiled_classes(archive, marker):
    archive["data.pkl"] = b"c__torch__.torch.classes.c10d\nProcessGroup\n)\x81."
    assert "compiled class" in refusal(archive, marker)


@pytest.mark.parametrize(
    "code",
    [
        "o = ops\n",
        "ops.image.write_file(x)",
        "ops . image . write_file(x)",
        "a = ops.image",
        "f(ops)",
        "t = torch",
        "getattr(ops, 'image')",
        "c = __torch__.torch.classes",
        "__torch__.torch.classes.c10d.Work()",
        "ops",
        "x = '# ' ; y = ops.c10d.send(x)",
        '"""a""" ; ops.c10d.send',
    ],
)
def test_what_a_script_may_not_name(code):
    assert reaches(code)


@pytest.mark.parametrize(
    "code",
    [
        "x = ops.prim.data(torch.add(y, 1))",
        "self.ops.foo(x)",
        'getattr(self, "0").forward(x)',
        "# ops.image is a comment\nx = 'ops.image'",
        "__torch__.torch.nn.modules.linear.Linear",
        "__torch__.torch.classes.quantized.LinearPackedParamsBase",
        "a = 'it\\'s ops'",
    ],
)
def test_what_it_may(code):
    assert not reaches(code)


def test_a_file_like_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.pt")
    with pytest.raises(Exception, match="not an ordinary file"):
        load(str(tmp_path / "pipe.pt"), seed=0)
