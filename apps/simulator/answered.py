"""What the simulated devices have answered, by their own log: the truth about polls."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from .wire import Answer

OUTSIDE = "heating.sensors.temperature.outside"
MODULATION = "heating.compressors.0.sensors.power"


class CloudAnswer(NamedTuple):
    """An answer with data points that went out whole. ``checksum``: of its bytes; numbers as they are in it,
    None where it does not have them."""

    at: float
    checksum: int
    outside_temperature_c: float | None
    modulation_percent: float | None


@dataclass
class AnswerLog:
    """``powers``: time of a live answer of the meter → its power [W], None where it does not say;
    ``cloud``: the answers of the cloud, in order."""

    mac: str = ""
    powers: dict[float, float | None] = field(default_factory=dict)
    cloud: list[CloudAnswer] = field(default_factory=list)

    def of_meter(self, path: str, answer: Answer, at: float) -> None:
        if "GetStatus" in path and (content := _content(answer)) is not None and "em:0" in content:
            if content.get("sys", {}).get("mac") != self.mac:
                return
            powers = [content["em:0"].get(f"{phase}_act_power") for phase in "abc"]
            self.powers[at] = None if None in powers else sum(powers)

    def of_cloud(self, path: str, answer: Answer, at: float) -> None:
        if "/features/" not in path or not (content := _content(answer)) or not content.get("data"):
            return
        values = {one["feature"]: one["properties"] for one in content["data"]}
        self.cloud.append(
            CloudAnswer(
                at=at,
                checksum=zlib.crc32(answer.body),
                outside_temperature_c=_number(values, OUTSIDE),
                modulation_percent=_number(values, MODULATION),
            )
        )


def _content(answer: Answer) -> dict[str, Any] | None:
    if answer.status != 200 or answer.cut or answer.duration_s > 20.0 or len(answer.body) > 2_000_000:
        return None
    try:
        content = orjson.loads(answer.body)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _number(values: dict[str, dict[str, Any]], name: str) -> float | None:
    found = values.get(name, {}).get("value", {})
    return found.get("value") if found.get("unit") in {"celsius", "percent"} else None
