"""Whom the pages believe about a request, whatever server runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.conf import LazySettings

from heatmon import wsgi

SAID = {
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_FOR": "10.0.0.1, 192.168.1.20",
    "HTTP_X_FORWARDED_HOST": "heat.example",
}
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Return what reaches Django of a request."""
    seen: list[dict[str, Any]] = []

    def pages(environ: dict[str, Any], _start_response: object) -> list[bytes]:
        seen.append(environ)
        return [b""]

    monkeypatch.setattr(wsgi, "_django", pages)

    def request(proxy: str | None, client: str, **said: str) -> dict[str, Any]:
        values = {**settings.HEATMON.values, "trusted_proxy": proxy}
        settings.HEATMON = replace(settings.HEATMON, values=values)
        environ = {"PATH_INFO": "/", "REMOTE_ADDR": client, "HTTP_HOST": "inner", "wsgi.url_scheme": "https"}
        wsgi.application({**environ, **said}, lambda *_ignored: None)  # type: ignore[arg-type]
        return seen[-1]

    return request


def test_the_trusted_proxy_says_who_asks_how_and_for_what_name(ask: Ask) -> None:
    environ = ask("127.0.0.1", "127.0.0.1", **SAID)
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["REMOTE_ADDR"] == "192.168.1.20"
    assert environ["HTTP_HOST"] == "heat.example"


@pytest.mark.parametrize(("proxy", "client"), [(None, "127.0.0.1"), ("172.30.43.2", "127.0.0.1")])
def test_nobody_else_is_believed_on_loopback_neither(ask: Ask, proxy: str | None, client: str) -> None:
    """Not even what the server in front of Django has made of it: gunicorn believes loopback by itself."""
    environ = ask(proxy, client, **SAID)
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["REMOTE_ADDR"] == client
    assert environ["HTTP_HOST"] == "inner"
    assert not [name for name in environ if "FORWARDED" in name]


def test_a_proxy_that_says_nothing_speaks_plain_http(ask: Ask) -> None:
    environ = ask("127.0.0.1", "127.0.0.1")
    assert environ["wsgi.url_scheme"] == "http"
    assert (environ["REMOTE_ADDR"], environ["HTTP_HOST"]) == ("127.0.0.1", "inner")


def test_what_is_no_address_is_not_the_clients(ask: Ask) -> None:
    assert ask("127.0.0.1", "127.0.0.1", HTTP_X_FORWARDED_FOR="<b>")["REMOTE_ADDR"] == "127.0.0.1"


def test_the_proxy_is_known_on_a_socket_for_both_versions_of_ip(ask: Ask) -> None:
    assert ask("172.30.43.2", "::ffff:172.30.43.2", **SAID)["wsgi.url_scheme"] == "https"


def test_a_request_that_django_cannot_even_make_is_refused(db: None) -> None:
    """Many parameters are met already while the charset of a form is read."""
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    environ |= {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/login",
        "QUERY_STRING": "&".join(f"a{number}=1" for number in range(1500)),
        "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-16",
    }
    said: list[str] = []
    body = b"".join(wsgi.application(environ, lambda status, *_headers: said.append(status)))  # type: ignore[arg-type]
    assert said == ["400 Bad Request"]
    assert b'"code":"invalid"' in body


def test_an_answer_to_head_has_the_head_alone(db: None) -> None:
    """A body would be read as the next answer of the connection."""
    answers: dict[str, tuple[str, bytes]] = {}
    for method in ("GET", "HEAD"):
        environ: dict[str, Any] = {"PATH_INFO": "/healthz", "REQUEST_METHOD": method}
        setup_testing_defaults(environ)
        told: list[Any] = []
        answer = wsgi.application(environ, lambda *head, told=told: told.extend(head))
        answers[method] = dict(told[1])["Content-Length"], b"".join(answer)
    assert answers["GET"][1] != b""
    assert answers["HEAD"] == (answers["GET"][0], b"")
