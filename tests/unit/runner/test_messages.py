from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer.core.record import Failure, Round
from inferometer.runner.workers.messages import (
    Closed,
    Line,
    failure_of,
    failure_to_json,
    round_from_json,
    round_to_json,
)


@pytest.fixture
def pair():
    ours, theirs = map(Line, socket.socketpair())
    yield ours, theirs
    ours.close()
    theirs.close()


def test_messages_arrive_one_by_one_and_in_order(pair):
    ours, theirs = pair
    ours.send({"n": 1})
    ours.send({"n": 2, "text": "zwei\n"})
    assert theirs.receive(1) == {"n": 1}
    assert theirs.receive(1) == {"n": 2, "text": "zwei\n"}


def test_a_message_longer_than_the_socket_holds_arrives_whole(pair):
    ours, theirs = pair
    long = {"values": list(range(300_000))}
    sender = threading.Thread(target=ours.send, args=(long,))
    sender.start()
    assert theirs.receive(5) == long
    sender.join()


def test_no_answer_within_the_time_is_none_not_an_error(pair):
    assert pair[1].receive(0.01) is None


def test_a_line_that_was_hung_up_says_so(pair):
    ours, theirs = pair
    ours.close()
    with pytest.raises(Closed):
        theirs.receive(1)
    with pytest.raises(Closed):
        theirs.send({})


@given(st.lists(st.floats(1e-9, 1e4), min_size=1, max_size=20))
def test_a_round_goes_through_json_exactly(values):
    done = Round(
        index=3, process=1, phase="measure", started_at=1e9, calls_per_value=2, settle=1,
        starts_s=tuple(range(len(values))), values_s=tuple(values),
    )  # fmt: skip
    assert round_from_json(round_to_json(done)) == done


def test_the_parent_knows_the_stage_better_than_the_worker():
    answer = failure_to_json(Failure(stage="measure", kind="bad_model", message="boom"))
    assert failure_of(answer, "warmup") == Failure(stage="warmup", kind="bad_model", message="boom")
    assert failure_of({"facts": {}}, "load") is None
