"""A whole simulated world: house, meter, cloud, clock, faults, and the truth to compare with."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from random import Random

from . import cloud_faults, host_faults, meter_faults
from .answered import AnswerLog
from .clock import Clock, VirtualClock
from .digest import OFF
from .faults import CLOUD, LOGIN, METER, Fault, FaultyHandler, scheduled
from .house import House
from .settings import SettingChange
from .shelly_meter import UNITS
from .shelly_rpc import TRIPHASE
from .shelly_server import FakeShelly
from .spec import HouseSpec, house_spec
from .transport import InProcessTransport, RunningServer, serve
from .viessmann_server import FakeViessmannCloud
from .wire import Answer, Handler

METER_HOST, CLOUD_HOST, LOGIN_HOST = "meter.simulated", "cloud.simulated", "login.simulated"
ANY_PORT = ("127.0.0.1", 0)
DAY_S = 86_400
FAULT_MODULES = (cloud_faults, host_faults, meter_faults)  # each registers its faults


class Truth:
    """What really happened. Times are aware; energies of whole minutes inside [start, end)."""

    def __init__(self, world: SimulatedWorld) -> None:
        self._world = world

    @property
    def _house(self) -> House:
        return self._world.house

    def energy_wh(self, start: datetime, end: datetime, phases: str = "abc") -> float:
        """Return the electrical energy that the meter counted [Wh]: not what flowed while it had no power."""
        return self._flowed(start.timestamp(), end.timestamp(), phases) - math.fsum(
            self._flowed(max(first, start.timestamp()), min(last, end.timestamp()), phases)
            for first, last in self.minutes_off()
            if first < end.timestamp() and last > start.timestamp()
        )

    def _flowed(self, start: float, end: float, phases: str) -> float:
        return sum(self._house.log.total(f"import_{phase}", start, end) for phase in phases) / UNITS

    def minutes_off(self) -> list[tuple[int, int]]:
        """Return the stretches (start, end) of whole minutes in which the meter had no power for a part."""
        return [(start // 60 * 60, -(-end // 60) * 60) for start, end in self._world.shelly.meter.off]

    def remembered_minutes(self, at: datetime) -> list[int]:
        """Return the minutes (epoch s) that the meter holds at ``at``."""
        blocks = self._world.shelly.meter.blocks(at.timestamp())
        return [minute for start, end in blocks for minute in range(start, end, 60)]

    def minute_channels_wh(self, minute: int) -> tuple[float, float, float]:
        """Return the energy of a minute by phase [Wh]."""
        log = self._house.log
        first, second, third = log.meter_row((minute - log.start) // 60)[:3]
        return first / UNITS, second / UNITS, third / UNITS

    def minute_energies_wh(self, start: datetime, end: datetime) -> list[float]:
        """Return the same, minute by minute, all phases."""
        log = self._house.log
        first, last = log.index(start.timestamp() + 59), log.index(end.timestamp())
        columns = [log.energies(f"import_{phase}", first, last) for phase in "abc"]
        return [sum(row) / UNITS for row in zip(*columns, strict=True)]

    def heat_wh(self, start: datetime, end: datetime, part: str = "pump") -> float:
        """Return the heat [Wh]: ``pump`` (both uses), ``space``, ``dhw`` (pump only), ``rod``."""
        names = {"pump": ("space", "dhw"), "space": ("space",), "dhw": ("dhw",), "rod": ("rod",)}[part]
        log = self._house.log
        return sum(log.total(f"heat_{name}_wh", start.timestamp(), end.timestamp()) for name in names)

    def minute_heats_wh(self, start: datetime, end: datetime) -> list[float]:
        """Return the heat of the pump [Wh], minute by minute."""
        log = self._house.log
        first, last = log.index(start.timestamp() + 59), log.index(end.timestamp())
        space, dhw = log.column("heat_space_wh", first, last), log.column("heat_dhw_wh", first, last)
        return [one + other for one, other in zip(space, dhw, strict=True)]

    def compressor_starts(self, start: datetime, end: datetime) -> int:
        return round(self._house.log.total("starts", start.timestamp(), end.timestamp()))

    def compressor_run_s(self, start: datetime, end: datetime) -> float:
        return self._house.log.total("run_s", start.timestamp(), end.timestamp())

    def rod_energy_wh(self, start: datetime, end: datetime) -> float:
        return self._house.log.total("rod_wh", start.timestamp(), end.timestamp())

    def settings_changes(self, start: datetime, end: datetime) -> list[SettingChange]:
        """Return the changes made in [start, end)."""
        return [change for change in self._house.script if start.timestamp() <= change.at < end.timestamp()]

    @property
    def calls_total(self) -> int:
        """Requests that the cloud and its login met."""
        return len(self._world.cloud.calls)

    def max_calls_24h(self) -> int:
        """Return the most requests in any rolling 24 hours, login included."""
        return self._most_calls(DAY_S)

    def max_calls_10min(self) -> int:
        """Return the most requests in any ten minutes, login included."""
        return self._most_calls(600)

    def _most_calls(self, window_s: int) -> int:
        times = [when for when, _ in self._world.cloud.calls]
        most = first = 0
        for last, when in enumerate(times):
            while times[first] <= when - window_s:
                first += 1
            most = max(most, last - first + 1)
        return most

    def max_calls_utc_day(self) -> int:
        """Return the most requests in any day of UTC, login included."""
        days: dict[int, int] = {}
        for when, _ in self._world.cloud.calls:
            days[int(when) // DAY_S] = days.get(int(when) // DAY_S, 0) + 1
        return max(days.values(), default=0)


class SimulatedWorld:
    """Everything that is outside heatmon, from a seed.

    ``meter_url``, ``cloud_api_url``, ``cloud_iam_url`` are reached through ``adapter()``, or, after
    ``serve()``, over loopback at the addresses it gives. ``forgets``: see ``FakeShelly`` (the truth then
    reaches back no further than the meter's memory). ``logs_answers``: ``answered`` keeps what went out.
    """

    def __init__(
        self,
        seed: int,
        start: datetime,
        *,
        scenario: str = "nameplate",
        end: datetime | None = None,
        faults: Iterable[str] = (),
        spec: HouseSpec | None = None,
        house: House | None = None,
        clock: Clock | None = None,
        profile: str = TRIPHASE,
        auth: str = OFF,
        meter_password: str = "meter-password",
        change_every_days: float = 9.0,
        forgets: bool = False,
        logs_answers: bool = False,
    ) -> None:
        if start.tzinfo is None:
            raise ValueError("the world needs a start with a time zone")
        begin = int(start.timestamp())
        finish = int(end.timestamp()) if end is not None else begin + 400 * DAY_S
        self.seed = seed
        self.lock = threading.RLock()
        if house is None:
            spec = spec or house_spec(seed, begin, finish, scenario, change_every_days=change_every_days)
            house = House(spec, begin)
        self.house = house
        self.clock: Clock = clock or VirtualClock(datetime.fromtimestamp(house.t, UTC))
        self.meter_password = meter_password
        self.shelly = FakeShelly(
            house, profile=profile, auth=auth, password=meter_password, lock=self.lock, forgets=forgets
        )
        self.cloud = FakeViessmannCloud(house, lock=self.lock)
        self.faults: list[Fault] = scheduled(faults, Random(f"{seed}/faults"), float(house.t), float(finish))
        self._to_begin = sorted((one for one in self.faults if one.begin), key=lambda one: -one.start)
        self.answered = AnswerLog(self.shelly.mac)
        of_meter, of_cloud = (
            (self.answered.of_meter, self.answered.of_cloud) if logs_answers else (None, None)
        )
        self.meter_handler = FaultyHandler(self.shelly.handle, METER, self.faults, of_meter)
        self.cloud_handler = FaultyHandler(self.cloud.handle, CLOUD, self.faults, of_cloud)
        self.login_handler = FaultyHandler(self.cloud.handle, LOGIN, self.faults)
        self.truth = Truth(self)
        self.meter_url = f"http://{METER_HOST}"
        self.cloud_api_url = f"http://{CLOUD_HOST}/iot/v2"
        self.cloud_iam_url = f"http://{LOGIN_HOST}/idp/v3"

    @property
    def start(self) -> datetime:
        return datetime.fromtimestamp(self.house.log.start, UTC)

    def advance_to(self, at: datetime) -> None:
        """Let virtual time and the house run on to ``at``. Raises TypeError where the clock is real."""
        if not isinstance(self.clock, VirtualClock):
            raise TypeError("a world on real time advances by itself")
        while self._to_begin and self._to_begin[-1].start <= at.timestamp():
            fault = self._to_begin.pop()
            assert fault.begin is not None
            with self.lock:
                self.house.advance_to(fault.start)
                fault.begin(self, fault.start)
        self.clock.advance_to(at)
        with self.lock:
            self.house.advance_to(at.timestamp())

    def adapter(self, take_time: Callable[[float], None] | None = None) -> InProcessTransport:
        """Return an adapter for ``requests`` sessions that reaches meter, cloud and login; mount it on
        ``http://``. ``take_time``: see ``InProcessTransport``."""
        handlers: dict[str, Handler] = {
            METER_HOST: self.meter_handler,
            CLOUD_HOST: self.cloud_handler,
            LOGIN_HOST: self.login_handler,
        }
        return InProcessTransport(handlers, self.clock, take_time)

    def serve(self, meter: tuple[str, int] = ANY_PORT, cloud: tuple[str, int] = ANY_PORT) -> RunningWorld:
        """Serve meter and cloud until ``stop``, on loopback unless addresses are given."""
        at_meter = serve(self.meter_handler, self.clock, *meter)
        try:
            at_cloud = serve(self._cloud_or_login, self.clock, *cloud)
        except OSError:
            at_meter.stop()
            raise
        return RunningWorld(at_meter, at_cloud)

    def _cloud_or_login(self, method: str, path: str, headers: object, body: bytes, at: float) -> Answer:
        handler = self.login_handler if path.startswith("/idp/") else self.cloud_handler
        return handler(method, path, headers, body, at)  # type: ignore[arg-type]


class RunningWorld:
    """The addresses of a served world; also a context manager."""

    def __init__(self, meter: RunningServer, cloud: RunningServer) -> None:
        self._servers = (meter, cloud)
        self.meter_url = meter.url
        self.cloud_api_url = f"{cloud.url}/iot/v2"
        self.cloud_iam_url = f"{cloud.url}/idp/v3"

    def stop(self) -> None:
        """End both servers."""
        with ExitStack() as stack:
            for server in self._servers:
                stack.callback(server.stop)

    def __enter__(self) -> RunningWorld:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
