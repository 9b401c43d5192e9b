"""Files of weights, archives, and folders of others that would run code or take all memory."""

from __future__ import annotations

import io
import json
import pickle
import stat
import struct
import zipfile

import pytest
from tests.unit.models.hostile import Archive, Payload, pickled, saved

from inferometer.core.errors import ModelReferenceError, WorkloadError
from inferometer.models import load
from inferometer.models.guards.refusal import blaming

torch = pytest.importorskip("torch")

BILLION = 10**9
BERT = {
    "model_type": "bert",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "vocab_size": 50,
}


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "executed"


def refusal(reference, marker=None) -> str:
    try:
        with pytest.raises((WorkloadError, ModelReferenceError)) as caught:
            load(str(reference), seed=0)
    finally:
        assert marker is None or not marker.exists(), "code in the file has run"
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    return str(caught.value)


class TestDamage:
    """Readers trip over damaged files; their errors say nothing of the file."""

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"\x80\x02.", "its parts do not go together"),
            (b"\x80\x02t.", "its parts do not go together"),
            (b"\x80\x02", "it ends too early"),
        ],
    )
    def test_a_pickle(self, tmp_path, content, said):
        path = tmp_path / "w.pt"
        path.write_bytes(content)
        assert refusal(path) == f"{path} is damaged or no model file: {said}"

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (KeyError("x"), "its parts do not go together"),
            (RecursionError("x"), "it is nested too deeply"),
            (NotImplementedError(), "its reader does not know what it holds"),
            (ValueError("no such version"), "ValueError: no such version"),
        ],
    )
    def test_what_a_reader_raises(self, tmp_path, error, said):
        with pytest.raises(WorkloadError, match=f"is damaged: {said}$"):  # noqa: SIM117
            with blaming(tmp_path, "is damaged"):
                raise error

    def test_missing_memory_is_not_the_files_fault(self, tmp_path):
        with pytest.raises(MemoryError), blaming(tmp_path, "is damaged"):
            raise MemoryError


class TestPickles:
    @pytest.mark.parametrize("name", ["unet?weights={path}", "timm:resnet10t?weights={path}"])
    @pytest.mark.parametrize("suffix", ["pt", "pth", "bin", "safetensors"])
    def test_weights_of_every_source(self, tmp_path, marker, name, suffix):
        pytest.importorskip("timm")
        path = tmp_path / f"evil.{suffix}"
        for content in (saved({"a": Payload(marker)}), pickled({"a": Payload(marker)})):
            path.write_bytes(content)
            refusal(name.format(path=path), marker)

    def test_the_oldest_format(self, tmp_path, marker):
        path, stream = tmp_path / "old.pt", io.BytesIO()
        torch.save({"a": Payload(marker)}, stream, _use_new_zipfile_serialization=False)
        path.write_bytes(stream.getvalue())
        refusal(path, marker)

    def test_memory_reserved_by_a_number(self, tmp_path):
        evil = b"\x80\x02cbuiltins\nbytearray\n" + pickle.LONG4 + struct.pack("<i", 5)
        evil += (20 * BILLION).to_bytes(5, "little") + b"\x85R."
        torch.save({"a": 1}, tmp_path / "evil.pt")
        archive = Archive(tmp_path / "evil.pt")
        archive["data.pkl"] = evil
        refusal(archive.write())
        (tmp_path / "old.pt").write_bytes(evil)
        refusal(tmp_path / "old.pt")

    def test_wrappings_without_end(self, tmp_path):
        state = {}
        for _ in range(50):
            state = {"model": state}
        torch.save(state, tmp_path / "deep.pt")
        assert "neither a model nor weights" in refusal(tmp_path / "deep.pt")


class TestSizes:
    def test_a_number_repeated(self, tmp_path):
        torch.save({"a": torch.zeros(1).expand(10 * BILLION)}, tmp_path / "evil.pt")
        assert "10,000,000,000 elements" in refusal(tmp_path / "evil.pt")
        assert "elements" in refusal(f"unet?weights={tmp_path / 'evil.pt'}")

    def test_safetensors_that_promise_more_than_they_hold(self, tmp_path):
        pytest.importorskip("safetensors")
        for header in (
            {"a": {"dtype": "F32", "shape": [BILLION, BILLION], "data_offsets": [0, 4]}},
            {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
             "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
            {"a": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}},
            {"a": {"dtype": "F999", "shape": [1], "data_offsets": [0, 4]}},
        ):  # fmt: skip
            text = json.dumps(header).encode()
            content = struct.pack("<Q", len(text)) + text + bytes(4)
            (tmp_path / "evil.safetensors").write_bytes(content)
            assert "damaged" in refusal(tmp_path / "evil.safetensors")
        (tmp_path / "evil.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")
        assert "damaged" in refusal(tmp_path / "evil.safetensors")


class TestArchives:
    @pytest.fixture
    def archive(self, tmp_path):
        torch.save({"a": torch.zeros(4)}, tmp_path / "evil.pt")
        return Archive(tmp_path / "evil.pt")

    def test_a_small_file_that_grows(self, archive):
        archive["data/0"] = bytes(200 << 20)
        path = archive.write(zipfile.ZIP_DEFLATED)
        assert path.stat().st_size < 1 << 20
        assert "would grow to" in refusal(path)

    def test_a_size_that_is_not_its_own(self, archive):
        path = archive.write()
        content = bytearray(path.read_bytes())
        place = content.rfind(b"PK\x01\x02")
        content[place + 24 : place + 28] = struct.pack("<I", 2**31)
        path.write_bytes(content)
        assert "of two sizes" in refusal(path)

    @pytest.mark.parametrize("name", ["../../outside", "/etc/outside", "evil/..", "a\\b", "c:x"])
    def test_members_that_lead_outside(self, archive, name):
        archive.members[name] = b"x"
        assert "has a member" in refusal(archive.write())

    def test_links(self, archive):
        path = archive.write()
        with zipfile.ZipFile(path, "a") as added:
            link = zipfile.ZipInfo("evil/data/7")
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            added.writestr(link, "/etc/passwd")
        assert "is a link" in refusal(path)

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_two_members_of_one_name(self, archive):
        path = archive.write()
        with zipfile.ZipFile(path, "a") as added:
            added.writestr("evil/data.pkl", pickled(1))
        assert "two members of one name" in refusal(path)

    def test_a_second_directory_behind_the_first(self, archive):
        path = archive.write()
        content = path.read_bytes()
        path.write_bytes(content + content[-22:-2] + struct.pack("<H", 22) + content[-22:])
        assert "damaged" in refusal(path)


class TestFolders:
    """Local folders of transformers and timm."""

    def folder(self, tmp_path, config):
        pytest.importorskip("transformers")
        folder = tmp_path / "folder"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({**BERT, **config}))
        return folder

    def test_code_beside_a_configuration(self, tmp_path, marker):
        folder = self.folder(tmp_path, {"model_type": "mine", "auto_map": {"AutoConfig": "code.C"}})
        (folder / "code.py").write_text(f"import os\nos.mkdir({str(marker)!r})\n")
        assert "trust_remote_code" in refusal(f"transformers:{folder}", marker)

    def test_weights(self, tmp_path, marker):
        folder = self.folder(tmp_path, {})
        evil = saved({"embeddings.word_embeddings.weight": Payload(marker)})
        (folder / "pytorch_model.bin").write_bytes(evil)
        refusal(f"transformers:{folder}?weights=pretrained", marker)

    def test_compiled_code_of_the_hub(self, tmp_path):
        folder = self.folder(tmp_path, {"attn_implementation": "someone/kernels"})
        assert "compiled code 'someone/kernels'" in refusal(f"transformers:{folder}")

    def test_a_function_in_the_place_of_a_model(self, tmp_path):
        folder = self.folder(tmp_path, {"architectures": ["pipeline"]})
        assert type(load(f"transformers:{folder}", seed=0).network).__name__ == "BertModel"

    def test_timm(self, tmp_path, marker):
        pytest.importorskip("timm")
        about = {"architecture": "resnet10t", "num_classes": 10, "pretrained_cfg": {}}
        (tmp_path / "config.json").write_text(json.dumps(about))
        (tmp_path / "pytorch_model.bin").write_bytes(saved({"a": Payload(marker)}))
        refusal(f"timm:local-dir:{tmp_path}?weights=pretrained", marker)
        weights = tmp_path / "pytorch_model.bin"
        refusal(f"timm:resnet10t?checkpoint_path={weights}", marker)
