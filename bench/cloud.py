"""What one answer of the cloud costs, from its text to readings and settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.payloads.viessmann.cu401b import cu401b, feature

from .figures import Figure
from .timing import interleaved

AT = datetime(2026, 1, 22, 12, tzinfo=UTC)


def answer(rounds: int) -> Iterator[Figure]:
    """Measure an answer with as many features as a pump with ventilation has."""
    from apps.devices.viessmann.features import heat_pump_configuration, heat_pump_reading
    from apps.devices.viessmann.getters import snapshot_with_getters

    payload = cu401b()
    payload["data"] += [feature(f"ventilation.levels.level{number}", enabled=False) for number in range(140)]
    text = json.dumps(payload)

    def read() -> None:
        asked = snapshot_with_getters(payload=json.loads(text), received_at=AT, device="7")
        heat_pump_reading(asked)
        heat_pump_configuration(asked)

    found = interleaved({"text": lambda: json.loads(text), "answer": read}, rounds)
    took = found["answer"]
    yield Figure(name="reading of a cloud answer", value=took.min, unit="ms", aim=10, times=took)
    yield Figure(
        name="reading of a cloud answer / its JSON alone", value=took.min / found["text"].min, unit="×"
    )
