"""Shared fixtures. Data directories are temporary; nothing here touches a user's data."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import hypothesis
import pytest
from django.utils import translation

# No test depends on how fast the machine is.
hypothesis.settings.register_profile("heatmon", deadline=None)
hypothesis.settings.load_profile("heatmon")

os.environ["HEATMON_TESTING"] = "1"
os.environ["HEATMON_DATA_DIR"] = tempfile.mkdtemp(prefix="heatmon-tests-")
for _name in [name for name in os.environ if name.startswith("HEATMON_")]:
    if _name not in {
        "HEATMON_TESTING",
        "HEATMON_DATA_DIR",
        "HEATMON_REQUIRE_BROWSER",
        "HEATMON_STUDY_DAYS",
        "HEATMON_CAPTURES",
    }:
        del os.environ[_name]


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Each test begins in English: a page asked for in German leaves German in force in the test's thread."""
    with translation.override("en"):
        yield
