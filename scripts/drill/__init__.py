"""Drills: faults to find with the monitoring. `make drill` lists them."""
