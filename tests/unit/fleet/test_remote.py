"""The coordinator's side: boards that answer rightly, and boards that lie."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import shlex
import sys
from dataclasses import replace

import pytest

from inferometer.fleet.board.verbs import answer
from inferometer.fleet.jobs import job_of
from inferometer.fleet.link.conversation import Conversation
from inferometer.fleet.link.loader import Agent
from inferometer.fleet.link.remote import RemoteBoard
from inferometer.fleet.protocol import Limits, job_to_json
from inferometer.fleet.types import AnswerError, JobFile, LineError, LoginError, RefusedError
from inferometer.host.lease import Holder, LeaseHeldError

STATUS = {
    "job": "0a1b2c3d",
    "state": "running",
    "done": 1,
    "failed": 0,
    "planned": 2,
    "message": "",
}
FACTS = {
    "protocol": 1,
    "kind": "full",
    "version": "0.1.0",
    "python": "3.11.2",
    "device": {"name": "Pi"},
    "software": {"python": "3.11.2"},
    "time": 1.7e9,
    "free_bytes": 5,
    "writable": True,
}


class Told:
    """A conversation whose answer is known."""

    def __init__(self, lines, status=0, errors=b""):
        self._lines, self.status, self.errors = lines, status, errors

    def lines(self):
        yield from self._lines


@pytest.fixture
def saying(device):
    """A board that gives certain lines, whatever it is asked."""

    def saying(*lines, **more):
        texts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
        return RemoteBoard(device, line=lambda *_: Told(texts, **more))

    return saying


@pytest.fixture
def running(device):
    """A board on which a shell script runs instead of what was asked."""

    def running(script, **limits):
        def line(device, remote, request, usual):
            held = replace(usual, **limits)
            return Conversation(["sh", "-c", script], request, held, name=device.name)

        return RemoteBoard(device, line=line)

    return running


@pytest.fixture
def real(device, spool):
    """A board in this process; `verbs` has what it was asked."""

    def line(device, remote, request, limits):
        asked.append(remote[-1])
        lines = answer(remote[-1], io.BytesIO(b"".join(request)), spool)
        return Told([json.dumps(one).encode() for one in lines])

    asked = []
    board = RemoteBoard(device, line=line, holder=Holder(user="ada", host="desk"))
    board.verbs = asked
    return board


def file_at(path):
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return JobFile(path="faults.py", sha256=digest, size_bytes=len(content), source=path)


def test_files_go_once_and_a_job_starts_once(real, device, study, tmp_path, waiting):
    (tmp_path / "faults.py").write_text("x = 1\n" * 100_000)
    job = job_of(study, device, files=(file_at(tmp_path / "faults.py"),))
    real.start(job)
    assert real.verbs == ["have", "put", "start"]
    real.start(job)
    assert real.verbs[3:] == ["have", "start"]
    assert real.status(job.id).state == "running"
    assert [one.status.job for one in real.jobs()] == [job.id]
    assert len(waiting) == 1


def test_a_job_comes_back_as_it_was_asked(real, device, study, tmp_path, waiting):
    (tmp_path / "faults.py").write_text("x = 1\n")
    files = (file_at(tmp_path / "faults.py"),)
    job = job_of(study, device, files=files, group="00c0ffee", energy=False)
    real.start(job)
    found = real.asked(job.id)
    assert job_to_json(found) == json.loads(json.dumps(job_to_json(job)))
    assert found.workloads == job.workloads
    real.start(found)
    assert len(waiting) == 1
    with pytest.raises(RefusedError, match="there is no job deadbeef on this board"):
        real.asked("deadbeef")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "deadbeef"},
        {"study": {}},
        {"study": {"sweep": [], "name": 5}},
        {"workloads": [{"model": "a"}]},
        {"workloads": 3},
        {"group": "../.."},
        {"files": [{"path": "a", "sha256": "x", "bytes": 1}]},
        {"energy": "yes"},
    ],
)
def test_a_job_that_is_none_is_refused(saying, device, study, changes):
    job = job_of(study, device)
    board = saying({"asked": {**job_to_json(job), **changes}})
    with pytest.raises(AnswerError, match="its answer was refused"):
        board.asked(job.id)


@pytest.mark.usefixtures("waiting")
def test_a_file_that_was_damaged_on_the_board_is_sent_again(real, device, study, tmp_path, spool):
    (tmp_path / "faults.py").write_text("x = 1\n")
    file = file_at(tmp_path / "faults.py")
    spool.put(file.sha256, file.size_bytes, [b"x = 1\n"])
    (spool.blobs / file.sha256).chmod(0o600)
    (spool.blobs / file.sha256).write_text("x = 2\n")
    real.start(job_of(study, device, files=(file,)))
    assert real.verbs == ["have", "start", "have", "put", "start"]


def test_the_second_person_is_told_who_measures(real, device, study, waiting):
    real.start(job_of(study, device))
    with pytest.raises(LeaseHeldError, match="pi4: ada from desk measures here") as caught:
        real.start(job_of(study, device))
    assert caught.value.holder.user == "ada"


def test_what_a_board_says_of_itself(real, saying):
    assert real.check().kind == "full"
    assert abs(real.check().clock_offset_s) < 1
    assert saying({"check": FACTS}).check().clock_offset_s < -1e7


def test_a_cancelled_job(real, device, study, waiting):
    job = job_of(study, device)
    real.start(job)
    real.cancel(job.id)
    assert real.status(job.id).state == "gone"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"Welcome to the lab!",
        b"<script>alert(1)</script>",
        b"\x80\x81",
        b"[]",
        b"null",
        b"{",
        b"[" * 200_000,
        b'{"status": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        {},
        {"status": []},
        {"status": None},
        {"status": {**STATUS, "job": "ffffffff"}},
        {"status": {**STATUS, "state": "finished"}},
        {"status": {**STATUS, "done": -1}},
        {"status": {**STATUS, "done": 1.5}},
        {"status": {**STATUS, "done": 10**30}},
        {"status": {**STATUS, "done": True, "planned": "2"}},
        {"status": {**STATUS, "message": "x" * 5000}},
        {"status": {**STATUS, "message": {"$ref": "file:///etc/passwd"}}},
        {"status": {k: v for k, v in STATUS.items() if k != "state"}},
        {"status": {**STATUS, **{f"k{n}": n for n in range(100)}}},
        b'{"status": {"job": "0a1b2c3d", "done": NaN}}',
        b'{"status": {"done": ' + b"9" * 5000 + b"}}",
        {"error": 5},
        {"error": {"code": "held"}},
        {"error": {"code": "held", "message": "x", "holder": []}},
    ],
)
def test_an_answer_that_is_none_is_refused(saying, line):
    with pytest.raises(AnswerError, match=r"^pi4: its answer was refused") as caught:
        saying(line).status("0a1b2c3d")
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


def test_one_line_too_many(saying):
    with pytest.raises(AnswerError, match="it has more than one line"):
        saying({"status": STATUS}, {"status": STATUS}).status("0a1b2c3d")


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": 2},
        {"kind": "both"},
        {"device": {"name": {"a": {"b": 1}}}},
        {"device": {f"k{n}": 1 for n in range(500)}},
        {"device": {"x" * 500: 1}},
        {"software": {"torch": 2}},
        {"backends": ["x"] * 500},
        {"time": 1e300},
        {"free_bytes": -1},
        {"version": "9" * 1000},
        {"holder": {"user": "a"}},
        {"holder": {"user": "a", "host": "b", "since": "soon"}},
    ],
)
def test_facts_that_are_none_are_refused(saying, changes):
    with pytest.raises(AnswerError):
        saying({"check": {**FACTS, **changes}}).check()


def test_texts_of_a_board_are_shown_without_their_tricks(saying):
    said = {"code": "fault", "message": "\x1b[2J\u202e<b>\nsecond line"}
    with pytest.raises(RefusedError) as caught:
        saying({"error": said}).status("0a1b2c3d")
    assert str(caught.value) == r"pi4: \x1b[2J\u202e<b>\nsecond line"


def test_an_endless_answer_ends(running):
    with pytest.raises(AnswerError, match="it has more than one line"):
        running("yes '{\"status\": 1}'").status("0a1b2c3d")
    said = json.dumps({"collect": {"job": "0a1b2c3d", "bytes": 9, "sha256": "0" * 64}})
    with pytest.raises(AnswerError, match="not what its checksum says"):
        running(f"echo '{said}'; yes '{{\"data\": \"AAAA\"}}'").collect("0a1b2c3d")


def test_an_endless_line_ends(running):
    with pytest.raises(AnswerError, match="larger than any that belongs here"):
        running("cat /dev/zero").status("0a1b2c3d")


def test_endless_errors_are_not_kept(running):
    with pytest.raises(LineError):
        running("yes error | head -c 9000000 >&2; exit 255").status("0a1b2c3d")


@pytest.mark.parametrize("script", ["sleep 60", "exec >&-; sleep 60", "echo; sleep 60"])
def test_a_silent_board_is_not_waited_for(running, script, monkeypatch):
    monkeypatch.setattr("inferometer.fleet.link.conversation.END_S", 0.1)
    with pytest.raises((LineError, AnswerError)):
        running(script, seconds=0.3).status("0a1b2c3d")


def test_a_board_that_does_not_listen(running, device, study, tmp_path):
    (tmp_path / "faults.py").write_bytes(b"x" * 3_000_000)
    have, full = (
        shlex.quote(json.dumps(one))
        for one in ({"have": []}, {"error": {"code": "no_space", "message": "full"}})
    )
    board = running(
        f"read line; case $line in *files*) echo {have};; *) exec <&-; echo {full};; esac"
    )
    with pytest.raises(RefusedError, match="pi4: full"):
        board.start(job_of(study, device, files=(file_at(tmp_path / "faults.py"),)))


def bundle(content=b"{}\n", **changes):
    said = {
        "job": "0a1b2c3d",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        **changes,
    }
    return [{"collect": said}, {"data": base64.b64encode(content).decode()}, {"end": True}]


def test_a_bundle_comes_whole(saying):
    content = gzip.compress(b"{}\n" * 100)
    assert saying(*bundle(content)).collect("0a1b2c3d") == content
    assert saying(*bundle(b"")).collect("0a1b2c3d") == b""


@pytest.mark.parametrize(
    "lines",
    [
        bundle()[:-1],
        bundle()[:1],
        bundle()[1:],
        bundle(job="ffffffff"),
        bundle(sha256="0" * 64),
        bundle(bytes=1),
        bundle(bytes=10**12),
        [bundle()[0], {"data": "%%%"}, {"end": True}],
        [bundle()[0], {"data": 5}, {"end": True}],
        [bundle()[0], {"data": "A" * 500_000}, {"end": True}],
        [bundle()[0], {"more": ""}, {"end": True}],
        [bundle()[0], bundle()[1], bundle()[1], {"end": True}],
        [bundle()[0], bundle()[1], {"end": "yes"}],
    ],
)
def test_a_bundle_that_does_not_come_whole_is_refused(saying, lines):
    with pytest.raises(AnswerError):
        saying(*lines).collect("0a1b2c3d")


@pytest.mark.parametrize(
    ("errors", "kind", "said"),
    [
        (
            "Host key verification failed.",
            LoginError,
            "its host key is not known yet. Connect once",
        ),
        ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", LoginError, "ssh-keygen -R"),
        ("me@h: Permission denied (publickey).", LoginError, "it takes none of your keys"),
        ("command-line: line 0: Bad configuration", LoginError, "does not take its options"),
        ("ssh: connect to host h: Connection refused", LineError, "cannot be reached: ssh: con"),
        ("\x1b[31mspoof", LineError, r"cannot be reached: \x1b[31mspoof"),
        ("", LineError, "cannot be reached: ssh failed"),
    ],
)
def test_what_it_means_when_ssh_fails(saying, errors, kind, said):
    with pytest.raises(LineError) as caught:
        saying(status=255, errors=errors.encode()).check()
    assert type(caught.value) is kind
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("status", "errors", "said"),
    [
        (127, "sh: /opt/python: not found", "there is no /opt/python on the board"),
        (1, "/opt/python: No module named inferometer", "install it (pip install inferometer), or"),
        (1, "MemoryError", "ended without an answer: MemoryError"),
        (137, "", "ended without an answer"),
    ],
)
def test_what_it_means_when_the_board_answers_nothing(saying, status, errors, said):
    with pytest.raises(LineError) as caught:
        saying(status=status, errors=errors.encode()).check()
    assert said in str(caught.value)


def test_a_line_that_drops_in_the_middle_of_an_answer(saying):
    with pytest.raises(LineError, match="cut short: Connection reset"):
        saying({"status": STATUS}, status=255, errors=b"Connection reset").status("0a1b2c3d")


AGENT = b"""
import json, sys
request = json.loads(sys.stdin.readline())
print(json.dumps({"status": {"job": request["job"], "state": "done", "done": 1, "failed": 0,
                             "planned": 1, "message": sys.argv[1]}}))
"""


def test_the_light_agent_is_sent_once(device, tmp_path):
    ran = []

    def line(device, remote, request, limits):
        ran.append(remote[-1])
        environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        return Conversation(remote, request, limits, name=device.name, environment=environment)

    light = replace(device, agent=True, python="python3")
    for _ in range(2):
        board = RemoteBoard(light, line=line, agent=Agent(lambda: AGENT))
        assert board.status("0a1b2c3d").message == "status"
    assert ran == ["status", "install", "status", "status"]
    (kept,) = (tmp_path / ".cache/inferometer/fleet/agents").iterdir()
    assert kept.name == f"{hashlib.sha256(AGENT).hexdigest()}.py"


def test_limits_grow_with_what_is_carried():
    assert Limits.for_data(0).seconds == Limits().seconds
    assert Limits.for_data(1 << 30).seconds > 3600


def test_the_light_agent_answers_as_a_board_does(device, tmp_path):
    environment = {
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "INFEROMETER_LEASE": str(tmp_path / "lease"),
    }

    def line(device, remote, request, limits):
        return Conversation(remote, request, limits, name=device.name, environment=environment)

    board = RemoteBoard(replace(device, agent=True, python=sys.executable), line=line)
    assert board.check().kind == "agent"
    assert board.jobs() == ()
    assert board.status("0a1b2c3d").state == "gone"
    with pytest.raises(RefusedError) as caught:
        board.collect("0a1b2c3d")
    assert caught.value.code == "unknown_job"
