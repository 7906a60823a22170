"""Logs: what the parts write, beside the metrics of the same parts."""

from scripts.dashboards.grafana import Dashboard, Panel, Query, Row, Variable
from scripts.dashboards.promql import FAULTS, NO_PROBES, quantile

_SERVICES = ("edge-api", "task-svc", "notify-svc", "kong", "redis", "mongo", "kong-db", "web")
_CHOSEN = '{service_name=~"$service"}'
_SOUGHT = f'{_CHOSEN} |= "$text"'
_QUIET = "none of the chosen services has written such a line"

_BESIDE = Row(
    "The chosen services in numbers",
    [
        Panel(
            "Lines by level",
            "short",
            "Log lines a second by level; what does not say a level is `unknown`.",
            "A step upwards in `warn` or `error`: the lines below say what began then.",
            [Query(f"sum by (detected_level) (rate({_CHOSEN} [$__auto]))", "{{detected_level}}", _QUIET)],
            source="loki",
            stacked=True,
        ),
        Panel(
            "Errors",
            "reqps",
            "Requests and calls a second that failed by the chosen service's own fault.",
            "Choose the service that shows them, and read its lines of the same minute below.",
            [
                Query(
                    f'sum by (job) (rate(http_requests_total{{job=~"$service", {NO_PROBES}, status=~"5.."}}'
                    "[$__rate_interval]))",
                    "{{job}}",
                    "no request has failed since the start, or the chosen service takes none",
                ),
                Query(
                    f'sum by (job) (rate(grpc_server_handled_total{{job=~"$service", grpc_code=~"{FAULTS}"}}'
                    "[$__rate_interval]))",
                    "{{job}}",
                    "no call has failed since the start, or the chosen service takes none",
                ),
            ],
        ),
        Panel(
            "Latency, p95",
            "s",
            "What 95 % of the chosen service's requests and unary calls stay below. The dots lead to traces.",
            "From a dot to its trace, and from there to the lines that were written in it.",
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
    "Their lines",
    [
        Panel(
            "Warnings and errors",
            "none",
            "The chosen services' lines that are warnings or errors. A line's details have the link to its trace.",
            "Read the oldest of a series first: what came after is often its consequence.",
            [Query(f'{_SOUGHT} | detected_level=~"warn|error|critical|fatal"', "", _QUIET)],
            kind="logs",
            source="loki",
            width=24,
            height=10,
        ),
        Panel(
            "One request",
            "none",
            "All lines of one request, from the edge over the services to the notification. Its id is in the answer's "
            "header X-Request-ID, and in every problem that the API answers.",
            "It ends too early: what should come next has failed or hangs; look at its trace.",
            [
                Query(
                    '{service_name=~".+"} | request_id = `$request` | line_format "{{.service_name}} {{__line__}}"',
                    "",
                    "no id is written in the field `Request id`, or nothing has that id",
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
            "What the chosen services write, with the text that is sought.",
            "Nothing though the service runs: look at Alloy, `make logs ARGS=alloy`, which brings the lines here.",
            [Query(_SOUGHT, "", _QUIET)],
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
    "What each part writes, beside its metrics; a line leads to its trace, a trace to its lines.",
    [_BESIDE, _LINES],
    [
        Variable("service", "Service", "The parts whose lines are shown.", choices=_SERVICES),
        Variable("text", "Text", "What a line must contain."),
        Variable("request", "Request id", "The X-Request-ID of one request."),
    ],
)
