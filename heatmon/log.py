"""One log line an event: control characters escaped, secrets masked."""

from __future__ import annotations

import logging
import re

_SECRETS = re.compile(
    r"(?i)(\"?(?:access_token|refresh_token|client_secret|code_verifier|password|code|authorization)\"?"
    r"\s*[=:]\s*\"?(?:bearer |basic )?)([^\s\"&,}]+)"
)
_USERINFO = re.compile(r"(https?://)[^/@\s]+@")


def masked(message: str) -> str:
    """Return ``message`` with tokens, passwords and user info in addresses replaced by ***."""
    return _USERINFO.sub(r"\1***@", _SECRETS.sub(r"\1***", message))


class OneLineFormatter(logging.Formatter):
    """Time, level, logger, message in one line; a traceback follows with its newlines escaped."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = masked(super().format(record))
        return "".join(
            character if character.isprintable() else character.encode("unicode_escape").decode()
            for character in line
        )
