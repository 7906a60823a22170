"""Defines the Grafana dashboards; `python -m scripts.dashboards` generates their JSON files."""
