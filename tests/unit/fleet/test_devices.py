"""Files of devices: what they mean, and where they are wrong."""

from __future__ import annotations

from itertools import pairwise

import pytest

from inferometer.core.errors import FleetError
from inferometer.fleet.devices import chosen, parse_devices, read_devices
from inferometer.fleet.link.ssh import ALLOWED, FIXED, command

WHOLE = """
devices:
  - name: pi4
    ssh: pi@10.0.0.4:2222
    python: ~/venv/bin/python
    class: pi
    price: 55
    meter: shelly://10.0.0.9
    ssh_options: [IdentityFile=~/.ssh/boards, "connecttimeout 5"]
  - name: Jetson Nano, no
"""


def devices(text):
    return parse_devices(text, name_of_file="d.yaml")


def one(**fields):
    lines = [f"    {name}: {value}" for name, value in fields.items()]
    return "\n".join(["devices:", "  - name: a", *lines]) + "\n"


def problem(text):
    with pytest.raises(FleetError) as caught:
        devices(text)
    return str(caught.value)


def test_everything_that_a_device_can_say():
    (found,) = devices(WHOLE.rpartition("  - name")[0])
    assert (found.name, found.user, found.host, found.port) == ("pi4", "pi", "10.0.0.4", 2222)
    assert (found.python, found.agent, found.kind) == ("~/venv/bin/python", False, "pi")
    assert (found.price, found.meter) == (55.0, "shelly://10.0.0.9")
    assert found.ssh_options == ("IdentityFile=~/.ssh/boards", "ConnectTimeout=5")


@pytest.mark.parametrize(
    ("target", "user", "host", "port"),
    [
        ("board", "", "board", None),
        ("me@board.local", "me", "board.local", None),
        ("me@[fe80::1%eth0]:22", "me", "fe80::1%eth0", 22),
        ("'[::1]'", "", "::1", None),
    ],
)
def test_where_a_device_is(target, user, host, port):
    (found,) = devices(one(ssh=target, agent="true"))
    assert (found.user, found.host, found.port) == (user, host, port)
    assert (found.agent, found.python) == (True, "python3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "d.yaml: the file is empty; a file of devices needs a list devices"),
        ("devices: []", "d.yaml:1: devices: expected a list of 1 to 2000 devices"),
        ("boards: []", "d.yaml:1: boards: unknown key; Known here: devices"),
        (one(agent="true"), "d.yaml:2: devices[0]: missing: ssh; a device needs name and ssh"),
        (one(ssh="h"), "d.yaml:2: devices[0]: neither python"),
        (one(ssh="h", agent="yes"), "d.yaml:4: devices[0].agent: expected true or false"),
        (one(ssh="-oProxyCommand=x", agent="true"), "d.yaml:3: devices[0].ssh: expected user@"),
        (one(ssh="a@-x", agent="true"), "d.yaml:3: devices[0].ssh: expected user@host"),
        (one(ssh="'a b'", agent="true"), "d.yaml:3: devices[0].ssh: expected user@host"),
        (one(ssh="h:0", agent="true"), "d.yaml:3: devices[0].ssh: the port is not one of"),
        (one(ssh="h", python="-x"), "d.yaml:4: devices[0].python: it begins with a dash"),
        (one(ssh="h", agent="true", price="-1"), "devices[0].price: expected a number above 0"),
        (one(ssh="h", agent="true", price="1e999"), "devices[0].price: expected a number above 0"),
        (one(ssh="h", agnt="true"), "d.yaml:4: devices[0].agnt: unknown key; did you mean agent?"),
        (
            "devices:\n- {name: a, ssh: h, agent: true}\n- {name: a, ssh: i, agent: true}\n",
            "d.yaml:3: devices[1].name: the name a stands twice; the first is on line 2",
        ),
        (WHOLE, "d.yaml:10: devices[1]: missing: ssh"),
        (one(ssh="h", agent="true", ssh_options="[Foo]"), "devices[0].ssh_options[0]: expected"),
        (
            one(ssh="h", agent="true", ssh_options="[StrictHostKeyChecking=no]"),
            "d.yaml:5: devices[0].ssh_options[0]: StrictHostKeyChecking is fixed here",
        ),
        (
            one(ssh="h", agent="true", ssh_options="['ProxyCommand=touch /x']"),
            "devices[0].ssh_options[0]: ProxyCommand cannot be set here; put it into ~/.ssh/config",
        ),
        ("devices: &a [*a]", "aliases"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, said):
    assert said in problem(text)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FleetError, match=r"no such file; it lists the boards: write one"):
        read_devices(tmp_path / "none.yaml")


def test_devices_are_chosen_by_name():
    found = devices(
        "devices:\n- {name: a, ssh: h, agent: true}\n- {name: b, ssh: i, agent: true}\n"
    )
    assert chosen(found, []) == found
    assert chosen(found, ["b", "a", "b"]) == found[::-1]
    with pytest.raises(FleetError, match=r"no device is called 'A'; .*There are: a, b"):
        chosen(found, ["A"])


def test_no_shell_reads_what_a_file_says():
    (found,) = devices(one(ssh="me@h:22", python="'~/my envs/$(reboot)/python'"))
    made = command(found, [found.python, "-m", "x", "a'b"])
    assert made[0] == "ssh"
    assert made[-3:-1] == ["--", "me@h"]
    assert made[-1] == "~/'my envs/$(reboot)/python' -m x 'a'\"'\"'b'"


def test_what_is_fixed_comes_before_what_a_file_says():
    (found,) = devices(one(ssh="h", agent="true", ssh_options="[ConnectTimeout=3]"))
    options = [one for flag, one in pairwise(command(found, [])) if flag == "-o"]
    assert options.index("StrictHostKeyChecking=yes") < options.index("ConnectTimeout=3")
    assert options.index("ConnectTimeout=3") < options.index("ConnectTimeout=15")
    assert not {one.partition("=")[0] for one in FIXED} & set(ALLOWED)
