"""The card of the alerts: where they go, when they wait, and from where on each is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Max
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.alerts import rules, words
from apps.alerts.models import Message
from apps.alerts.sending import send, service_of
from apps.alerts.watching import active, choices, quiet_hours, targets
from apps.devices.connection import ConnectionReport
from apps.devices.option_parsers import names
from apps.devices.options import readable_options

from .cards import Card
from .fields import NumberField, SecretField, number_between

UNITS: Mapping[str, str | Promise] = {
    "min": gettext_lazy("min"),
    "h": gettext_lazy("h"),
    "days": gettext_lazy("days"),
    "starts": gettext_lazy("starts"),
    "o'clock": gettext_lazy("o'clock"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One line of the table; ``threshold`` None where there is nothing to choose."""

    kind: str
    name: str
    meaning: str
    threshold: forms.BoundField | None
    switch: forms.BoundField
    last_sent_at: datetime | None


class AlertCard(Card):
    section = "alerts"
    title = gettext_lazy("Alerts")
    hint = gettext_lazy("Once per cause, and once more when it is solved.")
    device = True
    template = "dashboard/settings/_alerts.html"

    notify_targets = SecretField(
        label=gettext_lazy("Sent to"),
        max_length=2000,
        help_text=gettext_lazy(
            "An apprise address: one line that names a service such as ntfy, e-mail, Telegram or Matrix, like"
            " ntfys://ntfy.sh/my-topic. Several with commas."
        ),
    )
    forget_targets = forms.BooleanField(label=gettext_lazy("Forget the saved addresses"), required=False)
    quiet_from = forms.TimeField(label=gettext_lazy("Quiet from"), required=False)
    quiet_until = forms.TimeField(
        label=gettext_lazy("Quiet until"),
        required=False,
        help_text=gettext_lazy(
            "What comes up meanwhile is sent at the end. Values that cannot be stored and a running heating"
            " rod are told at once."
        ),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        if "notify_targets" not in self.saved:
            del self.fields["forget_targets"]
        for name in ("quiet_from", "quiet_until"):
            self.fields[name].widget = forms.TimeInput(
                format="%H:%M", attrs={"type": "time", "class": "input time"}
            )
            self.fields[name].disabled = self.closed
        for kind, choice in choices(self.options).items():
            self._add_rule(kind, choice.rule, choice.is_on, choice.threshold)

    def _add_rule(self, kind: str, rule: rules.Rule, is_on: bool, threshold: float | None) -> None:
        name = str(words.NAMES[kind])
        switch = forms.BooleanField(label=name, required=False, disabled=self.closed)
        switch.widget.attrs["aria-label"] = name
        self.fields[f"on_{kind}"] = switch
        self.initial[f"on_{kind}"] = is_on
        if rule.threshold is None:
            return
        number = NumberField(
            number_between(rule.low, rule.high),
            label=f"{name}: {words.MEANINGS[kind]}",
            example=f"{rule.threshold:g}",
            unit=UNITS.get(rule.unit, rule.unit),
            required=True,
            disabled=self.closed,
        )
        number.widget.attrs["aria-label"] = number.label
        self.fields[f"threshold_{kind}"] = number
        self.initial[f"threshold_{kind}"] = threshold

    def initial_values(self) -> dict[str, Any]:
        begin, end = quiet_hours(self.options) or (None, None)
        return {"quiet_from": begin, "quiet_until": end}

    @property
    def active_count(self) -> int:
        """How many alerts are raised now."""
        return len(active(self.site))

    @property
    def rows(self) -> Iterator[AlertRow]:
        """The lines of the table."""
        sent = dict(
            Message.objects.filter(site=self.site, sent_at__isnull=False)
            .values_list("alert__kind")
            .annotate(Max("sent_at"))
        )
        for rule in rules.RULES:
            threshold = f"threshold_{rule.kind}"
            yield AlertRow(
                kind=rule.kind,
                name=str(words.NAMES[rule.kind]),
                meaning=str(words.MEANINGS[rule.kind]),
                threshold=self[threshold] if threshold in self.fields else None,
                switch=self[f"on_{rule.kind}"],
                last_sent_at=sent.get(rule.kind),
            )

    def clean_notify_targets(self) -> tuple[str, ...]:
        addresses = names(self.cleaned_data["notify_targets"])
        if wrong := [number for number, one in enumerate(addresses, 1) if not service_of(one)]:
            # The address itself is a password, and not shown again.
            raise forms.ValidationError(
                _("heatmon knows no service for address %(number)s.") % {"number": wrong[0]}
            )
        return addresses

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        begin, end = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if (begin is None) != (end is None) and not self.errors:
            self.add_error("quiet_from", _("Enter begin and end, or neither."))
        return cleaned

    def values(self) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        if self.cleaned_data["notify_targets"]:
            changed["notify_targets"] = list(self.cleaned_data["notify_targets"])
        elif self.cleaned_data.get("forget_targets"):
            changed["notify_targets"] = None
        if {"quiet_from", "quiet_until"} & set(self.changed_data):
            hours = (self.cleaned_data["quiet_from"], self.cleaned_data["quiet_until"])
            changed["quiet_hours"] = [] if None in hours else [f"{one:%H:%M}" for one in hours]
        if any(name.startswith(("on_", "threshold_")) for name in self.changed_data):
            changed["alert_rules"] = {rule.kind: self._rule(rule.kind) for rule in rules.RULES}
        return changed

    def _rule(self, kind: str) -> dict[str, Any]:
        said: dict[str, Any] = {"on": self.cleaned_data[f"on_{kind}"]}
        if f"threshold_{kind}" in self.fields:
            said["threshold"] = self.cleaned_data[f"threshold_{kind}"]
        return said

    def test(self) -> ConnectionReport:
        """Send a message like that of the alert whose button was pressed."""
        kind = self.data.get("test", "")
        name = words.NAMES.get(kind, _("Test"))
        addresses = self.cleaned_data["notify_targets"] or targets(readable_options(self.site)[0])
        if not addresses:
            return ConnectionReport(ok=False, title=_("There is no address to send to."), code="no_target")
        title = _("Test: %(what)s") % {"what": name}
        text = _("This is how heatmon will tell you. Nothing is wrong.")
        taken = [(service_of(address), send(address, title, text)) for address in addresses]
        done = {True: _("sent"), False: _("not taken")}
        detail = tuple(f"{service or '–'}: {done[ok]}" for service, ok in taken)
        if all(ok for _service, ok in taken):
            return ConnectionReport(ok=True, title=_("The test message was sent."), detail=detail)
        return ConnectionReport(
            ok=False,
            title=_("A service did not take the test message."),
            detail=detail,
            code="not_taken",
            hint=_("Check the address and whether this machine reaches the service."),
        )
