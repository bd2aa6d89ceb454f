"""One of several processes over the same data directory (HEATMON_DATA_DIR), started by a test.

``first`` makes the tables and polls; ``race`` polls and then takes calls until the ledger refuses.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402  (needs the set-up above)
from django.core.management import call_command  # noqa: E402

from apps.devices.budget import CallBudget  # noqa: E402
from apps.devices.errors import BudgetExhausted  # noqa: E402
from apps.devices.viessmann.client import ViessmannAccount, ViessmannClient  # noqa: E402
from apps.devices.viessmann.oauth import TokenStore  # noqa: E402
from tests.devices.viessmann.cloud import CLIENT_ID, PASSWORD, USER  # noqa: E402

MOST = 45


def main(step: str, at: str, base: str) -> int:
    """Returns how many calls were taken after the poll, at most ``MOST``."""
    moment = datetime.fromisoformat(at).astimezone(UTC)
    budget = CallBudget(CLIENT_ID, limit=100, clock=lambda: moment)
    if step == "first":
        call_command("migrate", "devices", verbosity=0)
    account = ViessmannAccount(
        user=USER, password=PASSWORD, client_id=CLIENT_ID, api_url=f"{base}/iot/v2", iam_url=f"{base}/idp/v3"
    )
    store = TokenStore(Path(settings.DATA_DIR) / "token.json")
    ViessmannClient(account, token_store=store, budget=budget, clock=lambda: moment).fetch()
    if step == "first":
        return 0
    for taken in range(MOST):
        try:
            budget.charge("poll", "h", moment)
        except BudgetExhausted:
            return taken
    return MOST


if __name__ == "__main__":
    sys.stdout.write(f"{main(*sys.argv[1:])}\n")
