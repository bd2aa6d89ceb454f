"""What goes wrong with the vendor's cloud and its login, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from random import Random
from typing import TYPE_CHECKING, Any

from .answered import MODULATION, OUTSIDE
from .faults import CLOUD, LOGIN, Effect, Fault, changed, changed_content, event, fault_script, lasting, slow
from .wire import Answer, Handler, json_answer

if TYPE_CHECKING:
    from .world import SimulatedWorld

FEATURES = "/features/"
HOUR_S, DAY_S = 3_600.0, 86_400.0


def _fault(
    name: str, text: str, target: str, effect: Callable[[], Effect], longest_s: float = 6 * HOUR_S
) -> None:
    """Register a fault of the answers that lasts ten minutes at least; ``effect`` makes one for a run."""

    lasting(name, text, target, 600.0, longest_s, effect=effect)


def answering(*answers: Answer) -> Callable[[], Effect]:
    """Return what gives these answers in turn to questions for data points; the cloud counts them."""

    def make() -> Effect:
        turns = cycle(answers)
        return changed(lambda given: next(turns) if given.status == 200 else given, FEATURES)

    return make


def editing(change: Callable[[list[dict[str, Any]]], None]) -> Callable[[], Effect]:
    """Return what changes the data points of each answer."""
    return lambda: changed_content(lambda content: change(content["data"]), FEATURES)


def frozen() -> Effect:
    """Return what repeats the first answer it saw."""
    kept: list[Answer] = []

    def repeated(given: Answer) -> Answer:
        if given.status != 200:
            return given
        kept.append(given)
        return kept[0]

    return changed(repeated, FEATURES)


def failing_tokens(*answers: Answer) -> Callable[[], Effect]:
    """Return what answers so at the token endpoint."""

    def make() -> Effect:
        turns = cycle(answers)

        def effect(
            handler: Handler, method: str, path: str, headers: Mapping[str, str], body: bytes, at: float
        ) -> Answer:
            if "/token" not in path:
                return handler(method, path, headers, body, at)
            handler("GET", "/idp/v3/other", headers, b"", at)  # counted, and nothing more
            return next(turns)

        return effect

    return make


def refusal(status: int, kind: str, message: str = "", **payload: Any) -> Answer:
    content = {"viErrorId": "simulated", "statusCode": status, "errorType": kind, "message": message}
    return json_answer(status, content | ({"extendedPayload": payload} if payload else {}))


def _values(data: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next((one["properties"] for one in data if one["feature"] == name), {})


def _absurd(data: list[dict[str, Any]]) -> None:
    for name, value in ((OUTSIDE, 200.0), (MODULATION, 140)):
        if "value" in _values(data, name):
            _values(data, name)["value"]["value"] = value


def _other_unit(data: list[dict[str, Any]]) -> None:
    if "value" in _values(data, OUTSIDE):
        _values(data, OUTSIDE)["value"]["unit"] = "fahrenheit"


def _without_features(data: list[dict[str, Any]]) -> None:
    data[:] = [one for one in data if not one["feature"].endswith(("schedule", "curve", "outside"))]


JSON = {"Content-Type": "application/json"}
NO_LIST = tuple(Answer(200, JSON, body) for body in (b"[]", b"null", b'"x"', b'{"statusCode":"500"}', b"{"))
OFFLINE = refusal(
    400, "DEVICE_COMMUNICATION_ERROR", httpStatusCode="NotFound", code="404", reason="GATEWAY_OFFLINE"
)
DOWN = (
    Answer(503, {"Content-Type": "text/html"}, b"<html>Service unavailable</html>"),
    refusal(502, "INTERNAL_SERVER_ERROR", "REACHED_MAX_IAM_CONNECTIONS"),
)
_ENDS: tuple[dict[str, Any], ...] = ({}, {"limitReset": 1_000}, {"limitReset": 4_070_908_800_000})
LIMIT: dict[str, Any] = {"name": "development portal daily limit", "requestCountLimit": 1450}
LIMITED = tuple(refusal(429, "RATE_LIMIT_EXCEEDED", **LIMIT, **reset) for reset in _ENDS)
NOT_PAID = refusal(402, "PACKAGE_NOT_PAID_FOR")
FORBIDDEN = (refusal(403, "FORBIDDEN"), refusal(410, "GONE", sunsetDate="2025-10-31"))
EXPIRED = json_answer(401, {"error": "EXPIRED TOKEN"})
REDIRECT = Answer(302, {"Location": "http://cloud.simulated/iot/v2/features/elsewhere"}, b"")
HUGE = Answer(200, JSON, b'{"data":[' + b"0," * 5_000_000 + b"0]}")
NO_TOKEN = (
    json_answer(500, {"error": "server_error"}),
    Answer(503, {"Content-Type": "text/html"}, b"<html>Service unavailable</html>"),
)

_fault(
    "cloud_offline",
    "Cut the gateway off from the cloud for up to a day.",
    CLOUD,
    answering(OFFLINE),
    DAY_S,
)
_fault("cloud_down", "Answer with 502 and 503.", CLOUD, answering(*DOWN))
_fault("cloud_without_list", "Answer with JSON that has no data points.", CLOUD, answering(*NO_LIST))
_fault(
    "cloud_empty",
    "Answer with an empty list of data points.",
    CLOUD,
    answering(json_answer(200, {"data": []})),
)
_fault("cloud_huge_answer", "Answer with ten megabytes.", CLOUD, answering(HUGE), 1_200.0)
_fault(
    "cloud_rate_limited", "Answer 429, its end absent, past or in 2099.", CLOUD, answering(*LIMITED), 1_200.0
)
_fault("cloud_not_paid", "Answer 402.", CLOUD, answering(NOT_PAID))
_fault("cloud_forbidden", "Answer 403 and 410.", CLOUD, answering(*FORBIDDEN))
_fault("cloud_expires_tokens", "Call each token expired.", CLOUD, answering(EXPIRED))
_fault("cloud_redirects", "Send whoever asks somewhere else, again and again.", CLOUD, answering(REDIRECT))
_fault("cloud_slow", "Let each answer take a minute and a half.", CLOUD, lambda: slow(90.0))
_fault("cloud_frozen", "Repeat one answer for up to three days.", CLOUD, frozen, 3 * DAY_S)
_fault(
    "cloud_features_missing", "Leave schedules, curves and a sensor out.", CLOUD, editing(_without_features)
)
_fault("cloud_absurd", "Tell of 200 degrees and a modulation of 140 %.", CLOUD, editing(_absurd))
_fault("cloud_other_unit", "Give the outside temperature in another unit.", CLOUD, editing(_other_unit))
_fault("login_fails", "Answer 500 and 503 at the token endpoint.", LOGIN, failing_tokens(*NO_TOKEN))
_fault("login_slow", "Let each answer of the login take a minute and a half.", LOGIN, lambda: slow(90.0))


@fault_script("login_revoked")
def login_revoked(source: Random, start: float, end: float) -> Sequence[Fault]:
    """Revoke all tokens, so that the password is needed again."""

    def revoke(world: SimulatedWorld, _at: float) -> None:
        world.cloud.revoke_tokens()

    return [event(source, start, end, "login_revoked", LOGIN, revoke)]
