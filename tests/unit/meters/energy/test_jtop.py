from __future__ import annotations

import errno
import threading
from types import SimpleNamespace

import pytest

from inferometer.core.errors import SourceLostError
from inferometer.meters.energy.sources import jtop
from inferometer.meters.energy.surroundings import Surroundings


def rail(power):
    return {"volt": 5000, "curr": 100, "power": power, "avg": power, "online": True}


NANO = {"rail": {"POM_5V_CPU": rail(600), "POM_5V_GPU": rail(40)},
        "tot": {**rail(2100), "name": "POM_5V_IN"}}  # fmt: skip
ORIN = {"rail": {"VDD_CPU_GPU_CV": rail(900), "VDD_SOC": rail(1500)},
        "tot": {**rail(4900), "name": "VDD_IN"}}  # fmt: skip
AGX = {"rail": {"VDD_GPU_SOC": rail(3200), "VDD_CPU_CV": rail(800), "VIN_SYS_5V0": rail(4000), "VDDQ_VDD2_1V8AO": rail(700),
                "ucsi-source-psy-1-0008": rail(60_000)},
       "tot": {"power": 68_000, "avg": 68_000}}  # fmt: skip
THOR = {"rail": {"VDD_GPU": rail(9000)}, "tot": {**rail(30_000), "name": "VIN"}}


class Client:
    def __init__(self, power, *, start=None, ok=True):
        self.power, self._start, self._ok = power, start, ok
        self.interval = 0.5
        self.closed = 0

    def start(self):
        if self._start is not None:
            self._start()

    def ok(self, *, spin=False):
        assert spin, "the other way blocks"
        if isinstance(self._ok, Exception):
            raise self._ok
        return self._ok

    def close(self):
        self.closed += 1


def around(client=None, *, socket="/run/jtop.sock", code=errno.ENXIO, error=None):
    def read(path):
        if str(path) == socket:
            raise OSError(code, "a socket is not read as a file")
        raise FileNotFoundError(errno.ENOENT, "none", str(path))

    def load(name):
        assert name == "jtop"
        if error is not None:
            raise error
        return SimpleNamespace(jtop=lambda interval: client)

    return Surroundings(read=read, load=load, clock=lambda: 7.0)


@pytest.mark.parametrize(
    ("power", "name", "scope", "watts"),
    [
        (NANO, "jtop:POM_5V_IN", "module_input", 2.1),
        (ORIN, "jtop:VDD_IN", "module_input", 4.9),
        (AGX, "jtop:rails", "rails_sum", 8.0),
        (THOR, "jtop:VIN", "board_input", 30.0),
    ],
)
def test_the_total_or_the_sum_of_the_rails(power, name, scope, watts):
    client = Client(power)
    found = jtop.find(around(client))
    (source,) = found.sources
    reading = source.read()
    assert (reading.value, reading.at_s) == (pytest.approx(watts), 7.0)
    info = source.info
    assert (info.name, info.scope, info.quantity, info.period_s) == (name, scope, "power", 0.5)
    assert "raises the idle power" in info.where
    source.close()
    source.close()
    assert client.closed == 1


@pytest.mark.parametrize("socket", ["/run/jtop.sock", "/var/run/jtop.sock"])
@pytest.mark.parametrize("code", [errno.ENXIO, errno.EACCES])
def test_a_socket_is_a_service(socket, code):
    assert jtop.find(around(Client(NANO), socket=socket, code=code)).sources


def test_without_a_service_nobody_cares_and_nothing_is_loaded():
    found = jtop.find(around(socket="", error=AssertionError("loaded")))
    assert not found.absences[0].relevant
    assert not jtop.find(around(Client(NANO), error=ImportError())).absences[0].relevant


def test_nothing_is_asked_for_a_recorded_tree(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/jtop.sock").write_text("")
    assert not jtop.find(Surroundings(root=tmp_path)).sources


@pytest.mark.parametrize("power", [{}, {"rail": {}, "tot": {"power": 0, "avg": 0}}])
def test_a_board_without_a_sensor(power):
    client = Client(power)
    (absence,) = jtop.find(around(client)).absences
    assert "this board has no sensor" in absence.reason
    assert "jtop cannot help" in absence.way_out
    assert client.closed == 1


def test_what_goes_wrong_at_the_start():
    def fail():
        raise RuntimeError("Mismatch version jtop service")

    assert "Mismatch version" in jtop.find(around(Client(NANO, start=fail))).absences[0].reason
    assert "cannot be loaded" in jtop.find(around(error=SyntaxError("x"))).absences[0].reason
    old = Client(({}, {"cur": 5}))
    assert "in an unknown way" in jtop.find(around(old)).absences[0].reason


def test_a_service_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(jtop, "_PATIENCE_S", 0.01)
    hold = threading.Event()
    try:
        (absence,) = jtop.find(around(Client(NANO, start=lambda: hold.wait(5)))).absences
    finally:
        hold.set()
    assert "does not answer (TimeoutError: nothing within 0.01 s)" in absence.reason


@pytest.mark.parametrize("ok", [False, RuntimeError("Lost connection with jtop server")])
def test_a_service_that_stops_is_a_loss(ok):
    client = Client(ORIN)
    (source,) = jtop.find(around(client)).sources
    client._ok = ok
    with pytest.raises(SourceLostError, match="jtop:VDD_IN is lost"):
        source.read()


@pytest.mark.parametrize("power", [{}, AGX, {"tot": {"name": "VDD_IN", "power": float("nan")}}])
def test_a_rail_that_goes_is_a_loss(power):
    client = Client(ORIN)
    (source,) = jtop.find(around(client)).sources
    client.power = power
    with pytest.raises(SourceLostError):
        source.read()
