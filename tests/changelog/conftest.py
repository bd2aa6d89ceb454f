from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation

from apps.devices import clock
from apps.devices.models import Site

from .factories import minutes


@pytest.fixture
def site(db: None) -> Site:
    return Site.objects.create(name="Home")


@pytest.fixture(autouse=True)
def english_at_a_fixed_time() -> Iterator[None]:
    with translation.override("en"), clock.fixed(minutes(10_000)):
        yield
