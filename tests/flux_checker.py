"""tools/flux-check, where its packages are installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

CHECKER = Path(__file__).resolve().parents[1] / "tools" / "flux-check"

needs_flux_checker = pytest.mark.skipif(
    not (CHECKER / "node_modules").is_dir() or shutil.which("node") is None,
    reason="tools/flux-check is not installed (npm ci in it; needs Node)",
)


def checked(batch: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
    """Return what the Flux language server says of each query."""
    run = subprocess.run(
        ["node", "check.mjs", "--batch", "--json"],
        cwd=CHECKER,
        input=json.dumps(batch),
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert run.returncode in (0, 1), run.stderr
    said: list[dict[str, Any]] = json.loads(run.stdout)
    return said
