"""The documents are readable where heatmon runs."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.dashboard.documentation import documents

pytestmark = pytest.mark.django_db


def test_every_document_can_be_read_and_is_shown_as_text(reader: Client) -> None:
    names = list(documents())
    assert "options" in names
    for name in names:
        page = reader.get(f"/documentation/{name}")
        assert page.status_code == 200
        assert page.context["text"]


@pytest.mark.parametrize("name", ["settings", "..%2Fmanage", "readme.md"])
def test_nothing_else_is_handed_out(reader: Client, name: str) -> None:
    assert reader.get(f"/documentation/{name}").status_code == 404


def test_the_foot_of_every_page_leads_there(reader: Client) -> None:
    assert 'href="/documentation"' in reader.get("/documentation/options").content.decode()
