"""Where `make new-service` inserts text into existing files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class AnchorMismatch(Exception):
    """A file does not contain an anchor as often as expected; the message names both."""


@dataclass(frozen=True)
class Insertion:
    """Replaces an anchor, which must occur exactly `count` times, with itself and the new text."""

    anchor: str
    replacement: str
    count: int = 1

    def apply(self, content: str, file: str) -> str:
        """Return the content of `file` with the insertion. Raise AnchorMismatch."""
        if (found := content.count(self.anchor)) != self.count:
            msg = f"{file}: expected {self.anchor!r} {self.count} times, found it {found} times"
            raise AnchorMismatch(msg)
        return content.replace(self.anchor, self.replacement)


def _before(anchor: str, text: str, count: int = 1) -> Insertion:
    return Insertion(anchor, text + anchor, count)


def _after(anchor: str, text: str, count: int = 1) -> Insertion:
    return Insertion(anchor, anchor + text, count)


def _text(template: str) -> str:
    return (Path(__file__).parent / "templates/inserted" / template).read_text()


_SCRAPE = """  - job_name: @name@-svc
    dns_sd_configs: [{ names: [@name@-svc], type: A, port: @metrics_port@, refresh_interval: 10s }]
"""
_IMAGE = "  - { name: taskmesh/@name@-svc, newName: registry.example/taskmesh/@name@-svc, newTag: @version@ }\n"
_UP = """      - { series: 'up{job="@name@-svc", instance="@name@:@metrics_port@"}', values: "1x40" }\n"""

INSERTIONS: Mapping[str, Sequence[Insertion]] = {
    "pyproject.toml": (
        _before("edge-api = [\n", "@name@-svc = []\n"),
        _before('    { include-group = "edge-api" },\n', '    { include-group = "@name@-svc" },\n'),
        _before(', "gen/task"', ', "@name@_svc"'),
        _after(', "gen/notify"', ', "gen/@name@"'),
        _before(', "kong", "scripts"', ', "@name@_svc"'),
        _after('module = ["task.*", "notify.*"', ', "@name@.*"'),
        _after('root_packages = ["chassis", ', '"@name@_svc", '),
        _before(' | edge_api", "chassis"]', " | @name@_svc"),
        _after('source_modules = ["task_svc.domain", "notify_svc.domain"', ', "@name@_svc.domain"'),
        _after('source_pkgs = ["chassis", ', '"@name@_svc", '),
    ),
    ".github/dependabot.yml": (_before("/edge_api]", "/@name@_svc, "),),
    ".github/workflows/images.yml": (_before(", edge-api, web]", ", @name@-svc"),),
    ".dockerignore": (_before("!edge_api\n", "!@name@_svc\n"),),
    "Dockerfile": (
        _before("FROM packages AS edge-build\n", _text("build-stage.Dockerfile") + "\n"),
        _before("FROM runtime AS edge-api\n", _text("image.Dockerfile") + "\n"),
    ),
    "docker-compose.yml": (_before("  redis:\n    <<: *hardened\n", _text("compose.yml") + "\n"),),
    "monitoring/prometheus/prometheus.yml": (_before("  - job_name: kong", _SCRAPE),),
    "monitoring/prometheus/rules/alerts.yml": (
        _after(' or absent(up{job="notify-svc"})', ' or absent(up{job="@name@-svc"})'),
    ),
    "monitoring/prometheus/tests/parts.yml": (_before('      - { series: \'up{job="redis",', _UP, count=2),),
    "scripts/dev/settings.py": (
        _before('    "EDGE_METRICS_PORT": 9100,\n', '    "@NAME@_GRPC_PORT": @grpc_port@,\n'),
        _before('    "REDIS_PORT": 6379,\n', '    "@NAME@_METRICS_PORT": @metrics_port@,\n'),
    ),
    "scripts/dev/services.py": (
        _after(
            '"notify.v1.NotificationService"),\n',
            '    GrpcService("@name@_svc", "@NAME@", "@name@.v1.@Name@Service"),\n',
        ),
    ),
    "scripts/containers/variables.py": (
        _after("import EdgeSettings\n", "from @name@_svc.settings import @Name@Settings\n"),
        _after('    "notify-svc": NotifySettings,\n', '    "@name@-svc": @Name@Settings,\n'),
    ),
    "deploy/k8s/base/kustomization.yaml": (
        _before("  - web.yaml\n", "  - @name@-svc.yaml\n"),
        _before("  - name: notify-svc\n    literals:\n", _text("kustomization.yaml")),
    ),
    "deploy/k8s/base/network.yaml": (_after("[edge-api, ", "@name@-svc, ", count=2),),
    "deploy/k8s/overlays/example/kustomization.yaml": (_before("  - { name: taskmesh/web,", _IMAGE),),
    "docs/README.md": (
        _after("| [operations](operations.md) |\n", "| know the @name@ service | [its page](@name@-svc.md) |\n"),
    ),
}
