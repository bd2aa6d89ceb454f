"""Addresses that users type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from apps.devices import address
from apps.devices.address import CheckedAddress, checked_address
from apps.devices.errors import DeviceRefused, DeviceUnreachable
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
    found = checked_address("Shelly_3EM.fritz.box", False, resolve=resolving("192.168.178.40", "fd00::1"))
    assert (found.url, found.ip) == ("http://shelly_3em.fritz.box", "192.168.178.40")


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "2002:7f00:1::",
        "169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0",
        "224.0.0.251", "ff02::fb", "0.0.0.0", "::", "255.255.255.255", "240.0.0.1",
        "0.1.2.3", "::ffff:0.1.2.3", "64:ff9b::7f00:1", "64:ff9b::c0a8:132", "2002:c0a8:132::1",
        "::192.168.1.50", "8.8.8.8", "::ffff:8.8.8.8", "2001:4860:4860::8888", "192.0.2.7", "198.18.0.1",
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


@pytest.mark.parametrize("ip", ["169.254.169.254", "0.0.0.0", "255.255.255.255", "224.0.0.1"])
def test_allowing_loopback_allows_nothing_else(ip: str) -> None:
    with pytest.raises(DeviceRefused):
        checked_address(ip, True)


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


def lan(host: str, port: int) -> list[str]:
    """Resolve names as a home network does."""
    names = {"influxdb": "10.0.0.3", "nas.fritz.box": "10.0.0.3", "redis": "10.0.0.4", "meter": "10.0.0.9"}
    return [names.get(host.lower(), host)] if host != "gone" else []


@pytest.mark.parametrize(
    "typed",
    [
        "http://InfluxDB:8086",
        "nas.fritz.box:8086",
        "10.0.0.3:8086",
        "[::ffff:10.0.0.3]:8086",
        "10.0.0.4:6379",
    ],
)
def test_heatmons_own_services_are_no_meters_by_whatever_name_or_address(typed: str) -> None:
    services = ["gone:5432", "influxdb:8086", "redis:6379"]
    with pytest.raises(DeviceRefused) as caught:
        checked_address(typed, True, own_services=services, resolve=lan)
    assert caught.value.code == "address_refused"
    assert checked_address("influxdb", False, own_services=services, resolve=lan).port == 80


@pytest.fixture
def own_address(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address taken for one of this machine's interfaces, of which the tests know none."""
    may_bind = address._may_bind
    monkeypatch.setattr(address, "_may_bind", lambda ip: ip == "10.0.0.20" or may_bind(ip))
    return "10.0.0.20"


def test_an_address_of_its_own_interfaces_is_this_machine_as_loopback_is(own_address: str) -> None:
    with pytest.raises(DeviceRefused):
        checked_address(f"{own_address}:8123", False)
    assert checked_address(f"{own_address}:8123", True).ip == own_address


@pytest.mark.parametrize("served_on", ["127.0.0.1:8000", "0.0.0.0:8000", "[::]:8000", "10.0.0.20:8000"])
@pytest.mark.parametrize("typed", ["127.0.0.1:8000", "[::1]:8000", "10.0.0.20:8000"])
def test_its_own_port_is_no_meter_even_where_loopback_is_allowed(
    own_address: str, served_on: str, typed: str
) -> None:
    with pytest.raises(DeviceRefused):
        checked_address(typed, True, own_services=[served_on])


def test_an_interface_is_known_by_what_may_be_bound() -> None:
    assert address._may_bind("127.0.0.1")
    assert not address._may_bind("10.254.254.254")
    assert not address._may_bind(address.NOBODYS[4])


def test_a_system_that_lets_anybody_bind_anything_hides_no_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "_may_bind", lambda ip: True)
    assert checked_address("192.168.1.50", False).ip == "192.168.1.50"


def test_a_public_address_is_taken_in_the_own_network_of_ipv6(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = tmp_path / "if_inet6"
    table.write_text("2a02810d00001234021132fffe000001 02 40 00 80     eth0\n")
    monkeypatch.setattr(address, "OWN_IPV6", table)
    assert (
        checked_address("meter", False, resolve=resolving("192.168.1.50", "2a02:810d:0:1234::7")).port == 80
    )
    with pytest.raises(DeviceRefused):
        checked_address("meter", False, resolve=resolving("192.168.1.50", "2a02:810d:0:1235::7"))


def test_a_name_without_an_address_is_unknown() -> None:
    with pytest.raises(DeviceUnreachable) as caught:
        checked_address("meter.example", False, resolve=resolving())
    assert caught.value.code == "name_unknown"
