"""Derived records that are not points in time: lumps, the meter's events, what is to be derived again."""

from __future__ import annotations

import uuid

from django.db import models

from apps.devices.models import Site


class Lump(models.Model):
    """Electrical energy [Wh] known only as one sum over [start, end): a counter across a gap.

    Derived; replaced with its stretch of time. ``reason``: ``gap``, or ``reset`` where the counter began
    anew inside, so that the energy is at least this.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="lumps")
    start = models.DateTimeField()
    end = models.DateTimeField()
    energy_wh = models.FloatField()
    reason = models.CharField(max_length=20)

    class Meta:
        ordering = ["start"]
        indexes = [models.Index(fields=["site", "start"], name="lump_by_site_and_start")]

    def __str__(self) -> str:
        return f"{self.energy_wh} Wh from {self.start} to {self.end}"


class MeterEvent(models.Model):
    """Something that happened to the meter's counters, found in them. Derived. ``noted``: it stands in the
    changelog."""

    class Kind(models.TextChoices):
        COUNTER_RESET = "counter_reset"
        METER_REPLACED = "meter_replaced"
        PROFILE_CHANGED = "profile_changed"

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="meter_events")
    device = models.CharField(max_length=64)
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    noted = models.BooleanField(default=False)

    class Meta:
        ordering = ["at"]
        constraints = [
            models.UniqueConstraint(fields=["site", "device", "at", "kind"], name="meter_event_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.device} {self.at}"


class StaleRange(models.Model):
    """Intervals in [start, end) that must be derived again: raw data or the method changed."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="stale_ranges")
    start = models.DateTimeField()
    end = models.DateTimeField()

    class Meta:
        ordering = ["-end"]

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"


class StoredHome(models.Model):
    """The id by which the time-series store knows a home. ``began_at``: when it was written there; from then
    on a store that does not know it is not this home's."""

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="stored_home")
    uid = models.UUIDField(default=uuid.uuid4, unique=True)
    began_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"site {self.site_id}: {self.uid}"


class KnownExtent(models.Model):
    """UTC days before and after which a source of the time-series store has no rows, so that no question to
    the store needs an open end. Days inside may be empty too: rows that are deleted do not narrow it."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="known_extents")
    measurement = models.CharField(max_length=40)
    device = models.CharField(max_length=64, blank=True)
    first_day = models.DateField()
    last_day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "measurement", "device"], name="extent_once_a_source")
        ]

    def __str__(self) -> str:
        return f"{self.measurement} {self.device} from {self.first_day} to {self.last_day}"


class StoredSource(models.Model):
    """A device and heating circuit that ever wrote a measurement, where the time-series store does not keep a
    list itself."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="stored_sources")
    measurement = models.CharField(max_length=40)
    device = models.CharField(max_length=64, blank=True)
    circuit = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "measurement", "device", "circuit"], name="stored_source_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.measurement} {self.device} {self.circuit}"


class SummedHours(models.Model):
    """Until when the time-series store holds the sums of a measurement's hours, where it does not know it
    itself: every whole hour before ``until`` is summed up."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="summed_hours")
    measurement = models.CharField(max_length=40)
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "measurement"], name="summed_hours_once_a_measurement")
        ]

    def __str__(self) -> str:
        return f"{self.measurement} until {self.until}"


class OutboxEntry(models.Model):
    """What the time-series store is still to do, in the order of its ids, kept here while it does not answer.

    ``work``: JSON, see ``store.influxdb.work``. ``attempts``, ``retry_at``, ``code`` and ``reason`` tell of
    the last failure. ``parked_at``: it will never be taken, for ``reason``; it is kept for people to look at.
    """

    work = models.TextField()
    size_bytes = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    code = models.CharField(max_length=20, blank=True)
    reason = models.TextField(blank=True)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["parked_at", "id"], name="outbox_by_parked_and_id"),
            models.Index(fields=["parked_at", "size_bytes"], name="outbox_by_parked_and_size"),
        ]

    def __str__(self) -> str:
        return f"{self.size_bytes} bytes of {self.made_at}"


class DerivedState(models.Model):
    """How far a site is derived, and with what. ``derived_until``: what lies before is derived or marked;
    null before the first turn. ``modulation_kind``: whether the heat pump ever showed a modulation besides 0
    and 100 %; empty while none was seen. ``first_answer_at``: since when the heat pump answers. ``version``
    rises with every derivation."""

    class ModulationKind(models.TextChoices):
        UNKNOWN = ""
        ON_OFF = "on_off"
        MODULATING = "modulating"

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="derived_state")
    made_with = models.CharField(max_length=64, blank=True)
    derived_until = models.DateTimeField(null=True)
    version = models.PositiveBigIntegerField(default=0)
    modulation_kind = models.CharField(max_length=20, choices=ModulationKind.choices, blank=True)
    first_answer_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"site {self.site_id}: {self.made_with}"


class EstimateCache(models.Model):
    """A year estimate of one day, as JSON; made anew when its inputs (``key``) change."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="estimates")
    year = models.IntegerField()
    key = models.CharField(max_length=64)
    result = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "year"], name="estimate_once_a_year")]

    def __str__(self) -> str:
        return f"site {self.site_id}, {self.year}"
