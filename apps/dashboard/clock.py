"""The clock of views and API, under the name that the page layer uses. It lies in ``accounts``, since
tokens and login need it and an app imports only what stands below it."""

from apps.accounts.clock import fixed, now

__all__ = ["fixed", "now"]
