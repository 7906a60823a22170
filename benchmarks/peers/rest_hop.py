"""Two services over REST instead of gRPC: an edge that calls `monolith_minimal`, in a process of its own, with httpx.

`python -m benchmarks.peers.rest_hop PORT SERVICE_PORT`.
"""

import sys
from typing import Annotated, Any

import httpx
import uvicorn
from fastapi import FastAPI, HTTPException, Query

from benchmarks.peers.monolith_minimal import NewTask, Task, TaskPage, TaskPatch


def app(service: httpx.AsyncClient) -> FastAPI:
    """Return the HTTP application."""
    api = FastAPI()

    async def call(method: str, path: str = "", **arguments: Any) -> bytes:
        response = await service.request(method, f"/api/v1/tasks{path}", **arguments)
        if response.is_error:
            raise HTTPException(response.status_code)
        return response.content

    @api.post("/api/v1/tasks", status_code=201)
    async def create(body: NewTask) -> Task:
        return Task.model_validate_json(await call("POST", json=body.model_dump(mode="json", exclude_unset=True)))

    @api.get("/api/v1/tasks")
    async def list_tasks(page_size: Annotated[int, Query(ge=1, le=200)] = 50, page_token: str = "") -> TaskPage:
        query = {"page_size": page_size, "page_token": page_token}
        return TaskPage.model_validate_json(await call("GET", params=query))

    @api.get("/api/v1/tasks/{id}")
    async def get(id: str) -> Task:
        return Task.model_validate_json(await call("GET", f"/{id}"))

    @api.patch("/api/v1/tasks/{id}")
    async def update(id: str, body: TaskPatch) -> Task:
        patch = body.model_dump(mode="json", exclude_unset=True)
        return Task.model_validate_json(await call("PATCH", f"/{id}", json=patch))

    return api


if __name__ == "__main__":
    port, service_port = map(int, sys.argv[1:])
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{service_port}", timeout=5)
    uvicorn.run(app(client), port=port, loop="uvloop", http="httptools", log_level="warning", access_log=False)
