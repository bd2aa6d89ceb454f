"""◇ What no log line says: tokens, passwords, logins in addresses and session cookies become ***."""

from __future__ import annotations

import re

_NAMES = (
    "access_token|refresh_token|id_token|client_secret|code_verifier|secret_key|api_?key|token|password|passwd"
    "|code|heatmon_session|heatmon_demo_session|heatmon_visit|sessionid|csrftoken|csrfmiddlewaretoken|x-csrftoken"
)
# A member of JSON or of a dict, an entry of a form, of an address, of libpq's words or of a cookie.
_MEMBERS = re.compile(
    rf"(?i)\b((?:{_NAMES})[\"']?\s*[=:]\s*[bru]?)(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s\"'&,;}}]+)"
)
# A header whose whole value is secret: a digest has blanks, commas and quotation marks of its own.
_HEADERS = re.compile(
    r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)([\"']?\s*[=:]\s*[bru]?)('[^'\n]*'|\"[^\"\n]*\"|[^\n]+)"
)
_SCHEMES = re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}")
_OWN_TOKENS = re.compile(r"\b(hm_|hv_)[A-Za-z0-9_-]{10,}")
_LINKS = re.compile(
    r"(?i)((?:/|%2f)v(?:/|%2f))[^\s/\"'?#&]+"
)  # the address of a read-only link, mistyped too
_USERINFO = re.compile(r"(?i)([a-z][a-z0-9+.-]*://)[^/\s\"']*@")


def masked(message: str) -> str:
    """Return ``message`` with secrets replaced by ***."""
    message = _HEADERS.sub(r"\1\2***", message)
    message = _USERINFO.sub(r"\1***@", message)
    message = _MEMBERS.sub(r"\1***", message)
    message = _SCHEMES.sub(r"\1 ***", message)
    message = _OWN_TOKENS.sub(r"\1***", message)
    return _LINKS.sub(r"\1***", message)
