"""Who may see what: login everywhere but in the demo."""

from __future__ import annotations

from django.contrib.auth.middleware import LoginRequiredMiddleware


class AccessMiddleware(LoginRequiredMiddleware):
    """Login everywhere."""
