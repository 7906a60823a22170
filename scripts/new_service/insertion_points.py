"""What a new service adds to files that are there: which text, before or behind which other."""

from collections.abc import Sequence
from dataclasses import dataclass


class Moved(Exception):
    """A file has not what an addition goes by; the message says which."""


@dataclass(frozen=True)
class Addition:
    """`text` goes before or behind `mark`, which the file has exactly once, or in the place of it everywhere."""

    file: str
    mark: str
    text: str
    where: str = "before"

    def to(self, content: str) -> str:
        """The content with it. Raises Moved."""
        if self.where == "instead" and self.mark in content:
            return content.replace(self.mark, self.text)
        if content.count(self.mark) != 1:
            msg = f"{self.file} has {content.count(self.mark)} times: {self.mark!r}"
            raise Moved(msg)
        new = self.text + self.mark if self.where == "before" else self.mark + self.text
        return content.replace(self.mark, new)


_BUILD_STAGE = """FROM packages AS @name@-build
COPY @name@_svc/requirements.txt /build/
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-compile -r /build/requirements.txt && \\
    python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/taskmesh/lib
COPY chassis chassis
COPY gen/@name@ @name@
COPY @name@_svc @name@_svc
RUN chmod -R a+rX . && python -m compileall -q --invalidation-mode unchecked-hash .

"""
_TARGET = """FROM runtime AS @name@-svc
LABEL org.opencontainers.image.title="Taskmesh @name@-svc" \\
      org.opencontainers.image.description="The @name@ service, over gRPC"
COPY --from=@name@-build /opt/taskmesh /opt/taskmesh
COPY --from=@name@-build /app /app
EXPOSE @grpc_port@ @metrics_port@
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \\
  CMD ["python", "-m", "chassis.probe", "grpc://127.0.0.1:@grpc_port@"]
CMD ["python", "-m", "@name@_svc"]

"""
_COMPOSE = """  @name@-svc:
    <<: *hardened
    image: taskmesh/@name@-svc:@version@
    build: { context: ., target: @name@-svc }
    environment:
      <<: *environment
      @NAME@_GRPC_HOST: 0.0.0.0
      @NAME@_GRPC_REFLECTION: ${GRPC_REFLECTION:-false}
      @NAME@_METRICS_HOST: 0.0.0.0
    secrets: [mesh-token]
    networks: [mesh]
    healthcheck:
      { <<: *health, test: [CMD, python, -m, chassis.probe, "grpc://127.0.0.1:@grpc_port@/@name@.v1.@Name@Service"] }
    mem_limit: 256m

"""
_SCRAPE = """  - job_name: @name@-svc
    dns_sd_configs: [{ names: [@name@-svc], type: A, port: @metrics_port@, refresh_interval: 10s }]
"""
_CONFIG = """  - name: @name@-svc
    literals:
      - ENVIRONMENT=production
      - LOG_FORMAT=json
      - MESH_TOKEN_FILE=/run/secrets/mesh-token
      - DRAIN_NOTICE_SECONDS=5
      - @NAME@_GRPC_HOST=0.0.0.0
      - @NAME@_GRPC_REFLECTION=false
      - @NAME@_METRICS_HOST=0.0.0.0
"""
_IMAGE = "  - { name: taskmesh/@name@-svc, newName: registry.example/taskmesh/@name@-svc, newTag: @version@ }\n"
_K8S, _EXAMPLE = "deploy/k8s/base/kustomization.yaml", "deploy/k8s/overlays/example/kustomization.yaml"
_OVERVIEW = "scripts/dashboards/overview.py"


def _up(job: str, instance: str, samples: str) -> str:
    return f'      - {{ series: \'up{{job="{job}", instance="{instance}"}}\', values: "{samples}" }}\n'


ADDITIONS: Sequence[Addition] = (
    Addition("pyproject.toml", "edge-api = [\n", "@name@-svc = []\n"),
    Addition("pyproject.toml", '    { include-group = "edge-api" },\n', '    { include-group = "@name@-svc" },\n'),
    Addition(".github/dependabot.yml", "/edge_api]", "/@name@_svc, "),
    Addition("pyproject.toml", ', "gen/task"', ', "@name@_svc"'),
    Addition("pyproject.toml", ', "gen/notify"', ', "gen/@name@"', "behind"),
    Addition("pyproject.toml", ', "kong", "scripts"', ', "@name@_svc"'),
    Addition("pyproject.toml", 'module = ["task.*", "notify.*"', ', "@name@.*"', "behind"),
    Addition("pyproject.toml", 'root_packages = ["chassis", ', '"@name@_svc", ', "behind"),
    Addition("pyproject.toml", ' | edge_api", "chassis"]', " | @name@_svc"),
    Addition(
        "pyproject.toml", 'source_modules = ["task_svc.domain", "notify_svc.domain"', ', "@name@_svc.domain"', "behind"
    ),
    Addition("pyproject.toml", 'source_pkgs = ["chassis", ', '"@name@_svc", ', "behind"),
    Addition(".dockerignore", "!edge_api\n", "!@name@_svc\n"),
    Addition("Dockerfile", "FROM packages AS edge-build\n", _BUILD_STAGE),
    Addition("Dockerfile", "FROM runtime AS edge-api\n", _TARGET),
    Addition("docker-compose.yml", "  redis:\n    <<: *hardened\n", _COMPOSE),
    Addition("monitoring/prometheus/prometheus.yml", "  - job_name: kong #", _SCRAPE),
    Addition(_OVERVIEW, "from scripts.dashboards.grafana import FIRING", "from scripts.dashboards import @name@_svc\n"),
    Addition(_OVERVIEW, "[_USERS, _WAY, _SIGNALS, _STORES", ", @name@_svc.ROW", "behind"),
    Addition(
        "monitoring/prometheus/rules/alerts.yml",
        ' or absent(up{job="notify-svc"})',
        ' or absent(up{job="@name@-svc"})',
        "behind",
    ),
    *(
        Addition(
            "monitoring/prometheus/tests/parts.yml",
            _up("redis", "10.0.0.6:9121", samples),
            _up("@name@-svc", "@name@:@metrics_port@", samples),
        )
        for samples in ("1x40", "1x20")
    ),
    Addition("scripts/dev/settings.py", '    "EDGE_METRICS_PORT": 9100,\n', '    "@NAME@_GRPC_PORT": @grpc_port@,\n'),
    Addition("scripts/dev/settings.py", '    "REDIS_PORT": 6379,\n', '    "@NAME@_METRICS_PORT": @metrics_port@,\n'),
    Addition(
        "scripts/dev/services.py",
        ')\n"""Each after those that it calls."""',
        '    GrpcService("@name@_svc", "@NAME@", "@name@.v1.@Name@Service"),\n',
    ),
    Addition("scripts/containers/guarded.py", '    "redis": {"data"},\n', '    "@name@-svc": {"mesh"},\n'),
    Addition(
        "scripts/containers/variables.py",
        "from edge_api.settings import EdgeSettings\n",
        "from @name@_svc.settings import @Name@Settings\n",
        "behind",
    ),
    Addition(
        "scripts/containers/variables.py",
        '    "notify-svc": NotifySettings,\n',
        '    "@name@-svc": @Name@Settings,\n',
        "behind",
    ),
    Addition(
        "scripts/k8s/workloads.py", '    "edge-api": "/readyz",\n', '    "@name@-svc": "@name@.v1.@Name@Service",\n'
    ),
    Addition(_K8S, "  - web.yaml\n", "  - @name@-svc.yaml\n"),
    Addition(_K8S, "  - name: notify-svc\n    literals:\n", _CONFIG),
    Addition(_EXAMPLE, "  - { name: taskmesh/web,", _IMAGE),
    Addition("deploy/k8s/base/network.yaml", "[edge-api, ", "[edge-api, @name@-svc, ", "instead"),
    Addition(".github/workflows/images.yml", ", edge-api, web]", ", @name@-svc"),
    Addition(
        "docs/README.md", "| run it and keep it running |", "| know the @name@ service | [its page](@name@-svc.md) |\n"
    ),
)
