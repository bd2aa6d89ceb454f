"""What everybody is told while the database of settings and notes cannot be used at all: one sentence.

Nothing here asks the database, so that a page, the API and the probes always have an answer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from html import escape
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.defaults import server_error

from apps.devices import storage

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>heatmon</title></head><body><h1>heatmon</h1><p role="alert">{sentence}</p></body></html>
"""


def answer(path: str, code: str) -> HttpResponse:
    """Return the answer at ``path`` for a fault of ``storage.WORDS``, in the language in force."""
    sentence = storage.sentence(code) or storage.sentence("failed")
    if path == "/healthz":  # the process itself is well: starting it again helps nobody
        return _json(200, {"ok": True, "failing": []})
    if path == "/readyz":
        return _json(503, {"ok": False, "failing": ["database", "storage"]})
    if path.startswith("/api/"):
        return _json(503, {"error": {"code": "unavailable", "message": sentence, "field": None}})
    page = _PAGE.format(language=translation.get_language(), sentence=escape(sentence))
    return HttpResponse(page, status=503, headers={"Cache-Control": "no-store"})


def application(code: str) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """Return a WSGI application that says nothing else, for a start that found the database unusable."""

    def say(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        german = str(environ.get("HTTP_ACCEPT_LANGUAGE", "")).lower().startswith("de")
        with translation.override(settings.HEATMON.language or ("de" if german else "en")):
            given = answer(environ["PATH_INFO"].removeprefix(settings.FORCE_SCRIPT_NAME or ""), code)
        start_response(f"{given.status_code} {given.reason_phrase}", list(given.items()))
        return [given.content]

    return say


def handler500(request: HttpRequest) -> HttpResponse:
    """Return what is said where a request failed before any page could: a sentence if the database did."""
    error = sys.exc_info()[1]
    if isinstance(error, DatabaseError):
        return answer(request.path_info, storage.code_of(error))
    return server_error(request)


def _json(status: int, content: object) -> HttpResponse:
    return HttpResponse(json.dumps(content), status=status, content_type="application/json")
