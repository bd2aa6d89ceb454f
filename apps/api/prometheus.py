"""``/metrics``: the figures of a home as Prometheus reads them. What is not known is left out, never 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.http import require_safe

from apps.accounts.tokens import bearer, find_token
from apps.devices import clock
from apps.devices.options import default_site

from .gauges import Gauge, gauges_of

if TYPE_CHECKING:
    from prometheus_client.core import Metric


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer as HEATMON_METRICS says: nobody, whoever has an API token, or everybody."""
    mode = settings.HEATMON.metrics
    if mode == "off":
        raise Http404
    if mode == "token" and not _has_token(request):
        response = HttpResponse("A token is needed.\n", status=401, content_type="text/plain; charset=utf-8")
        response["WWW-Authenticate"] = "Bearer"
        return response
    # Only where it is asked for: most homes never load it.
    from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

    with translation.override("en"):
        text = generate_latest(_Home(gauges_of(default_site(), clock.now())))
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _has_token(request: HttpRequest) -> bool:
    plain = bearer(request)
    return plain is not None and find_token(plain, clock.now()) is not None


class _Home:
    """What the library takes for a registry: metrics made for this one answer."""

    def __init__(self, gauges: list[Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        for gauge in self._gauges:
            known = {labels: value for labels, value in gauge.values.items() if value is not None}
            if known:
                yield _metric(gauge, known)


def _metric(gauge: Gauge, known: dict[tuple[str, ...], Any]) -> Metric:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    kind = CounterMetricFamily if gauge.counts else GaugeMetricFamily
    metric = kind(f"heatmon_{gauge.name}", gauge.help, labels=gauge.labels)
    for labels, value in known.items():
        metric.add_metric(list(labels), float(value))
    return metric
