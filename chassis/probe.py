"""Asks one process how it is: `python -m chassis.probe ADDRESS`, for the health checks of containers.

    grpc://127.0.0.1:50051                        whether the process lives
    grpc://127.0.0.1:50051/task.v1.TaskService    whether it can do that service's work
    http://127.0.0.1:8080/healthz                 whether the answer is 200

It ends with status 0 when all is well, with 1 and the reason on stderr when not, with 2 when it is called wrongly.
"""

import http.client
import sys
from urllib.parse import SplitResult, urlsplit

SECONDS = 2.0


class NotWell(Exception):
    """The process is away, or says that it is not well; the message says which."""


def main(arguments: list[str]) -> int:
    """Asks at the one address given; returns the exit status."""
    address = _address(arguments)
    if address is None:
        sys.stderr.write("usage: python -m chassis.probe grpc://HOST:PORT[/SERVICE] | http://HOST:PORT/PATH\n")
        return 2
    try:
        _ask_grpc(address) if address.scheme == "grpc" else _ask_http(address)
    except NotWell as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _address(arguments: list[str]) -> SplitResult | None:
    try:
        (address,) = (urlsplit(each) for each in arguments)
        is_whole = bool(address.scheme in ("grpc", "http") and address.hostname and address.port)
    except ValueError:  # not one argument, or a port that can be none
        return None
    return address if is_whole else None


def _ask_http(address: SplitResult) -> None:
    connection = http.client.HTTPConnection(address.netloc, timeout=SECONDS)
    try:
        connection.request("GET", address.path or "/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        msg = f"{address.geturl()}: {error or type(error).__name__}"
        raise NotWell(msg) from error
    finally:
        connection.close()
    if status != http.client.OK:
        msg = f"{address.geturl()} answers {status}"
        raise NotWell(msg)


def _ask_grpc(address: SplitResult) -> None:
    # Here, because it takes ten times as long to import as all the rest.
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    service = address.path.removeprefix("/")
    with grpc.insecure_channel(address.netloc, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            request = health_pb2.HealthCheckRequest(service=service)
            status = health_pb2_grpc.HealthStub(channel).Check(request, timeout=SECONDS).status  # type: ignore[attr-defined]
        except grpc.RpcError as error:
            msg = f"{address.geturl()}: {error.code().name}: {error.details()}"
            raise NotWell(msg) from error
    if status != health_pb2.HealthCheckResponse.SERVING:
        msg = f"{address.geturl()} says {health_pb2.HealthCheckResponse.ServingStatus.Name(status)}"
        raise NotWell(msg)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
