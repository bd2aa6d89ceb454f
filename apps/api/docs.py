"""``/api/docs``: the API for people, rendered on the server, without any script or outside asset."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja.openapi.docs import DocsBase

MAX_DEPTH = 4


class DocumentationPage(DocsBase):
    """Reads the OpenAPI document and shows each operation with parameters, answers and members."""

    def render_page(self, request: HttpRequest, api: Any, **kwargs: Any) -> HttpResponse:
        schema = api.get_openapi_schema(path_params=kwargs)
        models = schema.get("components", {}).get("schemas", {})
        operations = [
            {
                "method": method.upper(),
                "path": path,
                "summary": operation.get("summary", ""),
                "description": operation.get("description", "").replace("``", ""),
                "parameters": [_parameter(parameter) for parameter in operation.get("parameters", [])],
                "body": _members(_body_schema(operation), models),
                "answer": _members(_answer_schema(operation), models),
            }
            for path, methods in schema["paths"].items()
            for method, operation in methods.items()
        ]
        context = {
            "operations": operations,
            "openapi_address": self.get_openapi_url(api, kwargs),
            "base": request.build_absolute_uri(api.get_root_path(kwargs)),
        }
        return render(request, "dashboard/api_docs.html", context)


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    schema = parameter.get("schema", {})
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "required": parameter.get("required", False),
        "type": _type_name(schema),
        "default": schema.get("default"),
        "description": parameter.get("description") or schema.get("description", ""),
    }


def _body_schema(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    return dict(content.get("application/json", {}).get("schema", {}))


def _answer_schema(operation: dict[str, Any]) -> dict[str, Any]:
    for status, answer in operation.get("responses", {}).items():
        if str(status).startswith("2"):
            return dict(answer.get("content", {}).get("application/json", {}).get("schema", {}))
    return {}


def _members(schema: dict[str, Any], models: dict[str, Any], path: str = "") -> list[dict[str, str]]:
    """Return the path and type of each member of an object, nested ones after their parent."""
    rows: list[dict[str, str]] = []
    for name, member in _resolved(schema, models).get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        rows.append({"path": here, "type": _type_name(member)})
        inner = member.get("items") or member.get("additionalProperties") or member
        if isinstance(inner, dict) and here.count(".") < MAX_DEPTH:
            rows += _members(inner, models, here if inner is member else f"{here}[]")
    return rows


def _resolved(schema: dict[str, Any], models: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return models.get(reference.rpartition("/")[2], {}) if reference else schema


def _type_name(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " | ".join(_type_name(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"[{_type_name(schema.get('items', {}))}]"
    if "$ref" in schema or schema.get("type") == "object":
        return "object"
    return str(schema.get("type", "any"))
