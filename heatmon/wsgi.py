"""The WSGI application, for waitress and gunicorn."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import django
from django.core.wsgi import get_wsgi_application

from .schedule import JOBS, late_after_s

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heatmon.settings")

SCHEME, CLIENT, HOST = "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST"
FORWARDED = (SCHEME, CLIENT, HOST, "HTTP_FORWARDED", "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_SCHEME")

django.setup()  # with the sub-path, under which static files are linked; the next line would leave it out
_django = get_wsgi_application()


def opened() -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """Return the application of the production run: the store is opened before the first page, so that every
    page can say so if it is refused, and the workers' jobs are watched."""
    from django.conf import settings
    from django.db import DatabaseError

    from apps.devices import job_beats
    from apps.metrics.apps import default_store
    from apps.metrics.store.base import StoreUnavailable

    try:
        default_store()
    except (StoreUnavailable, DatabaseError) as error:
        log.warning("the store is not open yet: %s", error)
    if settings.HEATMON.redis_url:
        job_beats.expect({job.name: late_after_s(job) for job in JOBS}, time.time())
    return application


def _believe(environ: WSGIEnvironment, proxy: str | None) -> None:
    """Take over what the trusted proxy says of its client, and forget what anybody else says.

    heatmon itself speaks plain HTTP: that a request came by TLS only the proxy can say, whatever the server
    that runs this has made of the headers.
    """
    said = {name: str(environ.pop(name, "")).rpartition(",")[2].strip() for name in FORWARDED}
    environ["wsgi.url_scheme"] = "http"
    if proxy is None or _plain(str(environ.get("REMOTE_ADDR", ""))) != proxy:
        return
    environ["wsgi.url_scheme"] = "https" if said[SCHEME] == "https" else "http"
    if said[HOST]:
        environ["HTTP_HOST"] = said[HOST]
    with suppress(ValueError):
        environ["REMOTE_ADDR"] = str(ip_address(said[CLIENT]))


def _plain(address: str) -> str:
    """Return an IPv4 address that a socket for both versions wrote as IPv6 as IPv4."""
    return address.removeprefix("::ffff:")


class _Head:
    """An answer to HEAD: waitress sends what it is given, and a body would be read as the next answer."""

    def __init__(self, answer: Any) -> None:
        self.close: Callable[[], None] = answer.close

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Return Django under HEATMON_SCRIPT_NAME, whether the proxy keeps the prefix in the path or strips
    it."""
    from django.conf import settings
    from django.core.exceptions import SuspiciousOperation

    from apps.accounts.api_errors import error_response

    _believe(environ, settings.HEATMON.trusted_proxy)
    prefix = settings.FORCE_SCRIPT_NAME
    path: Any = environ.get("PATH_INFO", "")
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        environ["PATH_INFO"] = path[len(prefix) :] or "/"
    try:
        answer = _django(environ, start_response)
        return _Head(answer) if environ.get("REQUEST_METHOD") == "HEAD" else answer
    except SuspiciousOperation:  # met while Django makes the request, before anything of it can answer
        body = error_response(400, "This request could not be understood.").content
        start_response("400 Bad Request", [("Content-Type", "application/json")])
        return [body]
