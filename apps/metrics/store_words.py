"""What people are told of a store that does not answer, and what they can do."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.devices import storage

_ADVICE: Mapping[str, Promise] = {
    "unreachable": _("InfluxDB is not responding. Is it running, and is HEATMON_INFLUXDB_URL right?"),
    "unauthorized": _("InfluxDB does not accept the token. Check HEATMON_INFLUXDB_TOKEN."),
    "forbidden": _("The token may not use the bucket. It needs the right to read and to write it."),
    "not_found": _(
        "InfluxDB does not know the organization or the bucket. Check HEATMON_INFLUXDB_ORG and"
        " HEATMON_INFLUXDB_BUCKET, and that the token may read it."
    ),
    "not_influxdb": _(
        "What answers at HEATMON_INFLUXDB_URL is not InfluxDB. Check the address, and any proxy in between."
    ),
    "full": _("The disk of InfluxDB is full. Make room, then follow the steps in docs/influxdb.md."),
    "busy": _("InfluxDB is starting or overloaded; heatmon tries again by itself."),
    "refused": _("InfluxDB does not understand heatmon. Is it version 2?"),
}


def advice(code: str) -> str:
    """Return what to do about a StoreUnavailable of this code; empty where there is nothing to say."""
    return str(_ADVICE.get(code, "")) or storage.sentence(code)
