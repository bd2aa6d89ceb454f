"""Taking answers out of files into one heat pump's history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from apps.devices import clock
from apps.devices.errors import CodedError
from apps.devices.models import Device, Site
from apps.devices.options import home_options
from apps.devices.sources import HeatPumpAnswer
from apps.devices.viessmann.identity import AnswerIdentity, has_compressor, identity_of, may_come_from
from apps.devices.viessmann.snapshot import FeatureSnapshot
from apps.devices.viessmann.source import answer_of
from apps.devices.wording import words_of
from apps.metrics.marks import mark_stale
from apps.metrics.store.base import TimeSeriesStore

from .answer_files import EARLIEST_YEAR, FileAnswer
from .imported import UNNAMED, introduce
from .jobs import KEEP_ANSWERS, record_answers

AT_ONCE = 288
MARKED_TOGETHER_S = 3600
"""Answers further apart are marked by themselves, so that nothing between them is derived in vain."""


class AnswerImport:
    """Stores answers of one heat pump in portions: the one that is known, else that of the first answer.

    Judged like polled answers: a heat pump, of one gateway and one device.
    """

    def __init__(self, site: Site, store: TimeSeriesStore) -> None:
        self.site = site
        self.store = store
        known = Device.objects.filter(site=site, kind=Device.Kind.HEAT_PUMP, active=True).first()
        self._device = known.identifier if known else UNNAMED
        self._zone = home_options(site, with_secrets=False).zone
        self._accepted: set[AnswerIdentity] = set()
        self._taken: list[HeatPumpAnswer] = []
        self._keep_from = clock.now() - KEEP_ANSWERS
        self._stored = self._without_data = 0

    def begin(self) -> None:
        """Restart counting, for another file."""
        self._stored = self._without_data = 0

    def told(self) -> str:
        """Say how much of the file was stored."""
        if not self._without_data:
            return f"{self._stored} responses"
        return f"{self._stored} responses; {self._without_data} without data points skipped"

    def take(self, answer: FileAnswer, at: datetime | None) -> None:
        """Take one answer. Raises ValueError that names the line."""
        if answer.payload.get("data") == []:
            self._without_data += 1  # a fault of the cloud: asked live, this is no answer either
            return
        try:
            self._check(answer.payload)
            snapshot = snapshot_of(answer, at, self._device)
        except CodedError as error:
            raise ValueError(f"line {answer.line}: {words_of(error).sentence}") from error
        except ValueError as error:
            raise ValueError(f"line {answer.line} {error}") from error
        keep = snapshot.received_at >= self._keep_from
        self._taken.append(answer_of(snapshot, self._zone, keep=keep))
        if len(self._taken) >= AT_ONCE:
            self.store_taken()

    def store_taken(self) -> None:
        """Store what was taken, and mark what is to be derived from it."""
        if not self._taken:
            return
        answers = sorted(self._taken, key=_time)
        introduce(self.store, self.site, Device.Kind.HEAT_PUMP, self._device, _time(answers[0]), active=True)
        stretches = _stretches([int(_time(answer).timestamp()) for answer in answers])
        self._mark(stretches)  # a kill in between forgets nothing
        record_answers(self.site, self.store, answers)
        self._mark(stretches)  # the first marks may have been worked off before the rows were there
        self._stored += len(answers)
        self._taken = []

    def _mark(self, stretches: Sequence[tuple[int, int]]) -> None:
        for start, end in stretches:
            mark_stale(self.site.pk, start, end)

    def _check(self, payload: Mapping[str, Any]) -> None:
        """Raise ValueError unless this is an answer of our heat pump."""
        identity = identity_of(payload)
        if identity in self._accepted:
            return
        for names in (identity.gateways, identity.device_ids):
            if len(names) > 1:
                raise ValueError(
                    f"mixes several devices ({', '.join(sorted(names))}); keep only the heat pump's"
                )
        if not has_compressor(payload):
            raise ValueError("is not a heat pump's response: it has no compressor")
        gateway = next(iter(identity.gateways), UNNAMED)
        if self._device == UNNAMED:
            self.store_taken()
            self._device = gateway
        elif not may_come_from(self._device, identity):
            found = "/".join([gateway, *identity.device_ids])
            raise ValueError(f"comes from {found}, not from your heat pump {self._device}")
        self._accepted.add(identity)


def snapshot_of(answer: FileAnswer, at: datetime | None, device: str = UNNAMED) -> FeatureSnapshot:
    """Return an answer as if polled at its time, at ``at`` where the file gives none, else at its newest
    time stamp. Raises ValueError and PayloadInvalid."""
    known = answer.at or at
    snapshot = FeatureSnapshot(payload=answer.payload, received_at=known or clock.now(), device=device)
    if known is None:
        if snapshot.newest_source_at is None:
            raise ValueError("has no data point with a timestamp; give the time with --at")
        if snapshot.newest_source_at.year < EARLIEST_YEAR:
            raise ValueError(f"is from before {EARLIEST_YEAR}; give the time with --at")
        snapshot = replace(snapshot, received_at=snapshot.newest_source_at)
    if snapshot.received_at > clock.now():
        raise ValueError("is in the future")
    return snapshot


def _time(answer: HeatPumpAnswer) -> datetime:
    return answer.reading.measured_at


def _stretches(times: list[int]) -> list[tuple[int, int]]:
    """Return [first, last + 1) of times that lie near each other."""
    edges = [
        index for index, (one, other) in enumerate(pairwise(times), 1) if other - one > MARKED_TOGETHER_S
    ]
    return [
        (times[start], times[end - 1] + 1)
        for start, end in zip([0, *edges], [*edges, len(times)], strict=True)
    ]
