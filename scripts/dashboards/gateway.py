"""Gateway: what came to Kong, what it let through, and what it adds."""

from scripts.dashboards.grafana import Dashboard, Panel, Query, Row
from scripts.dashboards.promql import quantile, rate

_TRAFFIC = Row(
    "What came, and what became of it",
    [
        Panel(
            "Requests by route",
            "reqps",
            "Requests a second by the route of kong.yml that took them. What no route takes is not counted.",
            "`login` in plenty: somebody guesses passwords, and the limit holds him back.",
            [Query(rate("kong_http_requests_total", "route"), "{{route}}")],
            stacked=True,
        ),
        Panel(
            "Requests by status",
            "reqps",
            "Requests a second by the answer's status.",
            "5xx that the edge does not show (*Overview*): Kong cannot reach it. 504 after 15 s: the edge hangs.",
            [Query(rate("kong_http_requests_total", "code"), "{{code}}")],
            stacked=True,
        ),
        Panel(
            "Refused by Kong itself",
            "reqps",
            "Requests a second that Kong answered without asking the edge: 401 no key or session, 413 too large, "
            "429 too many.",
            "429: one caller, or everybody behind one address. kong/README.md has the limits.",
            [
                Query(
                    rate('kong_http_requests_total{source!="service"}', "code"),
                    "{{code}}",
                    "Kong has refused nothing since its start",
                )
            ],
            stacked=True,
        ),
    ],
)

_TIME = Row(
    "How long it takes",
    [
        Panel(
            "A whole request",
            "ms",
            "From the first byte from the client to the last one to it, streams left out.",
            "High here and low behind Kong (beside this): the client's own network, or Kong.",
            [
                Query(quantile(0.5, 'kong_request_latency_ms{service!~"api-events"}'), "p50"),
                Query(quantile(0.95, 'kong_request_latency_ms{service!~"api-events"}'), "p95"),
                Query(quantile(0.99, 'kong_request_latency_ms{service!~"api-events"}'), "p99"),
            ],
        ),
        Panel(
            "Of it behind Kong",
            "ms",
            "From the request to the service behind Kong to the first byte of its answer.",
            "The edge or a service is slow: *Overview* and *gRPC*.",
            [
                Query(quantile(0.5, "kong_upstream_latency_ms"), "p50"),
                Query(quantile(0.95, "kong_upstream_latency_ms"), "p95"),
            ],
        ),
        Panel(
            "Of it Kong's own",
            "ms",
            "What Kong takes for routing and plugins.",
            "Tens of milliseconds: its database is asked for what it does not hold yet, or passwords are checked.",
            [
                Query(quantile(0.5, "kong_kong_latency_ms"), "p50"),
                Query(quantile(0.95, "kong_kong_latency_ms"), "p95"),
            ],
        ),
    ],
)

_ITSELF = Row(
    "Kong itself",
    [
        Panel(
            "Its database answers",
            "bool_yes_no",
            "Whether Kong reaches its PostgreSQL, which has routes, users and sessions.",
            "What Kong knows already goes on; sign-ins and new sessions do not. `scripts/compose restart kong-db`.",
            [Query("min(kong_datastore_reachable)", "database")],
            width=6,
        ),
        Panel(
            "Connections",
            "short",
            "Clients' connections by state: waiting ones are idle, writing ones are answered or watch events.",
            "*active* near the limit of files (65,536): more watchers than this machine is for.",
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
            "Bytes a second from and to clients.",
            "Out of proportion to the requests: large bodies, or a reader in a loop.",
            [Query(rate("kong_bandwidth_bytes", "direction"), "{{direction}}")],
            width=6,
        ),
        Panel(
            "Memory of its workers",
            "bytes",
            "What Kong's Lua holds in each worker.",
            "It grows without end: a plugin leaks. Restart Kong, then look which was added.",
            [Query("sum by (pid) (kong_memory_workers_lua_vms_bytes)", "worker {{pid}}")],
            width=6,
        ),
    ],
)

DASHBOARD = Dashboard(
    "taskmesh-gateway",
    "Gateway",
    "Kong, the only door: what came to it, what it refused, and what it adds to the time of a request.",
    [_TRAFFIC, _TIME, _ITSELF],
)
