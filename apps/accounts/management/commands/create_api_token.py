"""``create_api_token NAME``: prints a token once."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts import audit
from apps.accounts.tokens import create_token
from apps.devices import clock


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 3650:
        raise argparse.ArgumentTypeError("must be between 1 and 3650 days")
    return days


class Command(BaseCommand):
    help = "Create an API token and print it; it cannot be shown again. Read-only without --write."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the token is for, as shown in the list and as author of notes")
        parser.add_argument("--write", action="store_true", help="allow changing notes too")
        parser.add_argument("--expires", type=_days, metavar="DAYS", help="days until it expires")
        parser.add_argument("--user", help="owner of the token (default: the first account)")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        if not name or len(name) > 100:
            raise CommandError("the name must have 1 to 100 characters", returncode=2)
        at = clock.now()
        expires_at = at + timedelta(days=options["expires"]) if options["expires"] else None
        users = get_user_model().objects.order_by("pk")
        user = users.first()
        if options["user"]:
            user = users.filter(username=options["user"]).first()
            if user is None:
                raise CommandError(f"there is no account {options['user']}", returncode=2)
        _, plain = create_token(name, write=options["write"], at=at, expires_at=expires_at, user=user)
        audit.record(audit.TOKEN_CREATED, actor="create_api_token", detail=name)
        self.stdout.write(plain)
