"""gRPC: what the servers were asked and how it ended, and the same as their clients saw it."""

from scripts.dashboards.grafana import Dashboard, Panel, Query, Row, Variable
from scripts.dashboards.promql import FAULTS, quantile, rate, share

_CHOSEN = 'grpc_service=~"$service", grpc_method=~"$method"'
_UNARY = f'{_CHOSEN}, grpc_type="UNARY"'
_STREAMS = f'{_CHOSEN}, grpc_type="SERVER_STREAMING"'


def _panels(side: str, who: str, instead: str) -> list[Panel]:
    """The panels of one side: `who` are its processes, `instead` what to compare with."""
    return [
        Panel(
            f"Started by method, {side}",
            "reqps",
            f"Calls a second that {who} began, by method.",
            "A method that nobody should call much: look for a client in a loop.",
            [Query(rate(f"grpc_{side}_started_total{{{_CHOSEN}}}", "grpc_method"), "{{grpc_method}}")],
        ),
        Panel(
            f"Ended by code, {side}",
            "reqps",
            f"Calls a second that ended at {who}, by status code.",
            "UNAVAILABLE: a store or a peer is away. DEADLINE_EXCEEDED: it is slow. INTERNAL: a bug, see *Logs*.",
            [Query(rate(f"grpc_{side}_handled_total{{{_CHOSEN}}}", "grpc_code"), "{{grpc_code}}")],
            stacked=True,
        ),
        Panel(
            f"Share of faults by method, {side}",
            "percentunit",
            "The share of calls that ended with a code that is not the caller's fault.",
            f"Compare with {instead}: only here means that the network or the other process is between.",
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
            f"Time of a unary call, {side}",
            "s",
            "What half, 95 % and 99 % of the unary calls stay below. The dots are calls: one leads to its trace.",
            "Follow a high dot. Where p50 is low and p99 high, a few wait for something: a lock, a reconnection.",
            [
                Query(quantile(0.5, f"grpc_{side}_handling_seconds{{{_UNARY}}}"), "p50"),
                Query(quantile(0.95, f"grpc_{side}_handling_seconds{{{_UNARY}}}"), "p95"),
                Query(quantile(0.99, f"grpc_{side}_handling_seconds{{{_UNARY}}}"), "p99"),
            ],
            exemplars=True,
        ),
        Panel(
            f"Time by service and method, p95, {side}",
            "s",
            "What 95 % of the unary calls of each method stay below.",
            "Writes alone: the store's lock or disk. One method alone: its query. All: the process or the machine.",
            [
                Query(
                    quantile(0.95, f"grpc_{side}_handling_seconds{{{_UNARY}}}", "grpc_service, grpc_method"),
                    "{{grpc_service}} {{grpc_method}}",
                )
            ],
            exemplars=True,
        ),
        Panel(
            f"In flight, {side}",
            "short",
            "Calls that have begun and not ended, by method. Streams stay as long as somebody watches.",
            "Unary calls that only grow: something hangs, and their deadlines will end them.",
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
    "Messages a second that servers send on streams, heartbeats included, and that clients get.",
    "Sent and not received: a client is slow or gone. Only heartbeats, while tasks change: the stream's tail stands.",
    [
        Query(
            rate(f"grpc_server_msg_sent_total{{{_STREAMS}}}", "grpc_method"),
            "{{grpc_method}} sent",
            "nobody watches a stream, or a single method is chosen that has none",
        ),
        Query(
            rate(f"grpc_client_msg_received_total{{{_STREAMS}}}", "grpc_method"),
            "{{grpc_method}} received",
            "nobody watches a stream, or a single method is chosen that has none",
        ),
    ],
    width=24,
    height=6,
)

DASHBOARD = Dashboard(
    "taskmesh-grpc",
    "gRPC",
    "Every call between the parts of the mesh, by service, method and code, from the server's and the client's side.",
    [
        Row("Servers", _panels("server", "the services", "the client's side")),
        Row("Clients", _panels("client", "the edge and the notifier", "the server's side")),
        Row("Streams", [_MESSAGES]),
    ],
    [
        Variable(
            "service",
            "Service",
            "The gRPC services to look at.",
            query='label_values(grpc_server_started_total{grpc_service!~"grpc[.].+"}, grpc_service)',
        ),
        Variable(
            "method",
            "Method",
            "Their methods.",
            query='label_values(grpc_server_started_total{grpc_service=~"$service"}, grpc_method)',
        ),
    ],
)
