from __future__ import annotations

import hashlib
import socket
import struct
import threading
import time
from base64 import b64encode
from urllib.request import parse_http_list, parse_keqv_list

import pytest

from inferometer.core.errors import MeterError
from inferometer.meters.energy.network.address import parse_address
from inferometer.meters.energy.network.http import MOST_BYTES, fetch, get, get_json

SHORT_S = 0.15


def at(server, extra="", login=""):
    return parse_address(f"shelly://{login}{server.place}{extra}", "shelly", ("switch",))


def drip(handler, prelude, every_s=0.01):
    """Send one byte at a time until the client has gone."""
    handler.wfile.write(prelude)
    while not handler.server.gone.wait(every_s):
        handler.wfile.write(b"1")


def reset(handler):
    """Close with RST in place of an answer."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.shutdown(socket.SHUT_RD)
    handler.connection.close()


def test_an_object_arrives(serve):
    server = serve(lambda handler: handler.say({"apower": 3.5}))
    assert get_json(at(server), "/rpc?id=0") == {"apower": 3.5}
    assert server.asked == ["/rpc?id=0"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (reset, "broke the connection off"),
        (lambda handler: None, "broke the connection off"),
        (lambda handler: handler.wfile.write(b"\x00\xff garbage\n\n"), "does not answer in HTTP"),
        (
            lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"),
            "IncompleteRead",
        ),
        (
            lambda handler: handler.wfile.write(
                b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n"
            ),
            "does not answer in HTTP",
        ),
        (lambda handler: handler.say(b"<html>hello</html>"), "does not answer in JSON"),
        (lambda handler: handler.say(b"\xff\xfe\x00"), "does not answer in JSON"),
        (lambda handler: handler.say(b"[" * 60_000), "does not answer in JSON"),
        (lambda handler: handler.say([1, 2]), "JSON that is not an object"),
        (lambda handler: handler.say({}, 503), "HTTP status 503"),
        (lambda handler: handler.say(b"x" * (MOST_BYTES + 1)), "more than 64 KiB"),
    ],
    ids=[
        "reset",
        "nothing",
        "garbage",
        "cut short",
        "many headers",
        "html",
        "bytes",
        "deep",
        "list",
        "status",
        "huge",
    ],
)
def test_each_failure_is_one_sentence(serve, answer, said):
    server = serve(answer)
    with pytest.raises(MeterError, match=said) as caught:
        get_json(at(server), "/rpc")
    assert str(caught.value).startswith(f"shelly://{server.place}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        lambda handler: handler.server.gone.wait(60),
        lambda handler: drip(handler, b"HTTP/1.1 200 OK\r\n\r\n"),
        lambda handler: drip(handler, b"HTTP/1.1 200 OK\r\nA: "),
        lambda handler: drip(handler, b""),
    ],
    ids=["silence", "dripping body", "dripping header", "dripping status"],
)
def test_who_is_too_slow_is_given_up(serve, answer):
    server = serve(answer)
    with pytest.raises(MeterError, match=r"does not answer within 0\.15 s") as caught:
        get_json(at(server), "/rpc", timeout_s=SHORT_S)
    assert str(caught.value).startswith(f"shelly://{server.place}")


def test_an_endless_body_is_read_to_the_limit_only(serve):
    sent = []

    def pour(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not handler.server.gone.is_set():
            sent.append(handler.connection.send(b"x" * 65_536))

    with pytest.raises(MeterError, match="more than 64 KiB"):
        get(at(serve(pour)), "/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(serve, status):
    other = serve(lambda handler: handler.say({"apower": 1}))
    target = f"http://spy:secret@{other.place}/elsewhere?token=1"
    server = serve(lambda handler: handler.say(b"", status, {"Location": target}))
    with pytest.raises(
        MeterError, match=r"redirects to 127\.0\.0\.1, which is not followed"
    ) as told:
        get_json(at(server), "/rpc")
    assert "secret" not in str(told.value)
    assert "token" not in str(told.value)
    assert other.asked == []
    assert len(server.asked) == 1


def test_proxies_of_the_environment_are_not_used(serve, monkeypatch):
    proxy = serve(lambda handler: handler.say({"from": "proxy"}))
    server = serve(lambda handler: handler.say({"from": "meter"}))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{proxy.place}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert get_json(at(server), "/") == {"from": "meter"}
    assert proxy.asked == []


def test_a_closed_port_and_an_unknown_host():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    closed = parse_address(f"127.0.0.1:{port}", "shelly", ())
    with pytest.raises(MeterError, match="refuses the connection"):
        get(closed, "/")
    with pytest.raises(MeterError, match="no address"):
        get(parse_address("a..b", "shelly", ()), "/")


def test_only_http_and_https():
    for url in ("file:///etc/passwd", "ftp://localhost/", "http://"):
        with pytest.raises(ValueError, match="http and https only"):
            fetch(url)


def test_https_is_spoken(serve):
    server = serve(lambda handler: handler.say({}))
    with pytest.raises(OSError, match="SSL"):
        fetch(f"https://{server.place}/")


def basic(handler):
    wanted = "Basic " + b64encode(b"admin:pa:ss").decode()
    if handler.headers.get("Authorization") == wanted:
        handler.say({"ok": True})
    else:
        handler.say({}, 401, {"WWW-Authenticate": 'Basic realm="plug"'})


def digest(algorithm, name):
    """A server that works the digest out on its own (RFC 7616, section 3.4.1)."""

    def answer(handler):
        given = handler.headers.get("Authorization", "")
        if given.startswith("Digest "):
            parts = parse_keqv_list(parse_http_list(given[7:]))

            def h(text):
                return hashlib.new(name, text.encode()).hexdigest()

            secret = h(f"admin:shelly:{'pa:ss'}")
            middle = f"{parts['nonce']}:{parts['nc']}:{parts['cnonce']}:{parts['qop']}"
            right = h(f"{secret}:{middle}:{h('GET:' + handler.path)}")
            if parts["response"] == right and parts["uri"] == handler.path:
                handler.say({"ok": True})
                return
        challenge = f'Digest qop="auth", realm="shelly", nonce="60dc2c69", algorithm={algorithm}'
        handler.say({}, 401, {"WWW-Authenticate": challenge})

    return answer


@pytest.mark.parametrize("kind", [basic, digest("SHA-256", "sha256"), digest("MD5", "md5")])
def test_a_password_is_sent_once_it_is_asked_for(serve, kind):
    server = serve(kind)
    assert get_json(at(server, login="admin:pa%3Ass@"), "/rpc?id=0") == {"ok": True}
    assert get_json(at(server, login=":pa%3Ass@"), "/rpc?id=0", user="admin") == {"ok": True}
    with pytest.raises(MeterError, match="refuses the name or the password") as told:
        get_json(at(server, login="admin:wr0ng@"), "/rpc?id=0")
    assert "wr0ng" not in str(told.value)
    with pytest.raises(MeterError, match=r"asks for a password: write shelly://admin:PASSWORD@"):
        get_json(at(server), "/rpc?id=0", user="admin")


def test_the_digest_of_the_standard():
    """The example of RFC 7616, section 3.9.1, with the client's nonce fixed."""
    import inferometer.meters.energy.network.http_login as module

    fixed = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.secrets, "token_hex", lambda _: fixed)
        wanted = {
            "realm": "http-auth@example.org",
            "qop": "auth, auth-int",
            "algorithm": "SHA-256",
            "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
        }
        header = module._digest(wanted, "/dir/index.html", "Mufasa", "Circle of Life")
    assert header is not None
    right = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    assert f'response="{right}"' in header


def test_a_challenge_cannot_add_headers(serve):
    def answer(handler):
        handler.say({}, 401, {"WWW-Authenticate": 'Digest realm="a\\"b", nonce="n"'})

    server = serve(answer)
    with pytest.raises(MeterError, match="refuses"):
        get_json(at(server, login="u:p@"), "/")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("target", "host", "port"),
    [
        ("192.168.1.20", "192.168.1.20", 80),
        ("shelly://Plug.local:8080", "plug.local", 8080),
        (" shelly://plug/ ", "plug", 80),
        ("[fe80::1]:81", "fe80::1", 81),
    ],
)
def test_addresses(target, host, port):
    address = parse_address(target, "shelly", ("switch",))
    assert (address.host, address.port) == (host, port)


@pytest.mark.parametrize(
    "target",
    [
        "",
        "shelly://",
        "host:99999",
        "host:x",
        "host/path",
        "a b",
        "host#x",
        "[::1",
        "host?switch",
        "ho\nst?x=1",
    ],
)
def test_what_is_no_address(target):
    with pytest.raises(MeterError):
        parse_address(target, "shelly", ("switch",))


def test_options():
    assert parse_address("h?switch=2", "shelly", ("switch",)).number("switch", 0) == 2
    assert parse_address("h", "shelly", ("switch",)).number("switch", 0) == 0
    with pytest.raises(MeterError, match="has no option relay: it takes switch, pm1"):
        parse_address("h?relay=1", "shelly", ("switch", "pm1"))
    for wrong in ("-1", "x", "1000", "²"):
        with pytest.raises(MeterError, match="is not a number of a channel"):
            parse_address(f"h?switch={wrong}", "shelly", ("switch",)).number("switch", 0)


def test_a_password_is_never_shown():
    address = parse_address("shelly://me:s3cret@host:81?switch=1", "shelly", ("switch",))
    assert (address.user, address.password) == ("me", "s3cret")
    assert "s3cret" not in repr(address) + str(address)
    for wrong in ("me:s3cret@ho st", "me:s3cret@h:99999", "me:s3cret@h?x=1", "me:s3cret@"):
        with pytest.raises(MeterError) as told:
            parse_address(wrong, "shelly", ("switch",))
        assert "s3cret" not in str(told.value)


def test_no_thread_stays(serve):
    before = threading.active_count()
    server = serve(lambda handler: handler.say({}))
    for _ in range(5):
        get_json(at(server), "/")
    for _ in range(100):
        if threading.active_count() <= before + 1:
            break
        time.sleep(0.002)
    assert threading.active_count() <= before + 1
