"""The JSON API: ``/api/`` (design §4). Access is the middleware's; here are operations and their errors."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.renderers import BaseRenderer

from apps.accounts.api_errors import error_response
from apps.devices import storage
from apps.metrics.store.base import StoreUnavailable

from .answers import ApiError, rounded
from .docs import DocumentationPage


class _OrjsonRenderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return orjson.dumps(rounded(data))


api = NinjaAPI(
    title="heatmon",
    version="1",
    description="What heatmon knows about the heat pump: live values, history, energy, changes and notes.",
    docs=DocumentationPage(),
    renderer=_OrjsonRenderer(),
    urls_namespace="api",
    openapi_extra={
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "heatmon_session"},
            }
        },
        "security": [{"token": []}, {"session": []}],
    },
)


@api.exception_handler(ApiError)
def _api_error(request: HttpRequest, error: Any) -> HttpResponse:
    return error_response(error.status, error.message, field=error.field, extra=error.extra)


@api.exception_handler(ValidationError)
def _validation_error(request: HttpRequest, error: Any) -> HttpResponse:
    first = error.errors[0]
    names = [str(part) for part in first["loc"][1:] if not str(part).startswith("__")]
    # Bodies are declared as one parameter; people know its members only.
    field = names[-1] if names and names[-1] != "body" else None
    message = _("This request could not be understood.") if field is None else f"{field}: {first['msg']}"
    return error_response(400, message, field=field)


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    return error_response(error.status_code, str(error))


@api.exception_handler(StoreUnavailable)
def _store_unavailable(request: HttpRequest, error: Any) -> HttpResponse:
    reason = storage.sentence(storage.code_of(error))
    return error_response(503, reason or _("The store of measured values is not responding."))


from . import effects, energy, history, operations  # noqa: E402, F401  (add their operations to api)
