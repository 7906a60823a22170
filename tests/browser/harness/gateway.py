"""Runs the development gateway as a separate process, with test users, and without rate limits or with given ones.

`python -m tests.browser.harness.gateway PORT EDGE_PORT WEB_PORT [LIMIT=NUMBER …]`: Limits are per minute.
"""

import sys
from collections.abc import Callable

import uvloop

from chassis.grpc_api.server import until_stopped
from kong.configuration import Configuration
from kong.dev_gateway.server import HOST, bind, serving
from tests.support.kong.dev_gateway import Change, Document, document, limit, login_limits, service, without_limits

USERS = [f"user-{number:03}" for number in range(500)]

LIMITS: dict[str, Callable[[int], Change]] = {
    "login": lambda number: login_limits(number, 1_000_000, 1_000_000),
    "api": lambda number: lambda file: limit(service(file, "api")["plugins"], number),
    "events": lambda number: lambda file: limit(service(file, "api-events")["plugins"], number),
}
"""For each limit, a function that returns the change of the configuration to so many requests per minute."""


def password(user: str) -> str:
    """Return the password of a user."""
    return f"{user}-password"


def key(user: str) -> str:
    """Return the API key of a user."""
    return f"{user}-key"


def with_users(changed: Document) -> None:
    """Add the test users, so that each test can have a user without tasks."""
    changed["consumers"] += [
        {
            "username": user,
            "id": user,
            "basicauth_credentials": [{"username": user, "password": password(user)}],
            "keyauth_credentials": [{"id": key(user), "key": key(user)}],
        }
        for user in USERS
    ]


async def main(port: int, edge: int, web: int, *changes: Change) -> None:
    """Serve until SIGTERM."""
    targets = {"edge-api:8080": (HOST, edge), "web:8080": (HOST, web)}
    configuration = Configuration(document(with_users, without_limits, *changes))
    async with until_stopped() as stopped, serving(configuration, targets, bind(port)):
        await stopped.wait()


if __name__ == "__main__":
    port, edge, web = map(int, sys.argv[1:4])
    limits = dict(each.split("=") for each in sys.argv[4:])
    chosen = [LIMITS[name](int(number)) for name, number in limits.items()]
    uvloop.run(main(port, edge, web, *chosen))
