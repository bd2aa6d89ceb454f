"""The meter's login: HTTP digest with SHA-256, as firmware 1.x and 2.0.0 do it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from random import Random

from .wire import Answer

OFF, FIRMWARE_1, FIRMWARE_2 = "off", "1.x", "2.0.0"
MODES = (OFF, FIRMWARE_1, FIRMWARE_2)
SLOTS, LIFETIME_S, USES = 32, 3600, 30_000
FAILURES, FAILURE_WINDOW_S = 10, 600
_PAIR = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class DigestLogin:
    """Checks the Authorization header. ``refusals`` counts 401s, ``throttled`` 429s.

    Firmware 2.0.0 keeps 32 nonces; with all of them taken, a request that uses a forgotten one gets 429
    for ever, while one without login gets a fresh challenge.
    """

    def __init__(self, mode: str, realm: str, password: str, source: Random) -> None:
        if mode not in MODES:
            raise ValueError(f"unknown login mode {mode!r}")
        self.mode, self.realm, self.source = mode, realm, source
        self._secret = digest(f"admin:{realm}:{password}")
        self._nonces: OrderedDict[str, list[float]] = OrderedDict()  # issued at, uses, last nc
        self._failures: list[float] = []
        self.refusals = self.throttled = 0

    def check(self, method: str, path: str, headers: Mapping[str, str], at: float) -> Answer | None:
        """Return None if the request may pass, else the refusal."""
        if self.mode == OFF:
            return None
        given = headers.get("authorization", "")
        if not given.lower().startswith("digest "):
            return self._challenge(at)
        fields = {name: quoted or plain for name, quoted, plain in _PAIR.findall(given)}
        nonce = fields.get("nonce", "")
        known = self._nonces.get(nonce)
        if self.mode == FIRMWARE_2:
            self._failures = [failure for failure in self._failures if failure > at - FAILURE_WINDOW_S]
            if len(self._failures) >= FAILURES or (known is None and len(self._nonces) >= SLOTS):
                self.throttled += 1
                return Answer(429, {"Content-Type": "text/plain"}, b"Too many requests")
        if known is None or at - known[0] > LIFETIME_S or known[1] >= USES:
            self._nonces.pop(nonce, None)
            return self._challenge(at, stale=True)
        if not self._matches(method, path, fields):
            self._failures.append(at)
            return self._challenge(at)
        count = int(fields.get("nc", "0"), 16)
        if self.mode == FIRMWARE_2 and count <= known[2]:
            return self._challenge(at, stale=True)
        known[1] += 1
        known[2] = count
        return None

    def _matches(self, method: str, path: str, fields: Mapping[str, str]) -> bool:
        if (
            fields.get("username") != "admin"
            or fields.get("realm") != self.realm
            or fields.get("uri") != path
        ):
            return False
        parts = (fields.get("nonce"), fields.get("nc"), fields.get("cnonce"), fields.get("qop"))
        expected = digest(
            f"{self._secret}:{':'.join(part or '' for part in parts)}:{digest(f'{method}:{path}')}"
        )
        return fields.get("response") == expected

    def _challenge(self, at: float, stale: bool = False) -> Answer:
        self.refusals += 1
        if self.mode == FIRMWARE_1:
            nonce = str(int(at))
        else:
            nonce = base64.b64encode(self.source.randbytes(48)).decode()
        while len(self._nonces) >= SLOTS and nonce not in self._nonces:
            self._nonces.popitem(last=False)
        self._nonces.setdefault(nonce, [at, 0, 0])
        challenge = f'Digest qop="auth", realm="{self.realm}", nonce="{nonce}", algorithm=SHA-256'
        headers = {"WWW-Authenticate": challenge + (", stale=true" if stale else "")}
        if self.mode == FIRMWARE_1:
            headers |= {"Server": "ShellyHTTP/1.0.0", "Connection": "close"}
        return Answer(401, headers, b"")
