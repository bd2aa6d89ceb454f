"""Hands messages to notification services, whichever apprise knows. Nothing here raises for a service's
sake, and nothing that is logged shows an address: it is a password."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256

from django.conf import settings

from .notify import NO_ADDRESS, REFUSED, SENT

log = logging.getLogger(__name__)

WITHIN_S = 30.0

Send = Callable[[str, str, str], bool]
"""(address, title, text) → whether the service took it."""


def target_of(address: str) -> str:
    """Return what tells one address from another without showing it."""
    return sha256(address.encode()).hexdigest()[:16]


def service_of(address: str) -> str:
    """Return the kind of service behind an address, for people; empty for one that is not valid."""
    code, name = _asked({"address": address})
    return name if code == SENT else ""


def send(address: str, title: str, text: str) -> bool:
    """Send one message; return whether the service took it in time."""
    code, name = _asked({"address": address, "title": title, "text": text})
    if code == NO_ADDRESS:
        log.warning("an address for alerts is not one that apprise knows")
    elif code != SENT:
        log.warning("the service %s did not take an alert", name or "for alerts")
    return code == SENT


def _asked(question: dict[str, str]) -> tuple[int, str]:
    command = [sys.executable, "-m", "apps.alerts.notify"]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            cwd=settings.BASE_DIR,
            input=json.dumps(question),
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_S,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        log.warning("a notification was broken off (%s)", type(error).__name__)  # its text names the input
        return REFUSED, ""
    return done.returncode, done.stdout.strip()[:100]
