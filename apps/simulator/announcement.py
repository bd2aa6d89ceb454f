"""The simulated meter announces itself on the network, as a Shelly does (mDNS)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

SERVICE = "_shelly._tcp.local."


@contextmanager
def announced(name: str, ip: str, port: int, service_type: str = SERVICE) -> Iterator[None]:
    """Answer searches for Shellys with a Pro 3EM at ``ip`` (IPv4) until left. Raises OSError where the
    network cannot be used."""
    from zeroconf import InterfaceChoice, IPVersion, ServiceInfo, Zeroconf

    service = ServiceInfo(
        service_type,
        f"{name}.{service_type}",
        port,
        addresses=[socket.inet_aton(ip)],
        properties={"gen": "2", "app": "Pro3EM", "ver": "1.7.5"},
        server=f"{name.replace(' ', '-')}.local.",
    )
    with Zeroconf(interfaces=InterfaceChoice.All, ip_version=IPVersion.V4Only) as network:
        network.registry.async_add(service)
        yield
