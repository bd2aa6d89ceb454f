"""``create_first_account NAME``: the owner's account, with the password read from standard input.

``--session`` prints the key of a session in which it is signed in: the demo hands it to the browser that has
made the account.
"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.first_account import AccountExists, AccountRefused, create_first_account, signed_in_session


class Command(BaseCommand):
    help = "Create the first account; the password is read from standard input. Exits with 3 if one exists."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="name of the account")
        parser.add_argument("--session", action="store_true", help="print the key of a session")

    def handle(self, *args: Any, **options: Any) -> None:
        password = sys.stdin.read().rstrip("\r\n")
        try:
            user = create_first_account(options["username"], password)
        except AccountExists as error:
            raise CommandError(str(error), returncode=3) from error
        except AccountRefused as error:
            raise CommandError("\n".join(error.messages), returncode=2) from error
        if options["session"]:
            self.stdout.write(signed_in_session(user))
        else:
            self.stdout.write(f"account {options['username']} created")
