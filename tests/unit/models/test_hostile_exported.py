"""Archives of `torch.export` that would run code: each way in, tried."""

from __future__ import annotations

import json
import shutil

import pytest
from tests.unit.models.hostile import Archive, Payload, code, pickled, saved

from inferometer.core.errors import WorkloadError
from inferometer.models import load

torch = pytest.importorskip("torch")

PROGRAM = "models/model.json"
WEIGHTS = "data/weights/model_weights_config.json"
CONSTANTS = "data/constants/model_constants_config.json"


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 4)
        self.shift = torch.arange(4.0)

    def forward(self, x, word="plain"):
        return self.layer(x) + self.shift


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "good.pt2"
    batch = torch.export.Dim("batch", min=2, max=64)
    program = torch.export.export(
        Net().eval(), (torch.ones(2, 4), "plain"), dynamic_shapes=({0: batch}, None)
    )
    torch.export.save(program, path)
    return path


@pytest.fixture
def archive(good, tmp_path):
    path = tmp_path / "evil.pt2"
    shutil.copy(good, path)
    return Archive(path)


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "executed"


def load_and_call(path) -> None:
    model = load(str(path), seed=0)
    inputs = model.inputs.make(batch_size=2, input_size=None, seed=0)
    model.network(*inputs.args, **inputs.kwargs)


def refusal(archive, marker) -> str:
    """What is said of an archive; whatever it would run has not run."""
    path = archive.write()
    try:
        with pytest.raises(WorkloadError) as caught:
            load_and_call(path)
    finally:
        assert not marker.exists(), "code in the file has run"
    assert caught.value.kind == "bad_model"
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_good_one_loads(archive):
    model = load(str(archive.write()), seed=0)
    inputs = model.inputs.make(batch_size=3, input_size=None, seed=0)
    assert model.network(*inputs.args, **inputs.kwargs).shape == (3, 4)


class TestPickles:
    def test_example_inputs(self, archive, marker):
        archive["data/sample_inputs/model.pt"] = saved(((Payload(marker),), {}))
        assert "?pickle=yes" in refusal(archive, marker)

    def test_example_inputs_of_a_bare_pickle(self, archive, marker):
        archive["data/sample_inputs/model.pt"] = pickled(((Payload(marker),), {}))
        assert "?pickle=yes" in refusal(archive, marker)

    def test_those_of_a_second_model(self, archive, marker):
        archive["models/other.json"] = archive[PROGRAM]
        for name in (WEIGHTS, CONSTANTS):
            archive[name.replace("model_", "other_")] = archive[name]
        archive["data/sample_inputs/other.pt"] = saved(((Payload(marker),), {}))
        assert "?pickle=yes" in refusal(archive, marker)

    def test_it_loads_where_it_is_trusted(self, archive, marker):
        archive["data/sample_inputs/model.pt"] = saved(((Payload(marker),), {}))
        with pytest.raises(WorkloadError):  # the payload is no tensor
            load(f"{archive.write()}?pickle=yes", seed=0)
        assert marker.exists()  # so the payload is one, and what refuses it is not chance

    @pytest.mark.parametrize(("name", "folder"), [(WEIGHTS, "weights"), (CONSTANTS, "constants")])
    def test_a_tensor_that_says_it_is_a_pickle(self, archive, marker, name, folder):
        listed = archive.document(name)
        first = next(iter(listed["config"].values()))
        first["use_pickle"] = True
        archive[name] = json.dumps(listed).encode()
        archive[f"data/{folder}/{first['path_name']}"] = saved(Payload(marker))
        assert "?pickle=yes" in refusal(archive, marker)

    @pytest.mark.parametrize("prefix", ["custom_obj_", "opaque_obj_"])
    def test_objects(self, archive, marker, prefix):
        listed = archive.document(CONSTANTS)
        listed["config"]["thing"] = {
            "path_name": f"{prefix}0",
            "is_param": False,
            "use_pickle": True,
            "tensor_meta": None,
        }
        archive[CONSTANTS] = json.dumps(listed).encode()
        archive[f"data/constants/{prefix}0"] = pickled(Payload(marker))
        assert "?pickle=yes" in refusal(archive, marker)

    @pytest.mark.parametrize("folder", ["weights", "constants"])
    def test_the_form_of_before_inside_of_a_new_archive(self, archive, marker, folder):
        archive[f"data/{folder}/model.pt"] = saved({"layer.weight": Payload(marker)})
        assert "?pickle=yes" in refusal(archive, marker)

    @pytest.mark.parametrize(
        "member", ["serialized_state_dict", "serialized_constants", "serialized_example_inputs"]
    )
    @pytest.mark.parametrize("suffix", [".pt", ".json"])
    def test_archives_of_older_releases(self, archive, marker, member, suffix):
        members = {
            "version": b"8.8",
            "serialized_exported_program.json": archive[PROGRAM],
            "serialized_state_dict.pt": saved({}),
            "serialized_constants.pt": saved({}),
            "serialized_example_inputs.pt": saved(((torch.ones(2, 4),), {})),
        }
        members.pop(f"{member}.pt")
        archive.members = {**members, f"{member}{suffix}": saved({"a": Payload(marker)})}
        assert "?pickle=yes" in refusal(archive, marker)


def test_compiled_libraries(archive, marker):
    archive["data/aotinductor/model/model.so"] = b"\x7fELF"
    archive["data/aotinductor/model/metadata.json"] = b"{}"
    assert "data/aotinductor" in refusal(archive, marker)


def change(archive, edit) -> None:
    document = archive.document()
    edit(document, document["graph_module"])
    archive[PROGRAM] = json.dumps(document).encode()


def everywhere(value, old, new):
    """A document in which a text is another."""
    return json.loads(json.dumps(value).replace(json.dumps(old), json.dumps(new)))


class TestPrograms:
    """The program is JSON, of which torch makes Python code."""

    def test_lengths_of_axes(self, archive, marker):
        def edit(document, module):
            values = module["graph"]["tensor_values"]
            lengths = [one for value in values.values() for one in value["sizes"]]
            next(one for one in lengths if "as_expr" in one)["as_expr"]["expr_str"] = code(marker)

        change(archive, edit)
        refusal(archive, marker)

    @pytest.mark.parametrize(
        "text",
        [
            "Max(1, '{code}')",
            "Symbol('{code}')",
            "(lambda: {code})()",
            "[{code}]",
            "().__class__",
            "Integer('{code}')",
            "2**2**2**2**2**2",
            "Pow(Integer(10), Pow(Integer(10), Integer(10)))",
            "LShift(1, 10000000000)",
            "factorial(10**9)",
            "s0!",
        ],
    )
    def test_formulas(self, archive, marker, text):
        text = text.replace("{code}", code(marker).replace("'", '"'))
        change(archive, lambda document, module: module["graph"]["sym_int_values"].update(
            made={"as_expr": {"expr_str": text, "hint": {"as_int": 4}}}
        ))  # fmt: skip
        refusal(archive, marker)

    @pytest.mark.parametrize(
        "guard",
        [
            "{code}",
            "L['x'].size()[0] == 2 or {code}",
            "True, 0); {code}; torch._assert(True",
            "L['x'].__class__",
            "torch.os.mkdir('{marker}')",
            "math.__loader__.load_module('os')",
            "[{code} for _ in (1,)]",
        ],
    )
    def test_conditions(self, archive, marker, guard):
        guard = guard.replace("{code}", code(marker)).replace("{marker}", str(marker))
        change(archive, lambda document, module: document["guards_code"].append(guard))
        refusal(archive, marker)

    @pytest.mark.parametrize(
        "target",
        [
            "torch.os.mkdir",
            "torch.os.system",
            "_operator.methodcaller",
            "_operator.attrgetter",
            "math.__loader__.load_module",
            "torch.ops.load_library",
            "torch.ops.aten.from_file.default",
            "torch.ops.aten.save.default",
            "torch.ops.debugprims.load_tensor.default",
            "torch.ops.image.write_file.default",
            "torch.ops.higher_order.aoti_call_delegate",
            "torch.hub.load",
            "torch.load",
            "#backend:anything",
        ],
    )
    @pytest.mark.parametrize("place", ["target", "as_operator"])
    def test_operators(self, archive, marker, target, place):
        def edit(document, module):
            node = module["graph"]["nodes"][-1]
            argument = {"name": "path", "arg": {"as_string": str(marker)}, "kind": 1}
            if place == "target":
                node.update(target=target, inputs=[argument])
            else:
                node["inputs"].append({"name": "op", "arg": {"as_operator": target}, "kind": 1})

        change(archive, edit)
        assert "?pickle=yes" in refusal(archive, marker)

    def test_names_of_values(self, archive, marker):
        document = archive.document()
        old = document["graph_module"]["graph"]["nodes"][0]["outputs"][0]["as_tensor"]["name"]
        evil = f"a=0; {code(marker)}; b"
        archive[PROGRAM] = json.dumps(everywhere(document, old, evil)).encode()
        assert "?pickle=yes" in refusal(archive, marker)

    def test_names_of_nodes(self, archive, marker):
        evil = f"a=0; {code(marker)}; b"
        change(archive, lambda _, module: module["graph"]["nodes"][0].update(name=evil))
        assert "?pickle=yes" in refusal(archive, marker)

    def test_names_of_inputs(self, archive, marker):
        document = archive.document()
        evil = f"x={code(marker)}"
        archive[PROGRAM] = json.dumps(everywhere(document, "x", evil)).encode()
        assert "?pickle=yes" in refusal(archive, marker)

    def test_names_of_arguments(self, archive, marker):
        evil = f"x={code(marker)}"
        call = lambda module: module["module_call_graph"][0]["signature"]  # noqa: E731
        change(archive, lambda _, module: call(module).update(forward_arg_names=[evil, "word"]))
        assert "?pickle=yes" in refusal(archive, marker)

    def test_names_of_weights(self, archive, marker):
        evil = f'layer.a", {code(marker)}).b'
        for name in (PROGRAM, WEIGHTS):
            archive[name] = json.dumps(
                everywhere(archive.document(name), "layer.weight", evil)
            ).encode()
        assert "?pickle=yes" in refusal(archive, marker)

    def test_texts_that_an_input_has_to_be(self, archive, marker):
        document = archive.document()
        evil = f"' or {code(marker)} or '"
        archive[PROGRAM] = json.dumps(everywhere(document, "plain", evil)).encode()
        assert "?pickle=yes" in refusal(archive, marker)

    def test_a_text_in_the_place_of_a_number(self, archive, marker):
        def edit(document, module):
            next(iter(document["range_constraints"].values()))["min_val"] = code(marker)

        change(archive, edit)
        assert "?pickle=yes" in refusal(archive, marker)

    def test_a_number_that_would_be_counted_up_to(self, archive, marker):
        span = {"min_val": 0, "max_val": 5}
        change(
            archive, lambda document, _: document["range_constraints"].update(u999999999999=span)
        )
        refusal(archive, marker)

    def test_objects_of_compiled_classes(self, archive, marker):
        evil = {"as_custom_obj": {"name": "thing", "class_fqn": "__torch__.torch.classes.a.B"}}
        change(archive, lambda _, module: module["graph"]["nodes"][0]["inputs"].append(
            {"name": "x", "arg": evil, "kind": 1}
        ))  # fmt: skip
        refusal(archive, marker)


def spec(kind, context, children=()):
    return {"type": kind, "context": context, "children_spec": list(children)}


class TestContainers:
    """How arguments are nested: torch imports modules that such a description names."""

    @pytest.fixture
    def module(self, tmp_path, marker, monkeypatch):
        (tmp_path / "evil_module.py").write_text(
            f"import os\nos.mkdir({str(marker)!r})\nimport enum\nclass E(enum.Enum):\n    A = 1\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        return "evil_module"

    def refused(self, archive, marker, tree) -> None:
        signature = "out_spec"
        text = json.dumps([1, tree])
        change(archive, lambda _, module: module["module_call_graph"][0]["signature"].update(
            {signature: text}
        ))  # fmt: skip
        assert "?pickle=yes" in refusal(archive, marker)

    def test_enumerations(self, archive, marker, module):
        keys = json.dumps([{"__enum__": True, "fqn": f"{module}:E", "name": "A"}])
        leaf = spec(None, None)
        self.refused(archive, marker, spec("builtins.dict", keys, [leaf]))

    def test_default_factories(self, archive, marker, module):
        context = {
            "default_factory_module": module,
            "default_factory_name": "E",
            "dict_context": ["a"],
        }
        leaf = spec(None, None)
        self.refused(archive, marker, spec("collections.defaultdict", context, [leaf]))

    def test_keys(self, archive, marker):
        keys = json.dumps([f"a': {code(marker)}, 'b"])
        leaf = spec(None, None)
        self.refused(archive, marker, spec("builtins.dict", keys, [leaf]))

    def test_depth(self, archive, marker):
        tree = spec(None, None)
        for _ in range(400):
            tree = spec("builtins.list", "null", [tree])
        self.refused(archive, marker, tree)


class TestSizes:
    def test_a_weight_that_is_not_stored(self, archive, marker):
        listed = archive.document(WEIGHTS)
        one = next(iter(listed["config"].values()))
        one["tensor_meta"]["sizes"] = [{"as_int": 10**6}, {"as_int": 10**6}]
        archive[WEIGHTS] = json.dumps(listed).encode()
        archive[f"data/weights/{one['path_name']}"] = b""
        assert "elements" in refusal(archive, marker)

    def test_a_weight_that_is_a_number_repeated(self, archive, marker):
        listed = archive.document(WEIGHTS)
        one = next(iter(listed["config"].values()))["tensor_meta"]
        one["sizes"] = [{"as_int": 10**6}, {"as_int": 10**6}]
        one["strides"] = [{"as_int": 0}, {"as_int": 0}]
        archive[WEIGHTS] = json.dumps(listed).encode()
        assert "elements" in refusal(archive, marker)

    def test_a_program_nested_without_end(self, archive, marker):
        archive[PROGRAM] = b'{"graph_module":' + b"[" * 100_000
        refusal(archive, marker)
