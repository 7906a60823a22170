"""Drills: faults that are switched on for somebody to find. `python -m scripts.drill N`, or `make drill N=…`."""
