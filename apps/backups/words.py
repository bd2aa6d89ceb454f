"""Why a backup was not made or not restored, as codes, and the words for them."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: Mapping[str, Promise] = {
    "no_room": _("There is not enough free disk space for a backup."),
    "not_writable": _("The backup folder cannot be written."),
    "damaged": _("The copy of the data failed its check: a database is damaged."),
    "store_away": _("The store of measured values did not answer."),
    "busy": _("The data was in use for too long."),
    "interrupted": _("heatmon was stopped while the backup was being made."),
    "failed": _("The backup failed. Details are in the log."),
}


class BackupFailed(Exception):
    """No backup was made, and nothing of it is left. ``code``: see ``WORDS``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotRestorable(Exception):
    """The file cannot be restored; nothing was changed. The message is a sentence without its period."""


def sentence(code: str) -> str:
    """Return the words for a code, in the language in force."""
    return str(WORDS.get(code, WORDS["failed"]))


def log_line(code: str) -> str:
    """Return the words for a code in English."""
    with translation.override("en"):
        return sentence(code)
