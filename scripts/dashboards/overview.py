"""The dashboard Overview: user experience, end-to-end latency, and the four golden signals of each service."""

from scripts.dashboards.grafana import FIRING, Dashboard, Panel, Query, Row
from scripts.dashboards.promql import FAULTS, NO_PROBES, quantile, rate, share

_RPC = 'grpc_service!~"grpc[.].+"'
_UNARY = f'{_RPC}, grpc_type="UNARY"'

_USERS = Row(
    "User experience",
    [
        Panel(
            "Requests",
            "reqps",
            "Requests per second at the edge, without health probes.",
            "No requests although clients send some: see *Gateway*. `make load` generates requests.",
            [Query(rate(f"http_requests_total{{{NO_PROBES}}}"))],
            kind="stat",
            width=6,
            height=5,
        ),
        Panel(
            "Failed requests",
            "percentunit",
            "The ratio of requests in the last five minutes that failed with 5xx. The objective is 0.5 % per month.",
            "Runbook, ErrorBudgetBurnsFast. See the status below, the method in *gRPC*, the cause in *Logs*.",
            [Query("edge:http_errors:ratio_rate5m")],
            kind="stat",
            width=6,
            height=5,
            limits=[(0.005, "orange"), (0.03, "red")],
        ),
        Panel(
            "Latency p95, last 5 minutes",
            "s",
            "The 95th percentile of the request latency over five minutes. The objective is 0.5 s.",
            "Runbook, RequestsSlow. See below which component is slow, then open a trace.",
            [Query("edge:http_request_duration_seconds:p95_5m")],
            kind="stat",
            width=6,
            height=5,
            limits=[(0.25, "orange"), (0.5, "red")],
        ),
        Panel(
            "Firing alerts",
            "short",
            "The number of firing alerts. *Alerting* in Grafana's menu lists them.",
            "Read the section of each alert in `monitoring/runbook.md`.",
            [Query(f"count({FIRING}) or vector(0)")],
            kind="stat",
            width=6,
            height=5,
            limits=[(1, "red")],
        ),
        Panel(
            "Requests by status",
            "reqps",
            "Requests per second at the edge by response status.",
            "5xx: a problem behind the edge. Many 4xx: invalid requests from a client, or a page older than the API.",
            [Query(rate(f"http_requests_total{{{NO_PROBES}}}", "status"), "{{status}}")],
            stacked=True,
        ),
        Panel(
            "Error ratio and objective",
            "percentunit",
            "The ratio of 5xx responses over five minutes and one hour. The line is the monthly objective.",
            "Above the line for a long time: the error budget is exhausted. A short peak is within the budget.",
            [
                Query("edge:http_errors:ratio_rate5m", "5 minutes"),
                Query("edge:http_errors:ratio_rate1h", "1 hour"),
            ],
            limits=[(0.005, "red")],
        ),
        Panel(
            "Request latency",
            "s",
            "The 50th, 95th and 99th percentile. Each dot is a request and links to its trace.",
            "Open the trace of a high dot: it shows which call was slow.",
            [
                Query(quantile(0.5, f"http_request_duration_seconds{{{NO_PROBES}}}"), "p50"),
                Query(quantile(0.95, f"http_request_duration_seconds{{{NO_PROBES}}}"), "p95"),
                Query(quantile(0.99, f"http_request_duration_seconds{{{NO_PROBES}}}"), "p99"),
            ],
            exemplars=True,
        ),
    ],
)

_WAY = Row(
    "From the browser to the notification",
    [
        Panel(
            "Latency by component, p95",
            "s",
            "The 95th percentile of: the whole request as Kong measures it, the request at the edge, CreateTask in the "
            "task service, and the time from a task's change to its notification in the inbox and the log.",
            "Investigate the component that rises. Kong's buckets are coarse: any value below 25 ms shows as 25 ms.",
            [
                Query(quantile(0.95, 'kong_request_latency_ms{service="api"}') + " / 1000", "Kong"),
                Query(quantile(0.95, f"http_request_duration_seconds{{{NO_PROBES}}}"), "edge"),
                Query(quantile(0.95, 'grpc_server_handling_seconds{grpc_method="CreateTask"}'), "CreateTask"),
                Query(quantile(0.95, 'notification_delivery_seconds{channel="console"}'), "to the notification"),
            ],
            width=12,
            exemplars=True,
        ),
        Panel(
            "Latency from change to open page, p95",
            "s",
            "The time from a task's write to its event on an open page, by feed.",
            "High: the Redis stream is read late (see *Queue*), or a client is slow. The slowest are disconnected.",
            [
                Query(
                    quantile(0.95, "watch_delivery_seconds", "feed"),
                    "{{feed}}",
                    "no client watches; to watch, open the page or run `curl -N …/api/v1/events`",
                )
            ],
            width=6,
        ),
        Panel(
            "Open event streams",
            "short",
            "Open event streams by service. The clients of the edge are pages; the clients of the services are edges.",
            "Fewer than open pages: the pages reconnect within seconds, unless the edge refuses them.",
            [Query("sum by (job, feed) (watchers)", "{{job}} {{feed}}")],
            width=6,
        ),
    ],
)

_SIGNALS = Row(
    "Golden signals by service",
    [
        Panel(
            "Traffic",
            "reqps",
            "Requests per second at the edge, and calls per second at each gRPC service, without health probes.",
            "Far more calls than requests: calls are retried, or a gRPC client bypasses the edge.",
            [
                Query(rate(f"http_requests_total{{{NO_PROBES}}}", "job"), "{{job}}"),
                Query(rate(f"grpc_server_started_total{{{_RPC}}}", "job"), "{{job}}"),
            ],
        ),
        Panel(
            "Errors",
            "percentunit",
            "The ratio of requests and calls that failed because of an error in the service.",
            "If several services have errors, the one furthest from the client is the source.",
            [
                Query(
                    share(
                        f'http_requests_total{{{NO_PROBES}, status=~"5.."}}',
                        f"http_requests_total{{{NO_PROBES}}}",
                        "job",
                    ),
                    "{{job}}",
                ),
                Query(
                    share(
                        f'grpc_server_handled_total{{{_RPC}, grpc_code=~"{FAULTS}"}}',
                        f"grpc_server_handled_total{{{_RPC}}}",
                        "job",
                    ),
                    "{{job}}",
                ),
            ],
        ),
        Panel(
            "Latency, p95",
            "s",
            "The 95th percentile of requests and unary calls.",
            "The edge waits for the services. If both rise, check the service first, then its store.",
            [
                Query(quantile(0.95, f"http_request_duration_seconds{{{NO_PROBES}}}", "job"), "{{job}}"),
                Query(quantile(0.95, f"grpc_server_handling_seconds{{{_UNARY}}}", "job"), "{{job}}"),
            ],
            exemplars=True,
        ),
        Panel(
            "Saturation: CPU",
            "percentunit",
            "CPU usage of each process; 100 % is one core. A Python process uses about one core at most.",
            "Near 100 %: the process is at its limit. Add replicas: `make up ARGS='--scale edge-api=2'`.",
            [
                Query(
                    "sum by (job, instance) (rate(process_cpu_seconds_total[$__rate_interval]))", "{{job}} {{instance}}"
                )
            ],
            limits=[(0.9, "red")],
        ),
        Panel(
            "Saturation: memory",
            "bytes",
            "Resident memory of each process. The limits of the containers are in docker-compose.yml.",
            "Growth over hours: a memory leak, or more watchers. At its limit, the container is killed and restarted.",
            [Query("sum by (job, instance) (process_resident_memory_bytes)", "{{job}} {{instance}}")],
        ),
        Panel(
            "Saturation: in flight",
            "short",
            "Requests in progress at the edge, and unary calls in progress at each service.",
            "It grows and does not fall: a dependency hangs. Over 200 requests, the edge responds with 503.",
            [
                Query("sum by (job) (http_requests_in_flight)", "{{job}}"),
                Query(
                    f"sum by (job) (grpc_server_started_total{{{_UNARY}}})"
                    f" - sum by (job) (grpc_server_handled_total{{{_UNARY}}})",
                    "{{job}}",
                ),
            ],
        ),
        Panel(
            "Background job failures",
            "ops",
            "Errors per second after which a background job was restarted, by service and job.",
            "The service's log line `background job failed` has the error. `publish` and `consume` need Redis; `sweep` "
            "needs Redis and the store.",
            [Query(rate("background_failures_total", "job, exported_job"), "{{job}} {{exported_job}}")],
            width=24,
            height=6,
        ),
    ],
)

_STORES = Row(
    "Stores",
    [
        Panel(
            "Ready",
            "bool_yes_no",
            "Whether each gRPC service is ready. The task service needs its store, the notification service Redis.",
            "Runbook, StoreAway. The service's log line `not ready` has the error.",
            [Query("min by (grpc_service) (grpc_service_ready)", "{{grpc_service}}")],
            width=6,
        ),
        Panel(
            "Redis and MongoDB up",
            "bool_yes_no",
            "Whether the exporters can connect to Redis and MongoDB.",
            "Run `make ps`, then `scripts/compose restart redis` or `mongo`.",
            [Query("redis_up", "Redis"), Query("mongodb_up", "MongoDB")],
            width=6,
        ),
        Panel(
            "Redis: memory",
            "bytes",
            "Memory used by Redis, and the limit at which it refuses writes.",
            "Near the limit: look for a user with millions of notifications. Old notifications are trimmed; pending "
            "deliveries are not.",
            [Query("redis_memory_used_bytes", "used"), Query("redis_memory_max_bytes", "limit")],
            width=6,
        ),
        Panel(
            "Redis: commands",
            "ops",
            "Commands per second from all clients.",
            "Far more than the requests and events require: a client polls.",
            [Query(rate("redis_commands_processed_total"), "commands")],
            width=6,
        ),
        Panel(
            "MongoDB: operations",
            "ops",
            "Operations per second by type.",
            "Queries without requests: a background job reads too much. Requests without operations: MongoDB hangs.",
            [Query(rate('mongodb_ss_opcounters{legacy_op_type!="command"}', "legacy_op_type"), "{{legacy_op_type}}")],
            width=12,
        ),
        Panel(
            "MongoDB: connections",
            "short",
            "Open connections. Each replica of the task service keeps a few dozen at most.",
            "Constant growth: a client opens connections and does not close them.",
            [Query('mongodb_ss_connections{conn_type="current"}', "current")],
            width=12,
        ),
    ],
)

DASHBOARD = Dashboard(
    "taskmesh-overview",
    "Overview",
    "User experience, the latency from a browser to a notification, and the golden signals of each service.",
    [_USERS, _WAY, _SIGNALS, _STORES],
)
