"""Login at the vendor's IAM: once with user and password (PKCE), then by refresh token.

The access token lives an hour, the refresh token 180 days. Everything new is on disk before it is
used; a crash between answer and save costs a fresh login, nothing else. PyViCare's own managers are
not used: they ask no refresh token, pickle the login and renew without bound.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from apps.devices import crash_points
from apps.devices.errors import DeviceError, DeviceRefused, DeviceUnreachable

from .faults import TokenRejected, body_of, rate_limit
from .tokens import Login, Refusal, TokenStore
from .transport import CloudTransport

__all__ = ["Authenticator", "TokenStore", "ViessmannAccount"]

REDIRECT_URI = "vicare://oauth-callback/everest"
SCOPE = "IoT offline_access"
RENEW_BEFORE_S = 60
ACCESS_TOKEN_S = 3600
REFRESH_TOKEN_AGE = timedelta(days=180)
# A refused password is sent again ever more rarely: it may be an outage, but repeated it locks the account.
PAUSES_AFTER_REFUSAL = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 240, 360))
PAUSE_WITHOUT_PASSWORD = timedelta(hours=1)
# By password, while the cloud refuses the tokens that it gave for it.
MOST_LOGINS_A_DAY = 2
_WRONG_CLIENT = frozenset(
    {"invalid_client", "unauthorized_client", "invalid_request", "invalid_redirect_uri"}
)
_WRONG_USER = frozenset(
    {"invalid_grant", "access_denied", "invalid_credentials", "unauthorized", "login_failed"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViessmannAccount:
    """Access to the cloud. ``user`` and ``password`` are needed for the first login only."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    client_id: str
    api_url: str
    iam_url: str


class Authenticator:
    """Provides access tokens. Only one thread and process renews at a time; the others take its result."""

    def __init__(
        self,
        account: ViessmannAccount,
        *,
        store: TokenStore,
        transport: CloudTransport,
        clock: Callable[[], datetime],
    ) -> None:
        self._account = account
        self._store = store
        self._transport = transport
        self._clock = clock

    @property
    def refresh_expires_at(self) -> datetime | None:
        """When the stored login ends for good, None where none is known."""
        login = self._stored()
        ends = login.refresh_expires_at if login else None
        return None if ends is None else datetime.fromtimestamp(ends, tz=UTC)

    def access_token(self, *, retry_refused: bool = False) -> str:
        """Return a token that is good for another minute; 0 calls, 1 to refresh, 2 to log in, 3 for both.

        ``retry_refused``: a person asks, so try even what the cloud refused lately. Raises DeviceRefused,
        DeviceBusy, DeviceUnreachable, BudgetExhausted.
        """
        login = self._stored()
        if login is not None and self._fresh(login):
            return login.access_token
        with self._store.locked():
            login = self._stored()
            if login is not None and self._fresh(login):
                return login.access_token
            if not retry_refused:
                self._respect_refusal()
            return self._renewed(login, by_hand=retry_refused).access_token

    def replace(self, rejected: str) -> str:
        """Return a token instead of one that the cloud rejected before its time; 1 call at most.

        Raises DeviceUnreachable where the login itself ended; the next poll then signs in again.
        """
        with self._store.locked():
            login = self._stored()
            if login is not None and login.access_token != rejected and self._fresh(login):
                return login.access_token
            fresh = self._refreshed(login) if login is not None and login.refresh_token else None
            if fresh is None:
                self._end(login)
                raise DeviceUnreachable("login_ended")
            return fresh.access_token

    def drop(self) -> None:
        """Take no token of the stored login any more: the next poll signs in again if it has a password."""
        with self._store.locked():
            self._end(self._stored())

    def _end(self, login: Login | None) -> None:
        if login is not None:
            kept = None if self._account.password else login.refresh_token
            self._store.save_login(replace(login, expires_at=0.0, refresh_token=kept))

    def _stored(self) -> Login | None:
        """Return the stored login, if it is this account's."""
        login = self._store.login()
        if login is None or login.client_id != self._account.client_id:
            return None
        return login if self._account.user in (None, login.user) else None

    def _fresh(self, login: Login) -> bool:
        """Return whether the token is still good by our clock; an expiry more than a day ahead is not
        believed (the clock was stepped back)."""
        left_s = login.expires_at - self._clock().timestamp()
        return RENEW_BEFORE_S < left_s < 24 * ACCESS_TOKEN_S

    def _renewed(self, login: Login | None, *, by_hand: bool) -> Login:
        if login is not None and login.refresh_token:
            fresh = self._refreshed(login)
            if fresh is not None:
                return fresh
        if not self._account.user or not self._account.password:
            refused = DeviceRefused("login_needed")
            if login is not None:
                self._remember(refused, PAUSE_WITHOUT_PASSWORD)
            raise refused
        if login is not None and not by_hand:
            self._respect_logins()
        try:
            with self._transport.purpose("login"):
                return self._logged_in()
        except DeviceRefused as error:
            self._remember(error)
            raise

    def _respect_logins(self) -> None:
        """Raise TokenRejected where the password was sent twice today and the tokens for it did not last."""
        until = self._transport.budget.logins_allowed_from(MOST_LOGINS_A_DAY, self._clock())
        if until is not None:
            raise TokenRejected("token_rejected", until=until.isoformat())

    def _refreshed(self, login: Login) -> Login | None:
        """Return the login after a refresh; None where the cloud takes the refresh token no more."""
        with self._transport.purpose("refresh"):
            response = self._transport.request(
                "POST",
                f"{self._account.iam_url}/token",
                data={
                    "grant_type": "refresh_token",
                    "client_id": self._account.client_id,
                    "refresh_token": login.refresh_token,
                },
            )
        body = body_of(response)
        if isinstance(body, Mapping) and body.get("error") == "invalid_grant":
            return None
        return self._saved(self._login_from(response, body, before=login))

    def _logged_in(self) -> Login:
        verifier = secrets.token_urlsafe(48)
        code = self._code(verifier)
        response = self._transport.request(
            "POST",
            f"{self._account.iam_url}/token",
            data={
                "grant_type": "authorization_code",
                "client_id": self._account.client_id,
                "redirect_uri": REDIRECT_URI,
                "code": code,
                "code_verifier": verifier,
            },
        )
        return self._saved(self._login_from(response, body_of(response), before=None))

    def _code(self, verifier: str) -> str:
        """Return the authorization code for user and password."""
        digest = hashlib.sha256(verifier.encode()).digest()
        state = secrets.token_urlsafe(16)
        account = self._account
        response = self._transport.request(
            "POST",
            f"{account.iam_url}/authorize",
            params={
                "response_type": "code",
                "client_id": account.client_id,
                "redirect_uri": REDIRECT_URI,
                "scope": SCOPE,
                "state": state,
                "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
                "code_challenge_method": "S256",
            },
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            auth=((account.user or "").encode(), (account.password or "").encode()),
        )
        answer = parse_qs(urlsplit(response.headers.get("Location", "")).query)
        if response.status_code == 302 and answer.get("code") and answer.get("state", [state]) == [state]:
            return answer["code"][0]
        raise _login_error(response, answer.get("error", [""])[0], self._clock())

    def _login_from(self, response: requests.Response, body: Any, *, before: Login | None) -> Login:
        token = body.get("access_token") if isinstance(body, Mapping) else None
        if response.status_code != 200 or not isinstance(token, str):
            raise _login_error(response, "", self._clock(), at_token=True)
        now = self._clock()
        lasts_s = body.get("expires_in")
        if isinstance(lasts_s, bool) or not isinstance(lasts_s, int | float) or lasts_s <= 0:
            lasts_s = ACCESS_TOKEN_S
        refresh = body.get("refresh_token")
        ends: float | None = (now + REFRESH_TOKEN_AGE).timestamp()
        if not isinstance(refresh, str) or (before is not None and refresh == before.refresh_token):
            refresh = before.refresh_token if before else None
            ends = before.refresh_expires_at if before else None
        return Login(
            client_id=self._account.client_id,
            user=self._account.user or (before.user if before else None),
            access_token=token,
            expires_at=now.timestamp() + lasts_s,
            refresh_token=refresh,
            refresh_expires_at=ends,
        )

    def _saved(self, login: Login) -> Login:
        crash_points.reached("login.renewed")
        self._store.save_login(login)
        return login

    def _remember(self, error: DeviceRefused, pause: timedelta | None = None) -> None:
        """Keep the cloud's no, so that it is not asked again at every poll; without ``pause`` each no in a
        row is kept longer. The error learns when the next try is made."""
        before = self._refusal()
        count = before.count + 1 if before else 1
        if pause is None:
            pause = PAUSES_AFTER_REFUSAL[min(count, len(PAUSES_AFTER_REFUSAL)) - 1]
        until = self._clock() + pause
        error.details["until"] = until.isoformat()
        self._store.save_refusal(
            Refusal(
                credentials=self._credentials,
                until=until.timestamp(),
                code=error.code,
                details=error.details,
                count=count,
            )
        )

    def _refusal(self) -> Refusal | None:
        """Return the stored refusal, if it is of these credentials."""
        refusal = self._store.refusal()
        if refusal is None or not secrets.compare_digest(refusal.credentials, self._credentials):
            return None
        return refusal

    def _respect_refusal(self) -> None:
        now = self._clock().timestamp()
        if self._store.refusal() is None:
            return  # the fingerprint is expensive: not at every poll
        refusal = self._refusal()
        if refusal is not None and now < refusal.until <= now + PAUSES_AFTER_REFUSAL[-1].total_seconds():
            raise DeviceRefused(refusal.code, **refusal.details)

    @cached_property
    def _credentials(self) -> str:
        """A fingerprint that shows whether user, password or client ID changed since a refusal."""
        account = self._account
        text = f"{account.user}\0{account.password}".encode()
        return hashlib.pbkdf2_hmac("sha256", text, account.client_id.encode(), 100_000).hex()


def _login_error(
    response: requests.Response, error: str, at: datetime, *, at_token: bool = False
) -> DeviceError:
    """Return what a login answer other than success means. ``error``: OAuth's code from a redirect."""
    status, body = response.status_code, body_of(response)
    if status == 429:
        return rate_limit(body, at)
    if isinstance(body, Mapping):
        error = error or str(body.get("error", ""))
    if status >= 500 or (at_token and error not in _WRONG_CLIENT | _WRONG_USER):
        return DeviceUnreachable("login_unavailable", status=status)
    if status == 423 or b"locked" in response.content[:4096].lower():
        return DeviceRefused("account_locked")
    if error in _WRONG_CLIENT or (status == 401 and error and error not in _WRONG_USER):
        return DeviceRefused("wrong_client_id", address=REDIRECT_URI)
    return DeviceRefused("wrong_credentials")
