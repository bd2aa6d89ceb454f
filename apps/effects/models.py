"""Verdicts that are kept, with what they were made from; alternating tests."""

from __future__ import annotations

from django.db import models

from apps.changelog.models import Entry
from apps.devices.models import Site


class Effect(models.Model):
    """The verdict on one entry. ``inputs`` names the days, changes and the method it was made from: it is
    made again when they differ. ``verdict``: see ``verdicts``."""

    entry = models.OneToOneField(Entry, on_delete=models.CASCADE, related_name="effect")
    inputs = models.CharField(max_length=64)
    method_version = models.PositiveIntegerField()
    verdict = models.JSONField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"entry {self.entry_id}: {self.verdict.get('state')}"


class HomeFacts(models.Model):
    """What all verdicts of a home share, by target: its own null and the energy of the last 365 days. Made
    once a day and whenever ``inputs`` differ. ``judged``: the inputs for which all entries were judged."""

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="effect_facts")
    inputs = models.CharField(max_length=64)
    facts = models.JSONField()
    judged = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"site {self.site_id}"
