"""Addresses that users type."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.devices.errors import DeviceRefused, DeviceUnreachable
from apps.devices.shelly.address import CheckedAddress, checked_address
from apps.devices.wording import words_of


def resolving(*addresses: str) -> Callable[[str, int], list[str]]:
    return lambda host, port: list(addresses)


@pytest.mark.parametrize(
    ("typed", "url", "host", "port"),
    [
        ("192.168.1.50", "http://192.168.1.50", "192.168.1.50", 80),
        (" http://192.168.1.50/ ", "http://192.168.1.50", "192.168.1.50", 80),
        ("http://10.0.0.7:8080", "http://10.0.0.7:8080", "10.0.0.7", 8080),
        ("172.16.5.4:80", "http://172.16.5.4", "172.16.5.4", 80),
        ("[fd00::17]:8080", "http://[fd00::17]:8080", "fd00::17", 8080),
        ("http://[fd00::17]", "http://[fd00::17]", "fd00::17", 80),
        ("100.64.0.9", "http://100.64.0.9", "100.64.0.9", 80),
    ],
)
def test_an_address_at_home_is_taken(typed: str, url: str, host: str, port: int) -> None:
    assert checked_address(typed, False) == CheckedAddress(url=url, host=host, port=port, ip=host)


def test_a_name_is_taken_with_the_address_it_has() -> None:
    address = checked_address("Shelly_3EM.fritz.box", False, resolve=resolving("192.168.178.40", "fd00::1"))
    assert (address.url, address.ip) == ("http://shelly_3em.fritz.box", "192.168.178.40")


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "2002:7f00:1::",
        "169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0",
        "224.0.0.251", "ff02::fb", "0.0.0.0", "::", "255.255.255.255", "240.0.0.1",
    ],
)  # fmt: skip
def test_an_address_where_no_meter_is_is_refused_however_it_is_reached(ip: str) -> None:
    for resolved in ((ip,), ("192.168.1.50", ip)):
        with pytest.raises(DeviceRefused) as caught:
            checked_address("meter.example", False, resolve=resolving(*resolved))
        assert caught.value.code == "address_refused"
        assert words_of(caught.value).sentence == "meter.example is not an allowed meter address."
        assert words_of(caught.value).hint == "Enter the meter's address in your home network."


@pytest.mark.parametrize("typed", ["127.0.0.1:8123", "http://[::1]:8123", "2130706433", "0x7f.1"])
def test_loopback_is_refused_in_every_spelling_unless_allowed(typed: str) -> None:
    with pytest.raises(DeviceRefused) as caught:
        checked_address(typed, False)
    assert caught.value.code == "address_refused"
    assert checked_address(typed, True).ip in {"127.0.0.1", "::1"}


def test_allowing_loopback_allows_nothing_else() -> None:
    with pytest.raises(DeviceRefused):
        checked_address("169.254.169.254", True)
    with pytest.raises(DeviceRefused):
        checked_address("0.0.0.0", True)


@pytest.mark.parametrize(
    "typed",
    [
        "", "   ", "http://", "https://192.168.1.50", "ftp://192.168.1.50", "file:///etc/passwd", "//",
        "192.168.1.50/rpc/Shelly.Reboot", "192.168.1.50?x=1", "192.168.1.50#a",
        "http://admin:hunter2@192.168.1.50", "192.168.1.50:99999", "192.168.1.50:0", "192.168.1.50:http",
        "192.168.1.50\r\nHost: x", "meter\x00", "a b", "mete\u0307r", "-meter", "x" * 300, "http://[fd00::17",
    ],
)  # fmt: skip
def test_only_host_and_port_may_be_typed(typed: str) -> None:
    with pytest.raises(DeviceRefused) as caught:
        checked_address(typed, True, resolve=resolving("192.168.1.50"))
    assert caught.value.code == "address_invalid"
    assert "hunter2" not in f"{caught.value} {words_of(caught.value)}"


def test_heatmons_own_services_are_no_meters() -> None:
    services = ["influxdb:8086", "redis:6379"]
    with pytest.raises(DeviceRefused) as caught:
        checked_address("http://InfluxDB:8086", False, own_services=services, resolve=resolving("10.0.0.3"))
    assert caught.value.code == "address_refused"
    assert checked_address("influxdb", False, own_services=services, resolve=resolving("10.0.0.3")).port == 80


def test_a_name_without_an_address_is_unknown() -> None:
    with pytest.raises(DeviceUnreachable) as caught:
        checked_address("meter.example", False, resolve=resolving())
    assert caught.value.code == "name_unknown"
