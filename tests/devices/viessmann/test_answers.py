"""The kept answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from apps.devices.answers import forget_answers, keep_answers, pack, unpack
from apps.devices.errors import PayloadInvalid
from apps.devices.models import RawAnswer, Site
from apps.devices.viessmann.features import FeatureSnapshot, heat_pump_reading
from apps.devices.viessmann.source import answer_of
from tests.payloads.viessmann.cu401b import cu401b

AT = datetime(2026, 1, 22, 12, 0, tzinfo=UTC)


def snapshot(at: datetime = AT) -> FeatureSnapshot:
    return FeatureSnapshot(payload=cu401b(), received_at=at, device="7700000000000001")


def test_an_answer_comes_back_as_it_was_and_much_smaller() -> None:
    payload = cu401b()
    packed = pack(payload)
    assert unpack(packed) == payload
    assert len(packed) < len(json.dumps(payload)) / 5


def test_an_answer_can_be_packed_as_it_came_from_the_wire() -> None:
    assert unpack(pack(b'{"data": []}')) == {"data": []}


@pytest.mark.parametrize("stored", [b"", b"not zlib", pack(b"[1]"), pack(b"{"), pack({"a": 1})[:5]])
def test_a_spoilt_answer_is_named_so(stored: bytes) -> None:
    with pytest.raises(PayloadInvalid):
        unpack(stored)


@pytest.mark.django_db
def test_keeping_an_answer_twice_keeps_one() -> None:
    site = Site.objects.create()
    keep_answers(site, [answer_of(snapshot(), UTC)])
    keep_answers(site, [answer_of(snapshot(), UTC)])
    kept = RawAnswer.objects.get()
    again = FeatureSnapshot(payload=unpack(kept.payload), received_at=kept.at, device=kept.device)
    assert heat_pump_reading(again) == heat_pump_reading(snapshot())


@pytest.mark.django_db
def test_old_answers_are_forgotten() -> None:
    site = Site.objects.create()
    for days in (0, 89, 90, 91):
        keep_answers(site, [answer_of(snapshot(AT - timedelta(days=days)), UTC)])
    assert forget_answers(AT - timedelta(days=90)) == 1
    assert sorted(RawAnswer.objects.values_list("at", flat=True)) == [
        AT - timedelta(days=90),
        AT - timedelta(days=89),
        AT,
    ]
