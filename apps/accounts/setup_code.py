"""The one-time code that makes the first account.

It lies in a file of mode 0600 in the data directory and is printed at start, so that only who can read
the server's output can claim it. It ends with the first account. Wrong tries are counted in the file:
after five, each further try has to wait, twice as long each time.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

FILE_NAME = "setup-code.json"
FREE_TRIES = 5
LONGEST_WAIT = timedelta(hours=1)
# Without the letters and digits that look alike: 12 of 31 signs are 59 bits.
SIGNS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True, slots=True)
class _Stored:
    code: str
    wrong: int = 0
    wrong_at: float = 0.0


class TooManyTries(Exception):
    """The code is not even looked at before ``retry_at`` (aware UTC)."""

    def __init__(self, retry_at: datetime) -> None:
        super().__init__(f"not before {retry_at}")
        self.retry_at = retry_at


def current_code(data_dir: Path) -> str:
    """Return the code in force; made on first use. Callers print it only while there is no account."""
    return _load(data_dir).code


def check_code(data_dir: Path, typed: str, at: datetime) -> bool:
    """Return whether ``typed`` is the code (blanks, dashes and case do not matter). Raises TooManyTries."""
    with _alone(data_dir):
        return _is_right(data_dir, typed, at)


def _is_right(data_dir: Path, typed: str, at: datetime) -> bool:
    stored = _load(data_dir)
    if stored.wrong >= FREE_TRIES:
        wait = min(timedelta(minutes=2 ** min(stored.wrong - FREE_TRIES, 10)), LONGEST_WAIT)
        retry_at = datetime.fromtimestamp(stored.wrong_at, UTC) + wait
        if at < retry_at:
            raise TooManyTries(retry_at)
    if secrets.compare_digest(_plain(typed).encode(), _plain(stored.code).encode()):
        return True
    _save(data_dir, _Stored(stored.code, stored.wrong + 1, at.timestamp()))
    return False


def end_code(data_dir: Path) -> None:
    """Invalidate the code: the first account exists."""
    (data_dir / FILE_NAME).unlink(missing_ok=True)


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Admit one try at a time, of whatever thread or process: a counter read twice would count once."""
    folder = os.open(data_dir, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _plain(code: str) -> str:
    return "".join(sign for sign in code.upper() if sign.isalnum())


def _new_code() -> str:
    signs = "".join(secrets.choice(SIGNS) for _ in range(12))
    return "-".join(signs[start : start + 4] for start in (0, 4, 8))


def _load(data_dir: Path) -> _Stored:
    path = data_dir / FILE_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _Stored(str(content["code"]), int(content["wrong"]), float(content["wrong_at"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass  # none yet, or cut off by a crash: a new one is as good
    _save(data_dir, _Stored(_new_code()))
    return _load(data_dir)


def _save(data_dir: Path, stored: _Stored) -> None:
    path = data_dir / FILE_NAME
    temporary = path.with_name(f"{FILE_NAME}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(stored), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
