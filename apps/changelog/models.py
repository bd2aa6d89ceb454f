"""The settings history and the owner's notes.

``ConfigurationVersion`` answers "how was everything set at that time"; ``Entry`` is one line of the
timeline; ``SettingChange`` is one old → new of a setting entry; ``PendingConfiguration`` is what the
observer remembers between two polls.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.devices import clock
from apps.devices.models import Site

from .hiding import notes_hidden

MAXIMUM_TEXT_LENGTH = 10_000
MAXIMUM_TITLE_LENGTH = 200


def new_token() -> str:
    return secrets.token_hex(16)


class ConfigurationVersion(models.Model):
    """All settings known of a heat pump from ``at`` on, until the next version.

    ``settings`` has the keys and values of ``apps.devices.configuration``; an absent key was unknown.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="configuration_versions")
    device = models.CharField(max_length=64)
    at = models.DateTimeField()
    settings = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "device", "at"], name="configuration_version_once")
        ]
        indexes = [models.Index(fields=["site", "at"], name="configuration_site_at")]
        ordering = ["at", "id"]
        verbose_name = _("configuration")
        verbose_name_plural = _("configurations")

    def __str__(self) -> str:
        return f"{self.device} {self.at:%Y-%m-%d %H:%M} UTC"


class PendingConfiguration(models.Model):
    """What the observer keeps of the newest poll, by device.

    ``digest`` names the settings and programs of that poll while nothing waits for confirmation, else it is
    empty: an equal poll then changes nothing but the time. ``token`` is the row's own name, never used
    again. ``by_hand`` is the known program of each place (known settings are those of the newest version),
    ``candidates`` are the values seen once, ``unseen`` the times at which what is absent now was last known
    (see ``tracking``).
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="pending_configurations")
    device = models.CharField(max_length=64)
    token = models.CharField(max_length=32, default=new_token)
    last_poll_at = models.DateTimeField()
    digest = models.CharField(max_length=32, blank=True)
    by_hand = models.JSONField(default=dict, blank=True)
    candidates = models.JSONField(default=dict, blank=True)
    unseen = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "device"], name="one_pending_configuration")]


class ShownEntries(models.Manager["Entry"]):
    """The entries, but for notes where they are hidden from whoever asks."""

    def get_queryset(self) -> models.QuerySet[Entry]:
        found = super().get_queryset()
        return found.exclude(kind=Entry.Kind.NOTE) if notes_hidden() else found


class Entry(models.Model):
    """One line of the timeline: a note, a change of settings, or an event. Ordered by (at, id).

    ``title`` is the owner's own title for a setting or event entry; empty means the sentence that
    heatmon makes in the reader's language. ``version`` rises with each edit, so that a stale one is
    noticed. ``source_key`` makes what heatmon saw itself unique; a note has none. ``ended_at``: of an event
    that lasts, None while it does.
    """

    class Kind(models.TextChoices):
        NOTE = "note", _("Note")
        SETTING = "setting", _("Setting")
        EVENT = "event", _("Event")

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField(_("time"))
    ended_at = models.DateTimeField(_("end"), null=True, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    title = models.CharField(_("title"), max_length=MAXIMUM_TITLE_LENGTH, blank=True)
    text = models.TextField(_("text"), max_length=MAXIMUM_TEXT_LENGTH, blank=True)
    author_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    author_name = models.CharField(_("author"), max_length=150, blank=True)
    version = models.PositiveIntegerField(default=1)
    source_key = models.CharField(max_length=200, null=True, blank=True)
    event_code = models.CharField(max_length=40, blank=True)
    event_details = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)

    objects = ShownEntries()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "source_key"], name="entry_once_per_source")]
        indexes = [models.Index(fields=["site", "-at", "-id"], name="entry_site_newest")]
        ordering = ["-at", "-id"]
        verbose_name = _("entry")
        verbose_name_plural = _("entries")

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M} UTC"


class SettingChange(models.Model):
    """One setting that changed in an entry. ``before`` and ``after`` are whole values: a schedule has
    all its known weekdays, changed or not."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="setting_changes")
    key = models.CharField(max_length=120)
    before = models.JSONField()
    after = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "key"], name="setting_once_per_entry")]
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key
