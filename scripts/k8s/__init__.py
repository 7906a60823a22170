"""Checks `deploy/k8s/` where there is no cluster: against Kubernetes' schemas, and against the rest of the project."""
