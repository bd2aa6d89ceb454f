"""One request and its answer, as handlers of simulated devices see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson


class Unreachable(Exception):
    """Nobody answers: the connection is refused, or closed without a byte."""


class Answer(NamedTuple):
    """``duration_s``: how long the device takes. ``cut``: the connection breaks in the middle of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    duration_s: float = 0.0
    cut: bool = False


Handler = Callable[[str, str, Mapping[str, str], bytes, float], Answer]
"""(method, path with query, headers by lower-case name, body, epoch s) → Answer; may raise Unreachable."""

JSON_HEADERS: Mapping[str, str] = {"Content-Type": "application/json"}


def json_answer(status: int, content: Any, headers: Mapping[str, str] = JSON_HEADERS) -> Answer:
    """Return an answer whose body is ``content`` as JSON."""
    return Answer(status, headers, orjson.dumps(content))
