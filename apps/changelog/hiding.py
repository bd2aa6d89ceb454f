"""Whether notes are hidden from whoever asks now: a visitor of a read-only link sees them only if its owner
chose so. Then there are no notes, and no titles and comments that people wrote, in whatever is asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

_hidden: ContextVar[bool] = ContextVar("notes_hidden", default=False)


def notes_hidden() -> bool:
    return _hidden.get()


class HiddenNotesMiddleware:
    """Hides notes for the length of a visitor's request. Stands after the one that knows the visitor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        visit = getattr(request, "visit", None)
        token = _hidden.set(visit is not None and not visit.notes)
        try:
            return self.get_response(request)
        finally:
            _hidden.reset(token)
