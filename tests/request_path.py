"""Traces one CreateTask, from the edge to the confirmed notification, and lists the files that it crosses.

`make docs` writes the list into docs/architecture.md. The three services run here in one process, from their own
composition roots. Files that only declare something run no code per request and are not listed.
"""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import httpx
from redis.asyncio import Redis

from edge_api import __main__ as edge
from edge_api.settings import EdgeSettings
from notify_svc import __main__ as notify
from notify_svc.settings import NotifySettings
from task_svc import __main__ as task
from task_svc.settings import TaskSettings
from tests import ROOT
from tests.support.edge_api.edge import TOKEN, token_file
from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.valkey import Valkey

PAGE = ROOT / "docs" / "architecture.md"
_BEGIN, _END = "<!-- the files of a CreateTask: make docs -->\n", "<!-- end -->"
_PACKAGES = ("edge_api", "chassis", "task_svc", "notify_svc")
_LIVE_UPDATES = ("chassis/feed/", "edge_api/sse/", "task_svc/grpc_api/watch.py", "notify_svc/grpc_api/watch.py")
"""The files that send the events to browsers, which is another path."""
_JOBS = ("publish", "note-published", "consume", "deliver-console", "finish")
_METHODS = ("/CreateTask]", "/ConfirmEvents]")
"""Ends of the names that grpc gives to the tasks which handle calls."""
_SCRIPTS = ("record", "lease_due", "complete_delivery")


def main(arguments: Sequence[str]) -> int:
    """Writes the list into its page; with `--check`, compares them and returns 1 if they differ."""
    before, _, rest = PAGE.read_text().partition(_BEGIN)
    listed, _, after = rest.partition(_END)
    found = section(crossed())
    if arguments == ["--check"]:
        if found != listed:
            print(f"{PAGE.relative_to(ROOT)} does not list these files: make docs\n{found}")
        return int(found != listed)
    PAGE.write_text(f"{before}{_BEGIN}{found}{_END}{after}")
    return 0


def section(files: Sequence[str]) -> str:
    """The list as the page shows it."""
    rows = [(package, [file for file in files if file.startswith(package)]) for package in _PACKAGES]
    lines = [f"| `{package}` | {', '.join(f'`{_short(file)}`' for file in its)} |" for package, its in rows]
    return f"{len(files)} files:\n\n| package | files |\n|---|---|\n" + "\n".join(lines) + "\n"


def _short(file: str) -> str:
    return file.partition("/")[2].rpartition(".")[0]


class _Recorder:
    """Records which files run, in all threads that start after it and in the tasks that handle the request."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.is_on = False
        threading.setprofile(self._in_thread)
        sys.setprofile(self._in_loop)

    def close(self) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def _in_thread(self, frame: FrameType, event: str, _: Any) -> None:
        if self.is_on and event == "call":
            self.files.add(frame.f_code.co_filename)

    def _in_loop(self, frame: FrameType, event: str, argument: Any) -> None:
        if self.is_on and event == "call":
            task = asyncio.current_task()
            file, name = frame.f_code.co_filename, task.get_name() if task else "Task-"
            # A task without a name is the edge's, or an attempt to deliver; or it serves a stream, by a servicer.
            is_ours = name.startswith("Task-") and not file.endswith("servicer.py")
            if is_ours or name in _JOBS or name.endswith(_METHODS):
                self._in_thread(frame, event, argument)


def crossed() -> list[str]:
    """The files of the services that run for one request, relative to the root and in order of their names."""
    recorder = _Recorder()
    with TemporaryDirectory() as folder:
        queue = Valkey(Path(folder))
        queue.start()
        try:
            asyncio.run(_create_a_task(recorder, Path(folder), queue.url))
        finally:
            queue.kill()
            recorder.close()
    files = {str(Path(file).relative_to(ROOT)) for file in recorder.files if file.startswith(f"{ROOT}/")}
    kept = {file for file in files if file.startswith(_PACKAGES) and not file.startswith(_LIVE_UPDATES)}
    return sorted(kept | {f"notify_svc/storage/lua/{script}.lua" for script in _SCRIPTS})


async def _create_a_task(recorder: _Recorder, folder: Path, redis_url: str) -> None:
    async with _services(folder, redis_url) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        headers = {"x-mesh-token": TOKEN, "x-consumer-username": "demo"}
        for title in ("The first one opens the connections", "Buy milk"):
            answer = await client.post("/api/v1/tasks", headers=headers, json={"title": title})
            assert answer.status_code == 201, answer.text
            await _all_acknowledged(redis_url)
            recorder.is_on = not recorder.is_on


@asynccontextmanager
async def _services(folder: Path, redis_url: str) -> AsyncIterator[str]:
    token = token_file(folder)
    common: dict[str, Any] = {
        "mesh_token_file": token,
        "log_level": "error",
        "drain_notice_seconds": 0,
        "metrics_host": "127.0.0.1",
    }
    ports = [free_port() for _ in range(6)]
    targets = [f"127.0.0.1:{port}" for port in ports[:2]]
    mains = [
        task.main(
            TaskSettings(
                **common,
                grpc_port=ports[0],
                metrics_port=ports[3],
                store_url=f"sqlite:///{folder}/tasks.db",
                redis_url=redis_url,
            )
        ),
        notify.main(
            NotifySettings(
                **common, grpc_port=ports[1], metrics_port=ports[4], redis_url=redis_url, task_grpc_target=targets[0]
            )
        ),
        edge.main(
            EdgeSettings(
                **common, port=ports[2], metrics_port=ports[5], task_target=targets[0], notify_target=targets[1]
            )
        ),
    ]
    running = [asyncio.create_task(each) for each in mains]
    try:
        url = f"http://127.0.0.1:{ports[2]}"
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            await eventually(lambda: _is_ready(client))
        yield url
    finally:
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return set((await client.get("/readyz")).json().get("services", {}).values()) == {"SERVING"}
    except httpx.TransportError:
        return False


async def _all_acknowledged(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:

        async def is_done() -> bool:
            (group,) = await redis.xinfo_groups("task-events") or [{"pending": 1}]
            newest = (await redis.xinfo_stream("task-events"))["last-generated-id"]
            return bool(group["pending"] == 0 and group["last-delivered-id"] == newest)

        await eventually(is_done)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
