"""The vendor's cloud for the simulated heat pump: login, installations, features, quota.

``FakeViessmannCloud.handle`` is a plain function of request and time. Tokens live on the time it is given.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from .cloud_view import CloudView
from .house import House
from .noise import generator
from .viessmann_catalogue import DEVICE, GATEWAY, INSTALLATION, URI, commands, installations, static_features
from .wire import JSON_HEADERS, Answer, json_answer

REDIRECT_URI = "vicare://oauth-callback/everest"
TOKEN_S = 3600
REFRESH_S = 180 * 86_400
SHORT_WINDOW_S, SHORT_LIMIT = 600, 120
DAY_S = 86_400
_FEATURES = f"/iot/v2/features/installations/{INSTALLATION}/gateways/{GATEWAY}"


class FakeViessmannCloud:
    """``calls``: (epoch s, kind) of every request, refused ones too; kinds ``authorize``, ``token``,
    ``installations``, ``features``, ``other``. The first two are not counted against ``daily_limit``.
    """

    def __init__(
        self,
        house: House,
        *,
        user: str = "owner@example.com",
        password: str = "heat-pump-password",
        client_id: str = "simulated-client",
        daily_limit: int = 1450,
        lock: threading.RLock | None = None,
    ) -> None:
        self.house = house
        self.user, self.password, self.client_id = user, password, client_id
        self.daily_limit = daily_limit
        self.lock = lock or threading.RLock()
        self.view = CloudView(house)
        self.calls: list[tuple[float, str]] = []
        self._random = generator(house.spec.seed, "cloud", 0)
        self._codes: dict[str, tuple[str, bool, float]] = {}
        self._tokens: dict[str, float] = {}
        self._refresh: dict[str, float] = {}
        self._known: dict[str, tuple[dict[str, Any], float]] = {}
        self._fragments: dict[str, str] = {}
        self._heads: dict[str, str] = {}
        stamp = float(house.t - 40 * DAY_S)
        for name, properties in sorted(static_features(house.spec.pump.rated_kw).items()):
            self._put(name, properties, stamp)

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        """Answer one request at ``at`` (epoch s)."""
        parts = urlsplit(path)
        with self.lock:
            if parts.path == "/idp/v3/authorize":
                self.calls.append((at, "authorize"))
                return self._authorize(parse_qs(parts.query), headers, at)
            if parts.path == "/idp/v3/token":
                self.calls.append((at, "token"))
                return self._token({name: values[0] for name, values in parse_qs(body.decode()).items()}, at)
            kind = _kind(parts.path)
            self.calls.append((at, kind))
            refusal = self._over_limit(at) or self._unauthorized(headers, at)
            return refusal or self._api(method, parts.path, kind, at)

    # -- login ---------------------------------------------------------------------------------------

    def _authorize(self, query: Mapping[str, list[str]], headers: Mapping[str, str], at: float) -> Answer:
        given = {name: values[0] for name, values in query.items()}
        if given.get("client_id") != self.client_id or given.get("redirect_uri") != REDIRECT_URI:
            return json_answer(
                401, {"error": "invalid_client", "error_description": "Client ID or redirect URI is unknown"}
            )
        expected = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if headers.get("authorization", "") != f"Basic {expected}":
            return Answer(200, {"Content-Type": "text/html"}, b"<html><body>Sign in</body></html>")
        code = self._random.randbytes(16).hex()
        offline = "offline_access" in given.get("scope", "").split()
        self._codes[code] = (given.get("code_challenge", ""), offline, at)
        answer = {"code": code} | ({"state": given["state"]} if "state" in given else {})
        return Answer(302, {"Location": f"{REDIRECT_URI}?{urlencode(answer)}"}, b"")

    def _token(self, form: Mapping[str, str], at: float) -> Answer:
        if form.get("grant_type") == "authorization_code":
            challenge, offline, issued = self._codes.pop(form.get("code", ""), ("", False, -1.0))
            verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            proof = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
            if issued < 0.0 or at - issued > 60.0 or proof != challenge:
                return _oauth_error("invalid_grant", "The code is not valid")
            refresh = self._new_refresh(at) if offline else None
        elif form.get("grant_type") == "refresh_token":
            refresh = form.get("refresh_token", "")
            if self._refresh.get(refresh, 0.0) < at:
                return _oauth_error("invalid_grant", "The refresh token is not valid")
        else:
            return _oauth_error("unsupported_grant_type", "Unknown grant type")
        token = self._random.randbytes(24).hex()
        self._tokens = {known: ends for known, ends in self._tokens.items() if ends > at - DAY_S}
        self._tokens[token] = at + TOKEN_S
        answer: dict[str, Any] = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_S}
        if refresh:
            answer["refresh_token"] = refresh
        return json_answer(200, answer)

    def _new_refresh(self, at: float) -> str:
        token = self._random.randbytes(32).hex()
        self._refresh[token] = at + REFRESH_S
        return token

    def revoke_tokens(self) -> None:
        """Forget every token, so that a client must log in again."""
        self._tokens.clear()
        self._refresh.clear()

    def _unauthorized(self, headers: Mapping[str, str], at: float) -> Answer | None:
        token = headers.get("authorization", "").removeprefix("Bearer ")
        ends = self._tokens.get(token)
        if ends is None:
            return _api_error(401, "UNAUTHORIZED", "NO TOKEN AVAILABLE")
        if ends <= at:
            return json_answer(401, {"error": "EXPIRED TOKEN"})
        return None

    # -- quota ---------------------------------------------------------------------------------------

    def _over_limit(self, at: float) -> Answer | None:
        midnight = at // DAY_S * DAY_S
        today = short = 0
        for when, kind in reversed(self.calls):
            if when < midnight and when < at - SHORT_WINDOW_S:
                break
            if kind not in {"authorize", "token"}:
                today += when >= midnight
                short += when > at - SHORT_WINDOW_S
        if today <= self.daily_limit and short <= SHORT_LIMIT:
            return None
        day = today > self.daily_limit
        reset = midnight + DAY_S if day else at + SHORT_WINDOW_S
        return _api_error(
            429,
            "RATE_LIMIT_EXCEEDED",
            "API calls rate limit has been exceeded. Please wait until your limit will renew.",
            {
                "name": f'development portal "{self.client_id}" {"daily" if day else "short"} limit',
                "requestCountLimit": self.daily_limit if day else SHORT_LIMIT,
                "clientId": self.client_id,
                "userId": "simulated",
                "limitReset": int(reset * 1000),
            },
        )

    # -- data ----------------------------------------------------------------------------------------

    def _api(self, method: str, path: str, kind: str, at: float) -> Answer:
        if method != "GET":
            return _api_error(403, "FORBIDDEN", "The simulated heat pump takes no orders")
        if kind == "installations":
            return json_answer(200, installations())
        if kind == "features":
            self.house.advance_to(at)
            device = f"{_FEATURES}/devices/{DEVICE}/features"
            if path.rstrip("/") == device:
                return Answer(200, JSON_HEADERS, self.features(at))
            if path.startswith(device + "/"):
                return self._one_feature(path[len(device) + 1 :], at)
            if path.startswith(_FEATURES):
                return json_answer(200, {"data": []})
        return _api_error(404, "FEATURE_NOT_FOUND", "Feature not found")

    def features(self, at: float) -> bytes:
        """Return the whole features answer; only what changed is written anew."""
        self._refresh_features(at)
        fragments = self._fragments
        return ('{"data":[' + ",".join([fragments[name] for name in sorted(fragments)]) + "]}").encode()

    def _one_feature(self, name: str, at: float) -> Answer:
        self._refresh_features(at)
        fragment = self._fragments.get(name)
        if fragment is None:
            return _api_error(404, "FEATURE_NOT_FOUND", "Feature not found")
        return Answer(200, JSON_HEADERS, ('{"data":' + fragment + "}").encode())

    def _refresh_features(self, at: float) -> None:
        for name, (properties, changed_at) in self.view.refresh(at).items():
            known = self._known.get(name)
            if known is None or known[0] != properties or known[1] != changed_at:
                self._put(name, properties, changed_at)

    def _put(self, name: str, properties: dict[str, Any], changed_at: float) -> None:
        self._known[name] = (properties, changed_at)
        head = self._heads.get(name)
        if head is None:
            head = json.dumps(
                {
                    "apiVersion": 1,
                    "uri": URI + name,
                    "gatewayId": GATEWAY,
                    "deviceId": DEVICE,
                    "feature": name,
                    "components": [],
                    "commands": commands(name),
                    "isEnabled": bool(properties) or name == "heating.device.time",
                    "isReady": True,
                },
                separators=(",", ":"),
            )[:-1]
            self._heads[name] = head
        stamp = datetime.fromtimestamp(changed_at, UTC).isoformat(timespec="milliseconds")
        body = json.dumps(properties, separators=(",", ":"))
        self._fragments[name] = f'{head},"timestamp":"{stamp[:-6]}Z","properties":{body}}}'


def _kind(path: str) -> str:
    if path.startswith("/iot/v2/equipment/installations"):
        return "installations"
    return "features" if path.startswith("/iot/v2/features/") else "other"


def _oauth_error(error: str, description: str) -> Answer:
    return json_answer(400, {"error": error, "error_description": description})


def _api_error(status: int, kind: str, message: str, payload: dict[str, Any] | None = None) -> Answer:
    content: dict[str, Any] = {
        "viErrorId": "simulated",
        "statusCode": status,
        "errorType": kind,
        "message": message,
    }
    return json_answer(status, content | ({"extendedPayload": payload} if payload else {}))
