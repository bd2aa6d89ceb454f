"""Protections of the login that nothing else would miss: the certificate, and the lock of the login file."""

from __future__ import annotations

import contextlib
import ssl
import threading
from dataclasses import replace
from pathlib import Path
from socket import socket

import pytest

from apps.devices.budget import CallBudget
from apps.devices.errors import DeviceError
from apps.devices.viessmann.client import ViessmannClient
from apps.devices.viessmann.tokens import TokenStore
from apps.devices.viessmann.transport import CloudTransport
from tests.devices.test_http import Serve, _self_signed, serve

from .cloud import Cloud
from .conftest import Clock

__all__ = ["serve"]


def test_no_password_goes_to_a_cloud_whose_certificate_nobody_signed(
    serve: Serve, budget: CallBudget, db: None, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_self_signed(tmp_path))
    heard: list[bytes] = []

    def listen(connection: socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as encrypted:
            heard.append(encrypted.recv(10_000))

    transport = CloudTransport(budget)
    with transport.calls("login"), pytest.raises(DeviceError) as refused:
        transport.request("POST", f"https://{serve(listen)}/authorize", auth=("owner", "secret"))
    assert (refused.value.code, [text for text in heard if text]) == ("tls", [])


def test_who_waits_for_the_login_takes_what_the_other_process_got(
    client: ViessmannClient, cloud: Cloud, clock: Clock, tmp_path: Path
) -> None:
    client.fetch()
    cloud.called()
    clock.pass_(hours=1)
    tokens: list[str] = []
    waiting = threading.Thread(target=lambda: tokens.append(client.login.access_token()))
    other = TokenStore(tmp_path / "token.json")
    with other.locked():
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        login = other.login()
        assert login is not None
        other.save_login(replace(login, access_token="new", expires_at=clock().timestamp() + 3600))
    waiting.join(5)
    assert (tokens, cloud.called()) == (["new"], [])
