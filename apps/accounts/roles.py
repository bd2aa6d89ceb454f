"""Who may what: the owner all; a reader the pages, and notes if the owner allows it; a visitor, who has a
read-only link and no account, what is listed here.

An owner is a superuser of Django, so that its admin knows the same.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db import transaction

from .first_account import checked_account

WRITE_NOTES = "changelog.add_entry"
OWNER, NOTES, ANYBODY = "owner", "notes", "anybody"
# By the name of the address. Of all others readers see the page, and only the owner may send something.
NEEDED = {
    "accounts:login": ANYBODY,
    "accounts:logout": ANYBODY,
    "accounts:setup": ANYBODY,
    "changelog:note_add": NOTES,
    "changelog:note_edit": NOTES,
    "changelog:note_delete": NOTES,
    "dashboard:account": ANYBODY,
    "dashboard:settings": OWNER,
    "dashboard:setup_later": OWNER,
    "dashboard:setup_resume": OWNER,
    "dashboard:setup_step": OWNER,
}
# All that a visitor may read: what is not here is closed, and nothing may be sent.
VISITED = frozenset(
    {
        "dashboard:overview",
        "dashboard:history",
        "dashboard:energy",
        "dashboard:hot_water",
        "dashboard:efficiency",
        "dashboard:report",
        "dashboard:compare",
        "dashboard:normal",
        "dashboard:change",
        "dashboard:test",
        "dashboard:documentation",
        "dashboard:document",
        "changelog:timeline",
        "changelog:configuration",
        "changelog:entry",
        "api:status",
        "api:history",
        "api:energy",
        "api:jaz",
        "api:estimate",
        "api:changelog",
        "api:effect",
        "api:configuration",
        "api:compare_periods",
        "api:expected",
    }
)


def may_visit(address: str, *, changes: bool) -> bool:
    """Return whether a visitor may see the page or answer named ``address``."""
    return address in VISITED and not changes


def may_use(user: Any, address: str, *, changes: bool) -> bool:
    """Return whether a signed-in ``user`` may see the page named ``address``, or with ``changes`` send
    something to it."""
    needed = NEEDED.get(address, OWNER if changes else ANYBODY)
    if user.is_superuser or needed == ANYBODY:
        return True
    return needed == NOTES and may_write_notes(user)


def may_write_notes(user: Any) -> bool:
    return bool(user.has_perm(WRITE_NOTES))


def create_reader(username: str, password: str, *, notes: bool) -> Any:
    """Make a reader's account. Raises AccountRefused for a name in use, an odd one, or a weak password."""
    user = checked_account(username, password)
    with transaction.atomic():
        user.save()
        allow_notes(user, notes)
    return user


def allow_notes(user: Any, allowed: bool) -> None:
    """Let a reader write notes, or no longer."""
    app, _dot, codename = WRITE_NOTES.partition(".")
    permission = Permission.objects.get(content_type__app_label=app, codename=codename)
    (user.user_permissions.add if allowed else user.user_permissions.remove)(permission)
