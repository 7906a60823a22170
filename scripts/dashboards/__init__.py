"""The dashboards as short tables; `python -m scripts.dashboards` makes of them the JSON that Grafana reads."""
