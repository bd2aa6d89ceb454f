"""HTTP to the vendor's cloud: every request charged, cut off in time, never redirected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import BaseAdapter

from apps.devices.budget import CallBudget, ChargingAdapter
from apps.devices.http import LimitedAdapter

from .faults import network_error

CONNECT_TIMEOUT_S = 6.0


class _SessionWithoutRedirects(requests.Session):
    """A redirect is an answer like others: nobody but us decides about a further request."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class CloudTransport:
    """One session. Raises DeviceError for an exchange without answer, BudgetExhausted for one not made."""

    def __init__(self, budget: CallBudget, adapter: BaseAdapter | None = None) -> None:
        self.budget = budget
        wire = adapter or LimitedAdapter(connect_timeout_s=CONNECT_TIMEOUT_S)
        self._adapter = ChargingAdapter(budget, wire)
        self._session = _SessionWithoutRedirects()
        # The environment's proxies and .netrc must not decide where credentials go.
        self._session.trust_env = False
        self._session.mount("https://", self._adapter)
        self._session.mount("http://", self._adapter)

    @contextmanager
    def calls(self, purpose: str) -> Iterator[None]:
        """Count the requests of one step of a poll; few are allowed."""
        with self._adapter.calls(purpose):
            yield

    @contextmanager
    def purpose(self, purpose: str) -> Iterator[None]:
        with self._adapter.purpose(purpose):
            yield

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        """Send one request without following redirects; ``kwargs`` as in requests."""
        self._session.cookies.clear()  # a login must not depend on an earlier one
        try:
            return self._session.request(method, url, allow_redirects=False, **kwargs)
        except requests.RequestException as error:
            raise network_error(error) from error
