"""Which schedulers are spoken to, and how."""

from __future__ import annotations

import pytest

from inferometer.core.errors import InputError
from inferometer.fleet.engine.scheduler import Certificates, check_address


@pytest.fixture
def certificates(tmp_path):
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "cert", "key")}
    for file in files.values():
        file.write_text("x")
    return Certificates(**files)


@pytest.mark.parametrize(
    "address",
    [
        "tcp://10.0.0.5:8786",
        "tcp://scheduler:8786",
        "ws://10.0.0.5:8786",
        "ucx://10.0.0.5:8786",
        "tcp://[fe80::1]:8786",
        "tcp://127.0.0.1.example.org:8786",
        "tcp://localhost.example.org:8786",
        "tcp://0.0.0.0:8786",
    ],
)
def test_clear_text_beyond_loopback_is_refused_with_the_way(address, certificates):
    for given in (Certificates(), certificates):
        with pytest.raises(InputError, match="--protocol tls") as error:
            check_address(address, given)
        assert "--tls-ca" in str(error.value)


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:8786", "tcp://localhost:8786", "tcp://[::1]:8786"]
)
def test_clear_text_on_this_machine_is_not(address):
    check_address(address, Certificates())


def test_both_ends_show_who_they_are(certificates):
    check_address("tls://10.0.0.5:8786", certificates)
    with pytest.raises(InputError, match="--tls-ca, --tls-cert and --tls-key"):
        check_address("tls://10.0.0.5:8786", Certificates(ca=certificates.ca))
    certificates.key.unlink()
    with pytest.raises(InputError, match=r"--tls-key .*cannot be read"):
        check_address("tls://10.0.0.5:8786", certificates)


@pytest.mark.parametrize("address", ["", "10.0.0.5:8786", "tls://", "http://x", "tls:/x"])
def test_what_is_no_address_is_said(address):
    with pytest.raises(InputError, match="tls://HOST:PORT"):
        check_address(address, Certificates())
