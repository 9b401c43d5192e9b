"""A file of devices, `devices.yaml`: read, checked, and explained where it is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from inferometer.core.errors import FleetError, StudyError
from inferometer.core.filenames import FileProblemError, read_file
from inferometer.core.shown import shown
from inferometer.fleet.link.ssh import ALLOWED, FIXED, OPTION, TARGET
from inferometer.fleet.types import Device
from inferometer.study.document import Document, dotted, read_document
from inferometer.study.document import Path as Place
from inferometer.study.validate import validate

DEFAULT_FILE = "devices.yaml"
MOST_BYTES = 1 << 20
MOST_DEVICES = 2000
MOST_OPTIONS = 20
MOST_PORT = 65535

NEEDS = "a file of devices needs a list devices, each with name, ssh, and python or agent: true"

_LINE = {"type": "string", "pattern": r"^(?!\s*$)[^\x00-\x1f\x7f-\x9f]*$", "maxLength": 500}
_TEXT = {**_LINE, "x-expected": "a text of one line"}
_SSH = "user@host, user@host:port, or host"


@cache
def schema() -> dict[str, Any]:
    """What a file of devices may hold."""
    device = {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "ssh"],
        "x-needs": "a device needs name and ssh",
        "x-expected": "a mapping such as {name: pi4, ssh: pi@10.0.0.4, agent: true}",
        "properties": {
            "name": {
                "type": "string",
                "pattern": r"^(?!\s)[^,\x00-\x1f\x7f-\x9f]{1,80}(?<!\s)$",
                "x-expected": "a name of one line, at most 80 characters, without a comma",
            },
            "ssh": {**_TEXT, "x-expected": _SSH},
            "python": {**_TEXT, "x-expected": "the Python on the board, such as venv/bin/python"},
            "agent": {"type": "boolean", "x-expected": "true or false"},
            "class": {
                **_TEXT,
                "pattern": r"^(?!\s)[^,\x00-\x1f\x7f-\x9f]{1,80}(?<!\s)$",
                "x-expected": "a text of at most 80 characters, without a comma",
            },
            "price": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 1e12,
                "x-expected": "a number above 0",
            },
            "meter": {**_TEXT, "x-expected": "a power meter, such as rapl or shelly://10.0.0.7"},
            "ssh_options": {
                "type": "array",
                "maxItems": MOST_OPTIONS,
                "items": _TEXT,
                "x-expected": f"a list of at most {MOST_OPTIONS} texts such as IdentityFile=PATH",
            },
        },
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["devices"],
        "x-needs": NEEDS,
        "x-expected": "a mapping with the key devices",
        "properties": {
            "devices": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_DEVICES,
                "items": device,
                "x-expected": f"a list of 1 to {MOST_DEVICES} devices",
            }
        },
    }


def read_devices(path: Path | str) -> tuple[Device, ...]:
    """Read a file of devices.

    Raises:
        FleetError: there is none, or it is wrong; says at which line and key.
    """
    try:
        content = read_file(path, at_most=MOST_BYTES).decode("utf-8-sig")
    except FileProblemError as error:
        raise FleetError(
            f"{error}; it lists the boards: write one (docs/how-to/fleet.md), or name another with "
            "--devices"
        ) from error
    except UnicodeDecodeError as error:
        raise FleetError(f"{shown(path)}: not UTF-8 text; save it as UTF-8") from error
    return parse_devices(content, name_of_file=shown(path))


def parse_devices(text: str, *, name_of_file: str) -> tuple[Device, ...]:
    """Read the text of a file of devices.

    Raises:
        FleetError: it is wrong; says at which line and key.
    """
    try:
        document = read_document(text, name_of_file=name_of_file, needs=NEEDS)
        validate(document, file=name_of_file, rules=schema())
        return _Reader(document, name_of_file).devices()
    except StudyError as error:
        raise FleetError(str(error)) from error


def chosen(devices: Sequence[Device], names: Sequence[str]) -> tuple[Device, ...]:
    """The devices of these names, in their order; all where none is named.

    Raises:
        FleetError: there is none of a name.
    """
    known = {one.name: one for one in devices}
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {shown(close[0])}? " if close else ""
            listed = ", ".join(shown(one, 40) for one in list(known)[:20])
            raise FleetError(
                f"no device is called {shown(repr(name))}; {hint}There are: {listed}"
                f"{', …' if len(known) > 20 else ''}"  # noqa: PLR2004 - a line of them
            )
    return tuple(known[name] for name in dict.fromkeys(names)) if names else tuple(devices)


class _Reader:
    """A checked document → devices."""

    def __init__(self, document: Document, file: str) -> None:
        self.document = document
        self.file = file

    def devices(self) -> tuple[Device, ...]:
        found: dict[str, int | None] = {}
        devices = []
        for number, data in enumerate(self.document.data["devices"]):
            place: Place = ("devices", number)
            name = data["name"]
            if name in found:
                before = f"; the first is on line {found[name]}" if found[name] else ""
                self._refuse((*place, "name"), f"the name {shown(name)} stands twice{before}")
            found[name] = self.document.line((*place, "name"))
            devices.append(self._device(data, place))
        return tuple(devices)

    def _device(self, data: Mapping[str, Any], place: Place) -> Device:
        agent, python = bool(data.get("agent", False)), data.get("python")
        if python is None and not agent:
            self._refuse(
                place,
                "neither python (one on the board that has inferometer) nor agent: true (which "
                "needs nothing but a Python there)",
            )
        if python is not None and python.startswith("-"):
            self._refuse((*place, "python"), "it begins with a dash; give the path of a Python")
        price = data.get("price")
        device = Device(
            name=data["name"],
            host="",
            agent=agent,
            python=python or "python3",
            kind=data.get("class"),
            price=None if price is None else float(price),
            meter=data.get("meter"),
            ssh_options=self._options(data.get("ssh_options", ()), (*place, "ssh_options")),
        )
        return self._at(device, data["ssh"].strip(), (*place, "ssh"))

    def _at(self, device: Device, target: str, place: Place) -> Device:
        """The device at its address."""
        found = TARGET.fullmatch(target)
        if found is None:
            self._refuse(place, f"expected {_SSH}; found {shown(repr(target), 80)}")
        port = None if found["port"] is None else int(found["port"])
        if port is not None and not 0 < port <= MOST_PORT:
            self._refuse(place, f"the port is not one of 1 to {MOST_PORT}")
        host = found["host"] or found["address"]
        return replace(device, host=host, user=found["user"] or "", port=port)

    def _options(self, options: Sequence[str], place: Place) -> tuple[str, ...]:
        """Options of OpenSSH, as it takes them."""
        names = {name.lower(): name for name in ALLOWED}
        fixed = {one.partition("=")[0].lower() for one in FIXED}
        kept = []
        for number, option in enumerate(options):
            found = OPTION.fullmatch(option.strip())
            here = (*place, number)
            if found is None:
                self._refuse(here, "expected NAME=VALUE, such as IdentityFile=~/.ssh/boards")
            name, value = found[1].lower(), found[2]
            if name in fixed:
                self._refuse(here, f"{found[1]} is fixed here, and cannot be set")
            if name not in names:
                self._refuse(
                    here,
                    f"{found[1]} cannot be set here; put it into ~/.ssh/config, which ssh reads "
                    f"too. Here: {', '.join(ALLOWED)}",
                )
            kept.append(f"{names[name]}={value}")
        return tuple(kept)

    def _refuse(self, place: Place, problem: str) -> NoReturn:
        raise StudyError(problem, file=self.file, line=self.document.line(place), key=dotted(place))
