"""Shellys that announce themselves on the network (mDNS, ``_shelly._tcp``).

Nothing listens before somebody asks. An announcement is what anybody on the network says: only addresses
that could be typed as well are passed on, and what is there is for the client to find out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..address import CheckedAddress
from ..errors import DeviceError, DeviceUnreachable

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, Zeroconf

SERVICE = "_shelly._tcp.local."
LISTEN_S, ASK_S = 2.0, 1.0
"""How long announcements are waited for, and how long what they left out is asked for."""

MOST = 20
"""How many announcements are looked at, and how many addresses offered; a network with more is none of a
home."""
MOST_ADDRESSES = 4
"""How many addresses of one announcement are looked at: a meter has one by cable and one by Wi-Fi."""
LONGEST_NAME = 60

APPS = {"Pro3EM": "Shelly Pro 3EM", "S3EMG3": "Shelly 3EM-63 Gen3", "ProEM": "Shelly Pro EM-50"}

Check = Callable[[str], CheckedAddress]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedMeter:
    """``address`` as it would be typed: the IP address, with the port where it is not 80. ``name``: as its
    owner calls it, else its own; ``model`` and ``firmware`` are empty where it does not say."""

    address: str
    name: str
    model: str
    firmware: str


def announced_meters(
    check: Check,
    *,
    listen_s: float = LISTEN_S,
    most: int = MOST,
    interfaces: Iterable[str] | None = None,
    service: str = SERVICE,
) -> list[AnnouncedMeter]:
    """Listen for ``listen_s``, or until ``most`` have announced themselves, and return the meters among them,
    ``most`` addresses in all.

    ``check`` raises DeviceError for an address that may not be asked. ``interfaces``: own addresses to
    search from, all without it; ``service``: what is searched for. Raises DeviceUnreachable where the network
    cannot be searched.
    """
    from zeroconf import Error, InterfaceChoice, IPVersion, Zeroconf

    chosen = InterfaceChoice.All if interfaces is None else list(interfaces)
    try:
        with Zeroconf(interfaces=chosen, ip_version=IPVersion.V4Only) as network:
            names = _names_heard(network, service, listen_s, most)
            known = list(_known_services(network, service, names))
    except (OSError, Error) as error:
        raise DeviceUnreachable("search_refused") from error
    return _meters(
        [
            (str(one.get_name()), address, one.port or 80, _texts(one.decoded_properties))
            for one in known
            for address in one.parsed_addresses(IPVersion.V4Only)[:MOST_ADDRESSES]
        ],
        check,
        most,
    )


def _names_heard(network: Zeroconf, service: str, listen_s: float, most: int) -> list[str]:
    from zeroconf import ServiceBrowser

    names: dict[str, None] = {}
    changed = threading.Condition()

    def heard(zeroconf: Zeroconf, service_type: str, name: str, state_change: object) -> None:
        with changed:
            names.setdefault(name)
            changed.notify()

    browser = ServiceBrowser(network, service, handlers=[heard])
    with changed:
        changed.wait_for(lambda: len(names) >= most, timeout=listen_s)
        found = list(names)[:most]
    browser.cancel()
    return found


def _known_services(network: Zeroconf, service: str, names: Iterable[str]) -> Iterator[ServiceInfo]:
    """Yield what has been told of each name; what has not is asked for, ASK_S for all."""
    from zeroconf import BadTypeInNameException, ServiceInfo

    ends_at = time.monotonic() + ASK_S
    for name in names:
        try:
            known = ServiceInfo(service, name)
        except BadTypeInNameException:
            continue  # no name for a service, whoever sends it
        left_ms = max(0.0, 1000 * (ends_at - time.monotonic()))
        if known.load_from_cache(network) or known.request(network, left_ms):
            yield known


def _texts(properties: dict[str, str | None]) -> dict[str, str]:
    return {name: value[:LONGEST_NAME] for name, value in properties.items() if value and value.isprintable()}


def _meters(
    announced: Iterable[tuple[str, str, int, dict[str, str]]], check: Check, most: int
) -> list[AnnouncedMeter]:
    """Return the first meters of (name, address, port, properties), each once: a Shelly with a name of its
    owner's announces itself under both."""
    meters: dict[str, AnnouncedMeter] = {}
    for name, ip, port, told in announced:
        app = told.get("app", "")
        if app and "EM" not in app:
            continue  # a plug, a switch
        try:
            address = check(f"{ip}:{port}").url.removeprefix("http://")
        except DeviceError:
            continue
        shown = name[:LONGEST_NAME] if name.isprintable() else address
        known = meters.get(address)
        if known is None and len(meters) >= most:
            continue
        if known is None or known.name.lower().startswith("shelly"):
            meters[address] = AnnouncedMeter(
                address=address, name=shown, model=APPS.get(app, app), firmware=told.get("ver", "")
            )
    return sorted(meters.values(), key=lambda meter: meter.name.lower())
