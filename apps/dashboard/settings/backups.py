"""The section of the backups: asks for one; the job of that name makes it, off the request."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.backups import under_way
from apps.backups.words import sentence
from apps.devices import clock

SECTION = "backups"


def ask(request: HttpRequest) -> None:
    """Ask for a backup, unless one is under way."""
    try:
        is_new = under_way.ask(clock.now().replace(microsecond=0))
    except OSError:
        messages.error(request, sentence("not_writable"))
        return
    if not is_new:
        messages.info(request, _("A backup is under way already."))
        return
    audit.record(audit.BACKUP_ASKED, request=request)
    messages.success(request, _("The backup begins within a few seconds."))


def waited_since(request: HttpRequest) -> datetime | None:
    """Return when the backup was asked for that the page waits for."""
    since = request.GET.get("since", "")
    return (
        datetime.fromtimestamp(int(since), UTC)
        if since.isascii() and since.isdigit() and len(since) < 11
        else None
    )
