"""The board's side: what each verb answers."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os

import pytest

from inferometer.fleet.board import verbs
from inferometer.fleet.board.verbs import answer
from inferometer.fleet.schema import checked
from inferometer.host.lease import Holder, holder_now, take

HOLDER = {"user": "ada", "host": "desk"}
CONTENT = b"def good(): ...\n" * 40_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def sent(content=CONTENT, size=100_000):
    pieces = (content[at : at + size] for at in range(0, len(content), size))
    return [*({"data": base64.b64encode(one).decode()} for one in pieces), {"end": True}]


def put(ask, content=CONTENT, digest=DIGEST, **more):
    return ask("put", {"sha256": digest, "bytes": len(content), **more}, *sent(content))


def job(**changes):
    return {
        "id": "0a1b2c3d",
        "group": "",
        "device_name": "pi4",
        "study": {"name": "small"},
        "workloads": [{}, {}],
        "files": [],
        **changes,
    }


def error(lines):
    assert len(lines) == 1
    return checked(lines[0], "error")


def test_check_says_what_the_board_is(ask):
    facts = checked(ask("check", {})[0], "check")
    assert facts["kind"] == "full"
    assert "python" in facts["backends"]
    assert facts["holder"] is None
    assert facts["writable"] is True


def test_check_says_who_measures(ask):
    descriptor = take(Holder(user="ben", host="lab", job="11111111"))
    assert checked(ask("check", {})[0], "check")["holder"]["user"] == "ben"
    os.close(descriptor)


def test_a_file_is_sent_once(ask, spool):
    assert ask("have", {"files": [DIGEST, "0" * 64, "../x"]}) == [{"have": []}]
    assert put(ask) == [{"put": {"sha256": DIGEST}}]
    assert ask("have", {"files": [DIGEST, "0" * 64]}) == [{"have": [DIGEST]}]
    assert (spool.blobs / DIGEST).read_bytes() == CONTENT
    assert spool.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("head", "lines"),
    [
        ({"digest": "f" * 64}, None),
        ({"digest": "../../x"}, None),
        ({"bytes": 5}, None),
        ({"bytes": -1}, None),
        ({"bytes": len(CONTENT) + 1}, None),
        ({}, sent()[:-1]),
        ({}, [{"data": "***"}, {"end": True}]),
        ({}, [{"data": 5}, {"end": True}]),
        ({}, []),
    ],
)
def test_a_file_that_arrives_otherwise_is_not_kept(ask, spool, head, lines):
    wanted = {"sha256": head.pop("digest", DIGEST), "bytes": len(CONTENT), **head}
    assert error(ask("put", wanted, *(sent() if lines is None else lines)))["code"] == "bad_request"
    assert not list(spool.blobs.glob("**/*"))


def test_a_job_runs_with_the_lease_and_its_files(ask, spool, waiting):
    put(ask)
    wanted = job(files=[{"path": "nets/a.py", "sha256": DIGEST, "bytes": len(CONTENT)}])
    found = checked(ask("start", {"job": wanted, "holder": HOLDER})[0], "start")
    assert (found["state"], found["planned"]) == ("running", 2)
    assert (spool.job_folder("0a1b2c3d") / "files" / "nets" / "a.py").read_bytes() == CONTENT
    assert holder_now().job == "0a1b2c3d"
    assert holder_now().user == "ada"


def test_starting_twice_is_one_job(ask, waiting):
    for _ in range(3):
        answer = ask("start", {"job": job(), "holder": HOLDER})
        assert checked(answer[0], "start")["state"] == "running"
    assert len(waiting) == 1


def test_another_job_of_the_same_id_is_refused(ask, waiting):
    ask("start", {"job": job(), "holder": HOLDER})
    said = error(ask("start", {"job": job(device_name="other"), "holder": HOLDER}))
    assert said["code"] == "conflict"


def test_the_second_person_is_told_who_measures(ask, waiting):
    ask("start", {"job": job(), "holder": HOLDER})
    said = error(ask("start", {"job": job(id="11111111"), "holder": {"user": "b", "host": "c"}}))
    assert said["code"] == "held"
    assert said["holder"]["user"] == "ada"
    assert "ada from desk measures here" in said["message"]
    assert checked(ask("status", {"job": "11111111"})[0], "status")["state"] == "gone"


def test_a_job_whose_process_died_is_gone_and_goes_on_when_started_again(ask, spool, waiting):
    ask("start", {"job": job(), "holder": HOLDER})
    (spool.job_folder("0a1b2c3d") / "log").write_text("x\nKilled\x1b[0m\n\n")
    waiting[0].kill()
    waiting[0].communicate()
    found = checked(ask("status", {"job": "0a1b2c3d"})[0], "status")
    assert found["state"] == "gone"
    assert "its process died" in found["message"]
    assert "Killed\\x1b[0m" in found["message"]
    again = checked(ask("start", {"job": job(), "holder": HOLDER})[0], "start")
    assert again["state"] == "running"
    assert len(waiting) == 2


def test_a_job_that_is_done_is_not_begun_again(ask, spool, waiting):
    spool.add("0a1b2c3d", {"job": job(), "holder": HOLDER})
    spool.note("0a1b2c3d", state="done", done=2, planned=2)
    found = checked(ask("start", {"job": job(), "holder": HOLDER})[0], "start")
    assert (found["state"], found["done"]) == ("done", 2)
    assert not waiting


def test_a_missing_file_is_told(ask, waiting):
    wanted = job(files=[{"path": "a.py", "sha256": DIGEST, "bytes": 5}])
    assert error(ask("start", {"job": wanted, "holder": HOLDER}))["code"] == "missing_file"
    assert holder_now() is None


def test_a_damaged_file_is_thrown_away(ask, spool, waiting):
    put(ask)
    (spool.blobs / DIGEST).chmod(0o600)
    (spool.blobs / DIGEST).write_bytes(b"rot")
    wanted = job(files=[{"path": "a.py", "sha256": DIGEST, "bytes": len(CONTENT)}])
    assert error(ask("start", {"job": wanted, "holder": HOLDER}))["code"] == "missing_file"
    assert ask("have", {"files": [DIGEST]}) == [{"have": []}]


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", "", "a\0b"])
def test_no_file_leaves_the_folder_of_its_job(ask, spool, waiting, path):
    put(ask)
    wanted = job(files=[{"path": path, "sha256": DIGEST, "bytes": len(CONTENT)}])
    assert error(ask("start", {"job": wanted, "holder": HOLDER}))["code"] == "bad_request"


@pytest.mark.parametrize("name", ["", "..", "0A1B2C3D", "0a1b2c3d/../x", "0" * 9, "\x1b[0m"])
def test_a_job_has_an_id(ask, waiting, name):
    assert error(ask("start", {"job": job(id=name), "holder": HOLDER}))["code"] == "bad_request"
    assert error(ask("status", {"job": name}))["code"] == "bad_request"


def test_jobs_are_listed_with_who_started_them(ask, waiting):
    assert ask("jobs", {}) == [{"jobs": []}]
    ask("start", {"job": job(group="deadbeef"), "holder": HOLDER})
    (found,) = checked(ask("jobs", {})[0], "jobs")
    assert found["status"]["state"] == "running"
    assert (found["group"], found["study"], found["device_name"]) == ("deadbeef", "small", "pi4")
    assert (found["holder"]["user"], found["holder"]["host"]) == ("ada", "desk")


def test_cancelling_ends_the_process(ask, spool, waiting):
    ask("start", {"job": job(), "holder": HOLDER})
    found = checked(ask("cancel", {"job": "0a1b2c3d"})[0], "cancel")
    assert waiting[0].wait(5) is not None
    assert found["state"] == "gone"
    assert holder_now() is None


def test_collecting_what_is_not_there(ask, waiting):
    assert error(ask("collect", {"job": "0a1b2c3d"}))["code"] == "unknown_job"
    ask("start", {"job": job(), "holder": HOLDER})
    assert error(ask("collect", {"job": "0a1b2c3d"}))["code"] == "nothing_yet"


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\n",
        b"[]\n",
        b"{}\n",
        b'{"fleet": 2}\n',
        b'{"fleet": 1, "job": NaN}\n',
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"fleet": 1}\n',
        b'{"fleet": 1, "job": {"id": "0a1b2c3d"}, "holder": 5}\n',
        b"x" * (5 << 20),
    ],
)
def test_a_malformed_request_is_an_error_and_no_traceback(spool, request_):
    (line,) = answer("start", io.BytesIO(request_), spool)
    assert checked(line, "error")["code"] == "bad_request"
    assert not spool.folder.exists()


def test_an_unknown_verb(ask):
    assert "no verb" in error(ask("format", {}))["message"]


def test_a_spool_that_cannot_be_written_is_told(ask, spool, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("inferometer.fleet.board.spool.tempfile.mkstemp", full)
    said = error(put(ask))
    assert said["code"] == "no_space"
    assert "no space left on device" in said["message"]


def test_old_jobs_and_files_are_removed_when_a_job_starts(ask, spool, waiting):
    put(ask)
    spool.add("22222222", {"job": job(id="22222222"), "holder": HOLDER})
    spool.note("22222222", state="done")
    for path in (*spool.job_folder("22222222").iterdir(), spool.blobs / DIGEST):
        os.utime(path, (1, 1))
    ask("start", {"job": job(), "holder": HOLDER})
    assert spool.ids() == ["0a1b2c3d"]
    assert not list(spool.blobs.iterdir())


def test_an_answer_is_lines_of_json(monkeypatch, capfdbinary, spool):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"fleet": 1}\n')))
    assert verbs.main(["jobs"]) == 0
    assert json.loads(capfdbinary.readouterr().out) == {"jobs": []}
