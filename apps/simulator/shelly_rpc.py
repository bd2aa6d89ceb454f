"""◇ Errors and arguments of the meter's remote calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TRIPHASE, MONOPHASE = "triphase", "monophase"

Params = Mapping[str, Any]


class RpcError(Exception):
    """An error frame of the device."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def typed(text: str) -> Any:
    """Return a query value as the device reads it: JSON where it is JSON, else text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def json_object(body: bytes) -> dict[str, Any]:
    """Return the body as a JSON object; RpcError −103 otherwise."""
    try:
        content = json.loads(body)
    except ValueError:
        raise RpcError(-103, "Invalid JSON") from None
    if not isinstance(content, dict):
        raise RpcError(-103, "Not an object")
    return content


def number(params: Params, name: str, default: int) -> int:
    """Return a numeric argument; RpcError −103 if it is not one."""
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RpcError(-103, f"Argument '{name}', value '{value}' not a number!")
    return int(value)
