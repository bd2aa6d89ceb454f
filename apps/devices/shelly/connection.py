"""Requests to one meter: login, limits, and every failure as a DeviceError.

One object belongs to one thread. It keeps one session and one login, as the meter has few places for
either: firmware 2.0.0 answers 429 for ever to a login whose place was given away, and to a fresh login
it gives a new one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

import orjson
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import HTTPDigestAuth
from urllib3.exceptions import HTTPError, NameResolutionError, ProtocolError

from ..errors import DeviceBusy, DeviceRefused, DeviceUnreachable, PayloadInvalid, WrongDevice
from ..http import AnswerTooLarge, LimitedAdapter, PermittedIp, capped, caused_by

POLL_DEADLINE_S = 5.0
CONNECT_TIMEOUT_S = 2.5
MAX_ANSWER_BYTES = 2 * 1024 * 1024
WAIT_AFTER_TOO_MANY_S = 3.0
LONGEST_RETRY_AFTER_S = 3600
USER = "admin"
CHUNK_BYTES = 4096  # small, so that what came before a break is not lost
NO_SUCH_COMPONENT = -105
STALE_NONCES = 3  # logins in a row whose nonce may be stale by the time that it is used

Clock = Callable[[], datetime]

_SEND: dict[str, Any] = {"stream": True, "verify": True, "cert": None, "proxies": {}}


class MeterConnection:
    """``permitted_ip``: resolves and checks an address that a user typed; None for the operator's.
    ``session`` may have an adapter of its own mounted; on sockets the plain adapter of requests is replaced
    by one with deadline and cap."""

    def __init__(
        self,
        url: str,
        password: str | None = None,
        *,
        clock: Clock,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        permitted_ip: PermittedIp | None = None,
    ) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url.strip()}")
        self.host = parts.netloc.rpartition("@")[2]
        self._base = f"{parts.scheme}://{self.host}{parts.path.rstrip('/')}"
        self._password = password
        self._clock = clock
        self._sleep = sleep
        self._stopped: str | None = None if parts.hostname and "@" not in parts.netloc else "address_invalid"
        self.sent_at = clock()  # when the last request went out
        self._answered = False
        self._prepared: dict[str, requests.PreparedRequest] = {}
        self._session = session if session is not None else requests.Session()
        self._session.trust_env = False
        self._adapter = self._limited_adapter(permitted_ip)
        self._auth = self._new_login()

    def get_json(self, path: str, *, deadline_s: float = POLL_DEADLINE_S, **query: object) -> Any:
        """Return the decoded body of an answer 200. Raises DeviceError."""
        body = b"".join(self._stream(path, query, deadline_s))
        try:
            decoded = _decoded(body)
        except (ValueError, RecursionError) as error:
            raise PayloadInvalid("unreadable", path="JSON", host=self.host) from error
        code, _ = _rpc_error(decoded)
        if code is not None:
            self._raise_rpc_error(code)
        return decoded

    def get_lines(self, path: str, *, deadline_s: float, **query: object) -> Iterator[str]:
        """Yield the lines of an answer 200 as they come in. Raises DeviceError, also between lines."""
        rest = b""
        for chunk in self._stream(path, query, deadline_s):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "replace")
        if rest:
            yield rest.decode("utf-8", "replace")

    def close(self) -> None:
        """Give up connection and login; the next request starts afresh."""
        self._session.close()
        self._auth = self._new_login()
        self._answered = False

    def _limited_adapter(self, permitted_ip: PermittedIp | None) -> BaseAdapter:
        mounted = self._session.get_adapter(f"{self._base}/")
        if type(mounted) is not HTTPAdapter:
            return mounted
        adapter = LimitedAdapter(connect_timeout_s=CONNECT_TIMEOUT_S, permitted_ip=permitted_ip)
        self._session.mount(f"{self._base}/", adapter)
        return adapter

    def _new_login(self) -> HTTPDigestAuth | None:
        return HTTPDigestAuth(USER, self._password) if self._password else None

    def _stream(self, path: str, query: dict[str, object], deadline_s: float) -> Iterator[bytes]:
        """Yield the body in pieces. Closes the connection when the caller stops early or something fails."""
        response = self._open(f"{path}?{urlencode(query)}" if query else path, deadline_s)
        try:
            yield from capped(self._chunks(response), MAX_ANSWER_BYTES)
        except (requests.RequestException, HTTPError, OSError) as error:
            self._raise_lost(error)
        finally:
            response.close()

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        if isinstance(self._adapter, LimitedAdapter):
            return response.iter_content(CHUNK_BYTES)
        return iter((response.content,))  # in the same process: all there, and cheaper

    def _open(self, path: str, deadline_s: float) -> requests.Response:
        """Return the answer 200 to a request, its body unread."""
        if self._stopped is not None:
            raise DeviceRefused(self._stopped, host=self.host)
        if isinstance(self._adapter, LimitedAdapter):
            self._adapter.limits.start(deadline_s, MAX_ANSWER_BYTES)
        response = self._exchange(path, deadline_s)
        if response.status_code == 429:
            response = self._again_with_a_fresh_login(path, response, deadline_s)
        if response.status_code == 200:
            self._answered = True
            return response
        try:
            self._raise_status(response)
        finally:
            response.close()

    def _again_with_a_fresh_login(
        self, path: str, response: requests.Response, deadline_s: float
    ) -> requests.Response:
        response.close()
        self.close()
        self._sleep(WAIT_AFTER_TOO_MANY_S)
        if isinstance(self._adapter, LimitedAdapter):
            self._adapter.limits.extend(WAIT_AFTER_TOO_MANY_S)
        return self._exchange(path, deadline_s)

    def _exchange(self, path: str, deadline_s: float) -> requests.Response:
        """Send one request and its login; retry on a kept connection that the meter has dropped."""
        kept, self._answered = self._answered, False
        try:
            return self._send(path, deadline_s)
        except (requests.RequestException, HTTPError, OSError) as error:
            if not (kept and _was_dropped(error)):
                self._raise_lost(error)
        try:
            return self._send(path, deadline_s)
        except (requests.RequestException, HTTPError, OSError) as error:
            self._raise_lost(error)

    def _send(self, path: str, deadline_s: float) -> requests.Response:
        # Straight to the adapter: no cookies, no redirects, nothing from the environment.
        request = self._request(path)
        self.sent_at = self._clock()
        for _ in range(STALE_NONCES):
            if self._auth is None:
                return self._adapter.send(request, timeout=deadline_s, **_SEND)
            response = self._sent_with_login(request.copy(), self._auth, deadline_s)
            if not _is_stale(response):
                break
            self._auth = self._new_login()
        return response

    def _sent_with_login(
        self, request: requests.PreparedRequest, login: HTTPDigestAuth, deadline_s: float
    ) -> requests.Response:
        login(request)
        response = self._adapter.send(request, timeout=deadline_s, **_SEND)
        if response.status_code != 401:
            return response
        response.request, response.connection = request, self._adapter  # type: ignore[assignment]
        answer: requests.Response
        try:
            answer = login.handle_401(response, timeout=deadline_s, **_SEND)  # type: ignore[no-untyped-call]
        except KeyError as error:  # a challenge without realm or nonce
            response.close()
            raise WrongDevice("not_a_shelly", host=self.host) from error
        return answer

    def _request(self, path: str) -> requests.PreparedRequest:
        prepared = self._prepared.get(path)
        if prepared is None:
            headers = {"Accept-Encoding": "identity", "User-Agent": "heatmon"}
            prepared = requests.Request("GET", self._base + path, headers=headers).prepare()
            if "?" not in path:
                self._prepared[path] = prepared
        return prepared

    def _raise_status(self, response: requests.Response) -> NoReturn:
        status = response.status_code
        if status == 401:
            self._raise_refused(response)
        if status == 429:
            raise self._busy(response.headers.get("Retry-After"))
        if 300 <= status < 400:
            raise WrongDevice("redirected", host=self.host)
        code, message = self._error_body(response)
        if code is not None:
            self._raise_rpc_error(code, message)
        if status >= 500:
            raise DeviceUnreachable("server_error", host=self.host, detail=f"HTTP {status}")
        raise WrongDevice("not_a_shelly", host=self.host)

    def _raise_refused(self, response: requests.Response) -> NoReturn:
        if "digest" not in response.headers.get("WWW-Authenticate", "").lower():
            raise WrongDevice("not_a_shelly", host=self.host)
        if _is_stale(response):
            raise DeviceBusy("busy", host=self.host)
        # The meter counts failed logins: no more of them until a person has changed something.
        self._stopped = "password_needed" if self._auth is None else "wrong_password"
        raise DeviceRefused(self._stopped, host=self.host)

    def _busy(self, retry_after: str | None) -> DeviceBusy:
        retry_at = None
        if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
            seconds = min(int(retry_after[:9]), LONGEST_RETRY_AFTER_S)
            retry_at = self._clock() + timedelta(seconds=seconds)
        return DeviceBusy("busy", retry_at=retry_at, host=self.host)

    def _error_body(self, response: requests.Response) -> tuple[int | None, str]:
        try:
            return _rpc_error(json.loads(next(response.iter_content(CHUNK_BYTES), b"")), failed=True)
        except (ValueError, RecursionError):
            return None, ""
        except (requests.RequestException, HTTPError, OSError) as error:
            self._raise_lost(error)

    def _raise_rpc_error(self, code: int, message: str = "") -> NoReturn:
        if code == 429:
            raise DeviceBusy("busy", host=self.host)
        if code == NO_SUCH_COMPONENT or (code == 404 and message.startswith("No handler for")):
            raise WrongDevice("profile_changed", host=self.host)
        if code == 404:
            raise WrongDevice("not_a_shelly", host=self.host)
        raise DeviceUnreachable("server_error", host=self.host, detail=f"RPC {code}")

    def _raise_lost(self, error: Exception) -> NoReturn:
        """Translate what went wrong below HTTP, and give up the connection."""
        self._session.close()
        self._answered = False
        if caused_by(error, AnswerTooLarge):
            raise PayloadInvalid("too_large", host=self.host) from error
        if caused_by(error, TimeoutError, requests.Timeout):
            raise DeviceUnreachable("timeout", host=self.host) from error
        if caused_by(error, NameResolutionError):
            raise DeviceUnreachable("name_unknown", host=self.host) from error
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
            raise DeviceRefused("address_invalid", host=self.host) from error
        if caused_by(error, ProtocolError):
            raise DeviceUnreachable("connection_lost", host=self.host) from error
        raise DeviceUnreachable("unreachable", host=self.host) from error


def _is_stale(response: requests.Response) -> bool:
    """Return whether a 401 is about the nonce, which ran out, and not about the password."""
    challenge = response.headers.get("WWW-Authenticate", "").lower().replace(" ", "").replace('"', "")
    return response.status_code == 401 and "stale=true" in challenge


def _decoded(body: bytes) -> Any:
    """Decode JSON, including the NaN that some firmware sends, which the fast decoder refuses."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)


def _rpc_error(body: Any, *, failed: bool = False) -> tuple[int | None, str]:
    """Return the code and message of an error frame ``{"error": {…}}``, or of a bare error where HTTP says
    failed."""
    error = body.get("error") if isinstance(body, dict) else None
    if error is None and failed:
        error = body
    if not isinstance(error, dict) or type(error.get("code")) is not int:
        return None, ""
    return error["code"], str(error.get("message", ""))


def _was_dropped(error: BaseException) -> bool:
    """Return whether a kept connection turned out to be closed: nothing was answered, and no time was
    lost."""
    return caused_by(error, ConnectionError) and not caused_by(
        error, TimeoutError, requests.Timeout, ConnectionRefusedError
    )
