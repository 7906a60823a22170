"""Rules for network policies: the allowed connections are exactly those of the architecture."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.containers.variables import SETTINGS
from scripts.k8s.kustomization import Resource

Connection = tuple[str, str, int | str]
"""Client, server and port. A peer that is not one of these pods is namespace/name, a range of addresses, or a store."""

IN: frozenset[Connection] = frozenset(
    {
        ("gateway/kong", "web", 8080),
        ("gateway/kong", "edge-api", 8080),
        ("gateway/kong", "task-svc", 50051),
        ("gateway/kong", "notify-svc", 50052),
        ("edge-api", "task-svc", 50051),
        ("edge-api", "notify-svc", 50052),
        ("notify-svc", "task-svc", 50051),
        *(("monitoring/prometheus", service, "metrics") for service in SETTINGS),
    }
)
OUT: frozenset[Connection] = frozenset(
    {
        *((a, b, port) for a, b, port in IN if a in SETTINGS),
        *((service, "kube-system/kube-dns", 53) for service in SETTINGS),
        *(("notify-svc", "0.0.0.0/0", port) for port in (443, 465, 587)),
        ("task-svc", "a store", 27017),
        ("task-svc", "a store", 6379),
        ("notify-svc", "a store", 6379),
    }
)
_ANYWHERE = "0.0.0.0/0"
_INSIDE = {"10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"}


def traffic_is_denied_by_default(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """One policy selects every pod of the namespace and allows nothing, in or out."""
    if {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} not in [spec for _, spec in _policies(resources)]:
        yield "no NetworkPolicy denies all other traffic"


def connections_are_expected(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """The policies allow the connections in `IN` and `OUT`, and no others."""
    for kind, right in (("ingress", IN), ("egress", OUT)):
        found = _connections(resources, kind)
        yield from (f"{kind} {' → '.join(map(str, each))} must not be allowed" for each in found - right)
        yield from (f"{kind} {' → '.join(map(str, each))} is missing" for each in right - found)
    for name, spec in _policies(resources):
        types = {kind.capitalize() for kind in ("ingress", "egress") if kind in spec}
        if types and types != set(spec["policyTypes"]):
            yield f"NetworkPolicy {name}: policyTypes must be {sorted(types)}"


def _connections(resources: Sequence[Resource], kind: str) -> set[Connection]:
    return {
        (peer, pod, port["port"]) if kind == "ingress" else (pod, peer, port["port"])
        for _, spec in _policies(resources)
        for pod in _selected(spec["podSelector"])
        for rule in spec.get(kind, [])
        for peer in _peers(rule.get("from" if kind == "ingress" else "to"))
        for port in rule.get("ports", [{"port": "any"}])
    }


def _peers(peers: Sequence[Mapping[str, Any]] | None) -> Iterator[str]:
    for peer in peers or [{"ipBlock": {"cidr": "any address"}}]:
        if block := peer.get("ipBlock"):
            is_world = block["cidr"] == _ANYWHERE and set(block.get("except", [])) >= _INSIDE
            is_store = block["cidr"] not in (_ANYWHERE, "any address")
            yield _ANYWHERE if is_world else "a store" if is_store else "any address"
            continue
        namespace = peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
        if "namespaceSelector" in peer and namespace is None:
            namespace = "any namespace"
        for pod in _selected(peer.get("podSelector", {})):
            yield f"{namespace}/{pod}" if namespace else pod


def _selected(selector: Mapping[str, Any]) -> list[str]:
    """Return the names that a selector selects, or `any` if it selects all."""
    labels = selector.get("matchLabels", {})
    alone = labels.get("app.kubernetes.io/name") or labels.get("k8s-app")
    listed = [value for each in selector.get("matchExpressions", []) for value in each["values"]]
    return [alone] if alone else listed or ["any"]


def _policies(resources: Sequence[Resource]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(each["metadata"]["name"], each["spec"]) for each in resources if each["kind"] == "NetworkPolicy"]
