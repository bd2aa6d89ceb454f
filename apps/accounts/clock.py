"""The clock of views and API, under the name that accounts use. It lies in ``devices``, below all apps."""

from apps.devices.clock import fixed, now

__all__ = ["fixed", "now"]
