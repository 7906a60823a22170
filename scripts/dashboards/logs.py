"""The dashboard Logs: the log lines of each service, together with its metrics."""

from scripts.dashboards.grafana import Dashboard, Panel, Query, Row, Variable
from scripts.dashboards.promql import FAULTS, NO_PROBES, quantile

_SERVICES = ("edge-api", "task-svc", "notify-svc", "kong", "redis", "mongo", "kong-db", "web")
_SELECTED = '{service_name=~"$service"}'
_MATCHING = f'{_SELECTED} |= "$text"'
_NO_LINES = "none of the selected services has written such a line"

_METRICS = Row(
    "Metrics of the selected services",
    [
        Panel(
            "Log lines by level",
            "short",
            "Log lines per second by level. Lines without a level are `unknown`.",
            "A sudden rise of `warn` or `error`: read the lines below from that time.",
            [Query(f"sum by (detected_level) (rate({_SELECTED} [$__auto]))", "{{detected_level}}", _NO_LINES)],
            source="loki",
            stacked=True,
        ),
        Panel(
            "Errors",
            "reqps",
            "Requests and calls per second that failed because of an error in the selected service.",
            "Select the service that has errors, and read its lines of the same minute below.",
            [
                Query(
                    f'sum by (job) (rate(http_requests_total{{job=~"$service", {NO_PROBES}, status=~"5.."}}'
                    "[$__rate_interval]))",
                    "{{job}}",
                    "no request has failed since the start, or the selected service receives none",
                ),
                Query(
                    f'sum by (job) (rate(grpc_server_handled_total{{job=~"$service", grpc_code=~"{FAULTS}"}}'
                    "[$__rate_interval]))",
                    "{{job}}",
                    "no call has failed since the start, or the selected service receives none",
                ),
            ],
        ),
        Panel(
            "Latency, p95",
            "s",
            "The 95th percentile of the selected service's requests and unary calls. The dots link to traces.",
            "Open the trace of a dot, and from there the log lines of the trace.",
            [
                Query(
                    quantile(0.95, f'http_request_duration_seconds{{job=~"$service", {NO_PROBES}}}', "job"),
                    "{{job}}",
                ),
                Query(
                    quantile(0.95, 'grpc_server_handling_seconds{job=~"$service", grpc_type="UNARY"}', "job"), "{{job}}"
                ),
            ],
            exemplars=True,
        ),
    ],
)

_LINES = Row(
    "Log lines of the selected services",
    [
        Panel(
            "Warnings and errors",
            "none",
            "Warnings and errors of the selected services. The details of a line link to its trace.",
            "Read the oldest line of a series first: later lines are often consequences.",
            [Query(f'{_MATCHING} | detected_level=~"warn|error|critical|fatal"', "", _NO_LINES)],
            kind="logs",
            source="loki",
            width=24,
            height=10,
        ),
        Panel(
            "One request",
            "none",
            "All lines of one request, from the edge through the services to the notification. The request id is in "
            "the response header X-Request-ID, and in the body of every error response of the API.",
            "The lines end too early: the next step failed or hangs. Open the trace.",
            [
                Query(
                    '{service_name=~".+"} | request_id = `$request` | line_format "{{.service_name}} {{__line__}}"',
                    "",
                    "the field `Request id` is empty, or no line has that id",
                )
            ],
            kind="logs",
            source="loki",
            width=24,
            height=10,
        ),
        Panel(
            "All lines",
            "none",
            "All lines of the selected services that contain the search text.",
            "No lines although the service runs: check Alloy, which collects them, with `make logs ARGS=alloy`.",
            [Query(_MATCHING, "", _NO_LINES)],
            kind="logs",
            source="loki",
            width=24,
            height=14,
        ),
    ],
)

DASHBOARD = Dashboard(
    "taskmesh-logs",
    "Logs",
    "The log lines of each service, together with its metrics. Lines link to traces, and traces to lines.",
    [_METRICS, _LINES],
    [
        Variable("service", "Service", "The services to show.", choices=_SERVICES),
        Variable("text", "Text", "Text that a line must contain."),
        Variable("request", "Request id", "The X-Request-ID of one request."),
    ],
)
