"""An idle connection: keepalive pings must not close it, and the server must not reject them as abuse."""

import asyncio

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest

from chassis.grpc_api.channel_options import CLIENT_OPTIONS
from tests.support.chassis.mesh import mesh_server
from tests.support.chassis.standard_services import health_of

IDLE_SECONDS = 45  # four pings of the client; a server with too strict a limit closes the connection at the third


@pytest.mark.faults
async def test_an_idle_watch_stays_open() -> None:
    async with mesh_server() as mesh, grpc.aio.insecure_channel(mesh.target, options=CLIENT_OPTIONS) as channel:
        watch = health_of(channel).Watch(HealthCheckRequest())
        await watch.read()
        ended = asyncio.ensure_future(watch.code())
        done, _ = await asyncio.wait([ended], timeout=IDLE_SECONDS)
        assert not done, ended.result()
        watch.cancel()
        await ended
