"""The agent as a board of a fleet: a verb, a line of JSON, an answer."""

from __future__ import annotations

import base64
import hashlib
import json
import time

import pytest

from inferometer.fleet.schema import checked
from inferometer.host.identity import identify
from inferometer.host.lease import Holder, holding
from inferometer.store.bundle import read_bundle

JOB = "0123abcd"


@pytest.fixture
def ask(board):
    """Asks a verb of the agent that holds no study; gives the lines of the answer."""
    run = board(None)

    def answer(verb, *lines, **request):
        said = [{"fleet": 1, **request}, *lines]
        done = run(verb, input="".join(json.dumps(one) + "\n" for one in said))
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return answer


def put(ask, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    data = {"data": base64.b64encode(content).decode()}
    (said,) = ask("put", data, {"end": True}, sha256=digest, bytes=len(content))
    assert said == {"put": {"sha256": digest}}
    return digest


@pytest.fixture
def job(ask, study, tmp_path):
    """A job whose file lies on the board already."""
    nap = (tmp_path / "board" / "nap.py").read_bytes()
    asked = study("nap.py:factory", "nap.py:factory?milliseconds=2")
    return {
        "id": JOB,
        "device_name": "shelf-1",
        "study": asked.to_json(),
        "workloads": [one.to_json() for one in asked.workloads()],
        "files": [{"path": "nap.py", "sha256": put(ask, nap), "bytes": len(nap)}],
        "energy": True,
        "meters": [],
        "class": "nano",
        "price": 99,
        "group": "",
        "allow_estimate": False,
    }


HOLDER = {"user": "anna", "host": "laptop"}


def wait(ask, *states):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        ((status,),) = [one.values() for one in ask("status", job=JOB)]
        if status["state"] in states:
            return status
        time.sleep(0.3)
    raise AssertionError(status)


def collected(ask) -> bytes:
    head, *lines = ask("collect", job=JOB)
    assert lines.pop() == {"end": True}
    content = b"".join(base64.b64decode(one["data"]) for one in lines)
    assert head["collect"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert head["collect"]["bytes"] == len(content)
    return content


def test_check(ask):
    (said,) = ask("check")
    facts = checked(said, "check")
    assert (facts["protocol"], facts["kind"], facts["holder"]) == (1, "agent", None)
    assert facts["device"] == identify()
    assert "python" in facts["backends"]
    assert facts["time"] == pytest.approx(time.time(), abs=60)
    assert facts["free_bytes"] > 0
    assert facts["writable"] is True


def test_a_job_from_its_start_to_a_bundle(ask, job):
    (started,) = ask("start", job=job, holder=HOLDER)
    assert started["start"]["state"] in ("waiting", "running")
    assert wait(ask, "done") == {
        "job": JOB,
        "state": "done",
        "done": 2,
        "failed": 0,
        "planned": 2,
        "message": "",
    }
    bundle = read_bundle(collected(ask), "the board")
    assert (bundle.run.id, bundle.run.device_name, bundle.raw) == (JOB, "shelf-1", True)
    assert bundle.run.device["said"] == identify()["name"]
    assert (bundle.run.device["class"], bundle.run.device["price"]) == ("nano", 99)
    assert len(bundle.records) == 2
    assert not bundle.notes
    (again,) = ask("start", job=job, holder=HOLDER)
    assert again["start"]["state"] == "done"
    (listed,) = ask("jobs")
    (known,) = checked(listed, "jobs")
    assert known["status"]["state"] == "done"
    assert (known["study"], known["device_name"], known["group"]) == ("nap", "shelf-1", "")
    assert {name: known["holder"][name] for name in HOLDER} == HOLDER
    (asked,) = ask("asked", job=JOB)
    assert checked(asked, "asked") == json.loads(json.dumps(job))
    assert read_bundle(collected(ask), "the board").rounds == bundle.rounds


def test_a_job_is_cancelled_and_gone_on_with(ask, job):
    job["study"]["procedure"].update(span_s=60.0)
    ask("start", job=job, holder=HOLDER)
    wait(ask, "running")
    (said,) = ask("check")
    assert said["check"]["holder"]["job"] == JOB
    assert said["check"]["holder"]["user"] == "anna"
    (other,) = ask("start", job={**job, "id": "ffff0000"}, holder=HOLDER)
    assert other["error"]["code"] == "held"
    assert other["error"]["holder"]["job"] == JOB
    (ended,) = ask("cancel", job=JOB)
    assert ended["cancel"]["state"] == "failed"
    assert "starting it again goes on with it" in ended["cancel"]["message"]
    assert read_bundle(collected(ask), "the board").run.finished_at is None
    (again,) = ask("start", job=job, holder=HOLDER)
    assert again["start"]["state"] in ("waiting", "running")
    ask("cancel", job=JOB)


def test_a_job_of_the_same_id_is_another(ask, job):
    ask("start", job=job, holder=HOLDER)
    (said,) = ask("start", job={**job, "device_name": "shelf-2"}, holder=HOLDER)
    assert said["error"]["code"] == "conflict"
    wait(ask, "done")


REFUSED = [
    ({"id": "../../x"}, "bad_request"),
    ({"workloads": []}, "bad_request"),
    ({"study": {"name": "x"}}, "bad_request"),
    ({"meters": ["shelly://x"]}, "unsupported"),
    ({"files": [{"path": "../x", "sha256": "0" * 64, "bytes": 1}]}, "bad_request"),
    ({"id": "00000001", "files": [{"path": "x", "sha256": "0" * 64, "bytes": 1}]}, "missing_file"),
]


def test_jobs_that_are_refused(ask, job):
    for change, code in REFUSED:
        (said,) = ask("start", job={**job, **change}, holder=HOLDER)
        assert said["error"]["code"] == code, change
    (status,) = ask("status", job="00000001")
    assert status["status"]["state"] == "gone"


def test_what_is_asked_in_vain(ask, board, tmp_path):
    (gone,) = ask("status", job=JOB)
    assert gone["status"]["state"] == "gone"
    (unknown,) = ask("collect", job=JOB)
    assert unknown["error"]["code"] == "unknown_job"
    (other,) = ask("have", files="x")
    assert other["error"]["code"] == "bad_request"
    assert ask("have", files=["0" * 64]) == [{"have": []}]
    done = board(None)("check", input='{"fleet": 2}\n')
    assert json.loads(done.stdout)["error"]["code"] == "bad_request"
    done = board(None)("check", input="hello\n")
    assert json.loads(done.stdout)["error"]["code"] == "bad_request"


def test_a_file_that_arrives_otherwise_is_not_kept(ask):
    data = {"data": base64.b64encode(b"other").decode()}
    (said,) = ask("put", data, {"end": True}, sha256="0" * 64, bytes=5)
    assert said["error"]["code"] == "bad_request"
    (long,) = ask("put", data, {"end": True}, sha256="0" * 64, bytes=4)
    assert "longer than was said" in long["error"]["message"]
    assert ask("have", files=["0" * 64]) == [{"have": []}]


def test_a_spool_that_cannot_be_written(ask, job, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INFEROMETER_CACHE", str(tmp_path / "file"))
    (said,) = ask("start", job={**job, "files": []}, holder=HOLDER)
    assert said["error"]["code"] in ("fault", "read_only")


def test_a_board_on_which_somebody_measures(ask, job, tmp_path):
    with holding(Holder(user="otto", host="desk", job="ffff0000"), tmp_path / "lease"):
        (said,) = ask("start", job=job, holder=HOLDER)
    assert said["error"]["code"] == "held"
    assert said["error"]["holder"]["user"] == "otto"
    assert "otto from desk measures here" in said["error"]["message"]
