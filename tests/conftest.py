"""Shared fixtures. See ``environment.py`` for where the tests keep their data."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import hypothesis
import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import translation

from heatmon.log import PatientHandler

# No test depends on how fast the machine is.
hypothesis.settings.register_profile("heatmon", deadline=None)
hypothesis.settings.load_profile("heatmon")


@pytest.fixture(autouse=True)
def connections_stay_open_within_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request or a job that begins drops a connection without autocommit: on PostgreSQL the test's own."""
    drop = BaseDatabaseWrapper.close_if_unusable_or_obsolete

    def drop_outside_of_tests(connection: BaseDatabaseWrapper) -> None:
        if not connection.in_atomic_block:
            drop(connection)

    monkeypatch.setattr(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", drop_outside_of_tests)


@pytest.fixture(autouse=True, scope="session")
def log_lines_are_for_pytest() -> None:
    """pytest shows the lines of a test that fails; heatmon's own handler would write past it."""
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, PatientHandler)]


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Each test begins in English: a page asked for in German leaves German in force in the test's thread."""
    with translation.override("en"):
        yield
