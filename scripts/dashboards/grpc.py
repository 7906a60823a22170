"""The dashboard gRPC: the calls between the services, measured by the servers and by their clients."""

from scripts.dashboards.grafana import Dashboard, Panel, Query, Row, Variable
from scripts.dashboards.promql import FAULTS, quantile, rate, share

_CHOSEN = 'grpc_service=~"$service", grpc_method=~"$method"'
_UNARY = f'{_CHOSEN}, grpc_type="UNARY"'
_STREAMS = f'{_CHOSEN}, grpc_type="SERVER_STREAMING"'


def _panels(side: str, processes: str, other_side: str) -> list[Panel]:
    """Return the panels of one side, `server` or `client`; the other arguments are for the texts."""
    return [
        Panel(
            f"Started calls by method, {side}",
            "reqps",
            f"Calls per second that {processes} started, by method.",
            "An unexpectedly high rate of one method: look for a client that calls it in a loop.",
            [Query(rate(f"grpc_{side}_started_total{{{_CHOSEN}}}", "grpc_method"), "{{grpc_method}}")],
        ),
        Panel(
            f"Completed calls by code, {side}",
            "reqps",
            f"Calls per second that {processes} completed, by status code.",
            "UNAVAILABLE: a store or a peer is down. DEADLINE_EXCEEDED: it is slow. INTERNAL: a bug, see *Logs*.",
            [Query(rate(f"grpc_{side}_handled_total{{{_CHOSEN}}}", "grpc_code"), "{{grpc_code}}")],
            stacked=True,
        ),
        Panel(
            f"Error ratio by method, {side}",
            "percentunit",
            "The ratio of calls that failed with an error of the server, not of the caller.",
            f"Compare with {other_side}. Errors on this side only: the network or the other process is the cause.",
            [
                Query(
                    share(
                        f'grpc_{side}_handled_total{{{_CHOSEN}, grpc_code=~"{FAULTS}"}}',
                        f"grpc_{side}_handled_total{{{_CHOSEN}}}",
                        "grpc_service, grpc_method",
                    ),
                    "{{grpc_method}}",
                )
            ],
        ),
        Panel(
            f"Unary call latency, {side}",
            "s",
            "The 50th, 95th and 99th percentile of unary calls. Each dot is a call and links to its trace.",
            "Open the trace of a high dot. p50 low and p99 high: a few calls wait, for a lock or a reconnection.",
            [
                Query(quantile(0.5, f"grpc_{side}_handling_seconds{{{_UNARY}}}"), "p50"),
                Query(quantile(0.95, f"grpc_{side}_handling_seconds{{{_UNARY}}}"), "p95"),
                Query(quantile(0.99, f"grpc_{side}_handling_seconds{{{_UNARY}}}"), "p99"),
            ],
            exemplars=True,
        ),
        Panel(
            f"Latency by service and method, p95, {side}",
            "s",
            "The 95th percentile of unary calls by method.",
            "Only writes are slow: the store's lock or disk. One method: its query. All: the process or the machine.",
            [
                Query(
                    quantile(0.95, f"grpc_{side}_handling_seconds{{{_UNARY}}}", "grpc_service, grpc_method"),
                    "{{grpc_service}} {{grpc_method}}",
                )
            ],
            exemplars=True,
        ),
        Panel(
            f"Calls in flight, {side}",
            "short",
            "Calls in progress, by method. A stream is in progress as long as a client watches.",
            "The number of unary calls only grows: a dependency hangs. Their deadlines will end them.",
            [
                Query(
                    f"sum by (grpc_method) (grpc_{side}_started_total{{{_CHOSEN}}}) - "
                    f"(sum by (grpc_method) (grpc_{side}_handled_total{{{_CHOSEN}}})"
                    f" or 0 * sum by (grpc_method) (grpc_{side}_started_total{{{_CHOSEN}}}))",
                    "{{grpc_method}}",
                )
            ],
        ),
    ]


_MESSAGES = Panel(
    "Messages on streams",
    "ops",
    "Messages per second that servers send and clients receive on streams, including heartbeats.",
    "Sent but not received: a client is slow or disconnected. Only heartbeats although tasks change: the server no "
    "longer reads new events from the Redis stream.",
    [
        Query(
            rate(f"grpc_server_msg_sent_total{{{_STREAMS}}}", "grpc_method"),
            "{{grpc_method}} sent",
            "no client watches a stream, or the selected method has no stream",
        ),
        Query(
            rate(f"grpc_client_msg_received_total{{{_STREAMS}}}", "grpc_method"),
            "{{grpc_method}} received",
            "no client watches a stream, or the selected method has no stream",
        ),
    ],
    width=24,
    height=6,
)

DASHBOARD = Dashboard(
    "taskmesh-grpc",
    "gRPC",
    "All calls between the services, by service, method and code, measured by servers and clients.",
    [
        Row("Servers", _panels("server", "the services", "the client side")),
        Row("Clients", _panels("client", "the edge and the notification service", "the server side")),
        Row("Streams", [_MESSAGES]),
    ],
    [
        Variable(
            "service",
            "Service",
            "The gRPC services to show.",
            query='label_values(grpc_server_started_total{grpc_service!~"grpc[.].+"}, grpc_service)',
        ),
        Variable(
            "method",
            "Method",
            "The methods to show.",
            query='label_values(grpc_server_started_total{grpc_service=~"$service"}, grpc_method)',
        ),
    ],
)
