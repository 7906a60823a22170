"""The composition root of `make dev-mono`: `python -m scripts.dev_mono`.

It runs the same services with the same settings as `make dev`, and replaces only the connections between them.
"""

import sys

import uvloop

from chassis import log
from chassis.settings import load
from edge_api import __main__ as edge_api
from edge_api.settings import EdgeSettings
from notify_svc import __main__ as notify_svc
from notify_svc.settings import NotifySettings
from scripts.dev.in_process import Network
from task_svc import __main__ as task_svc
from task_svc.repository import StoreUnusable
from task_svc.settings import TaskSettings


async def main(tasks: TaskSettings, notifications: NotifySettings, edge: EdgeSettings) -> None:
    """Run all services until SIGTERM or SIGINT; each stops before those that it calls."""
    log.configure("mono", edge.log_level, edge.log_format)
    network = Network()
    async with (
        task_svc.serving(tasks, network.server),
        notify_svc.serving(notifications, network.server, network.open_channel),
    ):
        await edge_api.serve(edge, network.open_channel)


if __name__ == "__main__":
    # As in `make dev`, only the edge requires the mesh token.
    without_token = {"mesh_token_file": None}
    try:
        uvloop.run(
            main(
                load(TaskSettings).model_copy(update=without_token),
                load(NotifySettings).model_copy(update=without_token),
                load(EdgeSettings),
            )
        )
    except StoreUnusable as error:
        sys.exit(str(error))
