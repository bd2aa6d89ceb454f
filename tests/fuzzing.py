"""Requests by chance, the same for each seed; often near what is right, so that they get far."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from urllib.parse import quote

TIMES = (
    "2026-11-20",
    "2026-11-23T12:00:00Z",
    "2026-11-23T12:00:00 01:00",
    "9999-12-31",
    "0001-01-01",
    "1969-12-31",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2026-02-30",
    "2026-W47",
    "2026-11",
    "now",
    "-1",
)
NUMBERS = (
    "0",
    "1",
    "-1",
    "5000",
    "50",
    "1e308",
    "nan",
    "inf",
    "99999999999999999999",
    "9" * 5000,
    "0x10",
    "１２",
    "1.5",
)
WORDS = (
    "",
    "day",
    "week",
    "month",
    "year",
    "note",
    "setting",
    "json",
    "csv",
    "excel-de",
    "power_w",
    "cop",
    "all",
    "on",
    "power_w,outside_temperature_c",
    "[",
    "(",
    "\\",
    "*",
    "%",
    "_",
    "'",
    '"',
    "`",
    "{{7*7}}",
    "<img onerror=x>",
    "\x00",
    "\r\nX: y",
    "\x1b[0m",
    "\ud83d".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    "é" * 300,
    "a" * 3000,
    "../../etc/passwd",
    "http://[x",
    "//evil.example",
    "javascript:1",
    "http://169.254.169.254",
    "10.0.0.9",
)
NAMES = (
    "from",
    "to",
    "date",
    "range",
    "at",
    "before",
    "kind",
    "q",
    "format",
    "dialect",
    "series",
    "points",
    "period",
    "site",
    "year",
    "a_from",
    "a_to",
    "b_from",
    "b_to",
    "limit",
    "next",
    "version",
    "text",
    "title",
    "section",
    "name",
    "wide",
    "forecast",
    "place",
    "days",
    "id",
    "e",
    "o",
    "p",
    "action",
    "_popup",
    "_changelist_filters",
    "username",
    "password",
    "code",
    "csrfmiddlewaretoken",
    "new_from",
    "new_price",
    "revoke",
    "expires",
    "language",
    "latitude",
    "longitude",
    "time_zone",
    "currency",
    "shelly_url",
    "compressor_on_w",
    "metered",
    "month_1",
    "role",
    "text__iregex",
    "q__regex",
    "at__gte",
    "site__id__exact",
    "user__username__regex",
)
SECTIONS = (
    "house",
    "measuring",
    "price",
    "calibration",
    "normals",
    "meter",
    "heat_pump",
    "tokens",
    "language",
    "accounts",
    "new_meter",
)
TYPES = (
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=x",
    "text/plain",
    "",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=nonsense",
    "application/json; charset=utf-16",
    "multipart/form-data",
    "multipart/form-data; boundary=" + "x" * 300,
)
HEADERS = {
    "HTTP_HX_REQUEST": ("true", "nonsense"),
    "HTTP_HX_TARGET": ("entry-1", "older", "live", "é"),
    "HTTP_HX_CURRENT_URL": ("http://[x", "http://testserver/history?range=7d", "//", "é", "http://a:99999/"),
    "HTTP_HX_TRIGGER": ("test", "\xff"),
    "HTTP_ACCEPT_LANGUAGE": ("de", "xx;q=nan", "de;q=1e9", "," * 500, "é"),
    "HTTP_AUTHORIZATION": ("Bearer", "Bearer hm_nonsense", "Basic eDp5", "Bearer \xff\xfe"),
    "HTTP_COOKIE": (
        "csrftoken=x; heatmon_session=y",
        "django_language=../..; a",
        "=;=;",
        "heatmon_session=" + "x" * 3000,
    ),
    "HTTP_REFERER": ("http://[x", "http://testserver/"),
    "HTTP_ORIGIN": ("null", "http://[x", "http://testserver"),
    "HTTP_X_FORWARDED_FOR": ("1.2.3.4, x",),
    "HTTP_IF_MODIFIED_SINCE": ("nonsense", "Thu, 01 Jan 0000 00:00:00 GMT"),
    "HTTP_IF_NONE_MATCH": ("*", '"x"', "x" * 1000),
    "HTTP_RANGE": ("bytes=0-", "bytes=9-1"),
    "HTTP_SEC_FETCH_SITE": ("cross-site", "nonsense"),
    "CONTENT_LENGTH": ("", "-1", "x", "0", "9" * 30),
}
METHODS = (
    "GET",
    "GET",
    "GET",
    "POST",
    "POST",
    "POST",
    "PATCH",
    "DELETE",
    "PUT",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "MOVE",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request. ``headers`` are names and values of the WSGI environment."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def requests(address: str, seed: int, count: int) -> list[Sent]:
    """Return ``count`` requests to ``address``."""
    chance = random.Random(f"{address} {seed}")
    return [_request(address, chance) for _ in range(count)]


def _request(address: str, chance: random.Random) -> Sent:
    method = chance.choice(METHODS)
    query = _pairs(chance) if chance.random() < 0.8 else chance.choice(("", "%ff=%00", "&&==", "a[]=1"))
    headers = {name: chance.choice(values) for name, values in HEADERS.items() if chance.random() < 0.12}
    body, content_type = b"", ""
    if method in {"POST", "PATCH", "PUT", "DELETE"}:
        content_type = chance.choice(TYPES) if chance.random() < 0.6 else TYPES[address.startswith("/api/")]
        body = _body(content_type, chance)
    return Sent(
        method=method,
        path=f"{_bent(address, chance)}?{query}",
        body=body,
        content_type=content_type,
        headers=headers,
    )


def _bent(address: str, chance: random.Random) -> str:
    """Return the address, seldom with something else in place of its last part."""
    if chance.random() < 0.85:
        return address
    return address.rpartition("/")[0] + "/" + quote(chance.choice(WORDS + NUMBERS)[:200])


def _value(chance: random.Random) -> str:
    return chance.choice(chance.choice((TIMES, NUMBERS, WORDS)))


def _pairs(chance: random.Random) -> str:
    count = 1500 if chance.random() < 0.02 else chance.randrange(6)
    return "&".join(f"{chance.choice(NAMES)}={quote(_value(chance)[:2000])}" for _ in range(count))


def _body(content_type: str, chance: random.Random) -> bytes:
    if chance.random() < 0.1:
        return chance.randbytes(chance.randrange(200))
    if "json" in content_type:
        return _json(chance)
    if "multipart" in content_type:
        name = chance.choice(NAMES)
        head = f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        return f"{head}{_value(chance)}\r\n--x--\r\n".encode()
    text = f"section={chance.choice(SECTIONS)}&{_pairs(chance)}"
    return text.encode("utf-16" if "utf-16" in content_type else "utf-8")


def _json(chance: random.Random) -> bytes:
    values: tuple[object, ...] = (
        None,
        True,
        1,
        -1.5,
        10**30,
        _value(chance),
        [],
        {},
        [[]],
        {"a": {"b": [1]}},
    )
    whole: object = {
        name: chance.choice(values) for name in chance.sample(("text", "at", "title", "version", "x"), 3)
    }
    if chance.random() < 0.2:
        whole = chance.choice(values)
    if chance.random() < 0.05:
        return b"[" * 5000
    return json.dumps(whole).encode()
