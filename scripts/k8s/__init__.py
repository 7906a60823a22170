"""Check `deploy/k8s/` without a cluster: against Kubernetes' schemas and against the rest of the project."""
