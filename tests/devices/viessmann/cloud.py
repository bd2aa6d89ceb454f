"""A small Viessmann cloud on a real port: it checks logins and PKCE and keeps a log of every request."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.payloads.viessmann.cu401b import cu401b, installations

USER, PASSWORD, CLIENT_ID = "owner@example.test", "correct horse", "client-1"
FEATURES_PATH = "/iot/v2/features/installations/990001/gateways/7700000000000001/devices/0/features/"


@dataclass
class Answer:
    """``body``: JSON value, or bytes sent as they are. ``drip_s``: pause before each byte."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drip_s: float = 0.0


class Cloud:
    """Answers queued for a route are given first; afterwards it behaves well."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.features: deque[Answer] = deque()
        self.authorize: deque[Answer] = deque()
        self.token: deque[Answer] = deque()
        self.payload: Any = cu401b()
        self.installations: Any = installations()
        self.user, self.password, self.client_id = USER, PASSWORD, CLIENT_ID
        self.rotates = False
        self.valid: set[str] = set()
        self.refresh_tokens: set[str] = set()
        self.reject_all: Any = None
        self._codes: dict[str, str] = {}
        self._count = 0
        self._lock = threading.Lock()
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply(cloud.get(self.path, self.headers.get("Authorization", "")))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                self._reply(cloud.post(self.path, body, self.headers.get("Authorization", "")))

            def _reply(self, answer: Answer) -> None:
                raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                kind = "text/html" if isinstance(answer.body, bytes) else "application/json"
                self.send_response(answer.status)
                for name, value in {"Content-Type": kind, **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                try:
                    self._send(raw, answer.drip_s)
                except OSError:
                    self.close_connection = True  # the client hung up

            def _send(self, raw: bytes, drip_s: float) -> None:
                if not drip_s:
                    self.wfile.write(raw)
                    return
                for index in range(len(raw)):
                    time.sleep(drip_s)
                    self.wfile.write(raw[index : index + 1])

            def log_message(self, format: str, *args: Any) -> None:
                """The log is ``cloud.requests``."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def get(self, path: str, authorization: str) -> Answer:
        self.requests.append(f"GET {path}")
        if path.startswith("/iot/v2/features/") and self.features:
            return self.features.popleft()
        if self.reject_all is not None:
            return Answer(401, self.reject_all)
        if authorization.removeprefix("Bearer ") not in self.valid:
            return Answer(401, {"error": "EXPIRED TOKEN"})
        if path == "/iot/v2/equipment/installations?includeGateways=true":
            return Answer(200, self.installations)
        if path == FEATURES_PATH:
            return Answer(200, self.payload)
        return Answer(
            404, {"statusCode": 404, "errorType": "DEVICE_NOT_FOUND", "message": "", "viErrorId": "1"}
        )

    def post(self, path: str, body: str, authorization: str) -> Answer:
        url = urlsplit(path)
        self.requests.append(f"POST {url.path}")
        if url.path == "/idp/v3/authorize":
            return self.authorize.popleft() if self.authorize else self._authorize(url.query, authorization)
        if self.token:
            return self.token.popleft()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        return self._token(form)

    def _authorize(self, query: str, authorization: str) -> Answer:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        if asked["client_id"] != self.client_id or asked["redirect_uri"] != "vicare://oauth-callback/everest":
            return Answer(401, {"error": "invalid_client", "error_description": "unknown client"})
        if asked["scope"] != "IoT offline_access" or asked["code_challenge_method"] != "S256":
            return Answer(400, {"error": "invalid_scope"})
        if base64.b64decode(authorization.removeprefix("Basic ")).decode() != f"{self.user}:{self.password}":
            return Answer(200, b"<html>Login failed</html>")
        code = self._next("code")
        self._codes[code] = asked["code_challenge"]
        place = f"vicare://oauth-callback/everest?code={code}&state={asked['state']}"
        return Answer(302, b"", {"Location": place})

    def _token(self, form: dict[str, str]) -> Answer:
        if form["grant_type"] == "authorization_code":
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if self._codes.pop(form["code"], None) != challenge:
                return Answer(400, {"error": "invalid_grant"})
            return self._issued(self._next("refresh"))
        if form["refresh_token"] not in self.refresh_tokens:
            return Answer(400, {"error": "invalid_grant"})
        if self.rotates:
            self.refresh_tokens.discard(form["refresh_token"])
            return self._issued(self._next("refresh"))
        return self._issued(None)

    def _issued(self, refresh_token: str | None) -> Answer:
        access_token = self._next("access")
        self.valid = {access_token}
        told: dict[str, Any] = {"access_token": access_token, "token_type": "Bearer", "expires_in": 3600}
        if refresh_token is not None:
            self.refresh_tokens.add(refresh_token)
            told["refresh_token"] = refresh_token
        return Answer(200, told)

    def _next(self, kind: str) -> str:
        with self._lock:
            self._count += 1
            return f"{kind}-{self._count}"

    def called(self) -> list[str]:
        """The requests since the last look, shortened."""
        short = [
            one.replace("/iot/v2/equipment/", "")
            .replace("?includeGateways=true", "")
            .replace("/idp/v3/", "")
            .replace(FEATURES_PATH, "features")
            for one in self.requests
        ]
        self.requests.clear()
        return short
