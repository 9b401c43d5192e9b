"""Why a GPU's clock is held back, from an NVML that is not there."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from inferometer.host.gpu import clock_events

NEW, OLD = "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"


class NoDriverError(Exception):
    """What NVML raises."""


@pytest.fixture
def nvml(monkeypatch):
    """Put an NVML in place whose cards have these reasons by UUID."""

    def put(cards, name=NEW, **replaced):
        functions = {
            "nvmlInit": lambda: None,
            "nvmlDeviceGetCount": lambda: len(cards),
            "nvmlDeviceGetHandleByIndex": lambda index: list(cards)[index],
            "nvmlDeviceGetHandleByUUID": lambda uuid: next(one for one in cards if one == uuid),
            name: lambda card: cards[card],
        }
        monkeypatch.setitem(sys.modules, "pynvml", SimpleNamespace(**functions, **replaced))

    return put


def fails(*_):
    raise NoDriverError


@pytest.mark.parametrize("uuid", ["b", "GPU-b"])
@pytest.mark.parametrize("name", [NEW, OLD])
def test_the_card_with_the_uuid(nvml, uuid, name):
    nvml({"GPU-a": 0x8, "GPU-b": 0x20}, name)
    assert clock_events(uuid)() == 0x20


def test_the_only_card_where_no_uuid_is_known(nvml):
    nvml({"GPU-a": 0x8})
    assert clock_events(None)() == 0x8


@pytest.mark.parametrize("cards", [{}, {"GPU-a": 0x8, "GPU-b": 0x20}])
def test_of_several_cards_none_is_blamed(nvml, cards):
    nvml(cards)
    assert clock_events(None)() is None


def test_a_card_that_is_not_there_is_not_observable(nvml):
    nvml({"GPU-a": 0x8})
    assert clock_events("b")() is None


def test_without_a_driver_it_is_not_observable(nvml, monkeypatch):
    nvml({"GPU-a": 0x8})
    monkeypatch.setattr(sys.modules["pynvml"], "nvmlInit", fails)
    assert clock_events("a")() is None


def test_a_card_that_stops_answering_is_not_observable(nvml, monkeypatch):
    nvml({"GPU-a": 0x8})
    monkeypatch.setattr(sys.modules["pynvml"], NEW, fails)
    assert clock_events("a")() is None


def test_without_the_package_it_is_not_observable(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)  # importing it fails
    assert clock_events("a")() is None
