"""Answers of heat pumps as they came, kept compressed, so that a later version can read more out of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson

from .errors import PayloadInvalid
from .models import RawAnswer, Site
from .sources import HeatPumpAnswer

# A fifth larger than level 6 and three times as fast.
LEVEL = 3
MAX_BYTES = 64_000_000


def pack(payload: bytes | Mapping[str, Any]) -> bytes:
    """Return the compressed JSON of an answer."""
    return zlib.compress(payload if isinstance(payload, bytes) else orjson.dumps(payload), LEVEL)


def unpack(packed: bytes | memoryview) -> dict[str, Any]:
    """Return the answer again. Raises PayloadInvalid for bytes that ``pack`` did not make."""
    try:
        content = orjson.loads(zlib.decompressobj().decompress(packed, MAX_BYTES))
    except (zlib.error, ValueError) as error:
        raise PayloadInvalid("stored_answer", path="payload") from error
    if not isinstance(content, dict):
        raise PayloadInvalid("stored_answer", path="payload")
    return content


def keep_answers(site: Site, answers: Iterable[HeatPumpAnswer]) -> None:
    """Store answers that are to be kept; the same ones again change nothing."""
    kept = [
        RawAnswer(
            site=site, device=answer.reading.device, at=answer.reading.measured_at, payload=answer.packed
        )
        for answer in answers
        if answer.packed is not None
    ]
    RawAnswer.objects.bulk_create(kept, ignore_conflicts=True)


def forget_answers(before: datetime) -> int:
    """Delete the answers older than ``before``; returns how many."""
    deleted, _ = RawAnswer.objects.filter(at__lt=before).delete()
    return deleted
