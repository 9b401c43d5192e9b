"""A live module is after `measure` and `cost` as if nobody had looked: it equals a twin's."""

from __future__ import annotations

import random
import sys
import weakref
from collections import OrderedDict, deque
from contextlib import suppress
from functools import singledispatch
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import FunctionType, MethodType

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import inferometer as im
from inferometer.core.errors import WorkloadError

torch = pytest.importorskip("torch")

QUICK = {
    "min_rounds": 2, "min_calls": 10, "round_s": 0.01, "span_s": 0, "max_time_s": 0.2, "target": 0.9
}  # fmt: skip
ROWS = 4


def opened(name):
    """The module of a file of cases."""
    path = Path(__file__).parents[1] / "models" / "cases" / f"{name}.py"
    spec = spec_from_file_location(f"cases_{name}", path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


AWKWARD = opened("awkward")


@pytest.fixture(scope="module", autouse=True)
def _made_anew(few_objects):
    """What the file of the parts holds is among the objects that are walked over."""
    AWKWARD.__spec__.loader.exec_module(AWKWARD)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def generators():
    """States of the global random generators."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002 - the global one
    return [torch.get_rng_state().tolist(), random.getstate(), name, keys.tolist(), rest]


def seed(value):
    torch.manual_seed(value)
    random.seed(value)
    np.random.seed(value)  # noqa: NPY002 - the global one


def portrait(value):
    """All that a value holds, bit for bit, by its path; of what is shared, where it was first."""
    seen = {}

    def drawn(one, path):
        if isinstance(one, ATOMS):
            yield path, one
        elif id(one) in seen:
            yield path, f"is {seen[id(one)][0]}"
        else:
            seen[id(one)] = path, one  # alive: nothing else gets its id
            lines, below = look(one)
            yield path, (type(one).__name__, *lines)
            for step, part in below:
                yield from drawn(part, f"{path}.{step}")

    return dict(drawn(value, ""))


ATOMS = (type(None), bool, int, float, str, bytes, type, torch.Size, torch.dtype, torch.device)


@singledispatch
def look(value):
    """What a value shows, and its parts: by default attributes, those in slots too."""
    slots = getattr(type(value), "__slots__", ())
    named = [(name, getattr(value, name)) for name in slots]
    return (), named + list(getattr(value, "__dict__", {}).items())


@look.register
def _(value: torch.Tensor):
    about = value.dtype, value.shape, value.requires_grad, value.is_inference(), value.is_leaf
    places = (value.device.type,)
    bits = () if value.is_meta else (value.detach().numpy().tobytes(),)
    return (*about, *places, *bits), [("grad", value.grad)] if value.is_leaf else []


@look.register
def _(value: dict):
    named = [(str(key), part) for key, part in value.items()]
    if isinstance(value, OrderedDict) and value and all(isinstance(key, int) for key in value):
        named = [
            (f"{place}th", part) for place, (_, part) in enumerate(named)
        ]  # hooks are numbered
    return tuple(name for name, _ in named), named


@look.register(list)
@look.register(tuple)
@look.register(deque)
def _(value):
    return (len(value), getattr(value, "maxlen", None)), list(enumerate(value))


@look.register(set)
@look.register(frozenset)
def _(value):
    return tuple(sorted(map(str, value))), []


@look.register(FunctionType)
@look.register(MethodType)
def _(value):
    """The names of functions, and what they close over."""
    cells = getattr(value, "__func__", value).__closure__ or ()
    return (value.__qualname__,), [(str(i), cell.cell_contents) for i, cell in enumerate(cells)]


@look.register
def _(value: weakref.ref):
    return (), [("to", value())]


@look.register
def _(value: random.Random):
    return (value.getstate(),), []


@look.register
def _(value: torch.Generator):
    return (value.get_state().numpy().tobytes(),), []


@look.register
def _(value: np.random.Generator):
    return (str(value.bit_generator.state),), []


@look.register(np.ndarray)
@look.register(bytearray)
def _(value):
    return (bytes(value),), []


def assert_equal(one, other):
    """Two portraits are the same; the message says where they are not."""
    assert {
        path: (line, other.get(path))
        for path, line in one.items()
        if other.get(path, "none") != line
    } == {}
    assert one.keys() == other.keys()


class Trained:
    """A network with its optimiser, and what its training steps showed."""

    def __init__(self, names, kind):
        self.network = AWKWARD.Awkward(names).train()
        self.rows = torch.linspace(-1, 1, ROWS * AWKWARD.WIDTH).reshape(ROWS, -1)
        self.kind, self.losses = kind, []
        self.optimiser = torch.optim.SGD(self.network.parameters(), lr=0.1, momentum=0.9)

    def inputs(self):
        return AWKWARD.INPUTS[self.kind](self.rows)

    def step(self, number):
        seed(number)
        (given,) = arguments(AWKWARD.INPUTS[self.kind](self.rows.clone()))
        loss = self.network(given).square().mean()
        loss.backward()
        self.optimiser.step()
        self.losses.append(loss.detach())
        # the gradients stay for the next step: they too are the user's


def arguments(inputs):
    """The arguments of the call that `measure` makes of inputs."""
    if isinstance(inputs, dict):
        return tuple(inputs.values()) if "batch" in inputs else (inputs,)
    return inputs if isinstance(inputs, tuple) else (inputs,)


LOOKS = {
    "measure": lambda network, inputs: im.measure(network, inputs, **QUICK),
    "cost": im.cost,
    "cost of a real call": lambda network, inputs: im.cost(network, inputs, may_run=True),
}


def looked_at(look, twin):
    """Look at a network; that works, except that not every one can be counted without a call."""
    if look != "cost":
        LOOKS[look](twin.network, twin.inputs())
        return
    with suppress(WorkloadError):
        im.cost(twin.network, twin.inputs())


def assert_left_as_it_was(names, kind, looks, *, steps_before):
    AWKWARD.forget()
    watched, twin = Trained(names, kind), Trained(names, kind)
    for number in range(steps_before):
        watched.step(number)
        twin.step(number)
    rows = watched.rows.clone()
    seed(77)
    before = generators()
    for look in looks:
        looked_at(look, watched)
    assert generators() == before
    assert torch.equal(watched.rows, rows), "the user's input"
    assert_equal(portrait(watched.network), portrait(twin.network))
    for number in range(10, 13):
        watched.step(number)
        twin.step(number)
    assert all(map(torch.equal, watched.losses, twin.losses))
    assert_equal(portrait(watched.network), portrait(twin.network))


@pytest.mark.parametrize("part", sorted(AWKWARD.PARTS))
@pytest.mark.parametrize("steps_before", [0, 1])
def test_each_part_is_left_as_it_was(part, steps_before):
    looks = ("cost", "measure", "cost of a real call")
    assert_left_as_it_was([part], "tensor", looks, steps_before=steps_before)


@pytest.mark.parametrize("kind", sorted(AWKWARD.INPUTS))
def test_inputs_are_left_as_they_were(kind):
    assert_left_as_it_was(["ChangesItsInput"], kind, ["cost", "measure"], steps_before=0)


@settings(deadline=None, max_examples=15)
@given(
    names=st.lists(st.sampled_from(sorted(AWKWARD.PARTS)), min_size=2, max_size=5),
    kind=st.sampled_from(sorted(AWKWARD.INPUTS)),
    looks=st.lists(st.sampled_from(sorted(LOOKS)), min_size=1, max_size=2),
    steps_before=st.integers(0, 1),
)
@example(
    names=["OwnCache", "CacheOfAFunction", "CountsInABuffer", "Hooked", "GlobalRandom"],
    kind="dataclass",
    looks=["measure", "cost"],
    steps_before=1,
)
def test_a_network_of_awkward_parts_trains_on_as_its_twin_does(names, kind, looks, steps_before):
    assert_left_as_it_was(names, kind, looks, steps_before=steps_before)
