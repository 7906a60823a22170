"""Overview: what users notice, how long things take on the whole way, and the four golden signals of each service."""

from scripts.dashboards.grafana import FIRING, Dashboard, Panel, Query, Row
from scripts.dashboards.promql import FAULTS, NO_PROBES, quantile, rate, share

_RPC = 'grpc_service!~"grpc[.].+"'
_UNARY = f'{_RPC}, grpc_type="UNARY"'

_USERS = Row(
    "What users notice",
    [
        Panel(
            "Requests",
            "reqps",
            "Requests a second at the edge, without probes.",
            "None at all, though somebody works: look at *Gateway*, nothing comes through. `make load` makes some.",
            [Query(rate(f"http_requests_total{{{NO_PROBES}}}"))],
            kind="stat",
            width=6,
            height=5,
        ),
        Panel(
            "Failing",
            "percentunit",
            "The share of the last five minutes' requests that ended with 5xx. The objective is 0.5 % in a month.",
            "Runbook, ErrorBudgetBurnsFast: by status below, by method in *gRPC*, and why in *Logs*.",
            [Query("edge:http_errors:ratio_rate5m")],
            kind="stat",
            width=6,
            height=5,
            limits=[(0.005, "orange"), (0.03, "red")],
        ),
        Panel(
            "95 % are answered within",
            "s",
            "The time that one request in twenty exceeds, over five minutes. The objective is half a second.",
            "Runbook, RequestsSlow: see below which part of the way takes the time, then look at a trace.",
            [Query("edge:http_request_duration_seconds:p95_5m")],
            kind="stat",
            width=6,
            height=5,
            limits=[(0.25, "orange"), (0.5, "red")],
        ),
        Panel(
            "Alerts that fire",
            "short",
            "How many alerts fire now; *Alerting* in Grafana's menu lists them.",
            "Read what `monitoring/runbook.md` says under each one's name.",
            [Query(f"count({FIRING}) or vector(0)")],
            kind="stat",
            width=6,
            height=5,
            limits=[(1, "red")],
        ),
        Panel(
            "Requests by status",
            "reqps",
            "Requests a second at the edge by what was answered.",
            "5xx: something behind the edge; 4xx in plenty: a client is wrong, or a page older than the service.",
            [Query(rate(f"http_requests_total{{{NO_PROBES}}}", "status"), "{{status}}")],
            stacked=True,
        ),
        Panel(
            "Share that fails, and the objective",
            "percentunit",
            "The share answered with 5xx over five minutes and an hour. The line is what a month allows on average.",
            "Above the line for long: the budget is spent. A short peak is what the budget is for.",
            [
                Query("edge:http_errors:ratio_rate5m", "5 minutes"),
                Query("edge:http_errors:ratio_rate1h", "1 hour"),
            ],
            limits=[(0.005, "red")],
        ),
        Panel(
            "Time of a request",
            "s",
            "What half, 95 % and 99 % of the requests stay below. The dots are requests: one leads to its trace.",
            "Take a dot that is high and follow it: the trace shows which call took the time.",
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
            "Time along the way, p95",
            "s",
            "What 95 % stay below: the whole request as Kong sees it, the edge, creating a task in the task service, "
            "and from a task's change to its notification in the inbox and the log.",
            "The part that rises is where to look. Kong's buckets are coarse: below 25 ms it always says 25.",
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
            "From a change to whoever watches, p95",
            "s",
            "From a task's write to its event on an open page, by the feed that carried it.",
            "High: the stream is read late (see *Queue*) or a page is slow. Watchers that are too slow are cut.",
            [
                Query(
                    quantile(0.95, "watch_delivery_seconds", "feed"),
                    "{{feed}}",
                    "nobody watches: open the page, or `curl -N …/api/v1/events`",
                )
            ],
            width=6,
        ),
        Panel(
            "Who watches",
            "short",
            "Open event streams by the process that serves them: the edge's are pages, the services' are the edge.",
            "Fewer than pages are open: they come again by themselves within seconds, unless the edge refuses them.",
            [Query("sum by (job, feed) (watchers)", "{{job}} {{feed}}")],
            width=6,
        ),
    ],
)

_SIGNALS = Row(
    "The golden signals, service by service",
    [
        Panel(
            "Traffic",
            "reqps",
            "Requests a second at the edge, and calls a second that each gRPC service gets, without probes.",
            "The services far above the edge: calls are repeated, or a client goes round the edge.",
            [
                Query(rate(f"http_requests_total{{{NO_PROBES}}}", "job"), "{{job}}"),
                Query(rate(f"grpc_server_started_total{{{_RPC}}}", "job"), "{{job}}"),
            ],
        ),
        Panel(
            "Errors",
            "percentunit",
            "The share of requests and calls that failed by the fault of the service itself.",
            "The service deepest down the way that shows errors is where they come from.",
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
            "What 95 % of requests and of unary calls stay below.",
            "The edge waits for the services: where both rise, look at the service, then at its store.",
            [
                Query(quantile(0.95, f"http_request_duration_seconds{{{NO_PROBES}}}", "job"), "{{job}}"),
                Query(quantile(0.95, f"grpc_server_handling_seconds{{{_UNARY}}}", "job"), "{{job}}"),
            ],
            exemplars=True,
        ),
        Panel(
            "Saturation: processor",
            "percentunit",
            "How much of one core each process uses. A Python process cannot use more than about one.",
            "Near 100 %: it is the limit. Add replicas: `make up ARGS='--scale edge-api=2'`.",
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
            "The resident memory of each process. The containers' limits are in docker-compose.yml.",
            "It grows for hours: a leak, or more watchers. At its limit the container is ended and starts again.",
            [Query("sum by (job, instance) (process_resident_memory_bytes)", "{{job}} {{instance}}")],
        ),
        Panel(
            "Saturation: in flight",
            "short",
            "Requests that the edge works on, and unary calls that each service works on, at this moment.",
            "It grows and does not fall: something hangs. At 200 the edge answers 503 to more.",
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
            "Background work that failed",
            "ops",
            "Errors that ended a background job before it was run again, by service and job.",
            "The service's line `background job failed` says why. `publish` and `consume` need Redis, `sweep` both.",
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
            "Whether each gRPC service says that it can work: the task service needs its store, the notifier Redis.",
            "Runbook, StoreAway. The service's line `not ready` says why.",
            [Query("min by (grpc_service) (grpc_service_ready)", "{{grpc_service}}")],
            width=6,
        ),
        Panel(
            "Redis and MongoDB answer",
            "bool_yes_no",
            "Whether the exporter gets an answer from each.",
            "`make ps`, then `scripts/compose restart redis` or `mongo`.",
            [Query("redis_up", "Redis"), Query("mongodb_up", "MongoDB")],
            width=6,
        ),
        Panel(
            "Redis: memory",
            "bytes",
            "What Redis holds, and where it begins to refuse writes.",
            "Near the limit: who has millions of notifications? What is old is trimmed; what is owed never is.",
            [Query("redis_memory_used_bytes", "used"), Query("redis_memory_max_bytes", "limit")],
            width=6,
        ),
        Panel(
            "Redis: commands",
            "ops",
            "Commands a second, of all services together.",
            "Far more than requests and events would need: something polls.",
            [Query(rate("redis_commands_processed_total"), "commands")],
            width=6,
        ),
        Panel(
            "MongoDB: operations",
            "ops",
            "Operations a second by kind.",
            "Queries without requests: a chore reads too much. Nothing, with requests: MongoDB hangs.",
            [Query(rate('mongodb_ss_opcounters{legacy_op_type!="command"}', "legacy_op_type"), "{{legacy_op_type}}")],
            width=12,
        ),
        Panel(
            "MongoDB: connections",
            "short",
            "Open connections, of which each task service keeps a few dozen at most.",
            "It grows without end: somebody opens and does not close.",
            [Query('mongodb_ss_connections{conn_type="current"}', "current")],
            width=12,
        ),
    ],
)

DASHBOARD = Dashboard(
    "taskmesh-overview",
    "Overview",
    "What users notice, how long the way from a browser to a notification takes, and how each service is.",
    [_USERS, _WAY, _SIGNALS, _STORES],
)
