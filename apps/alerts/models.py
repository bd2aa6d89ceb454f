"""What is raised now, and the messages that are still to be sent."""

from __future__ import annotations

from django.db import models

from apps.devices.models import Site


class Alert(models.Model):
    """One cause: raised, solved or neither yet; kept when it is over, so that it is not told again at once.
    Fields as in ``rules.Fact`` and ``rules.State``."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=30)
    key = models.CharField(max_length=60, blank=True)
    value = models.FloatField(null=True)
    details = models.JSONField(default=dict)
    bad_since = models.DateTimeField(null=True)
    good_since = models.DateTimeField(null=True)
    raised_at = models.DateTimeField(null=True)
    solved_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "kind", "key"], name="one_alert_a_cause")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}".rstrip()


class Message(models.Model):
    """One text for one target. ``target``: a digest of its address, which is a secret. ``is_raise``: it tells
    that ``alert`` was raised, not that it is solved. ``gave_up``: it was tried for a day in vain."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="alert_messages")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="messages")
    is_raise = models.BooleanField()
    target = models.CharField(max_length=16)
    title = models.CharField(max_length=200)
    text = models.TextField()
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    gave_up = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["site", "sent_at", "gave_up", "due_at"], name="alert_message_due")]

    def __str__(self) -> str:
        return self.title
