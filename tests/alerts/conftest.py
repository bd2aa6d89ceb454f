"""A home with one target for its alerts, and a service that notes what it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.alerts.rules import Fact
from apps.alerts.watching import deliver, look
from apps.devices.models import Site
from apps.devices.options import default_site, save_home_options

NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)  # 13:00 in Berlin
CANARY = "json://user:canary-password@127.0.0.1/canary-topic"


@dataclass
class Watched:
    """A home that is looked at once a minute. ``works``: whether the service takes messages."""

    site: Site
    at: datetime = NOON
    works: bool = True
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    tried: int = 0

    def save(self, **values: Any) -> None:
        save_home_options(self.site, values)

    def minute(self, *facts: Fact, minutes: int = 1) -> None:
        """Let time pass while the facts are these."""
        for _ in range(minutes):
            look(self.site, facts, self.at)
            deliver(self.site, self.at, self._send)
            self.at += timedelta(minutes=1)

    @property
    def titles(self) -> list[str]:
        return [title for _address, title, _text in self.sent]

    def _send(self, address: str, title: str, text: str) -> bool:
        self.tried += 1
        if self.works:
            self.sent.append((address, title, text))
        return self.works


@pytest.fixture
def watched(db: None) -> Watched:
    home = Watched(default_site())
    home.save(notify_targets=[CANARY], quiet_hours=[])
    return home
