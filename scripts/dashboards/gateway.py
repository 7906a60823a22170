"""The dashboard Gateway: requests to Kong, rejected requests, and the latency that Kong adds."""

from scripts.dashboards.grafana import Dashboard, Panel, Query, Row
from scripts.dashboards.promql import quantile, rate

_TRAFFIC = Row(
    "Requests",
    [
        Panel(
            "Requests by route",
            "reqps",
            "Requests per second by route of kong.yml. Requests that match no route are not counted.",
            "Many requests on `login`: a password guessing attack, which the login limit slows down.",
            [Query(rate("kong_http_requests_total", "route"), "{{route}}")],
            stacked=True,
        ),
        Panel(
            "Requests by status",
            "reqps",
            "Requests per second by response status.",
            "5xx that the edge does not report (see *Overview*): Kong cannot reach the edge. 504 after 15 s: the edge "
            "hangs.",
            [Query(rate("kong_http_requests_total", "code"), "{{code}}")],
            stacked=True,
        ),
        Panel(
            "Rejected by Kong",
            "reqps",
            "Requests per second that Kong rejected without calling the edge: 401 no key or session, 413 too large, "
            "429 too many.",
            "429: one caller, or all clients behind one address, exceeded a limit. kong/README.md lists the limits.",
            [
                Query(
                    rate('kong_http_requests_total{source!="service"}', "code"),
                    "{{code}}",
                    "Kong has rejected no request since its start",
                )
            ],
            stacked=True,
        ),
    ],
)

_TIME = Row(
    "Latency",
    [
        Panel(
            "Total latency",
            "ms",
            "From the first byte of the request to the last byte of the response, without event streams.",
            "High while *Upstream latency* is low: the client's network, or Kong.",
            [
                Query(quantile(0.5, 'kong_request_latency_ms{service!~"api-events"}'), "p50"),
                Query(quantile(0.95, 'kong_request_latency_ms{service!~"api-events"}'), "p95"),
                Query(quantile(0.99, 'kong_request_latency_ms{service!~"api-events"}'), "p99"),
            ],
        ),
        Panel(
            "Upstream latency",
            "ms",
            "From sending the request to the upstream service to the first byte of its response.",
            "The edge or a service is slow: see *Overview* and *gRPC*.",
            [
                Query(quantile(0.5, "kong_upstream_latency_ms"), "p50"),
                Query(quantile(0.95, "kong_upstream_latency_ms"), "p95"),
            ],
        ),
        Panel(
            "Kong's own latency",
            "ms",
            "The time for routing and plugins.",
            "Tens of milliseconds: Kong reads uncached entries from its database, or checks passwords.",
            [
                Query(quantile(0.5, "kong_kong_latency_ms"), "p50"),
                Query(quantile(0.95, "kong_kong_latency_ms"), "p95"),
            ],
        ),
    ],
)

_ITSELF = Row(
    "Kong's state",
    [
        Panel(
            "Database reachable",
            "bool_yes_no",
            "Whether Kong reaches its PostgreSQL, which stores routes, users and sessions.",
            "If not: cached credentials keep working; logins and new sessions fail. `scripts/compose restart kong-db`.",
            [Query("min(kong_datastore_reachable)", "database")],
            width=6,
        ),
        Panel(
            "Connections",
            "short",
            "Client connections by state. *waiting*: idle. *writing*: receiving a response or an event stream.",
            "*active* near the limit of open files (65,536): too many open event streams for this machine.",
            [
                Query(
                    'sum by (state) (kong_nginx_connections_total{state=~"active|reading|writing|waiting"})',
                    "{{state}}",
                )
            ],
            width=6,
        ),
        Panel(
            "Bandwidth",
            "Bps",
            "Bytes per second from and to clients.",
            "High compared with the request rate: large bodies, or a client that reads in a loop.",
            [Query(rate("kong_bandwidth_bytes", "direction"), "{{direction}}")],
            width=6,
        ),
        Panel(
            "Worker memory",
            "bytes",
            "The memory of the Lua VM in each worker.",
            "Constant growth: a plugin leaks memory. Restart Kong, then check the plugins added last.",
            [Query("sum by (pid) (kong_memory_workers_lua_vms_bytes)", "worker {{pid}}")],
            width=6,
        ),
    ],
)

DASHBOARD = Dashboard(
    "taskmesh-gateway",
    "Gateway",
    "Requests to Kong, rejected requests, and the latency that Kong adds.",
    [_TRAFFIC, _TIME, _ITSELF],
)
