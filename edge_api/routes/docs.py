"""The documentation: /api/openapi.json, and Swagger UI at /api/docs, with all files served from here."""

import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse, Response

from edge_api.schemas import requests, responses
from edge_api.schemas.operation_docs import headers

OPENAPI, DOCS = "/api/openapi.json", "/api/docs"

_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Taskmesh API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{DOCS}/swagger-ui.css">
</head>
<body>
<div id="ui"></div>
<script src="{DOCS}/swagger-ui-bundle.js"></script>
<script src="{DOCS}/start.js"></script>
</body>
</html>
"""
# Unless validatorUrl is null, Swagger UI sends the document's URL to a validator on the internet.
_START = f"""SwaggerUIBundle({{ url: "{OPENAPI}", dom_id: "#ui", validatorUrl: null, tryItOutEnabled: true }});
"""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_REVALIDATED, _KEPT_A_DAY = "no-cache", "public, max-age=86400"


_TAGS = {
    "tasks": "Create, read, change and delete tasks.",
    "notifications": "Read notifications and mark them as read.",
    "events": "Watch changes and notifications.",
    "session": "Sign in, and get the current user.",
}
# Kong checks the credentials (kong/kong.yml); a request needs one of these. HTTP Basic, which is only for login, is not
# listed because the client of hey-api would also send its key as a password.
_SECURITY = {
    "api_key": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "For programs."},
    "session": {"type": "apiKey", "in": "cookie", "name": "sid", "description": "For browsers, after a login."},
}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of the routes of `app`, with the parts that FastAPI cannot derive."""
    openapi = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        servers=[{"url": "/"}],
        tags=[{"name": name, "description": about} for name, about in _TAGS.items()],
        contact={"name": "The Taskmesh authors"},
        license_info={"name": "Apache 2.0", "identifier": "Apache-2.0"},
    )
    openapi["security"] = [{name: []} for name in _SECURITY]
    problem = responses.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = openapi["components"]["schemas"] | {**problem.pop("$defs"), "Problem": problem}
    for name, schema in schemas.items():
        _restore_examples(name, schema)
    for operations in openapi["paths"].values():
        for operation in operations.values():
            _drop_null(operation.get("parameters", ()))
            for answer in operation["responses"].values():
                answer["headers"] = {**answer.get("headers", {}), **headers("X-Request-ID")}
    openapi["components"] = {"schemas": schemas, "securitySchemes": _SECURITY}
    return openapi


def _restore_examples(name: str, schema: dict[str, Any]) -> None:
    # FastAPI drops null values from examples, and with them required fields.
    model = getattr(responses, name, None) or getattr(requests, name)
    if "examples" in schema:
        schema["examples"] = model.model_json_schema()["examples"]


def _drop_null(parameters: Iterable[dict[str, Any]]) -> None:
    # An optional parameter is omitted; unlike a JSON field, it cannot be null.
    for parameter in parameters:
        schemas = [each for each in parameter["schema"].pop("anyOf", ()) if each != {"type": "null"}]
        parameter["schema"] |= schemas[0] if len(schemas) == 1 else {"anyOf": schemas} if schemas else {}


def router(openapi: dict[str, Any]) -> APIRouter:
    """Return the routes of the documentation."""
    bundled = resources.files("fastapi_swagger.resources")
    script, style = (bundled.joinpath(f"swagger-ui{end}").read_bytes() for end in ("-bundle.js", ".css"))
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route(DOCS, _page)
    routes.add_api_route(OPENAPI, _File(json.dumps(openapi).encode(), "application/json", _REVALIDATED))
    routes.add_api_route(f"{DOCS}/start.js", _File(_START.encode(), "text/javascript", _REVALIDATED))
    routes.add_api_route(f"{DOCS}/swagger-ui-bundle.js", _File(script, "text/javascript", _KEPT_A_DAY))
    routes.add_api_route(f"{DOCS}/swagger-ui.css", _File(style, "text/css", _KEPT_A_DAY))
    return routes


async def _page() -> Response:
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


class _File:
    def __init__(self, content: bytes, media_type: str, cache_control: str) -> None:
        self._content = content
        self._media_type = media_type
        self._headers = {"Cache-Control": cache_control}

    async def __call__(self) -> Response:
        return Response(self._content, media_type=self._media_type, headers=self._headers)
