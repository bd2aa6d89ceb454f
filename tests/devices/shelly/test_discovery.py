"""Meters are found by what they announce, with a real responder; nothing is believed but the address."""

from __future__ import annotations

import gc
import socket
from collections.abc import Sequence

import pytest
from zeroconf import ServiceInfo

from apps.devices.address import CheckedAddress, checked_address
from apps.devices.errors import DeviceUnreachable
from apps.devices.shelly.discovery import AnnouncedMeter, announced_meters

from .announcing import LOOPBACK, SERVICE, announced, announcement


def check(url: str) -> CheckedAddress:
    return checked_address(url, allow_loopback=False)


def found(services: Sequence[ServiceInfo]) -> list[AnnouncedMeter]:
    with announced(services):
        return announced_meters(
            check, listen_s=20.0, most=len(services), interfaces=LOOPBACK, service=SERVICE
        )


def test_a_meter_is_found_with_its_name_model_and_firmware() -> None:
    assert found([announcement("Heat pump", "192.168.1.50")]) == [
        AnnouncedMeter(address="192.168.1.50", name="Heat pump", model="Shelly Pro 3EM", firmware="1.7.5")
    ]


def test_a_meter_that_announces_itself_under_two_names_is_listed_once_under_its_owners() -> None:
    both = [announcement(name, "192.168.1.50") for name in ("shellypro3em-aabbccddeeff", "3EM Pro")]
    assert [(meter.name, meter.address) for meter in found(both)] == [("3EM Pro", "192.168.1.50")]
    assert [meter.name for meter in found(both[::-1])] == ["3EM Pro"]


def test_another_port_belongs_to_the_address() -> None:
    assert [meter.address for meter in found([announcement("M", "10.0.0.7", 8180)])] == ["10.0.0.7:8180"]


def test_plugs_and_switches_are_left_out_and_unknown_meters_are_not() -> None:
    services = [
        announcement("plug", "192.168.1.51", app="PlusPlugS", gen="2"),
        announcement("new meter", "192.168.1.52", app="EMMiniG5", gen="5"),
    ]
    assert [(meter.name, meter.model, meter.firmware) for meter in found(services)] == [
        ("new meter", "EMMiniG5", "")
    ]


@pytest.mark.parametrize("ip", ["127.0.0.1", "169.254.7.7", "8.8.8.8", "224.0.0.1", "0.0.0.0"])
def test_an_address_that_nobody_may_type_is_not_offered(ip: str) -> None:
    """Anybody on the network can announce anything."""
    assert found([announcement("trap", ip)]) == []


def test_a_crowd_of_addresses_is_cut_to_four_of_a_name_and_as_many_as_names_are_heard() -> None:
    crowd = [announcement(f"M{number}", f"10.0.{number}.1") for number in range(3)]
    for number, service in enumerate(crowd):
        service.addresses = [socket.inet_aton(f"10.0.{number}.{host}") for host in range(1, 21)]
    plugs = [announcement(f"S{number}", "10.1.0.1", app="PlusPlugS") for number in range(5)]
    assert len(found([crowd[0], *plugs])) == 4
    assert len(found(crowd)) == 3


def test_a_name_that_is_not_for_showing_is_replaced_by_the_address() -> None:
    assert [meter.name for meter in found([announcement("a\u202eb", "192.168.1.50")])] == ["192.168.1.50"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_network_that_cannot_be_searched_is_a_device_error() -> None:
    with pytest.raises(DeviceUnreachable) as caught:
        announced_meters(check, listen_s=0.0, interfaces=["192.0.2.200"])
    assert caught.value.code == "search_refused"
    del caught
    gc.collect()  # zeroconf leaves a socket to the collector where it cannot open all of them
