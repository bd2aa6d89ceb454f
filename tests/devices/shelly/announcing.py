"""Shellys that announce themselves with a real responder, on loopback, unheard by other processes."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from zeroconf import IPVersion, ServiceInfo, Zeroconf

LOOPBACK = ("127.0.0.1",)
SERVICE = f"_shelly{os.getpid() % 10**8}._tcp.local."
PRO_3EM = {"gen": "2", "app": "Pro3EM", "ver": "1.7.5"}


def announcement(name: str, ip: str, port: int = 80, **properties: str) -> ServiceInfo:
    return ServiceInfo(
        SERVICE,
        f"{name}.{SERVICE}",
        port,
        addresses=[socket.inet_aton(ip)],
        properties=properties or PRO_3EM,
        server=f"{name.replace(' ', '-')}.local.",
    )


@contextmanager
def announced(services: Sequence[ServiceInfo]) -> Iterator[None]:
    with Zeroconf(interfaces=list(LOOPBACK), ip_version=IPVersion.V4Only) as network:
        for service in services:
            network.registry.async_add(service)
        yield
