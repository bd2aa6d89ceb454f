"""What goes wrong on the computer that heatmon runs on, by name.

Only when it happens stands here: whoever runs heatmon against the simulator does it.
"""

from __future__ import annotations

from .faults import HOST, lasting

KILLS = 10


def _fault(name: str, text: str, shortest_s: float, longest_s: float, times: int = 1) -> None:
    lasting(name, text, HOST, shortest_s, longest_s, times=times)


_fault("heatmon_killed", "Kill heatmon ten times; it starts again at once.", 1.0, 5.0, KILLS)
_fault("heatmon_away", "Leave heatmon off for up to a day.", 3_600.0, 86_400.0)
_fault("store_locked", "Lock the measured values for a minute.", 60.0, 60.0, 3)
_fault("notes_locked", "Lock the settings and notes for a minute.", 60.0, 60.0, 3)
_fault("disk_full", "Let no file grow for up to an hour.", 600.0, 3_600.0)
_fault("reader_left_open", "Leave a reader of both databases open for an hour.", 3_600.0, 3_600.0)
