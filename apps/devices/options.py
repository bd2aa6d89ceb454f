"""The home's values in force: saved on the settings page, else from the environment.

Secrets are Fernet tokens under a key of its own in the data directory (mode 0600), which no backup
contains.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, transaction

from .home_options import HOME_OPTIONS, SECRETS, HomeOptions, home_option
from .models import SavedOption, Site
from .secret_files import fernet
from .sql import all_rows

__all__ = [
    "HomeOptions",
    "SecretUnreadable",
    "default_site",
    "environment_values",
    "home_options",
    "options_held",
    "readable_options",
    "save_home_options",
    "saved_names",
]

_FIRST_SITE = "SELECT id, name, created_at FROM devices_site ORDER BY id LIMIT 1"
_SAVED = "SELECT name, value FROM devices_savedoption WHERE site_id = %s"


class SecretUnreadable(Exception):
    """A saved password cannot be decrypted: the key in the data directory is another one."""


def default_site() -> Site:
    """Return the first home, made on first use."""
    return next(iter(Site.objects.raw(_FIRST_SITE)), None) or _first_site()


def _first_site() -> Site:
    """Make it, or find the one that another process has made in this moment."""
    site, made = Site.objects.get_or_create(pk=1)
    if made:
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [Site]):
                cursor.execute(statement)  # a server's counter does not see an id that was given
    return site


def zone_of(site: Site) -> ZoneInfo:
    """Return the site's time zone without reading (and decrypting) the other options."""
    saved = SavedOption.objects.filter(site=site, name="time_zone").values_list("value", flat=True).first()
    return ZoneInfo(json.loads(saved) if saved is not None else settings.HEATMON.time_zone)


def environment_values() -> dict[str, Any]:
    """Return what the environment says of the home, with the defaults of what it does not name."""
    return {
        option.name: settings.HEATMON.values[option.name] for option in HOME_OPTIONS if option.environment
    }


def home_options(site: Site, *, with_secrets: bool = True) -> HomeOptions:
    """Return the values in force. Raises SecretUnreadable if a saved password cannot be decrypted; without
    secrets (saved passwords left out), as pages need it, never."""
    values = environment_values()
    for name, value in all_rows(_SAVED, site.pk):
        if name not in HomeOptions.__dataclass_fields__:
            continue  # saved by a newer version; kept untouched
        if name in SECRETS and not with_secrets:
            continue
        values[name] = _unpack(name, value)
    return HomeOptions(**values)


def readable_options(site: Site) -> tuple[HomeOptions, str]:
    """Return the values in force, and what is wrong: without saved passwords where one cannot be decrypted
    (a restored backup has no keys), so that everything else continues."""
    try:
        return home_options(site), ""
    except SecretUnreadable as error:
        return home_options(site, with_secrets=False), str(error)


def saved_names(site: Site) -> set[str]:
    """Return the names of what was saved on the settings page, and so overrides the environment."""
    return set(SavedOption.objects.filter(site=site).values_list("name", flat=True))


@contextmanager
def options_held(site: Site) -> Iterator[Site]:
    """Let nobody else save a value while one is changed from what is in force; give the home as it is now.

    SQLite has one writer, elsewhere the home's row is locked: ask no device and wait for nothing meanwhile.
    """
    with transaction.atomic():
        yield Site.objects.select_for_update().get(pk=site.pk)


def save_home_options(site: Site, values: Mapping[str, Any]) -> None:
    """Save values that a form has checked, all or none; they override the environment. None takes a saved
    value back."""
    with options_held(site):
        for name, value in values.items():
            home_option(name)
            if value is None:
                SavedOption.objects.filter(site=site, name=name).delete()
                continue
            packed = {"value": _pack(name, value)}
            SavedOption.objects.update_or_create(site=site, name=name, defaults=packed)


def _pack(name: str, value: Any) -> str:
    packed = json.dumps(value)
    return _fernet().encrypt(packed.encode()).decode() if name in SECRETS else packed


def _unpack(name: str, packed: str) -> Any:
    if name in SECRETS:
        try:
            packed = _fernet().decrypt(packed.encode()).decode()
        except InvalidToken as error:
            raise SecretUnreadable(f"the saved {name} cannot be decrypted; enter it again") from error
    value = json.loads(packed)
    return tuple(value) if isinstance(value, list) else value


def _fernet() -> Fernet:
    return fernet(Path(settings.DATA_DIR))
