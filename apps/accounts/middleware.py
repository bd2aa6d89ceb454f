"""Who may see what.

Outside the demo everything asks for a login but login, setup, read-only links, the probes and static files;
who visits by such a link reads what ``roles.VISITED`` lists. In the demo nothing asks, but admin and device
credentials are closed. Under ``/api/`` a cookie or a bearer token is asked for, and every error is JSON.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from ninja.utils import check_csrf

from apps.devices import clock, storage

from . import audit
from .api_errors import error_response
from .first_account import account_exists
from .roles import may_use, may_visit, may_write_notes
from .tokens import bearer, find_token
from .visit import has_visited, visit_of

logger = logging.getLogger("heatmon.access")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
API_PREFIX = "/api/"
BODY_LIMIT_BYTES = 1_000_000  # no page takes files: imports and backups are commands


class AccessMiddleware(MiddlewareMixin):
    """See the module. Stands after authentication, before the pages."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if _body_bytes(request) > BODY_LIMIT_BYTES:
            return _too_large(request)
        if request.method not in SAFE_METHODS and (code := _refuses_changes(request)):
            return _not_stored(request, code)
        request.visit = visit_of(request)  # type: ignore[attr-defined]
        if not request.path_info.startswith(API_PREFIX):
            return None
        return _api_refusal(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if request.path_info.startswith(API_PREFIX):
            return _refusal_of_visit(request)
        admin = _is_admin(request)
        if admin and any(name.endswith("regex") for name in request.GET):
            raise SuspiciousOperation("the admin searches by no pattern: one alone can hold a database")
        if settings.DEMO:
            return demo_refusal(request) if admin else None
        if not admin and not getattr(view, "login_required", True):
            return None
        if request.user.is_authenticated:
            return _refusal_of_role(request, admin)
        if request.visit is not None:  # type: ignore[attr-defined]
            return _refusal_of_visit(request)
        if not account_exists():
            return HttpResponseRedirect(reverse("accounts:setup"))
        return _to_login(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, DatabaseError) and (code := _fault_of(error)):
            logger.error("the database failed at %s: %s", request.path_info, error)
            return _not_stored(request, code)
        if not request.path_info.startswith(API_PREFIX):
            return None
        if isinstance(error, SuspiciousOperation):
            return error_response(400, _("This request could not be understood."))
        logger.error("the API failed at %s", request.path_info, exc_info=error)
        return error_response(500, _("Something went wrong. Details are in the log."))

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path_info.startswith(API_PREFIX):
            response = _as_json_error(response)
        if response.get("Content-Disposition", "").startswith("attachment") and response.status_code == 200:
            _write_down_export(request)
        # Static files are answered before they come here: this is all about the house.
        response["Cache-Control"] = "no-store, private"
        return response


def _write_down_export(request: HttpRequest) -> None:
    address = request.get_full_path()[:500]
    with storage.where_possible() as refused:
        audit.record(audit.EXPORT, request=request, detail=address)
    if refused:
        who = audit.caller_name(request)
        logger.warning("not written down, as nothing can be: %s exported %s", who, address)


def _refusal_of_role(request: HttpRequest, admin: bool) -> HttpResponse | None:
    changes = admin or request.method not in SAFE_METHODS
    if may_use(request.user, _view_name(request), changes=changes):
        return None
    return render(request, "accounts/not_allowed.html", status=403)


def _refusal_of_visit(request: HttpRequest) -> HttpResponse | None:
    if request.visit is None:  # type: ignore[attr-defined]
        return None
    if may_visit(_view_name(request), changes=request.method not in {"GET", "HEAD"}):
        return None
    if request.path_info.startswith(API_PREFIX):
        return error_response(403, _("A read-only link does not open this."))
    return render(request, "accounts/not_allowed.html", status=403)


def _body_bytes(request: HttpRequest) -> int:
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if not (length.isascii() and length.isdecimal()):
        raise SuspiciousOperation("the length of the body is not a number")
    return int(length[:16])


def _too_large(request: HttpRequest) -> HttpResponse:
    """Return 413, before anything of the body is read."""
    message = _("This request is too large: at most 1 MB is accepted.")
    if request.path_info.startswith(API_PREFIX):
        return error_response(413, message)
    return HttpResponse(message, status=413, content_type="text/plain; charset=utf-8")


def _refuses_changes(request: HttpRequest) -> str:
    """Return why nothing may be changed now; signing in and out changes nothing in a damaged database."""
    if storage.is_replaced():
        return "replaced"
    is_session = request.path_info in {"/login", "/logout"}
    return "notes_damaged" if storage.damage() == "notes_damaged" and not is_session else ""


def _fault_of(error: DatabaseError) -> str:
    """Return the fault if the database cannot be used, as distinct from being used wrongly."""
    code = storage.code_of(error)
    if code == "notes_damaged" and (path := storage.notes_path()) is not None:
        storage.note_damage(path, str(error))
        return code
    return code if isinstance(error, OperationalError) else ""


def _not_stored(request: HttpRequest, code: str) -> HttpResponse:
    """Return 503 and why nothing can be stored."""
    reason = storage.sentence(code)
    if request.path_info.startswith(API_PREFIX):
        return error_response(503, reason)
    return render(request, "not_stored.html", {"not_stored": reason}, status=503)


def demo_refusal(request: HttpRequest) -> HttpResponse:
    """Return a page that says that this part is not available in the demo, and where to continue."""
    return render(request, "accounts/demo_closed.html", status=403)


def insecure_transport(request: HttpRequest) -> bool:
    """Return whether a password typed here would travel in the clear without the owner having allowed it."""
    return not settings.PLAIN_HTTP and not request.is_secure()


def _view_name(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match else ""


def _is_admin(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and "admin" in match.app_names


def _to_login(request: HttpRequest) -> HttpResponse:
    login = reverse("accounts:login")
    over = has_visited(request)
    if request.headers.get("HX-Request") == "true":
        here = _shown_page(request)
        response = HttpResponse(status=401)
        if over:
            response["HX-Redirect"] = here or reverse("dashboard:overview")
            return response
        response["HX-Redirect"] = f"{login}?{urlencode({'next': here or '/'})}"
        return response
    if over:
        return render(request, "accounts/link_over.html", status=403)
    here = request.get_full_path() if request.method in SAFE_METHODS else request.path
    return HttpResponseRedirect(f"{login}?{urlencode({'next': here})}")


def _shown_page(request: HttpRequest) -> str:
    """Return the page that htmx asks from; empty if what it says is no address of ours."""
    try:
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return ""
    here = page.path + (f"?{page.query}" if page.query else "")
    ours = here.startswith("/") and url_has_allowed_host_and_scheme(here, allowed_hosts=None)
    return here if ours else ""


def _api_refusal(request: HttpRequest) -> HttpResponse | None:
    writes = request.method not in SAFE_METHODS
    if writes and request.method != "DELETE" and request.content_type != "application/json":
        return error_response(
            400, _("The request body must be JSON with the content type application/json."), field=None
        )
    if settings.DEMO:
        # Anyone on this computer may write notes, but not a page of another site in its browser.
        if writes and request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            return error_response(403, _("Requests from other sites may not make changes here."))
        return None
    if (plain := bearer(request)) is not None:
        request.visit = None  # type: ignore[attr-defined]
        return _token_refusal(request, plain, writes)
    if request.visit is not None:  # type: ignore[attr-defined]
        return None  # which of them a visitor may read is known with the address
    if not request.user.is_authenticated:
        return error_response(401, _("Sign in or send a token: Authorization: Bearer TOKEN."))
    if writes and not may_write_notes(request.user):
        return error_response(403, _("This account is read-only."))
    if writes and check_csrf(request) is not None:
        return error_response(
            403, _("The CSRF token is missing or wrong; send the cookie's value in the X-CSRFToken header.")
        )
    return None


def _token_refusal(request: HttpRequest, plain: str, writes: bool) -> HttpResponse | None:
    token = find_token(plain, clock.now())
    if token is None:
        response = error_response(401, _("This token is unknown, expired or revoked."))
        response["WWW-Authenticate"] = "Bearer"
        return response
    request.api_token = token  # type: ignore[attr-defined]
    if token.user is not None:
        request.user = token.user
    if writes and not (token.write and (token.user is None or may_write_notes(token.user))):
        return error_response(403, _("This token is read-only."))
    return None


def _as_json_error(response: HttpResponseBase) -> HttpResponseBase:
    """Return what the framework answers by itself under /api/ (404, 405, 400), in the API's own form."""
    if response.status_code < 400 or response.get("Content-Type", "").startswith("application/json"):
        return response
    messages = {
        400: _("This request could not be understood."),
        403: _("This is not allowed."),
        404: _("There is nothing at this address."),
        405: _("This address does not support this method."),
    }
    converted = error_response(
        response.status_code, messages.get(response.status_code, _("This request failed."))
    )
    for header in ("Allow", "Retry-After"):
        if response.has_header(header):
            converted[header] = response[header]
    return converted
