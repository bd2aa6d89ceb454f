"""A cloud, a clock that stands until it is moved, and a client of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apps.devices.budget import CallBudget
from apps.devices.viessmann.client import ViessmannAccount, ViessmannClient
from apps.devices.viessmann.oauth import TokenStore

from .cloud import CLIENT_ID, PASSWORD, USER, Cloud

NOON = datetime(2026, 1, 22, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    running = Cloud()
    yield running
    running.close()


@pytest.fixture
def budget(clock: Clock) -> CallBudget:
    return CallBudget(CLIENT_ID, limit=1450, clock=clock)


MakeClient = Callable[..., ViessmannClient]


@pytest.fixture
def make_client(cloud: Cloud, clock: Clock, budget: CallBudget, tmp_path: Path, db: None) -> MakeClient:
    """A client with its login file in ``tmp_path``: made again, it is another process."""

    def make(
        *,
        user: str | None = USER,
        password: str | None = PASSWORD,
        client_id: str = CLIENT_ID,
        device_serial: str | None = None,
        api_url: str | None = None,
    ) -> ViessmannClient:
        account = ViessmannAccount(
            user=user,
            password=password,
            client_id=client_id,
            api_url=api_url or f"{cloud.base}/iot/v2",
            iam_url=f"{cloud.base}/idp/v3",
        )
        return ViessmannClient(
            account,
            token_store=TokenStore(tmp_path / "token.json"),
            budget=budget,
            clock=clock,
            device_serial=device_serial,
        )

    return make


@pytest.fixture
def client(make_client: MakeClient) -> ViessmannClient:
    return make_client()
