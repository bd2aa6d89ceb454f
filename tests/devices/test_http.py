"""A whole exchange has a deadline and a cap, and no certificate is taken on trust."""

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

from apps.devices.http import AnswerTooLarge, LimitedAdapter, caused_by
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


def ask(url: str, *, deadline_s: float = 5.0, max_bytes: int = 10_000, verify: bool | str = True) -> bytes:
    """The body of one exchange within its limits."""
    adapter = LimitedAdapter(connect_timeout_s=2.0)
    adapter.limits.start(deadline_s, max_bytes)
    with requests.Session() as session:
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session.get(url, verify=verify).content


def drip(connection: socket) -> None:
    """One byte of a header every few milliseconds, for as long as somebody listens."""
    connection.recv(4096)
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(500):
            connection.sendall(b"x")
            time.sleep(0.01)


def drip_a_body(connection: socket) -> None:
    connection.recv(4096)
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        for _ in range(500):
            connection.sendall(b"x")
            time.sleep(0.01)


@pytest.mark.parametrize("treat", [drip, drip_a_body])
def test_what_drips_is_cut_off(serve: Serve, treat: Callable[[socket], None]) -> None:
    host = serve(treat)
    started = time.monotonic()
    with pytest.raises(requests.RequestException) as cut:
        ask(f"http://{host}/", deadline_s=0.2)
    assert caused_by(cut.value, TimeoutError)
    assert network_error(cut.value).code == "cloud_timeout"
    assert time.monotonic() - started < 2.0


def test_what_drips_and_then_falls_silent_gets_no_second_deadline(serve: Serve) -> None:
    def drip_and_stop(connection: socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        for _ in range(8):
            time.sleep(0.1)
            connection.sendall(b"x")
        while connection.recv(4096):
            pass

    host = serve(drip_and_stop)
    started = time.monotonic()
    with pytest.raises(requests.RequestException):
        ask(f"http://{host}/", deadline_s=1.0)
    assert time.monotonic() - started < 1.75  # a second one ended after 1.8 s


def test_a_dripping_answer_behind_tls_is_cut_off_too(serve: Serve, tmp_path: Path) -> None:
    certificate = _self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def drip_behind_tls(connection: socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as safe:
            drip(safe)

    host = serve(drip_behind_tls)
    started = time.monotonic()
    with pytest.raises(requests.RequestException) as cut:
        ask(f"https://{host}/", deadline_s=0.5, verify=str(certificate))
    assert caused_by(cut.value, TimeoutError)
    assert time.monotonic() - started < 3.0


def test_a_handshake_that_nobody_answers_is_cut_off(serve: Serve) -> None:
    def listens_only(connection: socket) -> None:
        while connection.recv(4096):
            pass

    host = serve(listens_only)
    started = time.monotonic()
    with pytest.raises(requests.RequestException) as cut:
        ask(f"https://{host}/", deadline_s=0.2)
    assert network_error(cut.value).code == "cloud_timeout"
    assert time.monotonic() - started < 1.8  # connecting may take 2 s


def test_an_exchange_within_its_time_is_left_alone(serve: Serve) -> None:
    def answer(connection: socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    assert ask(f"http://{serve(answer)}/") == b"ok"


def test_more_than_the_cap_is_not_read(serve: Serve) -> None:
    def flood(connection: socket) -> None:
        connection.recv(4096)
        with contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5_000_000)

    with pytest.raises(requests.RequestException) as refused:
        ask(f"http://{serve(flood)}/", max_bytes=100_000)
    assert caused_by(refused.value, AnswerTooLarge)


def test_a_certificate_that_nobody_signed_is_refused(serve: Serve, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_self_signed(tmp_path))

    def shake_hands(connection: socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
            pass

    host = serve(shake_hands)
    with pytest.raises(requests.exceptions.SSLError) as refused:
        ask(f"https://{host}/")
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
