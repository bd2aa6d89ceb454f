"""The ORM's database on a PostgreSQL server: its address, and what a server does that a file does not.

The last part runs where HEATMON_TEST_DATABASE_URL names a server: ``make test-postgres`` starts one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client

from apps.accounts.first_account import AccountExists, create_first_account
from apps.devices.budget import CallBudget
from apps.devices.errors import BudgetExhausted
from apps.devices.models import ApiCall, Site
from apps.devices.options import default_site
from heatmon.options import OptionsError, load_options
from heatmon.postgres import connection_settings

from .test_database import manage

ROOT = Path(__file__).resolve().parents[2]
on_a_server = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="no PostgreSQL server given (make test-postgres)"
)


# ---------- the address ----------


def test_all_parts_of_an_address_arrive_unquoted() -> None:
    found = connection_settings("postgres://heat:p%40ss%2Fword@db.example:5433/homes?sslmode=require")
    assert (found["NAME"], found["USER"], found["PASSWORD"]) == ("homes", "heat", "p@ss/word")
    assert (found["HOST"], found["PORT"]) == ("db.example", "5433")
    assert found["OPTIONS"] == {"connect_timeout": "10", "sslmode": "require"}


def test_a_socket_an_ipv6_address_and_session_options_are_understood() -> None:
    assert connection_settings("postgresql:///homes?host=/run/postgresql")["HOST"] == "/run/postgresql"
    assert connection_settings("postgres://heat@[::1]/homes")["HOST"] == "::1"
    options = connection_settings("postgres://h/homes?options=-c%20search_path%3Dheat&connect_timeout=3")
    assert options["OPTIONS"] == {"connect_timeout": "3", "options": "-c search_path=heat"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://heat@db/homes", "must begin with postgres://"),
        ("postgres://heat@db:54x2/homes", "has an invalid port"),
        ("postgres://heat@db:99999/homes", "has an invalid port"),
        ("postgres://heat@db", "must name the database"),
        ("postgres://heat:se@cret@db/homes", "has an @ too many"),
        ("postgres://heat:se/cret@db/homes", "has an @ too many"),
        ("postgres://heat:se%zzcret@db/homes", "must be like postgres://"),
        ("postgres://heat@db/homes?ssl=on", "has a part after the ? that PostgreSQL does not know"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused_without_showing_it(url: str, said: str) -> None:
    with pytest.raises(OptionsError) as refused:
        load_options({"HEATMON_DATABASE_URL": url})
    (fault,) = refused.value.faults
    assert fault.startswith(f"HEATMON_DATABASE_URL {said}")
    assert "cret" not in fault


# ---------- the process ----------


def engine_of(data_dir: Path, **given: str) -> str:
    """The module of the database that a process with these settings would use."""
    code = "from django.conf import settings; print(settings.DATABASES['default']['ENGINE'].split('.')[-1])"
    environ = {key: value for key, value in os.environ.items() if not key.startswith("HEATMON_")}
    environ |= {"HEATMON_DATA_DIR": str(data_dir), "HEATMON_TESTING": "1", **given}
    environ |= {"DJANGO_SETTINGS_MODULE": "heatmon.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_demo_and_simulation_never_touch_the_server(tmp_path: Path) -> None:
    url = {"HEATMON_DATABASE_URL": "postgres://heat@127.0.0.1:9/homes"}
    assert engine_of(tmp_path, **url) == "postgresql"
    assert engine_of(tmp_path, **url, HEATMON_DEMO="1") == "sqlite3"
    assert engine_of(tmp_path, **url, HEATMON_SCRATCH="1") == "sqlite3"


def test_a_server_that_does_not_answer_is_named_without_the_password(tmp_path: Path) -> None:
    done = manage(tmp_path, "report", HEATMON_DATABASE_URL="postgres://heat:secret@127.0.0.1:9/homes")
    assert done.returncode == 1
    assert (
        'The database of settings and notes cannot be used: connection failed: connection to server at "127'
        in (done.stderr)
    )
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


# ---------- on a server ----------


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What the calls return, or raise, when all begin in the same moment, each on its own connection."""
    ready = threading.Barrier(len(calls))
    results: list[object] = []

    def run(call: Callable[[], object]) -> None:
        connection.ensure_connection()
        ready.wait(20)
        try:
            results.append(call())
        except (AccountExists, BudgetExhausted) as refusal:
            results.append(refusal)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@on_a_server
@pytest.mark.django_db(transaction=True)
def test_the_first_home_is_made_once_and_the_next_one_gets_its_own_id() -> None:
    assert at_once(*[default_site] * 4) == [Site(pk=1)] * 4
    assert Site.objects.create().pk == 2


@on_a_server
@pytest.mark.django_db(transaction=True)
def test_two_first_accounts_at_once_make_one(settings: LazySettings, tmp_path: Path) -> None:
    settings.HOME_DATA_DIR = tmp_path
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    default_site()
    names = ["anna", "ben", "cleo", "dora"]
    results = at_once(*(partial(create_first_account, name, "brine-and-copper-42") for name in names))
    assert sum(isinstance(result, AccountExists) for result in results) == 3
    assert User.objects.count() == 1


@on_a_server
@pytest.mark.django_db(transaction=True)
def test_the_last_calls_of_a_budget_are_not_given_twice() -> None:
    at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    budget = CallBudget("client", limit=10, clock=lambda: at)
    results = at_once(*[lambda: budget.charge("poll", "cloud.example", at)] * 12)
    assert sum(isinstance(result, BudgetExhausted) for result in results) == 3
    assert ApiCall.objects.count() == 9


@on_a_server
@pytest.mark.django_db
def test_the_health_page_names_the_server(client: Client, settings: LazySettings) -> None:
    settings.DEMO = True
    assert "<dt>PostgreSQL</dt>" in client.get("/health").content.decode()
