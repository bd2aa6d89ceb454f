"""The simulated meter announces itself on the network, as a Shelly does (mDNS)."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def announced(name: str, ip: str, port: int, interfaces: Sequence[str] | None = None) -> Iterator[None]:
    """Answer searches for Shellys with a Pro 3EM at ``ip`` (IPv4) until left.

    ``interfaces``: own addresses to answer from, all without it. Raises OSError where the network cannot be
    used.
    """
    from zeroconf import InterfaceChoice, IPVersion, ServiceInfo, Zeroconf

    service = ServiceInfo(
        "_shelly._tcp.local.",
        f"{name}._shelly._tcp.local.",
        port,
        addresses=[socket.inet_aton(ip)],
        properties={"gen": "2", "app": "Pro3EM", "ver": "1.7.5"},
        server=f"{name.replace(' ', '-')}.local.",
    )
    chosen = InterfaceChoice.All if interfaces is None else list(interfaces)
    with Zeroconf(interfaces=chosen, ip_version=IPVersion.V4Only) as network:
        network.registry.async_add(service)
        yield
