"""`/openapi.json` and `/docs`, both made from the route table and the models. The page needs no script at all."""

import json
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from adapters.storefront import models
from adapters.storefront.routes import Auth, Route

REF = "#/components/schemas/"
SECURITY: dict[Auth, list[dict[str, list[str]]]] = {
    Auth.STORE: [{"apiKey": []}],
    Auth.WINDOW: [{"widgetToken": []}],
    Auth.NONE: [],
}
REASONS = {
    400: "The body is not JSON.",
    401: "No key or token, or one that does not count here.",
    403: "Not allowed from this page or for this shopper.",
    404: "There is no such thing in this store.",
    409: "The conversation's stage does not allow it.",
    413: "The body is too large.",
    415: "This type of file is not passed on; the sentence says what is.",
    422: "A field is missing or wrong; `field` names it.",
    429: "Too many requests; Retry-After says when.",
    503: "Busy for a moment; Retry-After says how long.",
}


def document(table: Sequence[Route], server: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these routes."""
    used: dict[str, type[BaseModel]] = {"Error": models.Error}
    for row in table:
        for model in (row.body, row.answer):
            if model is not None:
                used[model.__name__] = model
    _, schemas = models_json_schema(
        [(model, "validation") for model in used.values()], ref_template=REF + "{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for row in table:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Baton",
            "version": "1",
            "description": "Hands a shopper from a store's AI assistant to a person, and back.",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "description": "The store's API key."},
                "widgetToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                                "description": "From POST /v1/widget-tokens or /widget/v1/guest."},
            },
        },
    }  # fmt: skip


def _operation(row: Route) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "summary": row.summary,
        "security": SECURITY[row.auth],
        "responses": _answers(row),
    }
    if parameters := _parameters(row):
        shown["parameters"] = parameters
    if row.body is not None:
        shown["requestBody"] = {"required": True, "content": _json(row.body.__name__)}
    return shown


def _parameters(row: Route) -> list[dict[str, Any]]:
    names = [part.strip("{}") for part in row.path.split("/") if part.startswith("{")]
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 200}}
        for name in names
    ]
    schema = row.query.model_json_schema()["properties"] if row.query is not None else {}
    return found + [{"name": name, "in": "query", "schema": about} for name, about in schema.items()]


def _answers(row: Route) -> dict[str, Any]:
    found: dict[str, Any] = {str(row.status): {"description": "Done."}}
    if row.answer is not None:
        found[str(row.status)]["content"] = _json(row.answer.__name__)
    codes = {*row.errors, *((401,) if row.auth is not Auth.NONE else ())}
    codes |= {400, 413, 422, 503} if row.body is not None else set()
    codes |= {422} if row.query is not None else set()
    for code in sorted(codes):
        found[str(code)] = {"description": REASONS[code], "content": _json("Error")}
    return found


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF + name}}}


STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #1c2024; background: #fff; }
h2 { margin-top: 2.5rem; } section { border-top: 1px solid #d9dee3; padding: .8rem 0; }
h3 { margin: 0; font-size: 1rem; overflow-wrap: anywhere; } td + td { overflow-wrap: anywhere; }
code, pre, h3 { font-family: ui-monospace, monospace; }
h3 b { display: inline-block; min-width: 4.5rem; } p { margin: .3rem 0; } small { color: #59636e; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-size: .9rem; }
td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #eef1f4; }
@media (prefers-color-scheme: dark) { body { color: #e6e9ec; background: #15181b; } small { color: #9aa4ae; }
  section { border-color: #343a40; } td, th { border-color: #24292e; } a { color: #7cb7ff; } }
"""


def page(spec: dict[str, Any]) -> str:
    """The same document for people."""
    sections = [
        _section(method, path, operation)
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = [_schema(name, about) for name, about in sorted(spec["components"]["schemas"].items())]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Baton: the API</title><style>{STYLE}</style><h1>Baton: the API</h1>"
        f"<p>{escape(spec['info']['description'])} Server: <code>{escape(spec['servers'][0]['url'])}</code>. "
        'For programs: <a href="/openapi.json">/openapi.json</a>.</p>'
        f"<h2>Routes</h2>{''.join(sections)}<h2>Bodies</h2>{''.join(schemas)}</html>"
    )


def _section(method: str, path: str, operation: dict[str, Any]) -> str:
    auth = next((name for need in operation["security"] for name in need), None)
    needs = {"apiKey": "API key", "widgetToken": "widget token", None: "no key"}[auth]
    answers = [
        f"<tr><td>{escape(code)}</td><td>{escape(answer['description'])}</td>"
        f"<td>{_link(answer.get('content', {}))}</td></tr>"
        for code, answer in operation["responses"].items()
    ]
    takes = [
        f"<p><small>{escape(one['in'])}</small> <code>{escape(one['name'])}</code>: {_type(one['schema'])}</p>"
        for one in operation.get("parameters", ())
    ]
    if "requestBody" in operation:
        takes.append(f"<p><small>body</small> {_link(operation['requestBody']['content'])}</p>")
    return (
        f"<section><h3><b>{escape(method.upper())}</b> {escape(path)}</h3><p>{escape(operation['summary'])} "
        f"<small>({needs})</small></p>{''.join(takes)}<table>{''.join(answers)}</table></section>"
    )


def _schema(name: str, about: dict[str, Any]) -> str:
    required = set(about.get("required", ()))
    rows = [
        f"<tr><td><code>{escape(field)}</code></td><td>{_type(schema)}</td>"
        f"<td>{'required' if field in required else ''}</td></tr>"
        for field, schema in about.get("properties", {}).items()
    ]
    said = escape(about.get("description", ""))
    return f'<section id="{escape(name)}"><h3>{escape(name)}</h3><p>{said}</p><table>{"".join(rows)}</table></section>'


def _link(content: dict[str, Any]) -> str:
    return _type(content["application/json"]["schema"]) if content else ""


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].removeprefix(REF))
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " | ".join(escape(json.dumps(one)) for one in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    bounds = [f"{key} {schema[key]}" for key in ("minimum", "maximum", "maxLength") if key in schema]
    shown = escape(str(schema.get("format") or schema.get("type") or "any"))
    return f"{shown} <small>{escape(', '.join(bounds))}</small>" if bounds else shown


def routes(table: Sequence[Route], server: str) -> list[web.RouteDef]:
    """The two pages, rendered once, when somebody first asks: that is half of a start."""

    @cache
    def written() -> tuple[str, str]:
        spec = document(table, server)
        return json.dumps(spec, ensure_ascii=False), page(spec)

    async def openapi(request: web.Request) -> web.Response:
        return web.Response(text=written()[0], content_type="application/json")

    async def docs(request: web.Request) -> web.Response:
        headers = {
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(text=written()[1], content_type="text/html", headers=headers)

    return [web.get("/openapi.json", openapi), web.get("/docs", docs)]
