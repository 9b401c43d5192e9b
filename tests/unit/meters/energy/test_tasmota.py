from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from inferometer.core.errors import MeterError, SourceLostError
from inferometer.meters.energy.network.tasmota import connect
from inferometer.meters.energy.surroundings import Surroundings

LONG_S = 60.0  # longer than any pause of a busy machine


def status(power=12, **more):
    energy = {
        "TotalStartTime": "2024-01-01T00:00:00",
        "Total": 12.345,
        "Power": power,
        "Factor": 0.6,
    }
    return {"StatusSNS": {"Time": "2024-05-01T10:00:00", "ENERGY": {**energy, **more}}}


def open_(server, extra="", login="", timeout_s=LONG_S):
    where = f"tasmota://{login}{server.place}{extra}"
    return connect(where, Surroundings(), timeout_s=timeout_s)


def test_the_power_at_the_wall(serve):
    server = serve(lambda handler: handler.say(status(12.3)))
    source = open_(server)
    assert source.read().value == 12.3
    assert server.asked == ["/cm?cmnd=Status%2010"] * 2
    info = source.info
    assert (info.kind, info.scope, info.quantity, info.resolution) == (
        "tasmota",
        "wall",
        "power",
        0.1,
    )


def test_whole_watts_are_a_coarse_resolution(serve):
    assert open_(serve(lambda handler: handler.say(status(12)))).info.resolution == 1.0


def test_channels(serve):
    server = serve(lambda handler: handler.say(status([4.0, 8.5])))
    assert open_(server, "?channel=2").read().value == 8.5
    with pytest.raises(MeterError, match=r"has 2 channels: .* \?channel=1 to \?channel=2"):
        open_(server)
    for wrong in ("0", "3"):
        with pytest.raises(MeterError, match=f"has no channel {wrong}: there are 2"):
            open_(server, f"?channel={wrong}")
    assert open_(serve(lambda handler: handler.say(status([5])))).read().value == 5.0


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"StatusSNS": {"Time": "x"}}, "measures no power"),
        ({"StatusSNS": {"ENERGY": [1]}}, "measures no power"),
        ({"StatusSNS": {"ENERGY": {"Power": []}}}, "has no channel 1"),
        ({"StatusSNS": {"ENERGY": {"Power": "12"}}}, "is not a number"),
        ({"StatusSNS": {"ENERGY": {"Power": -4}}}, "negative"),
        ({"Command": "Unknown"}, "does not answer as Tasmota"),
        ({"WARNING": "Need user=<username>&password=<password>"}, "asks for a name and a password"),
        (b"<html>", "does not answer in JSON"),
        (b"x" * 100_000, "more than 64 KiB"),
    ],
)
def test_what_cannot_be_used_says_why(serve, answer, said):
    with pytest.raises(MeterError, match=said):
        open_(serve(lambda handler: handler.say(answer)))


def test_name_and_password_go_into_the_question_and_nowhere_else(serve):
    def answer(handler):
        asked = parse_qs(urlsplit(handler.path).query)
        known = asked.get("user") == ["admin"] and asked.get("password") == ["p&ss w"]
        handler.say(
            status(7.5) if known and asked["cmnd"] == ["Status 10"] else {"WARNING": "Need"}
        )

    server = serve(answer)
    source = open_(server, login=":p%26ss%20w@")
    assert source.read().value == 7.5
    assert "ss w" not in repr(source.info)
    server.answer = lambda handler: handler.say({}, 500)
    with pytest.raises(SourceLostError) as told:
        source.read()
    assert "p%26ss" not in str(told.value)
    assert "p&ss" not in str(told.value)


def test_a_redirect_is_not_followed(serve):
    other = serve(lambda handler: handler.say(status()))
    place = f"http://{other.place}/cm?cmnd=Status%2010"
    server = serve(lambda handler: handler.say(b"", 307, {"Location": place}))
    with pytest.raises(MeterError, match="redirects"):
        open_(server)
    assert other.asked == []


def test_silence(serve):
    with pytest.raises(MeterError, match="does not answer within"):
        open_(serve(lambda handler: handler.server.gone.wait(LONG_S)), timeout_s=0.15)


def test_refusal(serve):
    with pytest.raises(MeterError, match="HTTP status 404"):
        open_(serve(lambda handler: handler.say({}, 404)))
