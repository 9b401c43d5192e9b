from __future__ import annotations

import socket
import threading

import pytest

from inferometer.runner.workers.line import Closed, Line


@pytest.fixture
def pair():
    ours, theirs = map(Line, socket.socketpair())
    yield ours, theirs
    ours.close()
    theirs.close()


def test_messages_arrive_one_by_one_and_in_order(pair):
    ours, theirs = pair
    ours.send(b"one")
    ours.send(b"two")
    assert theirs.receive(1) == b"one"
    assert theirs.receive(1) == b"two"


def test_a_message_longer_than_the_socket_holds_arrives_whole(pair):
    ours, theirs = pair
    long = bytes(3_000_000)
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
        theirs.send(b"")
