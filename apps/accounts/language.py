"""Which language a page speaks: the reader's own choice, else HEATMON_LANGUAGE, else the browser's."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class HouseLocaleMiddleware(LocaleMiddleware):
    """Django's, but the operator's language comes before the browser's."""

    def process_request(self, request: HttpRequest) -> None:
        chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
        if settings.HEATMON.language and not chosen:
            translation.activate(settings.HEATMON.language)
            request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
            return
        super().process_request(request)
