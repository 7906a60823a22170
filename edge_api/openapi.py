"""Print the OpenAPI document without a running edge, for the types of web/: `python -m edge_api.openapi`."""

import json
import sys
from types import SimpleNamespace
from typing import Any, cast

from edge_api import app
from edge_api.routes import health
from edge_api.sse.live import Live
from edge_api.upstreams import Upstreams


def document() -> dict[str, Any]:
    """Return the document that /api/openapi.json serves."""
    upstreams = cast(Upstreams, SimpleNamespace(tasks=None, notifications=None))
    document: dict[str, Any] = app.routes(upstreams, cast(Live, None), health.Draining()).state.openapi
    return document


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=2)
