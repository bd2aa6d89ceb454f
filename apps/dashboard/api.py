"""The JSON API."""

from ninja import NinjaAPI

api = NinjaAPI(title="heatmon")
