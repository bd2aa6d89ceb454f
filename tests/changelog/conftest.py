from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation

from apps.devices.models import Site


@pytest.fixture
def site(db: None) -> Site:
    return Site.objects.create(name="Home")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield
