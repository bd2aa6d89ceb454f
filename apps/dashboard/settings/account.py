"""``/account``: what is of the account that is signed in: its password, and the language and theme."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.accounts import guard
from apps.accounts.changing import change_password
from apps.accounts.forms import ChangePasswordForm
from apps.accounts.middleware import insecure_transport
from apps.accounts.views import transport_refused
from apps.devices import storage

from .forms import LanguageForm, LookForm
from .look import look_form, set_look


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Show the page; a POST names its ``section``."""
    if settings.DEMO:
        return redirect("dashboard:settings")
    if insecure_transport(request):
        return transport_refused(request)
    if request.method != "POST":
        return _page(request)
    if request.POST.get("section") == LanguageForm.section:
        return _look(request)
    return _password(request)


def _password(request: HttpRequest) -> HttpResponse:
    if guard.has_failed_unwritten(request):
        return guard.locked_out(request, None, None)
    form = ChangePasswordForm(request.POST, user=request.user, auto_id="password-%s")
    if not form.is_valid():
        return _page(request, form, status=400)
    try:
        is_changed = change_password(request, form.cleaned_data["present"], form.cleaned_data["password"])
    except DatabaseError as error:
        if storage.takes_no_writes(error):
            guard.note_unwritten(request)
        raise
    if not is_changed:
        form.add_error("present", _("This is not your present password."))
        return _page(request, form, status=400)
    messages.success(
        request, _("The password is changed. Everybody else who was signed in with it is signed out.")
    )
    return redirect("dashboard:account")


def _look(request: HttpRequest) -> HttpResponse:
    form = LookForm(request.POST, auto_id="language-%s")
    if not form.is_valid():
        return _page(request, status=400)
    messages.success(request, _("Saved."))
    response = redirect("dashboard:account")
    set_look(request, response, form)
    return response


def _page(request: HttpRequest, form: ChangePasswordForm | None = None, *, status: int = 200) -> HttpResponse:
    context = {
        "password_form": form or ChangePasswordForm(user=request.user, auto_id="password-%s"),
        "look_form": look_form(request, auto_id="language-%s"),
    }
    return render(request, "dashboard/settings/account.html", context, status=status)
