"""Login, logout and the first account."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import DisallowedHost
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.devices import clock, storage

from . import audit, guard, setup_code
from .first_account import (
    AccountExists,
    AccountRefused,
    account_exists,
    create_first_account,
    create_in_real_home,
)
from .forms import FirstAccountForm
from .middleware import insecure_transport
from .restart import request_restart
from .steps import step_bar


class LoginForm(AuthenticationForm):
    """Django's, with our looks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"
        self.fields["username"].widget.attrs["autocapitalize"] = "none"

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except DatabaseError as error:
            if self.request is None or not storage.takes_no_writes(error):
                raise
            guard.note_unwritten(self.request)
            raise self.get_invalid_login_error() from error  # a wrong password reads as ever


@method_decorator(login_not_required, name="dispatch")
class Login(LoginView):
    """The login page; it refuses where a password would travel in the clear."""

    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if settings.DEMO:
            return redirect("dashboard:overview")
        if insecure_transport(request):
            return transport_refused(request)
        if not account_exists():
            return redirect("accounts:setup")
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if guard.has_failed_unwritten(request):
            return guard.locked_out(request, None, None)
        try:
            return super().post(request, *args, **kwargs)
        except DatabaseError as error:
            if not (storage.takes_no_writes(error) and request.user.is_authenticated):
                raise
            return HttpResponseRedirect(self.get_success_url())  # but for the note of it, all is done

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        if guard.has_failed_unwritten(self.request):
            return guard.locked_out(self.request, None, None)
        return super().form_invalid(form)


class Logout(LogoutView):
    """Ends the session on the server; POST only."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().post(request, *args, **kwargs)
        except DatabaseError as error:
            if not storage.takes_no_writes(error):
                raise
            request.session.flush()  # only the note of it could not be written
            return HttpResponseRedirect(self.get_success_url())


@login_not_required
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Create the first account with the one-time code. Closed as soon as there is one."""
    if insecure_transport(request):
        return transport_refused(request)
    if not settings.DEMO and account_exists():
        return _go_on(request)
    form = FirstAccountForm(request.POST or None)
    if request.method == "POST" and _is_accepted(form):
        done = _make_in_real_home(request, form) if settings.DEMO else _make_here(request, form)
        if done is not None:
            return done
    status = 400 if form.errors else 200
    context = {"form": form, "steps": step_bar("account")}
    return render(request, "accounts/setup_account.html", context, status=status)


def _go_on(request: HttpRequest) -> HttpResponse:
    """Lead the owner to what is not set up yet, through the login if need be; a reader to the overview."""
    if not request.user.is_authenticated:
        asked = f"?{urlencode({'next': request.path})}" if request.method == "GET" else ""
        return HttpResponseRedirect(reverse("accounts:login") + asked)
    return redirect("dashboard:setup_resume" if request.user.is_superuser else "dashboard:overview")


def _is_accepted(form: FirstAccountForm) -> bool:
    """Return whether all of the form will do; a wrong code is said beside what else is wrong."""
    is_valid = form.is_valid()
    return "code" in form.cleaned_data and _code_holds(form) and is_valid


def _code_holds(form: FirstAccountForm) -> bool:
    try:
        if setup_code.check_code(Path(settings.HOME_DATA_DIR), form.cleaned_data["code"], clock.now()):
            return True
        form.add_error("code", _("This is not the code that heatmon printed when it started."))
    except setup_code.TooManyTries as error:
        minutes = max(1, round((error.retry_at - clock.now()).total_seconds() / 60))
        form.add_error(
            "code", _("Too many wrong codes. Try again in %(minutes)d min.") % {"minutes": minutes}
        )
    return False


def _make_here(request: HttpRequest, form: FirstAccountForm) -> HttpResponse | None:
    data = form.cleaned_data
    try:
        user = create_first_account(data["username"], data["password"])
    except AccountExists:
        return redirect("accounts:login")
    except AccountRefused as error:
        _show_refusal(form, error)
        return None
    audit.record(audit.ACCOUNT_CREATED, request=request, actor=user.get_username())
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect(_step_address("language"))


def _make_in_real_home(request: HttpRequest, form: FirstAccountForm) -> HttpResponse | None:
    data = form.cleaned_data
    try:
        session = create_in_real_home(data["username"], data["password"])
    except AccountExists:
        form.add_error(None, _("An account already exists. Restart heatmon to sign in."))
        return None
    except AccountRefused as error:
        _show_refusal(form, error)
        return None
    request_restart()
    response = render(request, "accounts/setup_restarting.html", {"next_step": _step_address("language")})
    response.set_cookie(
        settings.HOME_SESSION_COOKIE_NAME,
        session,
        max_age=settings.SESSION_COOKIE_AGE,
        path=settings.SESSION_COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _show_refusal(form: FirstAccountForm, error: AccountRefused) -> None:
    for message in error.messages:
        form.add_error("password", message)


def _step_address(step: str) -> str:
    return reverse("dashboard:setup_step", args=[step])


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 400: what to do about an unknown host name, or that the request is no good."""
    if isinstance(exception, DisallowedHost):
        return HttpResponse(render_to_string("400.html"), status=400)
    message = _("This request could not be understood.")
    return HttpResponse(message, status=400, content_type="text/plain; charset=utf-8")


def transport_refused(request: HttpRequest) -> HttpResponse:
    """Return 403: here a password would travel in the clear."""
    return render(request, "accounts/no_tls.html", status=403)
