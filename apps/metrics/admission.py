"""Whether the time-series store is this home's, as it was left: none begins in silence where there was one.

A random id of the home, made once, is kept in the database and in the store, and compared at every start.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.db import transaction

from apps.devices import clock, storage
from apps.devices.locks import held
from apps.devices.models import HistoryGap, Site
from apps.devices.options import default_site

from .extents import DatabaseExtents
from .marks import mark_everything_stale
from .models import (
    DerivedState,
    EstimateCache,
    KnownExtent,
    Lump,
    MeterEvent,
    StaleRange,
    StoredHome,
    StoredSource,
    SummedHours,
)
from .store.base import StoreRefused, StoreUnavailable
from .store.engine import Engine
from .store.front import Store
from .store.opening import open_engine, set_aside
from .store.sqlite.files import can_be_read, quick_check

log = logging.getLogger(__name__)

DERIVED = (
    Lump,
    MeterEvent,
    StaleRange,
    DerivedState,
    EstimateCache,
    KnownExtent,
    StoredSource,
    SummedHours,
    HistoryGap,
)
"""What was derived from a store, or is known of one."""


class NothingToDecide(Exception):
    """The store is in order, or cannot be kept."""


def admitted(name: str, path: Path, *, lasting: bool) -> Engine:
    """Open the engine of the settings if it knows this home or may begin with it, else raise StoreRefused.

    An engine that does not answer now, but keeps what is written meanwhile, is asked when it does.
    """
    homes = _homes()
    engine = open_engine(
        name, path, must_exist=any(home.began_at is not None for home in homes), lasting=lasting
    )
    try:
        _admit(engine, homes)
    except StoreRefused:
        engine.close()
        raise
    except StoreUnavailable:
        have_begun = all(home.began_at is not None for home in homes)
        if not have_begun or not engine.check_first(lambda: _admit(engine, homes)):
            engine.close()
            raise
    return engine


def admitted_or_set_aside(name: str, path: Path, *, lasting: bool) -> Engine:
    """Do as ``admitted``; a damaged file is set aside first, and a new one begins: notes do not depend on it,
    and the meter still remembers what was measured lately."""
    if name != "sqlite" or not _is_damaged(path):
        return admitted(name, path, lasting=lasting)
    with held("set-aside", 30.0):
        if _is_damaged(path):  # no other process has been here before
            aside = set_aside(name, path, f"damaged-{clock.now():%Y%m%d-%H%M%S}")
            storage.forget_damage(path)
            log.error("The damaged file with the measured values was set aside as %s.", aside)
            engine = open_engine(name, path, must_exist=False)
            _take(engine, _homes())
            engine.close()
    return admitted(name, path, lasting=lasting)


def _is_damaged(path: Path) -> bool:
    """Return whether the file cannot be read, or was found damaged and has not been replaced since."""
    if not path.exists() or not path.stat().st_size:
        return False
    marked = storage.damage_of(path) is not None
    if not marked and can_be_read(path):
        return False
    if marked and quick_check(path) is None:
        storage.forget_damage(path)
        return False
    return True


def begin_anew(name: str, path: Path) -> Path | None:
    """Begin a new store in the place of one that is refused; return where what is there was put aside."""
    _refusal(name, path)
    aside = set_aside(name, path, f"set-aside-{clock.now():%Y%m%d-%H%M%S}")
    engine = open_engine(name, path, must_exist=False)
    _take(engine, _homes())
    engine.close()
    return aside


def keep(name: str, path: Path) -> None:
    """Take the store that is there, though it is refused, for this home's. Raises NothingToDecide where it is
    missing or damaged."""
    refusal = _refusal(name, path)
    if refusal.code not in {"unknown", "foreign"}:
        raise NothingToDecide(f"There is no store that could be kept: {refusal}.")
    engine = open_engine(name, path, must_exist=True)
    site = default_site()
    _take(engine, _homes())
    mark_everything_stale(Store(engine, DatabaseExtents(engine)), site.pk)
    engine.close()


@contextmanager
def take_over(name: str, engine: Engine) -> Iterator[None]:
    """Let a store that is filled inside of this block be this home's at its end. What is known of an earlier
    bucket is forgotten if this one is empty. Raises StoreRefused for another home's."""
    homes = _homes()
    known = engine.homes()
    uids = {str(home.uid) for home in homes}
    if known and known.isdisjoint(uids):
        raise StoreRefused("foreign", "the store to be filled belongs to another home")
    if name == "influxdb" and not known:
        for kept in (StoredSource, SummedHours):
            kept.objects.all().delete()
    yield
    for uid in sorted(uids - known):
        engine.add_home(uid)


def _refusal(name: str, path: Path) -> StoreRefused:
    try:
        admitted(name, path, lasting=True).close()
    except StoreRefused as refusal:
        return refusal
    raise NothingToDecide("The time-series store is in order; it was left as it is.")


def _homes() -> list[StoredHome]:
    default_site()
    return [StoredHome.objects.get_or_create(site=site)[0] for site in Site.objects.order_by("pk")]


def _admit(engine: Engine, homes: Sequence[StoredHome]) -> None:
    known = engine.homes()
    if not known and any(home.began_at is not None for home in homes):
        raise StoreRefused("missing", "the time-series store is empty")
    if any(home.began_at is not None and str(home.uid) not in known for home in homes):
        raise StoreRefused("unknown", "the time-series store does not know this home")
    if known and known.isdisjoint(str(home.uid) for home in homes):
        raise StoreRefused("foreign", "the time-series store belongs to another database")
    _remember(engine, [home for home in homes if home.began_at is None])


def _take(engine: Engine, homes: Sequence[StoredHome]) -> None:
    """Discard what was derived from another store and what is known of one."""
    with transaction.atomic():
        for derived in DERIVED:
            derived.objects.all().delete()
        _remember(engine, homes)


def _remember(engine: Engine, homes: Sequence[StoredHome]) -> None:
    for home in homes:
        engine.add_home(str(home.uid))  # first: a start that ends here is made up for by the next one
        home.began_at = clock.now()
        home.save(update_fields=["began_at"])
