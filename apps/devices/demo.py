"""How far the history of the demo is written: newest days first."""

from __future__ import annotations

import json

from django.conf import settings


def history_percent() -> int | None:
    """Return how far the demo's history is written; None once it is complete, and outside of the demo."""
    if not settings.DEMO:
        return None
    written = _written()
    if written is None:
        return 0
    start, end, oldest = written
    return None if oldest <= start else min(99, 100 * (end - oldest) // max(1, end - start))


def history_since() -> int | None:
    """Return since when the demo's history is written [epoch s]; None once it is complete, and outside of the
    demo."""
    written = _written() if settings.DEMO else None
    return None if written is None or written[2] <= written[0] else written[2]


def _written() -> tuple[int, int, int] | None:
    """Return the whole span of the history and its oldest second that is written; None before the first."""
    try:
        state = json.loads((settings.DATA_DIR / "demo.json").read_text())
        return int(state["start"]), int(state["end"]), int(state["oldest"])
    except (OSError, ValueError, KeyError):
        return None
