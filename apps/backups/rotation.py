"""◇ Which backups are kept: the newest of each of seven days and, of what is older, of each of four weeks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime, timedelta

DAYS = 7
WEEKS = 4
NIGHT_BEGINS = timedelta(hours=2)
"""After midnight UTC; a backup is due once a night, from then on."""


def superseded(made: Iterable[datetime]) -> set[datetime]:
    """Return the times of the backups that others have made unnecessary. Days and weeks are those of UTC."""
    times = sorted((at.astimezone(UTC) for at in made), reverse=True)
    daily = _newest_of_each(times, lambda at: at.date(), DAYS)
    older = [at for at in times if at.date() < min(daily, default=at).date()]
    weekly = _newest_of_each(older, lambda at: at.isocalendar()[:2], WEEKS)
    return set(times) - daily - weekly


def _newest_of_each(
    times: list[datetime], period: Callable[[datetime], Hashable], most: int
) -> set[datetime]:
    newest: dict[Hashable, datetime] = {}
    for at in times:
        newest.setdefault(period(at), at)
    return set(list(newest.values())[:most])


def is_due(newest: datetime | None, at: datetime) -> bool:
    """Return whether the backup of the last night is still missing at ``at``."""
    night = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + NIGHT_BEGINS
    if night > at:
        night -= timedelta(days=1)
    return newest is None or newest < night or newest > at + timedelta(days=1)
