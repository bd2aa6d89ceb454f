"""``/api/docs``: the API for people, rendered on the server, without any script or outside asset."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja.openapi.docs import DocsBase


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
                "description": operation.get("description", ""),
                "parameters": [_parameter(parameter) for parameter in operation.get("parameters", [])],
                "body": _members(_body_schema(operation), models),
                "answer": _members(_answer_schema(operation), models),
            }
            for path, methods in schema["paths"].items()
            for method, operation in methods.items()
        ]
        context = {"operations": operations, "openapi_address": self.get_openapi_url(api, kwargs)}
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


def _members(schema: dict[str, Any], models: dict[str, Any], depth: int = 0) -> list[dict[str, Any]]:
    """Flat list of (name, type, depth) of an object's members, nested ones after their parent."""
    schema = _resolved(schema, models)
    rows: list[dict[str, Any]] = []
    for name, member in schema.get("properties", {}).items():
        rows.append({"name": name, "type": _type_name(member), "depth": depth})
        inner = member.get("items") or member.get("additionalProperties") or member
        if isinstance(inner, dict) and depth < 4:
            rows += _members(inner, models, depth + 1)
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
