"""Entries and configurations in the admin; what heatmon saw itself stays as it was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.devices import clock

from .models import ConfigurationVersion, Entry, SettingChange
from .notes import EntryInvalid, checked_text, checked_time
from .timeline import view

if TYPE_CHECKING:
    _EntryAdmin = admin.ModelAdmin[Entry]
    _VersionAdmin = admin.ModelAdmin[ConfigurationVersion]
    _ChangeInline = admin.TabularInline[SettingChange, Entry]
    _EntryForm = forms.ModelForm[Entry]
else:
    _EntryAdmin = _VersionAdmin = admin.ModelAdmin
    _ChangeInline = admin.TabularInline
    _EntryForm = forms.ModelForm


class EntryForm(_EntryForm):
    """The rules of notes, in the admin too."""

    def clean_text(self) -> str:
        try:
            return checked_text(self.cleaned_data["text"], may_be_empty=self._seen_by_heatmon())
        except EntryInvalid as error:
            raise forms.ValidationError(error.message) from error

    def clean_at(self) -> Any:
        try:
            return checked_time(self.cleaned_data["at"], clock.now())
        except EntryInvalid as error:
            raise forms.ValidationError(error.message) from error

    def _seen_by_heatmon(self) -> bool:
        return not self.instance._state.adding and self.instance.kind != Entry.Kind.NOTE


class SettingChangeInline(_ChangeInline):
    model = SettingChange
    fields = readonly_fields = ("key", "before", "after")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Entry)
class EntryAdmin(_EntryAdmin):
    """Of a note time and text can be edited, of a setting or event title and text."""

    form = EntryForm
    list_display = ("at", "kind", "shown_title", "author_name", "version")
    list_filter = ("kind", "site")
    search_fields = ("text", "title", "author_name")
    date_hierarchy = "at"
    fields = ("site", "kind", "at", "title", "text", "author_name", "version", "created_at", "updated_at")
    inlines = (SettingChangeInline,)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Let the address fill in nothing: Django takes its texts for times and fails."""
        return {}

    @admin.display(description=_("title"))
    def shown_title(self, entry: Entry) -> str:
        return view(entry).title

    def get_readonly_fields(self, request: HttpRequest, obj: Entry | None = None) -> tuple[str, ...]:
        fixed = ("kind", "author_name", "version", "created_at", "updated_at")
        if obj is None:
            return (*fixed, "title")
        if obj.kind == Entry.Kind.NOTE:
            return (*fixed, "site", "title")
        return (*fixed, "site", "at")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("setting_changes")

    def has_delete_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or obj.kind == Entry.Kind.NOTE)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Refuse to delete a selection that holds more than notes."""
        deleted, counts, missing, protected = super().get_deleted_objects(objs, request)
        kept = [str(entry) for entry in objs if entry.kind != Entry.Kind.NOTE]
        return deleted, counts, missing, [*protected, *kept]

    def save_model(self, request: HttpRequest, obj: Entry, form: Any, change: bool) -> None:
        if not change:
            obj.kind = Entry.Kind.NOTE
            obj.author_user = request.user  # type: ignore[assignment]
            obj.author_name = request.user.get_username()
        elif form.changed_data:
            obj.version += 1
            obj.updated_at = clock.now()
        super().save_model(request, obj, form, change)


@admin.register(ConfigurationVersion)
class ConfigurationVersionAdmin(_VersionAdmin):
    list_display = ("at", "device", "site")
    list_filter = ("site", "device")
    date_hierarchy = "at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
