"""No test may reach the data of whoever runs it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from django.conf import settings


def test_the_data_directory_is_a_temporary_one() -> None:
    assert Path(settings.DATA_DIR).is_relative_to(tempfile.gettempdir())
    assert Path(settings.STORE_PATH).is_relative_to(tempfile.gettempdir())
