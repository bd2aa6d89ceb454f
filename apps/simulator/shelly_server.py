"""A Shelly Pro 3EM on the simulated house: its local RPC, CSV export and login.

``FakeShelly.handle`` is a plain function of request and time; ``transport`` brings it to a socket or into
a ``requests`` session. Shapes follow vendor's documentation and public captures of firmware 1.7.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from . import shelly_history as history
from .digest import OFF, DigestLogin
from .house import House
from .noise import generator
from .shelly_meter import PHASES, UNITS, Meter
from .shelly_rpc import MONOPHASE, TRIPHASE, Params, RpcError, json_object, typed
from .wire import Answer, json_answer

BOOT_WITHOUT_CLOCK_S = 20
_OPEN = {"/shelly", "/rpc/Shelly.GetDeviceInfo"}


class FakeShelly:
    """``calls`` counts requests by method, ``overlaps`` live polls that met another one under way.

    ``auth``: ``off``, ``1.x`` or ``2.0.0``. ``at`` is always epoch seconds. With ``forgets`` the house's log
    is cut to what the meter may still be asked for, so that a demo can run for months.
    """

    def __init__(
        self,
        house: House,
        *,
        mac: str = "A0B1C2D3E4F5",
        profile: str = TRIPHASE,
        auth: str = OFF,
        password: str = "",
        version: str = "1.7.5",
        lock: threading.RLock | None = None,
        forgets: bool = False,
    ) -> None:
        self.house = house
        self.meter = Meter(house)
        self.forgets = forgets
        self.mac, self.profile, self.version = mac, profile, version
        self.device_id = f"shellypro3em-{mac.lower()}"
        self.login = DigestLogin(auth, self.device_id, password, generator(house.spec.seed, "nonce", 0))
        self.booted_at = house.t - 12 * 86_400
        self.lock = lock or threading.RLock()
        self.calls: Counter[str] = Counter()
        self.overlaps = 0
        self._counting = threading.Lock()
        self._polls_under_way = 0
        self._other_counters = [0, 0, 0, 0, 0, 0]
        self._minute_shown: tuple[int, str, int] = (-1, "", 0)
        self._counters_shown: tuple[list[int], dict[str, Any]] = ([], {})
        self._methods: dict[str, Callable[[Params, float], Any]] = {
            "Shelly.GetDeviceInfo": self._device_info,
            "Shelly.GetStatus": self._status,
            "Shelly.GetConfig": self._config,
            "Sys.GetStatus": lambda params, at: self._sys(at),
        }
        self._profile_methods: dict[str, dict[str, Callable[[Params, float], Any]]] = {
            TRIPHASE: {
                "EM.GetStatus": self._for(1, lambda channel, params, at: self._em(at)),
                "EM.GetConfig": self._for(1, lambda channel, params, at: self._em_config()),
                "EMData.GetStatus": self._for(1, lambda channel, params, at: self._em_data(at)),
                "EMData.GetRecords": self._for(1, self._records),
                "EMData.GetData": self._for(1, self._data),
                "EMData.GetNetEnergies": self._for(1, self._net_energies),
                "EMData.ResetCounters": self._for(1, self._reset),
                "EMData.DeleteAllData": self._for(1, self._delete),
            },
            MONOPHASE: {
                "EM1.GetStatus": self._for(3, lambda channel, params, at: self._em1(channel, at)),
                "EM1.GetConfig": self._for(3, lambda channel, params, at: self._em1_config(channel)),
                "EM1Data.GetStatus": self._for(3, lambda channel, params, at: self._em1_data(channel, at)),
                "EM1Data.GetRecords": self._for(3, self._records),
                "EM1Data.GetData": self._for(3, self._data),
                "EM1Data.GetNetEnergies": self._for(3, self._net_energies),
                "EM1Data.ResetCounters": self._for(3, self._reset),
                "EM1Data.DeleteAllData": self._for(3, self._delete),
            },
        }

    # -- what a request meets ------------------------------------------------------------------------

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        """Answer one request at ``at``."""
        poll = "GetStatus" in path
        with self._counting:
            self.overlaps += poll and self._polls_under_way > 0
            self._polls_under_way += poll
        try:
            with self.lock:
                self.house.advance_to(at)
                if self.forgets:
                    self.meter.forget_old_rows(at)
                return self._answer(method, path, headers, body, at)
        finally:
            with self._counting:
                self._polls_under_way -= poll

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes, at: float) -> Answer:
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        if parts.path not in _OPEN:
            refusal = self.login.check(method, path, headers, at)
            if refusal is not None:
                self.calls[f"{refusal.status}"] += 1
                return refusal
        if parts.path == "/shelly":
            self.calls["/shelly"] += 1
            return json_answer(200, self._device_info({}, at))
        if parts.path.endswith("/data.csv"):
            self.calls["data.csv"] += 1
            return history.csv_export(self.meter, self.profile, parts.path, query, at)
        if parts.path == "/rpc" and method == "POST":
            return self._frame(body, at)
        if parts.path.startswith("/rpc/"):
            return self._bare(parts.path[5:], query, body if method == "POST" else b"", at)
        return Answer(404, {"Content-Type": "text/plain"}, b"Not Found")

    def _bare(self, name: str, query: Params, body: bytes, at: float) -> Answer:
        try:
            params = json_object(body) if body else {key: typed(value) for key, value in query.items()}
            return json_answer(200, self._call(name, params, at))
        except RpcError as error:
            status = 404 if error.code == 404 else 500
            return json_answer(status, {"code": error.code, "message": error.message})

    def _frame(self, body: bytes, at: float) -> Answer:
        try:
            frame = json_object(body)
        except RpcError as error:
            return json_answer(500, {"code": error.code, "message": error.message})
        answer: dict[str, Any] = {"id": frame.get("id"), "src": self.device_id}
        if "src" in frame:
            answer["dst"] = frame["src"]
        try:
            answer["result"] = self._call(str(frame.get("method", "")), frame.get("params") or {}, at)
        except RpcError as error:
            answer["error"] = {"code": error.code, "message": error.message}
        return json_answer(200, answer)

    def _call(self, name: str, params: Params, at: float) -> Any:
        method = self._methods.get(name) or self._profile_methods[self.profile].get(name)
        self.calls[name] += 1
        if method is None:
            raise RpcError(404, f"No handler for {name}")
        return method(params, at)

    def _for(self, count: int, method: Callable[[int, Params, float], Any]) -> Callable[[Params, float], Any]:
        """Return the method of a component: ``id`` is required and must exist."""

        def checked(params: Params, at: float) -> Any:
            if "id" not in params:
                raise RpcError(-103, "Missing required 'id'")
            channel = params["id"]
            if not isinstance(channel, int) or not 0 <= channel < count:
                raise RpcError(-105, f"Bad id={channel}")
            return method(channel, params, at)

        return checked

    # -- identity and status -------------------------------------------------------------------------

    def _device_info(self, params: Params, at: float) -> dict[str, Any]:
        secured = self.login.mode != OFF
        return {
            "name": "Heat pump",
            "id": self.device_id,
            "mac": self.mac,
            "slot": 1,
            "model": "SPEM-003CEBEU",
            "gen": 2,
            "fw_id": f"20260311-095913/{self.version}-simulated",
            "ver": self.version,
            "app": "Pro3EM",
            "auth_en": secured,
            "auth_domain": self.device_id if secured else None,
            "profile": self.profile,
            "provision": "complete",
        }

    def _status(self, params: Params, at: float) -> dict[str, Any]:
        status: dict[str, Any] = {
            "ble": {},
            "bthome": {"errors": ["bluetooth_disabled"]},
            "cloud": {"connected": False},
        }
        if self.profile == TRIPHASE:
            status["em:0"] = self._em(at)
            status["emdata:0"] = self._em_data(at)
        else:
            status |= {f"em1:{channel}": self._em1(channel, at) for channel in range(3)}
            status |= {f"em1data:{channel}": self._em1_data(channel, at) for channel in range(3)}
        warmth = round(44.0 + 3.0 * self.house.noise[int(at) // 600 % 4096] / 3.0, 1)
        status |= {
            "eth": {"ip": None, "ip6": None},
            "modbus": {},
            "mqtt": {"connected": False},
            "sys": self._sys(at),
            "temperature:0": {"id": 0, "tC": warmth, "tF": round(warmth * 1.8 + 32.0, 1)},
            "wifi": {
                "sta_ip": "192.0.2.10",
                "status": "got ip",
                "ssid": "Home",
                "bssid": "02:00:00:00:00:01",
                "rssi": -58,
                "sta_ip6": [],
            },
            "ws": {"connected": False},
        }
        return status

    def _sys(self, at: float) -> dict[str, Any]:
        uptime = max(0, int(at - self.booted_at))
        known = uptime >= BOOT_WITHOUT_CLOCK_S
        wall_time, offset_s = self._wall_clock(int(at) // 60)
        return {
            "mac": self.mac,
            "restart_required": False,
            "time": wall_time if known else None,
            "unixtime": int(at) if known else None,
            "last_sync_ts": int(at) - uptime % 3600 if known else None,
            "uptime": uptime,
            "ram_size": 247_524,
            "ram_free": 113_080,
            "ram_min_free": 97_524,
            "fs_size": 524_288,
            "fs_free": 180_224,
            "cfg_rev": 32,
            "kvs_rev": 0,
            "schedule_rev": 0,
            "webhook_rev": 0,
            "btrelay_rev": 0,
            "available_updates": {},
            "reset_reason": 3,
            "utc_offset": offset_s,
        }

    def _wall_clock(self, minute: int) -> tuple[str, int]:
        """Return (time on the wall, offset from UTC [s]) of a minute of Unix time; kept while it lasts."""
        if self._minute_shown[0] != minute:
            local = datetime.fromtimestamp(minute * 60, UTC).astimezone(self.house.spec.zone)
            offset = local.utcoffset()
            seconds = int(offset.total_seconds()) if offset is not None else 0
            self._minute_shown = (minute, local.strftime("%H:%M"), seconds)
        return self._minute_shown[1:]

    def _em(self, at: float) -> dict[str, Any]:
        phases = self.meter.electric(at)
        result: dict[str, Any] = {"id": 0}
        for name, values in zip(PHASES, phases, strict=True):
            result[f"{name}_current"] = round(values["current"], 3)
            result[f"{name}_voltage"] = round(values["voltage"], 1)
            result[f"{name}_act_power"] = round(values["act_power"], 1)
            result[f"{name}_aprt_power"] = round(values["aprt_power"], 1)
            result[f"{name}_pf"] = round(values["pf"], 2)
            result[f"{name}_freq"] = round(values["freq"], 1)
        result["n_current"] = None
        for name in ("current", "act_power", "aprt_power"):
            result[f"total_{name}"] = round(sum(values[name] for values in phases), 3)
        result["user_calibrated_phase"] = []
        return result

    def _em1(self, channel: int, at: float) -> dict[str, Any]:
        values = self.meter.electric(at)[channel]
        return {
            "id": channel,
            "voltage": round(values["voltage"], 1),
            "current": round(values["current"], 3),
            "act_power": round(values["act_power"], 1),
            "aprt_power": round(values["aprt_power"], 1),
            "pf": round(values["pf"], 2),
            "freq": round(values["freq"], 1),
            "calibration": "factory",
        }

    def _em_data(self, at: float) -> dict[str, Any]:
        counters = self.meter.counters(at)
        if self._counters_shown[0] == counters:
            return self._counters_shown[1]
        result: dict[str, Any] = {"id": 0}
        for index, name in enumerate(PHASES):
            result[f"{name}_total_act_energy"] = round(counters[index] / UNITS, 2)
            result[f"{name}_total_act_ret_energy"] = round(counters[index + 3] / UNITS, 2)
        result["total_act"] = round(sum(counters[:3]) / UNITS, 2)
        result["total_act_ret"] = round(sum(counters[3:]) / UNITS, 2)
        self._counters_shown = (counters, result)
        return result

    def _em1_data(self, channel: int, at: float) -> dict[str, Any]:
        counters = self.meter.counters(at)
        return {
            "id": channel,
            "total_act_energy": round(counters[channel] / UNITS, 2),
            "total_act_ret_energy": round(counters[channel + 3] / UNITS, 2),
        }

    def _config(self, params: Params, at: float) -> dict[str, Any]:
        config: dict[str, Any] = {
            "ble": {"enable": False},
            "cloud": {"enable": False},
            "sys": {
                "device": {"name": "Heat pump", "mac": self.mac, "profile": self.profile},
                "location": {"tz": self.house.spec.time_zone},
                "sntp": {"server": "time.example"},
            },
        }
        if self.profile == TRIPHASE:
            return config | {"em:0": self._em_config(), "emdata:0": {}}
        return config | {f"em1:{channel}": self._em1_config(channel) for channel in range(3)}

    def _em_config(self) -> dict[str, Any]:
        return {
            "id": 0,
            "name": None,
            "blink_mode_selector": "active_energy",
            "phase_selector": "all",
            "monitor_phase_sequence": False,
            "ct_type": "120A",
            "reverse": {},
        }

    def _em1_config(self, channel: int) -> dict[str, Any]:
        return {"id": channel, "name": None, "reverse": False, "ct_type": "120A"}

    # -- history -------------------------------------------------------------------------------------

    def _records(self, channel: int, params: Params, at: float) -> dict[str, Any]:
        return history.records(self.meter, params, at)

    def _data(self, channel: int, params: Params, at: float) -> dict[str, Any]:
        return history.data(self.meter, self.profile, channel, params, at)

    def _net_energies(self, channel: int, params: Params, at: float) -> dict[str, Any]:
        return history.net_energies(self.meter, self.profile, channel, params, at)

    def _reset(self, channel: int, params: Params, at: float) -> None:
        self.meter.reset_counters(at)

    def _delete(self, channel: int, params: Params, at: float) -> None:
        self.meter.delete_rows(at)

    # -- what happens to the device ------------------------------------------------------------------

    def reboot(self, at: float) -> None:
        """Restart; uptime falls, the clock is unknown for a while."""
        self.booted_at = int(at)

    def switch_profile(self, at: float) -> None:
        """Change the profile: a restart into the other profile's own counters and rows."""
        with self.lock:
            self.house.advance_to(at)
            now = self.meter.counters(at)
            raw = [value + base for value, base in zip(now, self.meter.base, strict=True)]
            self.meter.base = [value - other for value, other in zip(raw, self._other_counters, strict=True)]
            self._other_counters = now
            self.meter.rows_from = self.house.log.start + 60 * self.house.log.index(at)
            self.profile = MONOPHASE if self.profile == TRIPHASE else TRIPHASE
            self.reboot(at)

    def power_cut(self, start: float, end: float) -> None:
        """Cut the meter's power in [start, end): it counts nothing and keeps no rows of that time."""
        self.meter.off.append((int(start), int(end)))
        self.reboot(end)
