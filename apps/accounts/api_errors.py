"""The one shape of every error under ``/api/``."""

from __future__ import annotations

import orjson
from django.http import HttpResponse

CODES = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "invalid",
    409: "conflict",
    413: "invalid",
    415: "invalid",
    429: "too_many",
    500: "internal",
    503: "unavailable",
}


def error_response(
    status: int, message: str, *, field: str | None = None, extra: dict[str, object] | None = None
) -> HttpResponse:
    """Return ``{"error": {"code", "message", "field"}}``; ``extra`` adds further members to the error."""
    error: dict[str, object] = {"code": CODES.get(status, "invalid"), "message": message, "field": field}
    return HttpResponse(
        orjson.dumps({"error": {**error, **(extra or {})}}), status=status, content_type="application/json"
    )
