"""The home and its devices, the ledger of cloud calls, and the values saved on the settings page."""

from __future__ import annotations

from django.db import models


class Site(models.Model):
    """A home. One exists from the start; pages do not mention sites until there is a second."""

    name = models.CharField(max_length=100, default="Home")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Device(models.Model):
    """A meter (by MAC) or a heat pump (by the serial of its gateway) that this site has read from.

    ``clock_wrong_since``: its clock is more than a minute off ours, so its rows bear wrong times.
    ``clock_started_at``: when the meter started, by that wrong clock. ``history_from``: rows of its memory
    before this were recorded under a wrong clock.
    """

    class Kind(models.TextChoices):
        METER = "meter"
        HEAT_PUMP = "heat_pump"

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="devices")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    identifier = models.CharField(max_length=64)
    model = models.CharField(max_length=100, blank=True)
    firmware = models.CharField(max_length=100, blank=True)
    profile = models.CharField(max_length=20, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    active = models.BooleanField(default=True)
    clock_wrong_since = models.DateTimeField(null=True)
    clock_started_at = models.DateTimeField(null=True)
    history_from = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "kind", "identifier"], name="device_once_per_site")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.identifier}"


class SourceState(models.Model):
    """How polling a source went last. ``wording`` has the words for ``error_code`` and ``error_details``.

    ``report``: what the device says of itself, see ``reports``. ``login_ends_at``: when the cloud's login
    ends for good.
    """

    class Source(models.TextChoices):
        METER = "meter"
        HEAT_PUMP = "heat_pump"

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="source_states")
    source = models.CharField(max_length=20, choices=Source.choices)
    last_attempt_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    last_error_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_details = models.JSONField(default=dict)
    blocked_until = models.DateTimeField(null=True)
    report = models.JSONField(default=dict)
    login_ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "source"], name="one_state_per_source")]


class ApiCall(models.Model):
    """One HTTP request to the vendor's cloud, written down before it is made."""

    at = models.DateTimeField(db_index=True)
    account = models.CharField(max_length=100)
    purpose = models.CharField(max_length=40)
    host = models.CharField(max_length=200)
    status = models.IntegerField(null=True)


class QuotaState(models.Model):
    """What the cloud said of its limit, by account (client id)."""

    account = models.CharField(max_length=100, unique=True)
    reported_limit = models.IntegerField(null=True)
    blocked_until = models.DateTimeField(null=True)


class RawAnswer(models.Model):
    """A features answer as it came, zlib-compressed JSON; kept 90 days for later versions."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="raw_answers")
    device = models.CharField(max_length=64)
    at = models.DateTimeField()
    payload = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "device", "at"], name="raw_answer_once")]


class SavedOption(models.Model):
    """A device or house value saved on the settings page; it overrides the environment.

    ``value`` is JSON; a secret one is a Fernet token, made with the key in the data directory.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="saved_options")
    name = models.CharField(max_length=60)
    value = models.TextField()
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "name"], name="option_once_per_site")]


class HistoryGap(models.Model):
    """An hour of which minute rows are missing or provisional, and what became of fetching them.

    ``attempts`` counts answers without the rows, ``failures`` requests without an answer, one after the
    other; it is not asked for again before ``retry_at``, and then ``piece_minutes`` at a time. ``reason``
    is an error's code with its details, or why the rows cannot be had; see ``wording``.
    """

    class State(models.TextChoices):
        OPEN = "open"
        FILLED = "filled"
        LOST = "lost"

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="history_gaps")
    device = models.CharField(max_length=64)
    start = models.DateTimeField()
    missing_minutes = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    attempts = models.PositiveSmallIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    last_attempt_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    piece_minutes = models.PositiveSmallIntegerField(default=60)
    reason = models.CharField(max_length=60, blank=True)
    reason_details = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "device", "start"], name="gap_once_per_hour")]
        indexes = [models.Index(fields=["site", "state", "start"], name="gap_by_state")]


class MemorySearch(models.Model):
    """How far a meter's memory was compared with the store.

    ``begins_at``: its first row, in ``profile``, at the last look; ``switched_at``: where that began when the
    profile was switched last; ``searched_until``: until when the hours
    were compared; ``whole_at``: when all that it remembers last was, None before the first time;
    ``retry_at``: no look before; ``hour_s``: what an hour took to fetch lately [s].
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="memory_searches")
    device = models.CharField(max_length=64)
    profile = models.CharField(max_length=20, blank=True)
    begins_at = models.DateTimeField(null=True)
    switched_at = models.DateTimeField(null=True)
    searched_until = models.DateTimeField(null=True)
    whole_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    hour_s = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "device"], name="one_search_per_meter")]


class JobRun(models.Model):
    """A job's turn, taken by whoever wrote this row first: two schedulers spend nothing twice."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="job_runs")
    job = models.CharField(max_length=40)
    due_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "job", "due_at"], name="job_turn_once")]
