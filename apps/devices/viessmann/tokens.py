"""The login as stored on disk: JSON, mode 0600, written atomically, its tokens encrypted as passwords are."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from cryptography.fernet import InvalidToken

from apps.devices.durable import sync_folder
from apps.devices.errors import Detail
from apps.devices.secret_files import fernet

log = logging.getLogger(__name__)

TOKENS = frozenset({"access_token", "refresh_token"})

_Part = TypeVar("_Part", "Login", "Refusal", "Pause", "Address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Tokens of one account. Times are epoch seconds; ``refresh_expires_at`` None where unknown."""

    client_id: str
    user: str | None = None
    access_token: str
    expires_at: float
    refresh_token: str | None = None
    refresh_expires_at: float | None = None

    def __repr__(self) -> str:
        return f"Login(client_id={self.client_id!r}, expires_at={self.expires_at})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The cloud's no to a login: not asked again before ``until`` (epoch s) with the same credentials.

    ``count``: how often in a row they were refused.
    """

    credentials: str
    until: float
    code: str
    details: Mapping[str, Detail]
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """An answer that stays the same for long (no right, no such device): not asked for before ``until``
    (epoch s). ``asked_for``: the account and device that it was about."""

    asked_for: str
    until: float
    code: str
    details: Mapping[str, Detail]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the account's heat pump is found, remembered so that a start needs no look-up."""

    client_id: str
    installation_id: int
    gateway: str
    device_id: str
    device: str
    model: str | None
    roles: tuple[str, ...]


class TokenStore:
    """The file of one account's login, refusal, pause and address.

    A missing, empty or broken file means: log in again; a broken one is set aside as ``….broken``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._seen: tuple[tuple[int, int, int], dict[str, Any]] = ((0, 0, 0), {})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Admit one process and thread at a time; whoever enters must read the file again."""
        lock_path = self.path.with_name(f"{self.path.name}.lock")
        with self._lock, open(os.open(lock_path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed
            yield

    def login(self) -> Login | None:
        """Return the stored login; None, so that heatmon signs in again, where it cannot be decrypted."""
        part = self._read().get("login")
        return _made(Login, self._with_tokens(part, self._decrypted))

    def refusal(self) -> Refusal | None:
        return _made(Refusal, self._read().get("refusal"))

    def pause(self) -> Pause | None:
        return _made(Pause, self._read().get("pause"))

    def address(self) -> Address | None:
        return _made(Address, self._read().get("address"))

    def save_login(self, login: Login) -> None:
        """Keep a good login; an earlier refusal is over."""
        self._change(login=self._with_tokens(asdict(login), self._encrypted), refusal=None)

    def save_refusal(self, refusal: Refusal) -> None:
        self._change(refusal=asdict(refusal))

    def save_pause(self, pause: Pause) -> None:
        self._change(pause=asdict(pause))

    def ask_again(self) -> None:
        """Forget refusal and pause: the next poll asks."""
        if self._read().keys() & {"refusal", "pause"}:
            self._change(refusal=None, pause=None)

    def save_address(self, address: Address | None) -> None:
        self._change(address=None if address is None else asdict(address))

    def forget(self) -> None:
        """Log out: the next poll needs user and password."""
        self.path.unlink(missing_ok=True)

    def _with_tokens(self, part: Any, change: Callable[[str], str]) -> Any:
        """Return the stored login with its tokens changed; None where one cannot be."""
        if not isinstance(part, dict):
            return part
        try:
            return {
                name: change(value) if name in TOKENS and isinstance(value, str) else value
                for name, value in part.items()
            }
        except (InvalidToken, ValueError):
            log.warning("the stored login was encrypted with another key; heatmon signs in again")
            return None

    def _encrypted(self, token: str) -> str:
        return fernet(self.path.parent).encrypt(token.encode()).decode()

    def _decrypted(self, stored: str) -> str:
        return fernet(self.path.parent).decrypt(stored.encode()).decode()

    def _change(self, **parts: Any) -> None:
        with self._lock:
            content = {**self._read(), **parts}
            self._write({name: part for name, part in content.items() if part is not None})

    def _read(self) -> dict[str, Any]:
        try:
            found = self.path.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp == self._seen[0]:
                return self._seen[1]  # written by replacing the file, so another content is another stamp
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            content = json.loads(raw) if raw.strip() else {}
        except (ValueError, RecursionError):
            content = None
        if isinstance(content, dict):
            self._seen = (stamp, content)
            return content
        aside = self.path.with_name(f"{self.path.name}.broken")
        log.warning("%s cannot be read; set aside as %s, heatmon signs in again", self.path, aside)
        os.replace(self.path, aside)
        return {}

    def _write(self, content: dict[str, Any]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}.{threading.get_ident()}.new")
        with open(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.path)
        sync_folder(self.path.parent)


def _made(kind: type[_Part], part: Any) -> _Part | None:
    """Return a stored part, None where it is absent or not what this version writes."""
    if not isinstance(part, dict):
        return None
    names = {one.name for one in fields(kind)}
    try:
        made = kind(**{name: value for name, value in part.items() if name in names})
    except TypeError:
        return None
    return made if _whole(made) else None


def _whole(part: Login | Refusal | Pause | Address) -> bool:
    """Return whether the values have the types that the code relies on (the file may have been edited)."""
    match part:
        case Login():
            numbers = (part.expires_at, 0 if part.refresh_expires_at is None else part.refresh_expires_at)
            texts = (part.client_id, part.access_token, part.refresh_token or "", part.user or "")
        case Refusal():
            numbers, texts = (part.until, part.count), (part.credentials, part.code, "", "")
        case Pause():
            numbers, texts = (part.until, 0), (part.asked_for, part.code, "", "")
        case Address():
            numbers, texts = (0, 0), (part.client_id, part.gateway, part.device_id, part.device)
    if isinstance(part, Refusal | Pause) and not isinstance(part.details, dict):
        return False
    return all(isinstance(one, int | float) for one in numbers) and all(isinstance(one, str) for one in texts)
