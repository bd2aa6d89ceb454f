"""What the API says of itself, and that it keeps to it under generated questions."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from apps.devices.models import Site
from apps.metrics.store.front import Store
from heatmon.wsgi import application
from tests.dashboard.house import fill, set_up

DESIGNED = {
    "/api/status": {"get"},
    "/api/history": {"get"},
    "/api/energy": {"get"},
    "/api/jaz": {"get"},
    "/api/estimate": {"get"},
    "/api/changelog": {"get", "post"},
    "/api/changelog/{entry_id}": {"patch", "delete"},
    "/api/configuration": {"get"},
}


def document(client: Client) -> dict[str, Any]:
    response = client.get("/api/openapi.json")
    assert response.status_code == 200
    return dict(json.loads(response.content))


def test_every_designed_operation_is_described(reader: Client, db: None) -> None:
    paths = document(reader)["paths"]
    assert {path: set(methods) for path, methods in paths.items()}.items() >= DESIGNED.items()


def test_members_have_their_public_names(reader: Client, db: None) -> None:
    models = document(reader)["components"]["schemas"]
    assert list(models["HistoryOut"]["properties"]) == ["from", "to", "step_s", "series"]
    assert list(models["JazOut"]["properties"])[:2] == ["from", "to"]


def test_the_page_for_people_has_every_operation_and_nothing_from_outside(
    reader: Client, site: Site, store: Store
) -> None:
    page = reader.get("/api/docs").content.decode()
    for path in DESIGNED:
        assert path in page
    assert "https://" not in page
    assert "<style" not in page
    assert " style=" not in page
    assert "onclick" not in page


@pytest.fixture
def schema(reader: Client, store: Store, site: Site, now: datetime) -> Any:
    set_up(site)
    fill(store, site, now - timedelta(hours=12), now, polls=False)
    loaded = schemathesis.openapi.from_dict(document(reader))
    loaded.app = application
    return loaded


# Called without a server, schemathesis does not unpack answers.
HEADERS = {"Host": "localhost", "Accept-Encoding": "identity"}
OPERATIONS = [(path, method) for path, methods in sorted(DESIGNED.items()) for method in sorted(methods)]
# Not checked: in the demo every login is ignored; and a year 4000 fits the schema, yet is refused.
UNCHECKED = [ignored_auth, positive_data_acceptance]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_generated_questions_get_answers_as_described(schema: Any, path: str, method: str) -> None:
    operation = schema[path][method.upper()]

    @given(case=operation.as_strategy())
    @hypothesis_settings(
        max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    def ask(case: Any) -> None:
        case.call_and_validate(headers=HEADERS, excluded_checks=UNCHECKED)

    ask()
