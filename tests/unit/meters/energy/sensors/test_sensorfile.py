"""Files of sensors: kept open on the live machine, confined to the tree otherwise."""

from __future__ import annotations

import os

import pytest

from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources import sensorfile
from inferometer.meters.energy.sources.commands import ask
from inferometer.meters.energy.sources.sensorfile import SensorFile
from inferometer.meters.energy.surroundings import Surroundings


def test_a_live_file_is_opened_once_and_read_in_place(tmp_path):
    file = tmp_path / "energy_uj"
    file.write_text("1\n")
    kept = SensorFile(Surroundings(), str(file).lstrip("/"))
    file.write_text("22\n")
    assert kept.value() == 22
    descriptor = kept._descriptor
    kept.close()
    kept.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_live_file_that_is_not_there_cannot_be_opened(tmp_path):
    with pytest.raises(FileNotFoundError):
        SensorFile(Surroundings(), str(tmp_path / "none").lstrip("/"))


def test_links_out_of_a_recorded_tree_show_nothing(world, tmp_path):
    (tmp_path / "outside").write_text("5\n")
    built = world({}, {"sys/inside": "../../outside"})
    assert sensorfile.text(built.surroundings, "sys/inside") is None
    with pytest.raises(SourceLostError, match="is gone"):
        SensorFile(built.surroundings, "sys/inside").value()


def test_folders_are_sorted_as_people_count(world):
    built = world({f"sys/h/hwmon{n}/name": "x" for n in (10, 2, 1)})
    assert sensorfile.folders(built.surroundings, "sys/h/hwmon*") == [
        "sys/h/hwmon1",
        "sys/h/hwmon2",
        "sys/h/hwmon10",
    ]


@pytest.mark.parametrize(
    ("error", "status"), [(FileNotFoundError(), 127), (PermissionError(), 126)]
)
def test_a_command_that_cannot_be_run_has_the_status_of_a_shell(live, error, status):
    def run(*_):
        raise error

    assert ask(live({}, run), ["x"], recorded_as="x.txt").status == status


def test_a_recorded_tree_without_the_output_says_not_found(world):
    assert ask(world({}).surroundings, ["x"], recorded_as="x.txt").status == 127
