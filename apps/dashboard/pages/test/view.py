"""``/changes/test`` and ``/changes/test/ID``: plan an alternating test, and follow it."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.dashboard import formatting
from apps.dashboard.pages import this_home
from apps.effects.models import AlternatingTest
from apps.effects.testing import (
    InvalidTest,
    close_test,
    pause_test,
    progress,
    resume_test,
    running_test,
    start_test,
    stop_test,
)
from apps.metrics.child import ChildFailed
from apps.metrics.home import Home
from apps.metrics.store.base import StoreUnavailable

from .plan import Wanted, design_of, not_taken, plan_context, start_of, wanted_of
from .running import running_context

log = logging.getLogger(__name__)


@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest) -> HttpResponse:
    """Plan a test, or go to the one that runs; POST starts it."""
    try:
        home = this_home(request)
        test = running_test(home)
        if test is not None:
            messages.info(request, _("This test is planned or runs. Another can be planned once it is over."))
            return redirect("dashboard:test", test.pk)
        return _start(request, home) if request.method == "POST" else _form(request, home)
    except StoreUnavailable:
        return render(request, "dashboard/store_unavailable.html", status=503)


def _form(request: HttpRequest, home: Home, error: str = "", wanted: Wanted | None = None) -> HttpResponse:
    given = request.POST if request.method == "POST" else request.GET
    wanted = wanted or _linked(home, given)
    try:
        context = plan_context(home, wanted, given.dict(), error)
    except ChildFailed as failure:
        log.error("What a test could show could not be calculated: %s", failure)
        return render(request, "dashboard/store_unavailable.html", status=503)
    return render(request, "dashboard/test/plan.html", {"page": context}, status=400 if error else 200)


def _linked(home: Home, given: QueryDict) -> Wanted:
    """Return what an address asks for; a wrong value is left to be typed."""
    change, key = given.get("change", ""), given.get("key", "")
    try:
        return wanted_of(home, change, key, given.get("other", ""))
    except ValueError:
        return wanted_of(home, change, key, "")


def _start(request: HttpRequest, home: Home) -> HttpResponse:
    typed = request.POST
    wanted = None
    try:
        wanted = wanted_of(home, typed.get("change", ""), typed.get("key", ""), typed.get("other", ""))
        blocks, length = design_of(typed.get("design", ""))
        if wanted.other is None:
            return _form(request, home, _("Enter the other value."), wanted)
        refused = not_taken(home, wanted)
        if refused:
            return _form(request, home, refused, wanted)
        first = start_of(home, typed.get("start", ""))
        test = start_test(home, wanted.key, wanted.other, blocks, length, first)
    except InvalidTest as error:
        return _form(request, home, _why(error), wanted)
    except ValueError:
        return _form(request, home, _("This is not a valid number."), wanted)
    day = {"day": formatting.local_date(test.first_day)}
    messages.success(request, _("The test starts on %(day)s.") % day)
    return redirect("dashboard:test", test.pk)


def _why(error: InvalidTest) -> str:
    if error.reason == "running":
        return _("Another test is already running.")
    if error.reason == "schedule":
        return _("A schedule cannot be tested in turn.")
    if error.reason == "equal":
        return _("Both values are the same.")
    return _("This setting is not known at present, so it cannot be tested.")


@require_http_methods(["GET", "HEAD", "POST"])
def test(request: HttpRequest, test_id: int) -> HttpResponse:
    """Show a test; POST pauses, resumes or stops it."""
    try:
        home = this_home(request)
        found = AlternatingTest.objects.filter(site_id=home.id, pk=test_id).first()
        if found is None:
            raise Http404
        closed = close_test(home, found)
        if request.method == "POST":
            _act(home, found, request.POST.get("action", ""))
            return redirect("dashboard:test", found.pk)
        asks_stop = found.ended_on is None and "stop" in request.GET
        page = running_context(home, found, closed or progress(home, found))
        context = {"page": page, "asks_stop": asks_stop}
        return render(request, "dashboard/test/running.html", context)
    except (StoreUnavailable, ChildFailed) as error:
        log.error("The test cannot be shown: %s", error)
        return render(request, "dashboard/store_unavailable.html", status=503)


def _act(home: Home, found: AlternatingTest, action: str) -> None:
    actions = {"pause": pause_test, "resume": resume_test, "stop": stop_test}
    if found.ended_on is None and action in actions:
        actions[action](home, found)
