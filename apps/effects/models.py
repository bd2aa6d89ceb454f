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


class HomeAdvice(models.Model):
    """What the home's data suggest to try next (see ``advice``): made once a day, and again when ``inputs``
    differ."""

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="advice")
    inputs = models.CharField(max_length=64)
    observations = models.JSONField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"site {self.site_id}"


class AlternatingTest(models.Model):
    """Two values of one setting in turn, the present one (``old``) first. ``paused``: [first, last] local
    days, last None while it lasts. ``verdict``: the estimate at its end; None before, and where it could not
    tell. ``ended_on``: the last day of a test that is over or was stopped."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="alternating_tests")
    key = models.CharField(max_length=120)
    old = models.JSONField()
    new = models.JSONField()
    first_day = models.DateField()
    blocks = models.PositiveSmallIntegerField()
    length = models.PositiveSmallIntegerField()
    paused = models.JSONField(default=list, blank=True)
    ended_on = models.DateField(null=True)
    stopped = models.BooleanField(default=False)
    verdict = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-first_day", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["site"], condition=models.Q(ended_on=None), name="one_running_test_a_site"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} from {self.first_day}"
