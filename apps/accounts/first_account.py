"""The first account: made once, with the one-time code; from the demo it is made in the real data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.devices.models import Site
from apps.devices.options import default_site

from . import setup_code
from .sessions import SessionStore

CHILD_TIMEOUT_S = 120


class AccountExists(Exception):
    """The first account has been made already; setup is closed."""


class AccountRefused(Exception):
    """The name or password will not do. ``messages``: sentences for people."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__(" ".join(messages))
        self.messages = messages


def account_exists() -> bool:
    return get_user_model().objects.exists()


def checked_account(username: str, password: str, **fields: Any) -> Any:
    """Return an account that is not saved yet. Raises AccountRefused for a name in use, an odd one, or a weak
    password."""
    user = get_user_model()(username=username, **fields)
    try:
        user.set_password(password)
        user.full_clean()
        validate_password(password, user)
    except ValidationError as error:
        raise AccountRefused(list(error.messages)) from error
    return user


def create_first_account(username: str, password: str) -> Any:
    """Make the owner. Raises AccountExists, or AccountRefused for a weak password or an odd name."""
    user = checked_account(username, password, is_staff=True, is_superuser=True)
    with transaction.atomic():
        # One at a time: SQLite has one writer, elsewhere the home's row is locked; accounts have no row yet.
        Site.objects.select_for_update().get(pk=default_site().pk)
        if account_exists():
            raise AccountExists("the first account exists already")
        user.save()
    setup_code.end_code(Path(settings.HOME_DATA_DIR))
    return user


def signed_in_session(user: Any) -> str:
    """Return the key of a new session in which ``user`` is signed in, as ``login`` would make it."""
    session = SessionStore()
    session[SESSION_KEY] = user.pk
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def create_in_real_home(username: str, password: str) -> str:
    """Migrate the real database and create the account there, from inside the demo, in child processes.

    Return the key of a session there, in which it is signed in. The password travels through the child's
    standard input, the key through its output. Raises AccountExists or AccountRefused.
    """
    try:  # here already, so that the answer is in the reader's language
        validate_password(password, get_user_model()(username=username))
    except ValidationError as error:
        raise AccountRefused(list(error.messages)) from error
    environ = {**os.environ, "HEATMON_DEMO": "0"}
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    migrated = subprocess.run(
        [sys.executable, manage, "migrate", "--no-input", "--verbosity", "0"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT_S,
        check=False,
    )
    if migrated.returncode:
        raise AccountRefused([migrated.stderr.strip().splitlines()[-1] if migrated.stderr.strip() else "?"])
    made = subprocess.run(
        [sys.executable, manage, "create_first_account", username, "--session"],
        env=environ,
        input=password,
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT_S,
        check=False,
    )
    if made.returncode == 3:
        raise AccountExists("the first account exists already")
    if made.returncode:
        said = made.stderr.replace("CommandError: ", "").strip()
        raise AccountRefused(said.splitlines() or ["?"])
    return made.stdout.strip().splitlines()[-1]
