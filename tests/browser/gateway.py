"""The development gateway as a process of its own, with users for tests and without limits, or with chosen ones.

`python -m tests.browser.gateway PORT EDGE_PORT WEB_PORT [LIMIT=NUMBER …]`, where a limit is one of LIMITS, a minute.
"""

import sys
import time

import uvloop

from chassis.server import until_stopped
from kong.standin.configuration import read
from kong.standin.server import HOST, bind, serving
from tests.support.standin import Change, Document, document, limit, route, service, without_brakes

USERS = [f"user-{number:03}" for number in range(500)]

LIMITS = {
    "login": lambda file: route(file, "login"),
    "api": lambda file: service(file, "api"),
    "events": lambda file: service(file, "api-events"),
}


def password(user: str) -> str:
    """What a user signs in with."""
    return f"{user}-password"


def key(user: str) -> str:
    """What a user's programs send as x-api-key."""
    return f"{user}-key"


def with_users(changed: Document) -> None:
    """Adds the users for tests, so that each may have one who owns nothing yet."""
    changed["consumers"] += [
        {
            "username": user,
            "basicauth_credentials": [{"username": user, "password": password(user)}],
            "keyauth_credentials": [{"id": key(user), "key": key(user)}],
        }
        for user in USERS
    ]


async def main(port: int, edge: int, web: int, *changes: Change) -> None:
    """Serves until SIGTERM."""
    targets = {"edge-api:8080": (HOST, edge), "web:8080": (HOST, web)}
    configuration = read(document(with_users, without_brakes, *changes), targets, time.time)
    async with until_stopped() as stopped, serving(configuration, bind(port)):
        await stopped.wait()


if __name__ == "__main__":
    port, edge, web = map(int, sys.argv[1:4])
    limits = dict(each.split("=") for each in sys.argv[4:])
    chosen = [limit(LIMITS[name], minute=int(number)) for name, number in limits.items()]
    uvloop.run(main(port, edge, web, *chosen))
