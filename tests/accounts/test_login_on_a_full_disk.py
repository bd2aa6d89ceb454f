"""A full disk keeps nobody out, and lets nobody guess."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client

from apps.devices.options import default_site

from .conftest import PASSWORD
from .test_login import attempt


@pytest.fixture
def full_disk(transactional_db: None, owner: User) -> Iterator[None]:
    """No statement that writes does; a delete of nothing writes nothing."""
    default_site()
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorname = "SQLITE_FULL"

    def execute(run: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")) and "axes_access" not in sql.partition("WHERE")[2]:
            raise OperationalError(str(full)) from full
        return run(sql, *arguments)

    with connection.execute_wrapper(execute):
        yield


def test_the_owner_can_sign_in_and_stays_signed_in(client: Client, full_disk: None) -> None:
    assert attempt(client, "anna", PASSWORD).status_code == 302
    assert client.get("/settings").status_code == 200


def test_who_is_signed_in_stays_so_and_can_sign_out(client: Client, owner: User, full_disk: None) -> None:
    attempt(client, "anna", PASSWORD)
    client.post("/logout")
    assert client.get("/settings").status_code == 302


def test_nobody_guesses_more_often_than_otherwise(client: Client, full_disk: None) -> None:
    for _ in range(5):
        assert attempt(client, "anna", "wrong").status_code == 503
    assert attempt(client, "anna", PASSWORD).status_code == 429
    assert attempt(client, "anna", PASSWORD, address="192.168.1.30").status_code == 302
