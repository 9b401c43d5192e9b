from __future__ import annotations

import itertools

import pytest

from inferometer.core.errors import MeterError, SourceLostError
from inferometer.meters.energy.network.shelly import connect
from inferometer.meters.energy.surroundings import Surroundings

LONG_S = 60.0  # longer than any pause of a busy machine
STATUS = {
    "id": 0,
    "source": "WS_in",
    "output": True,
    "apower": 8.9,
    "voltage": 237.5,
    "current": 0.07,
    "aenergy": {"total": 6.532, "by_minute": [45.199, 47.141, 88.397], "minute_ts": 1626935779},
    "temperature": {"tC": 23.5, "tF": 74.4},
}
PLUG = {"id": "shellyplusplugs-1", "model": "SNPL-00112EU", "gen": 2, "app": "PlusPlugS"}


def routes(answers):
    """Answer by path; the rest is not found, as a device says it."""

    def answer(handler):
        found = answers.get(handler.path, (404, {"code": 404, "message": "No handler"}))
        if callable(found):
            found = found()
        status, body = found if isinstance(found, tuple) else (200, found)
        handler.say(body, status)

    return answer


def switch(status=STATUS):
    return routes({"/rpc/Switch.GetStatus?id=0": status, "/shelly": PLUG})


def open_(server, extra="", timeout_s=LONG_S, **more):
    return connect(f"shelly://{server.place}{extra}", Surroundings(**more), timeout_s=timeout_s)


def test_the_power_at_the_wall(serve):
    server = serve(switch())
    ticks = itertools.count(100.0, 2.0)
    source = open_(server, clock=lambda: next(ticks))
    reading = source.read()
    assert reading.value == 8.9
    assert reading.at_s == 101.0  # half-way between 100 and 102
    info = source.info
    assert (info.kind, info.scope, info.method, info.quantity) == (
        "shelly",
        "wall",
        "measured",
        "power",
    )
    assert (info.period_s, info.resolution) == (1.0, 0.1)
    assert info.where == f"http://{server.place}/rpc/Switch.GetStatus?id=0"
    source.close()
    source.close()
    with pytest.raises(SourceLostError, match="closed"):
        source.read()


def test_another_switch(serve):
    server = serve(routes({"/rpc/Switch.GetStatus?id=3": {**STATUS, "id": 3, "apower": 2}}))
    source = open_(server, "?switch=3")
    assert source.read().value == 2.0
    assert source.info.name == f"shelly:{server.place}?switch=3"  # not that of the first switch


@pytest.mark.parametrize("extra", ["", "?pm1=0"])
def test_a_model_that_only_measures(serve, extra):
    meter = {"id": 0, "voltage": 230.1, "apower": 4.2, "aenergy": {"total": 1.0}}
    server = serve(
        routes({"/rpc/PM1.GetStatus?id=0": meter, "/shelly": {"model": "S3PM", "gen": 3}})
    )
    source = open_(server, extra)
    assert source.read().value == 4.2
    assert "PM1" in source.info.where


@pytest.mark.parametrize(
    ("answers", "extra", "said"),
    [
        (
            {"/shelly": {"type": "SHPLG-S", "mac": "x", "auth": False, "fw": "1"}},
            "",
            r"first generation \(SHPLG-S\).*--power-log",
        ),
        ({}, "", "is not a Shelly: /rpc answers with HTTP status 404"),
        ({"/shelly": PLUG}, "", "without that switch or meter"),
        (
            {
                "/rpc/Switch.GetStatus?id=7": (
                    500,
                    {"message": "Argument 'id', value 7 not found!"},
                ),
                "/shelly": PLUG,
            },
            "?switch=7",
            "value 7 not found!",
        ),
        ({"/rpc/Switch.GetStatus?id=0": {"id": 0, "output": True}}, "", "measures no power"),
        ({"/rpc/Switch.GetStatus?id=0": {**STATUS, "output": False}}, "", "switch 0 is off"),
        ({"/rpc/Switch.GetStatus?id=0": {**STATUS, "apower": None}}, "", "is not a number"),
        ({"/rpc/Switch.GetStatus?id=0": {**STATUS, "apower": True}}, "", "is not a number"),
        ({"/rpc/Switch.GetStatus?id=0": b'{"apower": NaN}'}, "", "is not a number"),
        ({"/rpc/Switch.GetStatus?id=0": {**STATUS, "apower": "8.9"}}, "", "is not a number"),
        ({"/rpc/Switch.GetStatus?id=0": {**STATUS, "apower": -3.0}}, "", "negative"),
        ({"/rpc/Switch.GetStatus?id=0": b"gar\x00bage"}, "", "does not answer in JSON"),
        ({}, "?relay=0", "has no option relay"),
        ({}, "?switch=x", "not a number of a channel"),
    ],
)
def test_what_cannot_be_used_says_why(serve, answers, extra, said):
    server = serve(routes(answers))
    with pytest.raises(MeterError, match=said) as told:
        open_(server, extra)
    assert server.place.split(":")[0] in str(told.value)


def test_silence_at_the_start(serve):
    server = serve(lambda handler: handler.server.gone.wait(LONG_S))
    with pytest.raises(MeterError, match="does not answer within"):
        open_(server, timeout_s=0.15)


def test_a_lost_packet_is_asked_for_again(serve):
    turns = itertools.count()
    server = serve(switch(lambda: (500, {}) if next(turns) == 2 else STATUS))
    source = open_(server)
    assert source.read().value == 8.9


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ((500, {}), "HTTP status 500"),
        ({**STATUS, "output": False}, "is off"),
        ({"output": True}, "measures no power"),
    ],
)
def test_what_goes_wrong_later_is_a_loss(serve, then, said):
    now = [STATUS]
    source = open_(serve(switch(lambda: now[0])))
    now[0] = then
    with pytest.raises(SourceLostError, match=said):
        source.read()


def test_a_server_that_has_gone_is_a_loss(serve):
    server = serve(switch())
    source = open_(server)
    server.answer = lambda handler: None
    with pytest.raises(SourceLostError, match="broke the connection off"):
        source.read()


def test_a_redirect_is_not_followed(serve):
    other = serve(switch())
    here = f"http://{other.place}/rpc/Switch.GetStatus?id=0"
    server = serve(lambda handler: handler.say(b"", 302, {"Location": here}))
    with pytest.raises(MeterError, match="redirects"):
        open_(server)
    assert other.asked == []
