"""The environment of a test run. Loaded as a plugin (see pyproject.toml), as pytest-django reads the settings
before any conftest.py. Data directories are temporary; nothing here touches a user's data.
"""

from __future__ import annotations

import os
import tempfile

import pytest

KEPT = {
    "HEATMON_CAPTURES",
    "HEATMON_FUZZ_REQUESTS",
    "HEATMON_FUZZ_SEED",
    "HEATMON_INFLUX_DAYS",
    "HEATMON_INFLUX_POLLED_DAYS",
    "HEATMON_POWER_CUTS",
    "HEATMON_REQUIRE_BROWSER",
    "HEATMON_REQUIRE_CONTAINERS",
    "HEATMON_REQUIRE_REDIS",
    "HEATMON_STUDY_DAYS",
    "HEATMON_TEST_INFLUXDB",
}
ON_POSTGRES = os.environ.get("HEATMON_TEST_DATABASE_URL")

for _name in [name for name in os.environ if name.startswith("HEATMON_") and name not in KEPT]:
    del os.environ[_name]
os.environ["HEATMON_TESTING"] = "1"
os.environ["HEATMON_DATA_DIR"] = tempfile.mkdtemp(prefix="heatmon-tests-")
if ON_POSTGRES:
    # The second name is for the workers of xdist, which come here after their parent.
    os.environ["HEATMON_DATABASE_URL"] = os.environ["HEATMON_TEST_DATABASE_URL"] = ON_POSTGRES


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only the tests that use the ORM say something new."""
    if not ON_POSTGRES:
        return
    uses = [item for item in items if _uses_the_orm(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in uses])
    items[:] = uses


def _uses_the_orm(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & {"db", "transactional_db"})
