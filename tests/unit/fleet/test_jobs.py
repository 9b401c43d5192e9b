"""What a job takes with it to a board."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inferometer.core.errors import FleetError
from inferometer.core.sweep import Study, Sweep
from inferometer.fleet.jobs import files_of, job_of
from inferometer.fleet.protocol import decode, encode, job_to_json, job_workloads
from inferometer.fleet.types import JOB_ID


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(*names, content="x"):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    return write


def of(*models, **procedure):
    study = Study(name="s", sweep=Sweep(models=models))
    return replace(study, procedure=replace(study.procedure, **procedure))


def paths(study, **more):
    return [one.path for one in files_of(study, **more)]


def test_files_lie_on_the_board_where_they_lie_here(here):
    here("nets/a.onnx", "b.pt2", "w.pt")
    assert paths(of("nets/a.onnx", "./b.pt2?input=3x8x8", "resnet18?weights=w.pt")) == [
        "b.pt2",
        "nets/a.onnx",
        "w.pt",
    ]


def test_a_python_file_brings_the_modules_that_it_imports(here):
    here("nets/model.py", content="import helper\nfrom pack import part\nimport json, torch\n")
    here("nets/helper.py", content="import deeper\n")
    here("nets/deeper.py", "nets/pack/__init__.py", "nets/pack/part.py", "nets/unused.py")
    here("nets/pack/__pycache__/part.pyc")
    assert paths(of("nets/model.py:make")) == [
        "nets/deeper.py",
        "nets/helper.py",
        "nets/model.py",
        "nets/pack/__init__.py",
        "nets/pack/part.py",
    ]


def test_models_that_are_known_by_name_need_no_file(here):
    here("resnet18", "vgg11")
    assert not paths(of("resnet18", "torchvision:vgg11", "timm:vgg11"))


def test_data_go_too(here):
    here("d/x/1.png", "d/y/2.png", "classes.txt", "m.py")
    assert paths(of("resnet18", data="./d?classes=classes.txt", metric="m.py:best")) == [
        "classes.txt",
        "d/x/1.png",
        "d/y/2.png",
        "m.py",
    ]


def test_what_the_user_names_beside_it(here):
    here("extra/table.bin", "extra/.git/config")
    assert paths(of("resnet18"), extra=[Path("extra")]) == ["extra/table.bin"]


def test_a_file_outside_of_this_folder_is_refused(here, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "a.onnx"
    elsewhere.write_text("x")
    with pytest.raises(FleetError, match=r"boards get files that lie below .* as \./a\.onnx"):
        paths(of(str(elsewhere)))
    with pytest.raises(FleetError, match="boards get files that lie below"):
        paths(of("resnet18"), extra=[Path()])


def test_a_file_that_cannot_be_read(here):
    with pytest.raises(FleetError, match="it cannot be sent"):
        paths(of("resnet18"), extra=[Path("none.bin")])


def test_a_job_says_what_the_device_says(device, study):
    named = replace(device, kind="pi", price=55.0, meter="rapl")
    job = job_of(study, named, group="deadbeef")
    assert JOB_ID.fullmatch(job.id)
    assert job_of(study, named).id != job.id
    assert (job.device_name, job.kind, job.price, job.meters) == ("pi4", "pi", 55.0, ("rapl",))
    assert job_of(study, named, energy=False).meters == ()


def test_a_job_is_the_same_after_its_way(device, study):
    sent = decode(encode(job_to_json(job_of(study, device))))
    assert job_workloads(sent) == study.workloads()
    assert Study.from_json(sent["study"]) == study
