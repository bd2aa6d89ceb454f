"""The captured device payloads beside the project, where they are present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def captures_dir(device: str) -> Path:
    """Folder of captured payloads of ``device``; skips the calling module where it is absent."""
    beside = Path(os.environ.get("HEATMON_CAPTURES", Path(__file__).resolve().parents[2] / "shared"))
    folder = beside / device
    if not folder.is_dir():
        pytest.skip(f"captured payloads are not beside the project ({device})", allow_module_level=True)
    return folder
