"""◇ Answers of the heat pump's cloud that only repeat, because the device has told it nothing new.

In a stretch of answers with one newest timestamp, longer than half an hour, all but the first are repeats and
no measurements (metrics §1, *Source silent*). An answer without any timestamp says nothing about that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SILENT_S = 1800
# An hour in which nobody asked ends a stretch: what comes after it is looked at anew.
BREAK_S = 3600
LOOK_S = SILENT_S + BREAK_S
"""Answers at most this far around one decide whether it is a repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: its interval, when it was asked for, and the newest timestamp in it (epoch s)."""

    interval: int
    at: float
    newest_source_at: float | None


def repeats(answers: Sequence[Answer]) -> set[int]:
    """Return the intervals whose answers, in order of time, are repeats."""
    return {
        answer.interval for stretch in _stretches(answers) if _is_silent(stretch) for answer in stretch[1:]
    }


def open_from(before: Sequence[Answer]) -> int | None:
    """Return the first interval of ``before`` that answers after it may turn into a repeat, or back."""
    last = list(_stretches(before))[-1:]
    return last[0][1].interval if last and len(last[0]) > 1 and not _is_silent(last[0]) else None


def open_until(after: Sequence[Answer]) -> int | None:
    """Return the last interval of ``after`` that answers before it may turn into a repeat, or back."""
    first = next(_stretches(after), None)
    if first is None or first[0].newest_source_at is None:
        return None
    return (first[0] if _is_silent(first) else first[-1]).interval


def _stretches(answers: Sequence[Answer]) -> Iterator[list[Answer]]:
    """Neighbouring answers with one newest timestamp."""
    stretch: list[Answer] = []
    for answer in answers:
        if stretch and not _continues(stretch[-1], answer):
            yield stretch
            stretch = []
        stretch.append(answer)
    if stretch:
        yield stretch


def _continues(one: Answer, other: Answer) -> bool:
    return (
        one.newest_source_at is not None
        and one.newest_source_at == other.newest_source_at
        and other.at - one.at <= BREAK_S
    )


def _is_silent(stretch: Sequence[Answer]) -> bool:
    return stretch[-1].at - stretch[0].at > SILENT_S
