"""A whole exchange has a deadline, and no certificate is taken on trust."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from socket import create_server, socket

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.devices.deadline import WatchedAdapter, deadline
from apps.devices.viessmann.faults import network_error

Serve = Callable[[Callable[[socket], None]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that treats each connection as told; gives host and port."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def start(treat: Callable[[socket], None]) -> str:
        listener = create_server(("127.0.0.1", 0))
        listener.settimeout(0.05)

        def run() -> None:
            with listener:
                while not stop.is_set():
                    with contextlib.suppress(TimeoutError, OSError):
                        connection, _ = listener.accept()
                        connection.settimeout(2.0)
                        with connection:
                            treat(connection)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    stop.set()
    for thread in threads:
        thread.join()


def session() -> requests.Session:
    opened = requests.Session()
    opened.mount("http://", WatchedAdapter())
    opened.mount("https://", WatchedAdapter())
    return opened


def ask(host: str) -> bytes:
    """The body; what is cut off gives an empty one or an error, as urllib3 happens to see it."""
    with session() as opened:
        try:
            return opened.get(f"http://{host}/", timeout=2.0).content
        except requests.ConnectionError:
            return b""


def drip(connection: socket) -> None:
    """One byte of a header every few milliseconds, for as long as somebody listens."""
    connection.recv(4096)
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(500):
            connection.sendall(b"x")
            time.sleep(0.01)


def test_dripping_headers_are_cut_off(serve: Serve) -> None:
    host = serve(drip)
    started = time.monotonic()
    with deadline(0.2) as watch:
        ask(host)
    assert watch.expired
    assert time.monotonic() - started < 2.0


def test_an_exchange_within_its_time_is_left_alone(serve: Serve) -> None:
    def answer(connection: socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    host = serve(answer)
    with deadline(5.0) as watch:
        assert ask(host) == b"ok"
    assert not watch.expired


def test_no_timer_is_left_behind(serve: Serve) -> None:
    host = serve(drip)
    with deadline(0.05) as watch:
        ask(host)
    assert watch.expired
    with deadline(60.0):
        ask(serve(lambda connection: None))
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(5.0)
            assert not thread.is_alive()


def test_a_certificate_that_nobody_signed_is_refused(serve: Serve, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_self_signed(tmp_path))

    def shake_hands(connection: socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
            pass

    host = serve(shake_hands)
    with session() as opened, pytest.raises(requests.exceptions.SSLError) as refused:
        opened.get(f"https://{host}/")
    assert network_error(refused.value).code == "tls"


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
