"""◇ Every Flux query that heatmon makes: fixed texts, to which only parameters are added.

Nothing from outside is ever part of a text; only how many fields are named differs. Windows, sums and the
newest values are worked out by the storage itself, since aggregates directly follow range and filter and the
windows lie on UTC grids.
"""

from __future__ import annotations

from functools import lru_cache

AGGREGATES = ("sum", "count", "min", "max")

_FROM = """from(bucket: _bucket)
    |> range(start: _start, stop: _stop)
    |> filter(fn: (r) => {where})
"""
_PLACE = "r._measurement == _measurement and r.site == _site"
_WINDOW = (
    "    |> aggregateWindow(every: _every, offset: _offset, fn: {fn}, createEmpty: false,"
    ' timeSrc: "_start")\n'
)


def parameters(prefix: str, names: tuple[str, ...]) -> dict[str, str]:
    """Return field names as the parameters that ``fields`` of a text stand for."""
    return {f"{prefix}{number}": name for number, name in enumerate(names)}


def _fields(prefix: str, count: int) -> str:
    return "(" + " or ".join(f"r._field == {prefix}{number}" for number in range(count)) + ")"


def _circuit(named: bool) -> str:
    return "r.circuit == _circuit" if named else "not exists r.circuit"


def _keep(*columns: str) -> str:
    return "    |> keep(columns: [" + ", ".join(f'"{column}"' for column in columns) + "])\n"


@lru_cache
def totals(fields: int, *, circuit: bool, by_hour: bool) -> str:
    """Ask for sum, count, least and greatest value of each window, of ``fields`` fields of all devices.
    ``by_hour``: from the sums of hours."""
    parts = []
    for name in AGGREGATES:
        where = f"{_PLACE} and {_circuit(circuit)} and {_fields(f'_{name}', fields)}"
        fn = "sum" if by_hour and name == "count" else name
        parts.append(
            _FROM.format(where=where)
            + _WINDOW.format(fn=fn)
            + _keep("_time", "_field", "_value")
            + f'    |> yield(name: "{name}")\n'
        )
    return "\n".join(parts)


@lru_cache
def hours(fields: int) -> str:
    """Ask for sum, count, least and greatest value of each window, of all sources of a measurement. Fields
    are named: a text or a truth value that somebody else wrote there cannot be summed up."""
    return "\n".join(
        _FROM.format(where=f"{_PLACE} and {_fields('_field', fields)}")
        + _WINDOW.format(fn=name)
        + _keep("_time", "_field", "_value", "device", "circuit")
        + f'    |> yield(name: "{name}")\n'
        for name in AGGREGATES
    )


@lru_cache
def latest(fields: int, *, circuit: bool) -> str:
    """Ask for the newest value of each field, of each device."""
    where = f"{_PLACE} and {_circuit(circuit)} and {_fields('_field', fields)}"
    return _FROM.format(where=where) + "    |> last()\n" + _keep("_time", "_field", "_value")


@lru_cache
def edges(*, device: bool) -> str:
    """Ask for the first and the last point of each series of a measurement."""
    where = f"{_PLACE} and r.device == _device" if device else _PLACE
    return "\n".join(
        _FROM.format(where=where) + f"    |> {name}()\n" + _keep("_time") + f'    |> yield(name: "{name}")\n'
        for name in ("first", "last")
    )


@lru_cache
def points(fields: int, *, circuit: bool) -> str:
    """Ask for the raw values of one source."""
    where = f"{_PLACE} and r.device == _device and {_circuit(circuit)} and {_fields('_field', fields)}"
    return _FROM.format(where=where) + _keep("_time", "_field", "_value")


def device_points() -> str:
    """Ask for the raw values of one device, all circuits and fields."""
    return _FROM.format(where=f"{_PLACE} and r.device == _device") + _keep(
        "_time", "_field", "_value", "circuit"
    )


def sources() -> str:
    """Ask which devices and circuits ever wrote at a site."""
    return (
        _FROM.format(where="r.site == _site") + "    |> last()\n" + _keep("_measurement", "device", "circuit")
    )


def homes() -> str:
    """Ask for which homes the bucket was begun."""
    return _FROM.format(where="r._measurement == _measurement") + _keep("_time", "home")


def ping() -> str:
    """Ask for next to nothing."""
    return "from(bucket: _bucket)\n    |> range(start: _start, stop: _stop)\n"
