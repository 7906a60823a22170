"""Rules about Kong's containers: what it must not offer, the steps before it, and the files that these read."""

import re
from collections.abc import Iterator
from pathlib import Path

from scripts.containers.project import Project, names

_STEPS = ("kong-init", "kong-prune", "kong-import")
"""In the order in which they run; the first and the last render kong.yml."""
_FOLDER = "/etc/taskmesh/kong/"
_MUST = {
    "KONG_ADMIN_LISTEN": "off",
    "KONG_ADMIN_GUI_LISTEN": "off",
    "KONG_ANONYMOUS_REPORTS": "off",
    "KONG_HEADERS": "off",
    "KONG_UNTRUSTED_LUA": "sandbox",
    "KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE": "256k",
    "KONG_NGINX_PROXY_UNDERSCORES_IN_HEADERS": "off",
    "KONG_DB_CACHE_NEG_TTL": "1",
}
_LISTENERS = ("KONG_PROXY_LISTEN", "KONG_STATUS_LISTEN")
_LONGEST_DNS_TTL = 10
_PLACEHOLDER = re.compile(r"@([A-Z][A-Z_]*)@")
_SECRET_OF = {"SESS_SECRET": "kong-session-secret"}
"""Which file kong/render takes for a name, where that is not the name itself."""


def kong_is_closed(project: Project) -> Iterator[str]:
    """Nobody administers it, nobody tells it whom a request comes from, and it forgets addresses soon."""
    environment = project.environment("kong")
    for variable, value in _MUST.items():
        if environment.get(variable) != value:
            yield f"kong: {variable} must be {value}"
    if "KONG_TRUSTED_IPS" in environment:
        yield "kong: KONG_TRUSTED_IPS lets others say whom a request comes from"
    for variable in ("KONG_DNS_VALID_TTL", "KONG_DNS_STALE_TTL", "KONG_DNS_NOT_FOUND_TTL"):
        if not 0 < float(environment.get(variable, "inf")) <= _LONGEST_DNS_TTL:
            yield f"kong: {variable} must be at most {_LONGEST_DNS_TTL} s, or requests go to where another service is"
    for variable in ("HEADER_TIMEOUT", "BODY_TIMEOUT"):
        if f"KONG_NGINX_HTTP_CLIENT_{variable}" not in environment:
            yield f"kong: KONG_NGINX_HTTP_CLIENT_{variable} is missing, and a request may be endless"


def kong_starts_again(project: Project) -> Iterator[str]:
    """Kong's user owns what Kong writes: older versions of runc forget a tmpfs's mode when a container restarts."""
    for name in ("kong", "kong-init", "kong-import"):
        user, _, group = str(project.services[name]["user"]).partition(":")
        options = next((each for each in project.services[name]["tmpfs"] if each.startswith("/run/kong:")), "")
        if not {f"uid={user}", f"gid={group}"} <= set(re.split("[:,]", options)):
            yield f"{name}: its tmpfs /run/kong must have uid={user} and gid={group}"


def protos_stay_inside(project: Project) -> Iterator[str]:
    """Nobody may ask the services for their protos until who runs them says so."""
    for name, variable in (("task-svc", "TASK_GRPC_REFLECTION"), ("notify-svc", "NOTIFY_GRPC_REFLECTION")):
        if project.environment(name).get(variable) != "false":
            yield f"{name}: {variable} must be false where nobody asks for more"


def ports_are_listened_on(project: Project) -> Iterator[str]:
    """What is published is where Kong takes requests, all of it and nothing else: not its status and metrics."""
    proxy, status = (set(re.findall(r":(\d+)", project.environment("kong").get(each, ""))) for each in _LISTENERS)
    published = {str(port).rpartition(":")[2] for port in project.services["kong"].get("ports", [])}
    if published != proxy:
        yield f"kong: it takes requests on {sorted(proxy)} and publishes {sorted(published)}"
    if not status or status & published:
        yield "kong: KONG_STATUS_LISTEN must have a port that is not published"


def the_page_may_write(project: Project) -> Iterator[str]:
    """Wherever Kong shows the page, the edge takes what it sends."""
    origins = project.environment("edge-api").get("PUBLIC_ORIGINS", "").split(",")
    for port, options in re.findall(r":(\d+)([^,]*)", project.environment("kong").get("KONG_PROXY_LISTEN", "")):
        scheme = "https" if "ssl" in options else "http"
        if scheme == "http" and "http2" in options:
            continue  # no browser speaks HTTP/2 without TLS
        for host in ("localhost", "127.0.0.1"):
            if f"{scheme}://{host}:{port}" not in origins:
                yield f"edge-api: PUBLIC_ORIGINS lacks {scheme}://{host}:{port}, where the page is"


def steps_come_before_kong(project: Project) -> Iterator[str]:
    """Each step waits until the one before has ended well, and Kong for the last."""
    for before, after in zip(_STEPS, (*_STEPS[1:], "kong"), strict=True):
        needed = project.services[after].get("depends_on", {}).get(before, {})
        if needed.get("condition") != "service_completed_successfully":
            yield f"{after}: must wait until {before} has ended well"


def steps_have_what_they_read(project: Project) -> Iterator[str]:
    """Beside each other, as kong/init, kong/render and kong/prune look for them; and both renderings come out alike."""
    config = (project.root / "kong/kong.yml").read_text()
    rendering = {_SECRET_OF.get(name, name.lower().replace("_", "-")) for name in _PLACEHOLDER.findall(config)}
    for name, files, secrets in (
        ("kong-init", {"init", "render", "kong.yml", "demo-users.yml"}, {*rendering, "kong-users"}),
        ("kong-prune", {"prune", "prune.sql"}, set()),
        ("kong-import", {"init", "render", "kong.yml", "demo-users.yml"}, {*rendering, "kong-users"}),
    ):
        service = project.services[name]
        if _mounted(project, name) != files:
            yield f"{name}: it reads {sorted(files)} in {_FOLDER}"
        if set(names(service.get("secrets", []))) != {*secrets, "kong-db-password"}:
            yield f"{name}: it reads the secrets {sorted({*secrets, 'kong-db-password'})}"
    if project.environment("kong-init") != project.environment("kong-import"):
        yield "kong-init and kong-import: what one has proved, the other must import"


def versions_are_the_same(project: Project) -> Iterator[str]:
    """A schema is brought up to date by the Kong that uses it."""
    for one, other in (("kong", "kong-init"), ("kong", "kong-import"), ("kong-db", "kong-prune")):
        if project.services[one]["image"] != project.services[other]["image"]:
            yield f"{one} and {other}: their images differ"


def _mounted(project: Project, name: str) -> set[str]:
    """The files in `_FOLDER`, each under the name that it has in the checkout."""
    found = set()
    for config in project.services[name].get("configs", []):
        target = config["target"].removeprefix(_FOLDER)
        source = project.compose["configs"].get(config["source"], {}).get("file", "")
        found.add(target if Path(source) == Path("kong") / target else f"{target} from {source}")
    return found
